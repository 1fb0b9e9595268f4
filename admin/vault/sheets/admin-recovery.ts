import { isShareType } from '../../../shared/algorithms.ts';
import { findNode } from '../derive/manifest.ts';
import type { VaultDocument } from '../document.ts';
import { describeRole, nodeOfRole, type Role } from '../roles.ts';
import { beginStep } from './common-steps.ts';
import type { Procedure, SheetStep } from './procedure.ts';
import { titleOf } from './sheet-role.ts';

/** Folder of the new vault, beside what is left of the lost one. */
const NEW = 'new/';

/** Derives what an admin does when the vault is lost: their part of the description of a new one. */
export function recoveryProcedure(document: VaultDocument, role: Role): Procedure {
  const node = nodeOfRole(role);
  return {
    name: 'recovery',
    title: titleOf(document, 'recovery, run sheet', role),
    before: [
      'The vault is lost: fewer nodes are left than sign together. While enough are left, have the quorum repaired instead (docs/quorum.md).',
      'A folder new/ for the new vault. It has an environment of its own, and so other stacks, keys and nodes than the lost one; nothing of the lost one is deleted.',
    ],
    steps: [
      ...(node === undefined ? infrastructureSteps(document) : [joinStep(document, node)]),
      beginStep(role, NEW),
    ],
    afterwards: [
      `Then go on in the folder new/ by its sheets/${role}/run-sheet.md, from the ${node === undefined ? 'fourth' : 'third'} command on. The new sheet of the owners imports the keys in place of generating them.`,
    ],
  };
}

function joinStep(document: VaultDocument, node: number): SheetStep {
  const { account, admins, recovery } = findNode(document, node);
  const { role, region } = describeRole(document, `node-${node}`);
  const regionOption = region === document.region ? '' : ` --region ${region}`;
  return {
    title: 'Say who you are in the new vault',
    command: `holdfast vault join --role ${role} --account ${account}${admins.map((arn) => ` --admin ${arn}`).join('')}${regionOption} --recovery-key ${recovery.publicKey} --keys new/keys --output new/${role}.join.json`,
    expect: `Other keys than those of the lost vault, in new/keys, and new/${role}.join.json.`,
    otherwise:
      'Where your account is the one that is lost, give the new one and its roles; with another recovery key, its public half.',
    handover: `Send new/${role}.join.json to infrastructure, and read the beginning of its key to them.`,
  };
}

function infrastructureSteps(document: VaultDocument): SheetStep[] {
  const { namespace, environment, region, nodes, tenant, infrastructure } = document;
  const lost = tenant.keys
    .filter(({ type }) => isShareType(type))
    .map(({ id, type }) => `--recover ${id}:${type}:PUBLIC_KEY`);
  const joins = nodes.map(({ node }) => `--join new/node-${node}.join.json`);
  return [
    {
      title: 'Make your keys of the new vault',
      command: `holdfast vault join --role infrastructure --account ${infrastructure.account}${infrastructure.admins.map((arn) => ` --admin ${arn}`).join('')} --keys new/keys --output new/infrastructure.join.json`,
      expect: 'new/keys, for you alone, and new/infrastructure.join.json.',
      otherwise: 'Where your account is the one that is lost, give the new one and its roles.',
      handover: 'Wait for the files of all node admins, and for the public keys that the owners read to you.',
    },
    {
      title: 'Write the description of the new vault, which pins the keys that are to come back',
      command: `holdfast vault init --vault new/vault.yaml --like vault.yaml --namespace ${namespace} --environment ${environment}-2 --region ${region} --join new/infrastructure.join.json ${joins.join(' ')} ${lost.join(' ')}`,
      expect:
        'new/vault.yaml: written, and whose clients, people and rules stand in it: the newest that were signed, with network, hosts, domain and optional parts as they were. In place of PUBLIC_KEY stands what the owners have read to you of each key; give --recover as well for a shared key that other rules have brought since.',
      otherwise: 'VAULT_EXISTS: there is one, and nothing of it was changed. Edit that one.',
      handover:
        'Read it against the lost vault: the release is the one that its nodes ran last, and each key that is to come back has its publicKey. Servers of optional parts, their secrets and their addresses are new ones where the old are gone. When the next command says 0 errors, and KEY_TO_RECOVER for every lost key, send new/vault.yaml to everybody.',
    },
  ];
}
