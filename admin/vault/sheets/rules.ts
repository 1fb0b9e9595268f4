import type { VaultDocument } from '../document.ts';
import { findNode } from '../derive/manifest.ts';
import { describeRole, nodeOfRole, type Role } from '../roles.ts';
import { ASKS, EXCHANGE, RESUME, SAME_BYTES } from './common-steps.ts';
import type { Procedure, SheetStep } from './procedure.ts';
import { titleOf } from './sheet-role.ts';

const STATUS: SheetStep = {
  title: 'See which configuration each node has',
  command: 'holdfast vault status --vault vault.yaml',
  expect:
    'For each node the version that its admin has stated, the same version "said to run", and the same change.',
  otherwise: 'It says who waits for whom.',
};

/** Derives what the admin of a role does to give the nodes other clients, people, keys or rules after the ceremony. */
export function rulesProcedure(document: VaultDocument, role: Role): Procedure {
  const node = nodeOfRole(role);
  return {
    name: 'rules',
    title: titleOf(document, 'other rules, run sheet', role),
    before: [
      ...(node === undefined
        ? [
            'The folder exchange/ with the statements of the node admins who have signed. The others may follow.',
          ]
        : [
            'rules.yaml: a copy of vault.yaml in which clients, tenant and parts.gateways alone are changed, the same bytes for all node admins.',
          ]),
      `Credentials of one of your roles in account ${describeRole(document, role).account}, and of no other account of this vault.`,
      SAME_BYTES,
    ],
    steps: [...(node === undefined ? [restartStep()] : nodeSteps(document, node)), STATUS],
    afterwards: [
      'vault.yaml stays as it is: upgrades, roll backs and later changes take the newest configuration that was signed and stated.',
      'Keep rules.yaml: the next change begins with a copy of it.',
    ],
  };
}

function nodeSteps(document: VaultDocument, node: number): readonly SheetStep[] {
  const role: Role = `node-${node}`;
  const hasKeys = findNode(document, node).configurationAuthority.keys.length > 0;
  return [
    {
      title: 'See that the new description fits together',
      command: 'holdfast vault check --vault rules.yaml',
      expect: '0 errors, and a digest, which all node admins read to each other.',
      otherwise: 'Each finding says what to do; everybody gets the new bytes.',
    },
    {
      title: 'Sign for your node what it is to allow from now on',
      command: `holdfast vault configure apply --rules rules.yaml --role ${role} --statement-key keys/${role}.statement.pem${hasKeys ? ` --authority-key keys/${role}.authority.pem` : ''}`,
      expect: `${ASKS} Read it: "PERMITS MORE" or "permits less", and each part that changes.`,
      otherwise: `VAULT_CHANGE_DIFFERS: another admin has signed by other bytes. Compare the digests. VAULT_CONFIGURATION_DIFFERS: the node runs what was signed past the vault; state that first, by --configuration. ${RESUME}`,
      handover: EXCHANGE,
    },
  ];
}

function restartStep(): SheetStep {
  return {
    title: 'One node after the other starts with what its admin has signed',
    command:
      'holdfast vault configure apply --role infrastructure --statement-key keys/infrastructure.statement.pem',
    expect: `${ASKS} Each node serves and attests its new version before the next is touched.`,
    otherwise: `VAULT_NODE_UNEXPECTED: no further node is touched; its code says why, and its admin signs another configuration. ${RESUME}`,
    handover: EXCHANGE,
  };
}
