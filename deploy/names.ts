/**
 * Names that the templates have and their users need: stacks, roles, parameters, outputs, keys in buckets. A test holds
 * them against the templates.
 */

/** Longest template that CloudFormation takes in a request itself, in bytes; a longer one has to lie in S3 (1 MB). */
export const MAX_TEMPLATE_BODY_BYTES = 51_200;

/** Namespace and environment, as vault.yaml and each manifest have them. */
export interface VaultName {
  readonly namespace: string;
  readonly environment: string;
}

/** Name of a stack: of the baseline, of a node admin's KMS stack, of a host. */
export function nameStack(
  { namespace, environment }: VaultName,
  stack: 'infrastructure' | `node-${number}` | `host-${number}`,
): string {
  return `${namespace}-${environment}-${stack}`;
}

/** Name of the role of a node's host, in the account of the infrastructure. */
export function nameHostRole({ namespace, environment }: VaultName, node: number): string {
  return `${namespace}-${environment}-node-${node}-parent`;
}

/** Prefix of a node's deployments in the bucket of the infrastructure, with its slash. */
export function deploymentPrefix(node: number): string {
  return `deployments/${node}/`;
}

/** Name of an output that the baseline has for each node: `perNode(STACK_OUTPUTS.infrastructure.roleArn, 2)`. */
export function perNode(output: string, node: number): string {
  return `${output}${node}`;
}

/** Parameters of `infrastructure.yaml`. */
export const INFRASTRUCTURE_PARAMETERS = {
  namespace: 'Namespace',
  environment: 'Environment',
  vpcId: 'VpcId',
  subnetId: 'SubnetId',
  clientCidr: 'ClientCidr',
  clientPort: 'ClientPort',
  peerCidr: 'PeerCidr',
  peerPort: 'PeerPort',
  /** `0` where nodes do not cosign each other's logs. */
  witnessPort: 'WitnessPort',
  /** Ranges of the servers of NATS, PostgreSQL and witnesses, empty where the vault has none, and their ports. */
  natsCidr: 'NatsCidr',
  natsPort: 'NatsPort',
  postgresCidr: 'PostgresCidr',
  postgresPort: 'PostgresPort',
  outsideWitnessCidr: 'OutsideWitnessCidr',
  outsideWitnessPort: 'OutsideWitnessPort',
  /** `yes` or `no`. */
  kmsEndpoint: 'KmsEndpoint',
} as const;

/** Parameters of `node.yaml`. */
export const NODE_PARAMETERS = {
  namespace: 'Namespace',
  environment: 'Environment',
  nodeIndex: 'NodeIndex',
  walletAccountId: 'WalletAccountId',
  /** ARNs, separated by commas. Never changed: see `readStackPolicy`. */
  adminArns: 'AdminArns',
  pcr0: 'Pcr0',
  pcr1: 'Pcr1',
  pcr2: 'Pcr2',
  /** `yes`, or `no` where no key in KMS signs configurations. */
  configSigningKey: 'ConfigSigningKey',
  /** Empty, or the key of the function's archive in the stack's own bucket (`FunctionCode.key`). */
  configSigningCode: 'ConfigSigningCode',
  objectLockMode: 'ObjectLockMode',
  retentionDays: 'RetentionDays',
  gatewayReaderArn: 'GatewayReaderArn',
  gatewaySecretGeneration: 'GatewaySecretGeneration',
} as const;

/** Parameters of `host.yaml`. */
export const HOST_PARAMETERS = {
  nodeName: 'NodeName',
  roleName: 'RoleName',
  instanceProfileArn: 'InstanceProfileArn',
  securityGroupId: 'SecurityGroupId',
  subnetId: 'SubnetId',
  imageId: 'ImageId',
  instanceType: 'InstanceType',
  keyArn: 'KeyArn',
  nodeBucketName: 'NodeBucketName',
  passwordSecretArn: 'PasswordSecretArn',
  secretsKeyArn: 'SecretsKeyArn',
  /** Names of the secrets that the host reads for its part in PostgreSQL and NATS; empty for none. */
  postgresSecret: 'PostgresSecret',
  natsIdentitySecret: 'NatsIdentitySecret',
  natsCredentialsSecret: 'NatsCredentialsSecret',
} as const;

/** Outputs of each template. Those that the baseline has for each node have its number behind: see `perNode`. */
export const STACK_OUTPUTS = {
  infrastructure: {
    bucketName: 'BucketName',
    accessLogsBucketName: 'AccessLogsBucketName',
    securityGroupId: 'SecurityGroupId',
    roleArn: 'RoleArn',
    roleName: 'RoleName',
    instanceProfileArn: 'InstanceProfileArn',
  },
  node: {
    keyArn: 'KeyArn',
    /** Of the key that signs configurations, where ConfigSigningKey is yes; KMS's GetPublicKey gives the public key that the manifest names. */
    signingKeyArn: 'SigningKeyArn',
    bucketName: 'BucketName',
    accessLogsBucketName: 'AccessLogsBucketName',
    passwordSecretArn: 'PasswordSecretArn',
    secretsKeyArn: 'SecretsKeyArn',
    /** There once ConfigSigningCode is given. */
    configSigningFunctionName: 'ConfigSigningFunctionName',
    /** There where GatewayReaderArn is given. */
    gatewaySecretArn: 'GatewaySecretArn',
    /** PCR0, PCR1 and PCR2 with commas between them, where they were given. */
    expectedImage: 'ExpectedImage',
  },
  host: { instanceId: 'InstanceId', privateIp: 'PrivateIp' },
} as const;

/** Keys of objects in the bucket of a node's KMS stack. */
export const CONFIG_SIGNING_KEYS = {
  /** The manifest's very bytes, which the node admin puts there before the function signs anything. */
  manifest: 'manifest.json',
  /** Signed configurations, in the order in which they were signed: `configurations/000001.json`. */
  configurations: 'configurations/',
  /** Archives of functions, each named by its SHA-256. */
  functions: 'functions/',
  /** Log of the node, as its parent copies it (`auditLog.s3.prefix`). */
  log: 'log/',
  /** Recovery backups. */
  recovery: 'recovery/',
} as const;
