import type { ShareType } from '../../shared/algorithms.ts';
import { stringify } from 'yaml';
import { VAULT_FORMAT, type VaultDocument } from './document.ts';

/** What one role says of itself before there is a vault.yaml. */
export interface RoleAnswers {
  readonly account?: string | undefined;
  readonly region?: string | undefined;
  readonly admins?: readonly string[] | undefined;
  readonly statementKey?: string | undefined;
  /** Authority of a node's configurations, a person's key; a node's alone. */
  readonly authorityKey?: string | undefined;
  /** Public key of `ers keygen`; a node's alone. */
  readonly recoveryKey?: string | undefined;
}

export interface VaultAnswers {
  readonly namespace: string;
  readonly environment: string;
  readonly region: string;
  readonly threshold: number;
  readonly release: { readonly version: string; readonly from: string };
  readonly infrastructure: RoleAnswers;
  /** Nodes by number, from 1. */
  readonly nodes: readonly RoleAnswers[];
  /** Keys of a vault that is lost, which are to come back from backups; none: the vault begins with a new key. */
  readonly recover?: readonly LostKey[];
  /** Vault whose network, hosts, domain, key of releases, clients, tenant and parts are taken over; none: they are open. */
  readonly like?: VaultDocument | undefined;
}

/** Shared key that exists in backups alone. */
export interface LostKey {
  readonly id: string;
  readonly type: ShareType;
  /** As the group serialises it, hex. */
  readonly publicKey: string;
}

const OPEN_ACCOUNT = '0'.repeat(12);
const OPEN_KEY = '0'.repeat(64);

/** What a new vault.yaml says of network and hosts. */
const OPEN_HOSTS = `  network:
    vpcId: vpc-00000000
    subnetId: subnet-00000000 # private, with a way out to port 443
    # Where wallet backends and owners come from, as hosts see them: the range of their own subnet, never 0.0.0.0/0.
    clientCidr: 0.0.0.0/32
    # Where the hosts of the other nodes are: they are all in the subnet above, so that its range stands here.
    peerCidr: 0.0.0.0/32
  host:
    instanceType: m6i.xlarge # Nitro, x86_64, 4 vCPUs at least
    imageId: ami-00000000 # an Amazon Linux 2023 image; another one replaces the host`;

/** What it says of clients. */
const OPEN_CLIENTS = `clients:
  - id: wallet-backend
    publicKey: "${OPEN_KEY}"
    # Approver behind the client, who then never approves its requests.
    person: null
  - id: operations
    publicKey: "${'0'.repeat(64)}"
    person: null
  # For upgrades (docs/upgrade.md): take the # away here and at the two other places that say upgrade-check, and write the
  # public key that "holdfast vault key upgrade-check" prints on the machine of infrastructure.
  # - { id: upgrade-check, publicKey: "${OPEN_KEY}", person: null }`;

/** What it says of optional parts. */
const OPEN_PARTS = `parts:
  # Where parents keep sealed records: sqlite (on their hosts), or a PostgreSQL server that is there already:
  # store: { postgres: { host: postgres.example, port: 5432, cidr: 10.0.9.0/24, ca: "-----BEGIN CERTIFICATE-----…" } }
  store: sqlite
  # NATS servers that carry what nodes tell each other, where hosts do not reach each other; null: they do.
  # nats: { servers: ["tls://nats-1.example:4222"], cidr: 10.0.8.0/24, ca: "-----BEGIN CERTIFICATE-----…", replicas: 1 }
  nats: null
  # Outside witnesses of the nodes' logs, run by others (docs/transparency-log.md), at port 443; they cannot be changed later.
  # witnesses: { threshold: 2, maxUncosignedSeconds: 3600, servers: [{ url: "https://w1.example", key: "w1.example/w+…" }] }
  witnesses: null
  # How many of the other nodes cosign each node's log (docs/quorum.md): { threshold: 2, maxUncosignedSeconds: 3600 }. Of three
  # nodes, 2 bears the loss of none for longer than maxUncosignedSeconds; of four, 2 bears the loss of one.
  peerWitnesses: null
  # Doors beside existing clients (docs/gateways.md), each as a client of its own in clients, whose key is made where the door
  # runs ("holdfast vault key kms-door" there) and never leaves that machine: [{ id: kms, protocol: kms, client: kms-door }]
  gateways: []`;

