/** What the code takes for granted of AWS, and nobody could try where it was written. */
export interface Assumption {
  /** What has to hold, in one sentence. */
  readonly statement: string;
  /** Where AWS says so. */
  readonly source: string;
  /** Files whose behaviour is wrong where it does not hold. */
  readonly usedIn: readonly string[];
  /** `account`: two accounts and cents are enough to see. `host`: a vault has to be set up, with instances and enclaves. */
  readonly seenWith: 'account' | 'host';
}

/** All assumptions, by their id. */
export const ASSUMPTIONS = {
  'aws-sts-identity': {
    statement: 'GetCallerIdentity names the account and the session of the credentials',
    source: 'STS API Reference, GetCallerIdentity',
    usedIn: ['admin/vault/checks/account.ts'],
    seenWith: 'account',
  },
  'aws-kms-born-closed': {
    statement:
      'CreateKey takes the policy of `key-policy close`, and GetKeyPolicy gives back the same statements',
    source: 'KMS API Reference, CreateKey and GetKeyPolicy',
    usedIn: ['admin/key-policy/index.ts', 'deploy/stacks/node.yaml'],
    seenWith: 'account',
  },
  'aws-kms-closed-refuses': {
    statement:
      'under the closed policy the key’s own admin gets AccessDeniedException from Encrypt and GenerateDataKey',
    source: 'KMS Developer Guide, "Key policies in AWS KMS"',
    usedIn: ['attestation/key-policy/render.ts'],
    seenWith: 'account',
  },
  'aws-kms-deletion-days': {
    statement:
      'a Deny by kms:ScheduleKeyDeletionPendingWindowInDays below 30 refuses the key’s own admin an end in 29 days',
    source: 'KMS Developer Guide, "AWS KMS condition keys"',
    usedIn: ['attestation/key-policy/render.ts', 'deploy/stacks/node.yaml'],
    seenWith: 'account',
  },
  'aws-kms-until-day': {
    statement: 'an Allow with DateLessThan aws:CurrentTime holds before that day, and no longer after it',
    source: 'IAM User Guide, "IAM JSON policy elements: Condition operators"',
    usedIn: ['attestation/key-policy/render.ts', 'admin/upgrade/index.ts'],
    seenWith: 'account',
  },
  'aws-kms-lockout-check': {
    statement:
      'PutKeyPolicy refuses a policy after which its author could not put another: MalformedPolicyDocumentException',
    source: 'KMS API Reference, PutKeyPolicy, BypassPolicyLockoutSafetyCheck',
    usedIn: ['docs/aws.md'],
    seenWith: 'account',
  },
  'aws-kms-other-account': {
    statement: 'another account’s administrator gets nothing of the key, its policy neither',
    source: 'KMS Developer Guide, "Allowing users in other accounts to use a KMS key"',
    usedIn: ['docs/vault.md'],
    seenWith: 'account',
  },
  'aws-kms-one-policy': {
    statement: 'ListKeyPolicies of a key that nobody shares has `default` alone, ListGrants nothing',
    source: 'KMS API Reference, ListKeyPolicies and ListGrants',
    usedIn: ['docs/aws.md'],
    seenWith: 'account',
  },
  'aws-kms-ed25519': {
    statement:
      'the Region makes ECC_NIST_EDWARDS25519 keys, and Sign with ED25519_SHA_512 and RAW is Ed25519 of RFC 8032',
    source: 'KMS Developer Guide, "Asymmetric key specs"',
    usedIn: ['deploy/functions/config-signing/signer.ts'],
    seenWith: 'account',
  },
  'aws-kms-raw-limit': {
    statement: 'Sign refuses a RAW message of 4,097 bytes and takes one of 4,096',
    source: 'KMS API Reference, Sign, Message',
    usedIn: ['deploy/functions/config-signing/signer.ts'],
    seenWith: 'account',
  },
  'aws-s3-if-none-match': {
    statement: 'PutObject with If-None-Match: * is refused with 412 where the key has an object',
    source: 'S3 User Guide, "Conditional writes"',
    usedIn: ['deploy/functions/config-signing/bucket.ts'],
    seenWith: 'account',
  },
  'aws-s3-write-once': {
    statement:
      'by s3:if-none-match and s3:ObjectCreationOperation a bucket’s policy refuses PutObject without If-None-Match, and CopyObject',
    source: 'S3 User Guide, "Enforce conditional writes on Amazon S3 buckets"',
    usedIn: ['deploy/stacks/node.yaml'],
    seenWith: 'account',
  },
  'aws-s3-append-only': {
    statement:
      'a version of a bucket with Object Lock is not deleted before its time, by an administrator neither',
    source: 'S3 User Guide, "Object Lock"',
    usedIn: ['deploy/stacks/node.yaml', 'parent/log/log-archive.ts'],
    seenWith: 'account',
  },
  'aws-cfn-templates': {
    statement: 'ValidateTemplate takes all templates as they are sent, in 51,200 bytes',
    source: 'CloudFormation User Guide, "Understand CloudFormation quotas"',
    usedIn: ['deploy/stacks/template.ts'],
    seenWith: 'account',
  },
  'aws-cfn-policy-stays': {
    statement:
      'an update of a stack in which KeyPolicy’s text is the same leaves the policy that the gate has put',
    source: 'the handler of AWS::KMS::Key that AWS publishes',
    usedIn: ['deploy/stacks/node.yaml'],
    seenWith: 'account',
  },
  'aws-cfn-stack-policy': {
    statement: 'under the stack policy no update changes a key of the stack, with whatever template',
    source: 'CloudFormation User Guide, "Prevent updates to stack resources"',
    usedIn: ['deploy/stacks/stack-policy.ts', 'admin/vault/steps/stack/stack-policy.ts'],
    seenWith: 'account',
  },
  'aws-cfn-retain-except-on-create': {
    statement:
      'RetainExceptOnCreate keeps a resource from every operation but the roll back of the one that has made it',
    source: 'CloudFormation Template Reference, "DeletionPolicy attribute"',
    usedIn: [
      'deploy/stacks/node.yaml',
      'deploy/stacks/infrastructure.yaml',
      'admin/vault/steps/stack/stack.ts',
    ],
    seenWith: 'account',
  },
  'aws-cfn-retain': {
    statement: 'DeleteStack leaves key, buckets and secrets of the KMS stack in place',
    source: 'CloudFormation User Guide, "DeletionPolicy attribute"',
    usedIn: ['deploy/stacks/node.yaml'],
    seenWith: 'account',
  },
  'aws-cfn-node-stack': {
    statement:
      'the KMS stack of a node is CREATE_COMPLETE: its roles are known when the policies that name them are put',
    source: 'CloudFormation User Guide, "DependsOn attribute"; IAM User Guide, "Principal"',
    usedIn: ['deploy/stacks/node.yaml'],
    seenWith: 'account',
  },
  'aws-ssm-ami': {
    statement: 'Systems Manager names an Amazon Linux 2023 AMI in the Region',
    source: 'Amazon Linux 2023 User Guide, "AL2023 on Amazon EC2"',
    usedIn: ['docs/aws.md'],
    seenWith: 'account',
  },
  'aws-cfn-custom-resource': {
    statement:
      'in a stack with a gateway, the custom resource’s function answers, and the stack is CREATE_COMPLETE within its time',
    source: 'CloudFormation User Guide, "Custom resources"',
    usedIn: ['deploy/functions/populate-secret/response.ts'],
    seenWith: 'account',
  },
  'aws-cfn-inline-code': {
    statement:
      'ZipFile takes a function of the size that the console’s template has, and S3 a template of 1 MB',
    source:
      'CloudFormation Template Reference, AWS::Lambda::Function Code; "Understand CloudFormation quotas"',
    usedIn: ['deploy/stacks/template.ts'],
    seenWith: 'account',
  },
  'aws-lambda-runtime': {
    statement: 'the runtime nodejs24.x resolves @aws-sdk/* for a function in CommonJS',
    source: 'Lambda Developer Guide, "Building Lambda functions with Node.js"',
    usedIn: ['deploy/functions/build.ts'],
    seenWith: 'account',
  },
  'aws-s3-access-logs': {
    statement:
      'S3 delivers the log of a bucket’s requests, hours later, under the policy of its own bucket for them',
    source: 'S3 User Guide, "Logging requests with server access logging"',
    usedIn: ['deploy/stacks/node.yaml', 'deploy/stacks/infrastructure.yaml'],
    seenWith: 'host',
  },
  'aws-secret-other-account': {
    statement: 'the host reads a secret of the node admin’s account by its full ARN',
    source: 'Secrets Manager User Guide, "Access AWS Secrets Manager secrets from a different account"',
    usedIn: ['deploy/stacks/host.yaml', 'deploy/stacks/node.yaml'],
    seenWith: 'host',
  },
  'aws-ssm-run': {
    statement:
      'the instance takes the one line of a deployment by AWS-RunShellScript, as root, and its output comes back whole',
    source: 'Systems Manager User Guide, "Run Command"',
    usedIn: ['admin/vault/steps/host-command.ts'],
    seenWith: 'host',
  },
  'aws-nitro-document': {
    statement:
      'the enclave’s document verifies under AWS’s root G1, its PCR0-2 are those of pcr.json, PCR16 that of the manifest',
    source: 'AWS Nitro Enclaves User Guide, "Verifying the root of trust"',
    usedIn: ['attestation/verifier.ts', 'enclave/node/manifest.ts'],
    seenWith: 'host',
  },
  'aws-kms-unlisted-refused': {
    statement:
      'KMS refuses an attested Decrypt of an image that the policy does not name, and the node says KMS_ACCESS_DENIED',
    source: 'KMS Developer Guide, "Condition keys for AWS Nitro Enclaves"',
    usedIn: ['enclave/unlock/kms.ts', 'attestation/key-policy/render.ts'],
    seenWith: 'host',
  },
  'aws-kms-recipient': {
    statement:
      'after the gate, GenerateDataKey and Decrypt with the document as Recipient answer, without Plaintext, in a CMS that the node opens',
    source: 'KMS Developer Guide, "How AWS Nitro Enclaves uses AWS KMS"',
    usedIn: ['enclave/unlock/cms.ts', 'enclave/unlock/kms.ts'],
    seenWith: 'host',
  },
  'aws-kms-tls-roots': {
    statement: 'the certificate of the Region’s KMS leads to one of Amazon’s roots that the image holds',
    source: 'Amazon Trust Services Repository',
    usedIn: ['shared/aws/trust-roots.ts'],
    seenWith: 'host',
  },
  'aws-ec2-entropy': {
    statement:
      'rng_current of the enclave is nsm-hwrng, and no core is dumped: the start passes the host’s checks',
    source: 'drivers/char/hw_random/nsm of Linux',
    usedIn: ['enclave/platform/host-check.ts'],
    seenWith: 'host',
  },
} as const satisfies Readonly<Record<string, Assumption>>;

export type AssumptionId = keyof typeof ASSUMPTIONS;
