import type { VaultDocument } from '../document.ts';
import { findNode } from '../derive/manifest.ts';
import { vaultPrefix } from '../names.ts';
import { describeRole, nodeOfRole, type Role } from '../roles.ts';

/** Most commands that a person types, from the first to the vault's first signature. */
export const MAX_COMMANDS = 7;

/** One command of a person, and what surrounds it. */
export interface SheetStep {
  readonly title: string;
  readonly command: string;
  /** What to see when it went well. */
  readonly expect: string;
  /** What to do when it is otherwise. */
  readonly otherwise: string;
  /** What to give to whom afterwards, or whom to wait for. */
  readonly handover?: string;
}

/** Everything that one person of the ceremony does, and nothing that others do. */
export interface RunSheet {
  readonly role: Role;
  readonly title: string;
  readonly account: string;
  readonly region: string;
  readonly people: readonly string[];
  /** What has to be there before the first command. */
  readonly before: readonly string[];
  readonly steps: readonly SheetStep[];
  /** What holds once the last command has ended. */
  readonly afterwards: readonly string[];
}

const EXCHANGE =
  'Send the folder exchange/ to the others by any way: what is in it is signed, and nothing of it is secret.';
const ASKS =
  'It shows every change in words and asks once. Whatever it would destroy it names, and stops. A second run changes nothing.';
const RESUME =
  'Run the same command again: it goes on where it was cut off. A code and "holdfast explain CODE" say what stands in the way.';

const RECOVERY =
  'The public key that "holdfast ers keygen" has printed to your custodians, for --recovery-key (docs/recovery.md). Your step 1 gives it to the others.';

/** What infrastructure has done when there is a vault.yaml to make a sheet of: the same again changes no key. */
function ownKeysOfInfrastructure(account: string, admins: readonly string[]): string {
  return `Your keys, which vault.yaml names: keys/infrastructure.statement.pem, made by holdfast vault join --role infrastructure --account ${account}${admins.map((arn) => ` --admin ${arn}`).join('')}.`;
}

/** Derives the run sheet of one role. @throws VaultError VAULT_ROLE_UNKNOWN */
export function deriveRunSheet(document: VaultDocument, name: string): RunSheet {
  const { role, account, region, admins } = describeRole(document, name);
  const node = nodeOfRole(role);
  return {
    role,
    title: `${vaultPrefix(document)}: run sheet of ${node === undefined ? 'the infrastructure admin' : `the admin of node ${node}`}`,
    account,
    region,
    people: admins,
    before: [
      node === undefined ? ownKeysOfInfrastructure(account, admins) : RECOVERY,
      `Credentials of one of your roles in account ${account}, and of no other account of this vault.`,
      'The holdfast command, and vault.yaml with the same bytes that everybody has; "vault check" prints its digest: read it to each other.',
    ],
    steps: node === undefined ? infrastructureSteps(document) : nodeSteps(document, node),
    afterwards: [
      'Each node serves, and the owners generate the key of the quorum: holdfast quorum keys generate. No place ever has it whole.',
      node === undefined
        ? 'Leave the stacks of stage 1 alone: no tool deletes them, and what they hold cannot be made again.'
        : 'Your KMS key admits one image with your manifest, and nobody can have it make a second password.',
      'Nothing of exchange/ has to be kept secret; keep it as the record of the ceremony.',
    ],
  };
}

const check = (role: Role): SheetStep => ({
  title: 'See that the description is the one that you agreed to',
  command: `holdfast vault check --role ${role} --statement-key keys/${role}.statement.pem`,
  expect: '0 errors, and a digest that is the same for everybody.',
  otherwise: 'Each finding says what to do. Change vault.yaml together, and give everybody the new bytes.',
});

const FETCH: SheetStep = {
  title: 'Get the release, and verify it yourself',
  command: 'holdfast vault fetch --vault vault.yaml',
  expect: 'verified: signature, digests, and PCRs computed from the image itself.',
  otherwise:
    'Stop. Ask whoever publishes the release; do not take the files from somebody of the ceremony instead.',
};