/**
 * Renders a commented vault.yaml. What nobody has said yet is a value of zeros, which the check finds and no step takes.
 */
export function renderVaultFile(answers: VaultAnswers): string {
  const {
    namespace,
    environment,
    region,
    threshold,
    release,
    infrastructure,
    nodes,
    recover = [],
    like,
  } = answers;
  return `# The vault ${namespace}-${environment}: whose accounts, which nodes, and what they will allow.
# Everybody of the ceremony gets this file, and the very same bytes of it: statements name its digest.
# NOTHING SECRET stands here. A private key or a password is refused wherever it stands.
# Values of zeros are open: "holdfast vault check" lists them. docs/vault.md explains each field.
format: ${VAULT_FORMAT}

# Names of the vault. They begin the names of all stacks, roles and buckets, and nodes are bound to them for ever.
namespace: ${namespace}
environment: ${environment}

# Region of the hosts, and of each node's KMS key unless the node names another.
region: ${region}

# Domain of the page on which approvers use passkeys; null: none.
domain: ${like?.domain ?? 'null'}

# How many of the nodes sign together. Nobody can sign with fewer, and one node fewer must be able to.
threshold: ${threshold}

# What the nodes run. Every admin fetches it alone, and verifies it by this key: get the key by another way.
release:
  version: ${release.version}
  from: ${release.from} # s3://bucket/prefix, oci://registry/repository or ./folder
${renderReleaseKey(like)}
  # With "required", no node admin vouches for an image that they have not rebuilt ("vault fetch --rebuild", in a working copy).
  rebuilds: ${like?.release.rebuilds ?? 'optional'}

# The infrastructure admin: hosts, network, buckets. Never has a key of a node.
infrastructure:
${renderRole(infrastructure)}
${like === undefined ? OPEN_HOSTS : renderTaken({ network: like.infrastructure.network, host: like.infrastructure.host }, '  ')}

# One policy node admin each, in an AWS account of their own, which infrastructure has no role in.
nodes:
${nodes.map((node, index) => renderNode(node, index + 1, like)).join('\n')}

# Programs that ask the nodes for signatures, by their Ed25519 public keys (docs/vault.md, step 1): each client's
# holder makes one by "holdfast vault key CLIENT", and tells infrastructure the public key alone. A door has a client of its own.
${like === undefined ? OPEN_CLIENTS : renderTaken({ clients: like.clients })}

# The first configuration of every node. Later ones are signed by each node's authorities: this file never changes, and a
# copy of it with other clients and tenant is for "holdfast vault configure" (docs/vault.md).
${like === undefined ? renderOpenTenant(recover) : renderTaken({ tenant: takeTenant(like, recover) })}

# Optional parts. docs/vault.md says of each who runs it, what has to be there before, and what "vault populate" puts where.
${like === undefined ? OPEN_PARTS : renderTaken({ parts: like.parts })}
`;
}

/** What a new vault.yaml says of people, keys and rules. */
function renderOpenTenant(recover: readonly LostKey[]): string {
  const ids = recover.length === 0 ? ['treasury'] : recover.map(({ id }) => id);
  const types = recover.length === 0 ? ['frost-ed25519'] : [...new Set(recover.map(({ type }) => type))];
  return `tenant:
  # People who consent, and their groups (docs/approvals.md).
  approvers: []
  approverGroups: []
  # Clients that alone have keys generated, refreshed, handed on and repaired.
  owners:
    clients: [operations]
  addressBooks: []
  # Keys of the quorum (frost-…), with the networks (CAIP-2) whose transactions they sign. One with a publicKey exists
  # already, in backups: owners may import it, and nodes take no other and make none (docs/recovery.md).
  keys:
${recover.length === 0 ? '    - { id: treasury, type: frost-ed25519, networks: [] }' : recover.map(renderLostKey).join('\n')}
    # For upgrades, a key that controls nothing:
    # - { id: upgrade-check, type: frost-ed25519, networks: [] }
  # What is permitted (docs/rules.md). What no rule permits is denied. This one is enough for a first signature, and
  # signs what nobody reads: replace it.
  rules:
    - id: first-signature
      effect: permit
      operations: [sign]
      clients: [wallet-backend]
      keys: [${ids.join(', ')}]
      algorithms: [${types.join(', ')}]
      payloads: [message]
      networks: null
      time: null
      effects: [{ type: blind, to: null, assets: null, contracts: null, amount: null }]
      features: []
      fee: null
      gas: null
      nonce: null
      limits: []
      approvals: null
      tiers: []
      rate: { count: 60, seconds: 60 } # empty when a node starts
    # For upgrades, what the client upgrade-check may sign: messages, with the key that controls nothing.
    # - { id: upgrade-check, effect: permit, operations: [sign], clients: [upgrade-check], keys: [upgrade-check],
    #     algorithms: [frost-ed25519], payloads: [message], networks: null, time: null,
    #     effects: [{ type: blind, to: null, assets: null, contracts: null, amount: null }], features: [], fee: null, gas: null,
    #     nonce: null, limits: [], approvals: null, tiers: [], rate: { count: 60, seconds: 60 } }`;
}

