import { isShareType } from '../../../shared/algorithms.ts';
import type { VaultDocument } from '../document.ts';
import { ownKeyStep, verifyBackupsStep } from './common-steps.ts';
import { backupOptions, manifestOf } from './files-of-people.ts';
import type { Procedure, SheetStep } from './procedure.ts';
import { titleOf } from './sheet-role.ts';

const LIST = 'custodians/custodians.json';
const OFFLINE =
  'A machine that has never been and will never be on a network, with the holdfast command. Its disk is destroyed afterwards; take off it only what this sheet says to hand over.';
const WORDS =
  'As many custodians as custodians.json says, each with their words; that number stands in place of 2 after --ask. Words are typed unseen, and leave no trace.';

/** Derives what custodians do, on an offline machine: the recovery key, drills, and the recovery itself. */
export function proceduresOfCustodians(document: VaultDocument): readonly Procedure[] {
  return [ceremony(document), drill(document), recovery(document)];
}

function ceremony(document: VaultDocument): Procedure {
  return {
    name: 'ceremony',
    title: titleOf(document, 'run sheet', 'custodians'),
    before: [
      OFFLINE,
      'The names of the custodians, and how many of them shall recover, in place of those of the command. This comes before vault.yaml, which names the public key.',
    ],
    steps: [
      {
        title: 'Make the recovery key, which no file has whole',
        command:
          'holdfast ers keygen --custodian alice --custodian bob --custodian carol --threshold 2 --output custodians',
        expect: 'The public key, and a page of each custodian.',
        otherwise: 'OUTPUT_EXISTS: there is one already; nothing of it was changed.',
        handover:
          'Print the pages and hand them over. Keep custodians/custodians.json, which is public: every check and drill needs it. Give the public key to every node admin.',
      },
      {
        title: 'Each custodian alone: see that the share on paper is genuine',
        command: `holdfast ers verify --ask 1 --custodians ${LIST}`,
        expect: 'share N of NAME: genuine.',
        otherwise:
          'CUSTODIAN_SHARE_MALFORMED: a word was mistyped or misprinted. Print the page again, and verify again.',
        handover: 'When every custodian has seen "genuine", destroy the files of the pages.',
      },
      {
        title: 'Once the vault is there: see that its manifests name this key',
        command: `holdfast ers verify --custodians ${LIST} ${document.nodes.map(({ node }) => `--manifest ${manifestOf(node)}`).join(' ')}`,
        expect: 'Each manifest names this recovery key. The auditor has the folder profiles/.',
        otherwise:
          'RECOVERY_KEY_MISMATCH: backups of that node would be of no use. Its admin has to say who has put another key there.',
      },
    ],
    afterwards: [
      'Hold a drill by drill.md once there are backups, and from then on as often as you have agreed.',
    ],
  };
}

function drill(document: VaultDocument): Procedure {
  return {
    name: 'drill',
    title: titleOf(document, 'drill, run sheet', 'custodians'),
    before: [
      OFFLINE,
      WORDS,
      'One person who leads: no custodian of this drill and no admin of a node, whose public key the auditor has been read. They invite the custodians for the day on which "drill due" of the auditor says that one is due, and bring:',
      'backups/ and profiles/ from whoever keeps copies, and custodians/custodians.json: all on a medium that is only read.',
    ],
    steps: [
      ownKeyStep('leader', 'It is the key of whoever leads the drill; the auditor is told its public half.'),
      verifyBackupsStep(document),
      {
        title: 'Recover in memory, have the keys sign a challenge, forget them',
        command: `holdfast ers drill ${backupOptions(document)} --custodians ${LIST} --ask 2 --signer keys/leader.pem --output drill.json`,
        expect:
          'drill.json: recovery is proven, and nothing of it was kept; each key signs as its public key says.',
        otherwise:
          'CUSTODIANS_TOO_FEW, BACKUP_SHARES_TOO_FEW: who or what is missing. Without drill.json nothing is proven: hold the drill again.',
        handover:
          'Give drill.json to the auditor, and read them the public key that stands after "led by" (64 digits): their LEADER.',
      },
    ],
    afterwards: [
      'Every custodian takes their words home again. The machine has written nothing but drill.json.',
    ],
  };
}

function recovery(document: VaultDocument): Procedure {
  const shared = document.tenant.keys.filter(({ type }) => isShareType(type)).map(({ id }) => id);
  return {
    name: 'recovery',
    title: titleOf(document, 'recovery, run sheet', 'custodians'),
    before: [
      OFFLINE,
      WORDS,
      'backups/ and profiles/ of the lost vault; as new/: node-1.attestation and profiles/ of the new one, from its owners. The new vault runs the release of the backups.',
      'The public key of each configuration authority of node 1 of the new vault, which the admin of that node reads to you: it stands in place of AUTHORITY, once for each (--import-authority).',
    ],
    steps: [verifyBackupsStep(document), ...(shared.length === 0 ? [] : [recoverStep(document, shared)])],
    afterwards: [
      'Give the imports to the owners of the new vault: each opens in one boot of node 1 alone.',
      'The recovery key and every page stay as they are. Whoever had too many of them in hand knows the lost keys: then make a new recovery key for the new vault.',
    ],
  };
}

/** Recovers every shared key at once: custodians type their words a single time. */
function recoverStep(document: VaultDocument, keys: readonly string[]): SheetStep {
  const [only] = keys;
  const output = keys.length === 1 ? `new/${only ?? ''}.import` : 'new';
  return {
    title: `Recover ${keys.join(', ')} for node 1 of the new vault, and for nobody else`,
    command: `holdfast ers recover ${keys.join(' ')} ${backupOptions(document)} --ask 2 --import-for new/node-1.attestation --import-manifest new/${manifestOf(1)} --import-pcrs profiles/pcr.json --import-authority AUTHORITY --output ${output}`,
    expect: `The public key of the lost vault${keys.length === 1 ? '' : ', for each key'}, encrypted for one boot of one node: ${keys.map((key) => `new/${key}.import`).join(', ')}.`,
    otherwise:
      'PCR_MISMATCH: the document is of another release or manifest: stop. IMPORT_TARGET_UNKNOWN: others than the people who have read their keys to you rule that node: stop. BACKUP_SHARES_TOO_FEW: look for more copies of backups.',
  };
}
