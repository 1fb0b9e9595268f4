import type { VaultDocument } from '../document.ts';
import { stackNames, vaultPrefix } from '../names.ts';
import { partSecretName } from './part-secrets.ts';
import { natsPortOf, postgresOf, witnessPortsOf } from '../parts.ts';
import { describeRole, type Role, roleOfNode } from '../roles.ts';

/** Port of every host at which nodes cosign each other's logs. */
export const WITNESS_PORT = 7444;

/** Stack of the vault with those of its parameters that vault.yaml alone decides. */
export interface DerivedStack {
  /** Whose credentials make it. */
  readonly role: Role;
  readonly name: string;
  /** Number of the node that the stack is about; null: of all of them. */
  readonly node: number | null;
  /** Template in deploy/stacks. */
  readonly template: 'infrastructure' | 'node' | 'host';
  readonly account: string;
  readonly region: string;
  /** 1: long-lived, never deleted by a tool; 2: hosts. */
  readonly stage: 1 | 2;
  readonly parameters: Readonly<Record<string, string>>;
  /** Parameters that a new stack is made with; one that exists keeps its own. */
  readonly initial: Readonly<Record<string, string>>;
  /** Parameters whose values other stacks, or the release, give. */
  readonly open: readonly string[];
}

/** Derives the stacks of every role, in the order in which they are made. */
export function deriveStacks(document: VaultDocument): readonly DerivedStack[] {
  const { namespace, environment, infrastructure, nodes } = document;
  const { account, region } = describeRole(document, 'infrastructure');
  const { network, host } = infrastructure;
  return [
    {
      role: 'infrastructure',
      name: stackNames.infrastructure(document),
      node: null,
      template: 'infrastructure',
      account,
      region,
      stage: 1,
      parameters: {
        Namespace: namespace,
        Environment: environment,
        VpcId: network.vpcId,
        SubnetId: network.subnetId,
        ClientCidr: network.clientCidr,
        ...derivePeerRules(document),
        ...deriveServerRules(document),
      },
      initial: {},
      open: [],
    },
    ...nodes.map(({ node, configurationAuthority }): DerivedStack => {
      const own = describeRole(document, roleOfNode(node));
      return {
        role: own.role,
        name: stackNames.node(document, node),
        node,
        template: 'node',
        account: own.account,
        region: own.region,
        stage: 1,
        parameters: {
          Namespace: namespace,
          Environment: environment,
          NodeIndex: String(node),
          WalletAccountId: infrastructure.account,
          AdminArns: own.admins.join(','),
        },
        // Not every Region has the key spec; a node that does without the function makes no such key.
        initial: { ConfigSigningKey: configurationAuthority.function ? 'yes' : 'no' },
        open: ['Pcr0', 'Pcr1', 'Pcr2', 'ConfigSigningCode'],
      };
    }),
    ...nodes.map(({ node }): DerivedStack => ({
      role: 'infrastructure',
      name: stackNames.host(document, node),
      node,
      template: 'host',
      account,
      region,
      stage: 2,
      parameters: {
        NodeName: `${vaultPrefix(document)}-node-${node}`,
        ImageId: host.imageId,
        InstanceType: host.instanceType,
        SubnetId: network.subnetId,
        ...derivePartSecrets(document, node),
      },
      initial: {},
      open: [
        'RoleName',
        'InstanceProfileArn',
        'SecurityGroupId',
        'KeyArn',
        'NodeBucketName',
        'PasswordSecretArn',
        'SecretsKeyArn',
      ],
    })),
  ];
}

/** Rules between hosts: datagrams unless they go by NATS, and checkpoints where nodes cosign. */
function derivePeerRules({ nodes, infrastructure: { network }, parts }: VaultDocument) {
  const isDirect = parts.nats === null;
  const hasPeers = nodes.length > 1 && (isDirect || parts.peerWitnesses !== null);
  return {
    PeerCidr: hasPeers ? network.peerCidr : '',
    ...(isDirect ? {} : { PeerPort: '0' }),
    ...(parts.peerWitnesses === null ? {} : { WitnessPort: String(WITNESS_PORT) }),
  };
}

/** Rules by which hosts reach servers of others. */
function deriveServerRules({ parts }: VaultDocument): Readonly<Record<string, string>> {
  const { nats, witnesses } = parts;
  const postgres = postgresOf(parts);
  const [witnessPort] = witnessPortsOf(parts);
  return {
    ...(nats === null ? {} : { NatsCidr: nats.cidr, NatsPort: String(natsPortOf(nats.servers[0] ?? '')) }),
    ...(postgres === null ? {} : { PostgresCidr: postgres.cidr, PostgresPort: String(postgres.port) }),
    ...(witnessPort === undefined
      ? {}
      : { OutsideWitnessCidr: witnesses?.cidr ?? '', OutsideWitnessPort: String(witnessPort) }),
  };
}

/** Names of the secrets that the role of a host may read: those of its own node. */
function derivePartSecrets(document: VaultDocument, node: number): Readonly<Record<string, string>> {
  const { nats } = document.parts;
  return {
    ...(postgresOf(document.parts) === null
      ? {}
      : { PostgresSecret: partSecretName(document, 'postgres', node) }),
    ...(nats === null ? {} : { NatsIdentitySecret: partSecretName(document, 'natsIdentity', node) }),
    ...(nats?.credentials === true
      ? { NatsCredentialsSecret: partSecretName(document, 'natsCredentials', node) }
      : {}),
  };
}