/** People, keys and rules of a former vault, in which the keys that come back from backups are pinned. */
function takeTenant({ tenant }: VaultDocument, recover: readonly LostKey[]): VaultDocument['tenant'] {
  const lost = new Map(recover.map((key) => [key.id, key]));
  const kept = tenant.keys.map(({ commitments: _commitments, publicKey: _publicKey, ...key }) => {
    const found = lost.get(key.id);
    return found === undefined ? key : { ...key, type: found.type, publicKey: found.publicKey };
  });
  const added = recover
    .filter(({ id }) => tenant.keys.every((key) => key.id !== id))
    .map((key) => ({ ...key, networks: [] }));
  return { ...tenant, keys: [...kept, ...added] };
}

/** Writes what was taken over from a former vault, as it was there. */
function renderTaken(value: object, indent = ''): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false })
    .trimEnd()
    .split('\n')
    .map((line) => (line === '' ? line : `${indent}${line}`))
    .join('\n');
}

function renderReleaseKey(like: VaultDocument | undefined): string {
  if (like !== undefined && like.release.publicKey !== null)
    return renderTaken({ publicKey: like.release.publicKey }, '  ');
  return `  publicKey: null
  # publicKey: |
  #   -----BEGIN PUBLIC KEY-----
  #   …
  #   -----END PUBLIC KEY-----`;
}

function renderLostKey({ id, type, publicKey }: LostKey): string {
  return `    - { id: ${id}, type: ${type}, networks: [], publicKey: "${publicKey}" }`;
}

function renderNode(node: RoleAnswers, number: number, like: VaultDocument | undefined): string {
  const { authorityKey = OPEN_KEY, recoveryKey = OPEN_KEY, region } = node;
  // Where more than one key had to sign, the check asks for the others: nothing is eased in silence.
  const former = like?.nodes.find((one) => one.node === number)?.configurationAuthority;
  const { threshold = 1, function: hasFunction = false } = former ?? {};
  return `  - node: ${number}
${renderRole(node, '    ')}${region === undefined ? '' : `\n    region: ${region}`}
    # Who signs what the node allows: keys of people, and with "function" that of the KMS stack.
    configurationAuthority: { threshold: ${threshold}, keys: ["${authorityKey}"], function: ${hasFunction} }
    # Public key of "holdfast ers keygen", of this node's custodians.
    recovery: { publicKey: "${recoveryKey}" }`;
}

function renderRole(
  {
    account = OPEN_ACCOUNT,
    admins = [`arn:aws:iam::${account}:role/admin`, `arn:aws:iam::${OPEN_ACCOUNT}:role/second-admin`],
    statementKey = OPEN_KEY,
  }: RoleAnswers,
  indent = '  ',
): string {
  return [
    `account: "${account}"`,
    '# IAM roles of the people who decide: two at least, each of another person.',
    'admins:',
    ...admins.map((arn) => `  - ${arn}`),
    '# Public key by which this role signs what it tells the others ("holdfast vault join" makes it).',
    `statementKey: "${statementKey}"`,
  ]
    .map((line) => `${indent}${line}`)
    .join('\n');
}
