import type { VaultDocument } from '../document.ts';
import { beginStep, profilesStep, SAME_BYTES, verifyBackupsStep } from './common-steps.ts';
import { backupOptions, manifestOf } from './files-of-people.ts';
import type { Procedure } from './procedure.ts';
import { titleOf } from './sheet-role.ts';
import { followUpgradeProcedure } from './upgrade.ts';

/** Derives what an auditor does, with files alone and no secret. */
export function proceduresOfAuditor(document: VaultDocument): readonly Procedure[] {
  const titled = (words: string) => titleOf(document, words, 'auditor');
  return [
    {
      name: 'ceremony',
      title: titled('run sheet'),
      before: [SAME_BYTES, 'The folder exchange/, from anybody of the ceremony.'],
      steps: [
        beginStep(),
        {
          title: 'See what each role has signed for, and when',
          command: 'holdfast vault status --vault vault.yaml',
          expect: 'the ceremony is complete.',
          otherwise: 'refused: a statement that nobody may believe; whose it is, stands beside it.',
        },
        profilesStep(),
      ],
      afterwards: ['Keep vault.yaml, exchange/ and profiles/: all later records are verified by them.'],
    },
    followUpgradeProcedure(document, 'auditor'),
    {
      name: 'backup',
      title: titled('backup, run sheet'),
      before: ['backups/, from the owners; your own profiles/, made anew after each upgrade.'],
      steps: [verifyBackupsStep(document)],
      afterwards: [
        'The measured enclaves say that these files hold the shares. Only a drill shows that the custodians can open them.',
      ],
    },
    {
      name: 'drill',
      title: titled('drill, run sheet'),
      before: [
        'drill.json, and the public key of its leader, read to you: it stands in place of LEADER.',
        'backups/ as you have verified them: a leader could make up a record of keys of their own.',
      ],
      steps: [
        {
          title: 'Verify the record of the drill against the backups',
          command: `holdfast ers verify --drill drill.json --leader LEADER ${backupOptions(document)}`,
          expect: 'drill of this vault, its time, who came, and every key proven.',
          otherwise:
            'DSSE_UNDER_SIGNED: somebody else has signed. DRILL_OTHER_BACKUPS: not the keys of this vault.',
        },
      ],
      afterwards: [
        `"holdfast ers drill --due 90 --manifest ${manifestOf(1)} --record drill.json --leader LEADER" fails once the next one is due.`,
      ],
    },
    {
      name: 'recovery',
      title: titled('recovery, run sheet'),
      before: ['backups/ and profiles/ of the lost vault; new/vault.yaml of the new one.'],
      steps: [
        verifyBackupsStep(document),
        {
          title: 'See that the new vault takes up these keys, and no others',
          command: 'holdfast vault check --vault new/vault.yaml',
          expect: 'KEY_TO_RECOVER with the same public keys, and 0 errors.',
          otherwise: 'Another public key is another key: stop the ceremony of the new vault.',
        },
      ],
      afterwards: ["Then do your part by the new vault's own sheets."],
    },
  ];
}
