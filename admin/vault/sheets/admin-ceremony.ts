import { findNode } from '../derive/manifest.ts';
import type { VaultDocument } from '../document.ts';
import { describeRole, nodeOfRole, type Role } from '../roles.ts';
import { stackNames } from '../names.ts';
import { secretsProcedures } from './admin-secrets.ts';
import { ASKS, beginStep, EXCHANGE, RESUME } from './common-steps.ts';
import { CONSOLE_TEMPLATE } from './files-of-people.ts';
import type { Procedure, SheetStep } from './procedure.ts';
import { titleOf } from './sheet-role.ts';

const RECOVERY =
  'The public key of the recovery key, as your custodians have read it to you from their own sheet: for --recovery-key. Your step 1 gives it to the others.';

/** Derives what the admin of a role does from nothing to nodes that serve. */
export function ceremonyProcedure(document: VaultDocument, role: Role): Procedure {
  const { account } = describeRole(document, role);
  const node = nodeOfRole(role);
  return {
    name: 'ceremony',
    title: titleOf(document, 'run sheet', role),
    before: [
      ...(node === undefined ? [] : [RECOVERY]),
      `Credentials of one of your roles in account ${account}, and of no other account of this vault.`,
      'The holdfast command.',
      ...(node === undefined ? [] : [consoleWay(document, node)]),
    ],
    steps: node === undefined ? infrastructureSteps(document) : nodeSteps(document, node),
    afterwards: [
      'Each node serves, and the owners generate the key of the quorum by their own sheet. No place ever has it whole.',
      node === undefined
        ? 'Leave the stacks of stage 1 alone: no tool deletes them, and what they hold cannot be made again.'
        : 'Your KMS key admits one image with your manifest, and nobody can have it make a second password.',
      'Nothing of exchange/ has to be kept secret; keep it as the record of the ceremony.',
    ],
  };
}

/** How the stack of a node is made by somebody who has nothing but a browser. */
function consoleWay(document: VaultDocument, node: number): string {
  const name = stackNames.node(document, node);
  return `Who may use nothing but a browser makes the stack of stage 1 in the console of CloudFormation, signed in as one of those roles: a stack named ${name}, of the file ${CONSOLE_TEMPLATE} beside this sheet, with the parameters and initial of ${name}.json and the rest as it is offered. Stage 1 finds it there, and goes on from it.`;
}

function infrastructureSteps(document: VaultDocument): SheetStep[] {
  const { namespace, environment, region, nodes, infrastructure } = document;
  const { witnesses } = document.parts;
  const hasSecrets = secretsProcedures(document).length > 0;
  const environmentOption = environment === 'production' ? '' : ` --environment ${environment}`;
  const apply =
    'holdfast vault apply --role infrastructure --statement-key keys/infrastructure.statement.pem';
  return [
    {
      title: 'Make your keys, once',
      command: `holdfast vault join --role infrastructure --account ${infrastructure.account}${infrastructure.admins.map((arn) => ` --admin ${arn}`).join('')}`,
      expect:
        'keys/infrastructure.statement.pem, for you alone, and infrastructure.join.json, which is public.',
      otherwise:
        'A key that is there is kept. Restore the folder from your own copy rather than make another key.',
      handover:
        'Wait for the files of all node admins, and have them read the beginning of their keys to you.',
    },
    {
      title: 'Write the description',
      command: `holdfast vault init --namespace ${namespace}${environmentOption} --region ${region}${nodes.map(({ node }) => ` --join node-${node}.join.json`).join('')} --join infrastructure.join.json`,
      expect:
        'vault.yaml: written. Fill in what is open, the values of zeros; the comment above each says where it comes from.',
      otherwise: 'VAULT_EXISTS: there is one, and nothing of it was changed. Edit that one.',
    },
    {
      ...beginStep('infrastructure'),
      handover: 'Once it says 0 errors, send vault.yaml to everybody; each makes their own sheets of it.',
    },
    {
      title: 'Stage 1: roles of the hosts, bucket, network',
      command: apply,
      expect: `${ASKS} It ends with "waits for" and the node admins.`,
      otherwise: RESUME,
      handover: `${EXCHANGE} ${hasSecrets ? 'Do what secrets.md says meanwhile. ' : ''}Wait for the first configurations and the nonces of all nodes.`,
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
      expect:
        witnesses === null
          ? 'done: every step of infrastructure.'
          : `The logs that the witnesses have to follow, before you are asked: send them to their operators, and agree once ${witnesses.threshold} of ${witnesses.servers.length} follow them. Then done: every step of infrastructure.`,
      otherwise:
        witnesses === null
          ? RESUME
          : `LOG_NOT_COSIGNED, or no end for minutes: a node waits for its witnesses. ${RESUME}`,
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
    beginStep(role, '', document.release.rebuilds === 'required'),
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
            title: 'The configurations by which your node stays',
            command: apply,
            expect:
              'Two are signed without the order: by the first the nodes know the logs of each other, by the second they have to cosign; done: every step of your role.',
            otherwise: RESUME,
            handover: EXCHANGE,
          },
        ]
      : []),
  ];
}
