import { isShareType } from '../../../shared/algorithms.ts';
import { isToRecover } from '../derive/administration.ts';
import type { VaultDocument } from '../document.ts';
import { beginStep, ownKeyStep, profilesStep, SAME_BYTES, verifyBackupsStep } from './common-steps.ts';
import { ownerOf, profileOf } from './files-of-people.ts';
import type { Procedure, SheetStep } from './procedure.ts';
import { titleOf } from './sheet-role.ts';
import { followUpgradeProcedure } from './upgrade.ts';

/** Derives what owners do: they have keys made or imported, and backed up. */
export function proceduresOfOwners(document: VaultDocument): readonly Procedure[] {
  return [
    ceremony(document),
    followUpgradeProcedure(document, 'owners', ownerOf(document)),
    backup(document),
    recovery(document),
  ];
}

function ceremony(document: VaultDocument): Procedure {
  const owner = ownerOf(document);
  const shared = document.tenant.keys.filter(({ type }) => isShareType(type));
  const lost = shared.filter(isToRecover).map(({ id }) => id);
  const made = shared.filter((key) => !isToRecover(key)).map(({ id }) => id);
  return {
    name: 'ceremony',
    title: titleOf(document, 'run sheet', 'owners'),
    before: [
      'The first command comes before vault.yaml, which names your public key. For the others:',
      SAME_BYTES,
      'The folder exchange/ with what all roles have told, once their ceremony is complete.',
    ],
    steps: [
      {
        ...ownKeyStep(owner.client, `It is that of the client ${owner.client} in vault.yaml.`),
        handover: 'Read the public key to infrastructure, and wait for vault.yaml.',
      },
      beginStep(),
      profilesStep(owner),
      ...(made.length === 0 ? [] : [generateStep(made)]),
      ...(lost.length === 0 ? [] : importSteps(lost)),
    ],
    afterwards: [
      'Wallet backends make keys and profiles of their own likewise, with the names of their clients.',
      'Go on with backup.md at once: a key without backups is lost with its nodes.',
    ],
  };
}

function generateStep(keys: readonly string[]): SheetStep {
  return {
    title: 'Have the nodes make the keys of the quorum, which no place ever holds whole',
    command: `holdfast quorum keys generate ${keys.join(' ')} --profile ${profileOf(1)}`,
    expect: 'done, and a public key that all nodes have confirmed, for each key.',
    otherwise:
      'CEREMONY_NODES_UNREACHABLE: a node does not serve yet. CEREMONY_KEY_STATE: the key is there already, and stays.',
  };
}

/** Imports are encrypted for one boot of one node: its document goes to the custodians, and comes back as the import. */
function importSteps(keys: readonly string[]): SheetStep[] {
  return [
    {
      title: 'Keep the document of the node that takes up the lost keys',
      command: `holdfast node attest --output node-1.attestation --profile ${profileOf(1)}`,
      expect: 'attested: the release and the manifest of node 1.',
      otherwise: 'Any refusal is a reason to stop: ask infrastructure what runs there.',
      handover:
        'Send node-1.attestation and the folder profiles/ to the custodians of the lost vault, as the folder new/ of their recovery.md. Wait for their imports; node 1 is not to be restarted until then.',
    },
    {
      title: 'Have node 1 split the lost keys among the nodes',
      command: `holdfast quorum keys import ${keys.map((key) => `${key}.import`).join(' ')} --profile ${profileOf(1)}`,
      expect: 'done, and the public key of the lost vault, for each key.',
      otherwise:
        'SHARE_UNREADABLE: node 1 was restarted; repeat both steps. CEREMONY_KEY_STATE: another key than the one that vault.yaml pins, or it is there already.',
    },
  ];
}

function backup(document: VaultDocument): Procedure {
  const owner = ownerOf(document);
  const [first, ...others] = document.nodes.map(({ node }) => profileOf(node));
  return {
    name: 'backup',
    title: titleOf(document, 'backup, run sheet', 'owners'),
    before: [
      'After each ceremony of a key (generate, import, refresh, reshare, repair) and after each upgrade: shares of another epoch do not fit together.',
      `The key of the client ${owner.client}, ${owner.key}, and the folder exchange/ as it is now.`,
    ],
    steps: [
      profilesStep(owner),
      {
        title: 'Have each node encrypt its shares to the recovery key, with a proof',
        command: [
          'holdfast ers backup --output backups',
          `--profile ${first ?? ''}`,
          ...others.map((path) => `--node ${path}`),
        ].join(' '),
        expect: 'A file of each key of each node, verified as it arrived.',
        otherwise:
          'A node that cannot be backed up is named with its code, and the files of the others are written. Run the same command again when it serves.',
      },
      verifyBackupsStep(document),
    ],
    afterwards: [
      'Give copies of backups/ and profiles/ to the auditor and the custodians, and keep one far from the nodes: nobody can read them without the custodians.',
      ...(document.tenant.recovery === undefined
        ? []
        : [
            'The nodes sign above the amounts of tenant.recovery once a keeper has verified these files and signed that they are kept (docs/recovery.md).',
          ]),
    ],
  };
}

function recovery(document: VaultDocument): Procedure {
  return {
    name: 'recovery',
    title: titleOf(document, 'recovery, run sheet', 'owners'),
    before: [
      'The vault is lost: fewer nodes are left than sign together. While enough are left, have the quorum repaired instead (docs/quorum.md).',
      'backups/ and profiles/ of the last backup, from any copy.',
    ],
    steps: [verifyBackupsStep(document)],
    afterwards: [
      'Tell infrastructure the public key of each key that is RECOVERABLE, and read it to them: the new vault.yaml pins it.',
      "Then do your part of the new vault's ceremony, by the sheets that are made of its vault.yaml: there the keys are imported, where they were generated once.",
    ],
  };
}