function infrastructureSteps(document: VaultDocument): SheetStep[] {
  const { namespace, region, nodes } = document;
  const apply =
    'holdfast vault apply --role infrastructure --statement-key keys/infrastructure.statement.pem';
  return [
    {
      title: 'Write the description',
      command: `holdfast vault init --namespace ${namespace} --region ${region}${nodes.map(({ node }) => ` --join node-${node}.join.json`).join('')} --join infrastructure.join.json`,
      expect: 'vault.yaml: written. Fill in what is open, and give everybody the same bytes.',
      otherwise: 'VAULT_EXISTS: there is one, and nothing of it was changed. Edit that one.',
      handover: 'Send vault.yaml to every node admin.',
    },
    check('infrastructure'),
    FETCH,
    {
      title: 'Stage 1: roles of the hosts, bucket, network',
      command: apply,
      expect: `${ASKS} It ends with "waits for" and the node admins.`,
      otherwise: RESUME,
      handover: `${EXCHANGE} Wait for the first configurations and the nonces of all nodes.`,
    },
    {
      title: 'Stage 2: hosts; each enclave shows itself and is refused by KMS, as it should be',
      command: apply,
      expect:
        'For each node: halted with KMS_ACCESS_DENIED, and its attestation document for the nonce in exchange/.',
      otherwise: RESUME,
      handover: `${EXCHANGE} Within two hours: an older document makes its admin begin with another nonce. Wait until the node admins have let their images in.`,
    },
    {
      title: 'The first start',
      command: apply,
      expect: 'Each node serves; its address stands in exchange/.',
      otherwise: `KMS_ACCESS_DENIED: a policy takes some seconds until all of KMS has it. ${RESUME}`,
      handover: `${EXCHANGE} Wait until the node admins have narrowed their policies.`,
    },
    {
      title: 'The start without the order to initialise',
      command: apply,
      expect: 'done: every step of infrastructure.',
      otherwise: RESUME,
    },
  ];
}

function nodeSteps(document: VaultDocument, node: number): SheetStep[] {
  const role: Role = `node-${node}`;
  const { account, region, admins, configurationAuthority, recovery } = findNode(document, node);
  const regionOption = region === undefined || region === document.region ? '' : ` --region ${region}`;
  const authority =
    configurationAuthority.keys.length > 0 ? ` --authority-key keys/${role}.authority.pem` : '';
  const isWitnessed = document.parts.peerWitnesses !== null;
  const apply = `holdfast vault apply --role ${role} --statement-key keys/${role}.statement.pem${authority}`;
  return [
    {
      title: 'Make your keys, once, and say who you are',
      command: `holdfast vault join --role ${role} --account ${account}${admins.map((arn) => ` --admin ${arn}`).join('')}${regionOption} --recovery-key ${recovery.publicKey}`,
      expect: `keys/${role}.statement.pem, for you alone, and ${role}.join.json, which is public.`,
      otherwise:
        'A key that is there is kept. Restore the folder from your own copy rather than make another key.',
      handover: `Send ${role}.join.json to infrastructure, and read the beginning of its key to them. Wait for vault.yaml.`,
    },
    // Cosignatures take one more round, and "apply" begins with the same check.
    ...(isWitnessed ? [] : [check(role)]),
    FETCH,
    {
      title: 'Stage 1: your KMS key, born closed, and your bucket; your manifest',
      command: apply,
      expect: `${ASKS} It ends with "waits for" and the manifests of the others.`,
      otherwise: RESUME,
      handover: `${EXCHANGE} Wait until the others have told their manifests and releases.`,
    },
    {
      title: 'Your first configuration, and a nonce for your enclave',
      command: apply,
      expect: 'All nodes name the same release; the configuration is signed; a nonce is in exchange/.',
      otherwise: 'VAULT_RELEASE_DIFFERS: somebody has another image. Stop, and find out who has built what.',
      handover: `${EXCHANGE} Wait for the attestation document of your node.`,
    },
    {
      title: 'The gate: let this one image in',
      command: apply,
      expect: 'The document is verified as your image with your manifest; then the policy is put.',
      otherwise:
        'Any refusal is a reason to stop: ask infrastructure what runs there. Never put a policy by hand.',
      handover: `${EXCHANGE} Wait until your node serves.`,
    },
    {
      title: 'Close the door behind it',
      command: apply,
      expect: `The policy is put again without the right to make a password${isWitnessed ? '.' : ', and the configuration is signed without the order; done: every step of your role.'}`,
      otherwise: RESUME,
      handover: isWitnessed ? `${EXCHANGE} Wait until all nodes have told the keys of their logs.` : EXCHANGE,
    },
    ...(isWitnessed
      ? [
          {
            title: 'The configuration by which your node stays',
            command: apply,
            expect:
              'It is signed without the order, and names the nodes that cosign; done: every step of your role.',
            otherwise: RESUME,
            handover: EXCHANGE,
          },
        ]
      : []),
  ];
}
