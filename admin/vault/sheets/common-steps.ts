import type { VaultDocument } from '../document.ts';
import type { Role } from '../roles.ts';
import { backupOptions } from './files-of-people.ts';
import type { SheetStep } from './procedure.ts';

/** How statements travel. */
export const EXCHANGE =
  'Send the folder exchange/ to the others by any way: what is in it is signed, and nothing of it is secret.';
/** What `vault apply` does before it changes anything. */
export const ASKS =
  'It shows every change in words and asks once. Whatever it would destroy it names, and stops. A second run changes nothing.';
/** What to do with a run that was cut off or refused. */
export const RESUME =
  'Run the same command again: it goes on where it was cut off. A code says what stands in the way, and docs/codes.md what to do.';
/** How everybody knows that they mean the same vault. */
export const SAME_BYTES = 'The holdfast command, and vault.yaml with the same bytes that everybody has.';
/** From where an image can be rebuilt. */
export const REBUILD_PLACE =
  '--rebuild builds the image again, which takes minutes: call the command of a working copy of its commit (./holdfast there). Nobody vouches for an image in this vault that they have not rebuilt.';

/**
 * Step with which everybody begins who has vault.yaml: it is checked, the release that it names is fetched and verified, and
 * the sheets are written.
 *
 * @param role whose own key is looked for in it; nobody's where the person has none
 * @param folder of the vault, with a slash at its end; empty where it is the one that the person works in
 * @param isRebuilt whether the image is to be rebuilt, too
 */
export function beginStep(role?: Role, folder = '', isRebuilt = false): SheetStep {
  const own = role === undefined ? '' : ` --role ${role} --statement-key ${folder}keys/${role}.statement.pem`;
  const out = folder === '' ? '' : ` --out ${folder}releases`;
  return {
    title: 'See that the description is the one that you agreed to; get the release, and verify it yourself',
    command: `holdfast vault fetch --vault ${folder}vault.yaml${own}${out} --sheets ${folder}sheets${isRebuilt ? ' --rebuild' : ''}`,
    expect: `0 errors, and a digest of vault.yaml, which all read to each other; then "fetched and verified" (a second time "here already, and verified"), and the PCRs, computed from the image itself; then your sheets: ${folder}sheets/${role ?? 'ROLE'}.`,
    otherwise:
      'Each finding says what to do: change vault.yaml together, give everybody the new bytes, and run the same command again. RELEASE_…: stop, and ask whoever publishes the release; do not take the files from somebody of the ceremony instead.',
    ...(isRebuilt && { handover: REBUILD_PLACE }),
  };
}

/** Step that makes a key of somebody who has no account. */
export function ownKeyStep(name: string, use: string): SheetStep {
  return {
    title: 'Make your own key, once',
    command: `holdfast vault key ${name}`,
    expect: `keys/${name}.pem, for you alone, and its public key. ${use}`,
    otherwise:
      'A key that is there is kept. Restore the folder from your own copy rather than make another key.',
  };
}

/** Step that finds where nodes are and what they must prove, for whoever has no account. */
export function profilesStep(client?: { readonly client: string; readonly key: string }): SheetStep {
  const own = client === undefined ? '' : ` --client ${client.client} --key ${client.key}`;
  return {
    title: 'Learn from the signed statements where the nodes are, and what they must prove',
    command: `holdfast vault profiles --vault vault.yaml${own} --output profiles`,
    expect: 'A profile and a manifest of each node, and pcr.json of the release that they run.',
    otherwise:
      'VAULT_NOT_SERVING: the ceremony has not come so far; ask for the folder exchange/. VAULT_RELEASE_DIFFERS: stop, and ask who has published what. RELEASE_…: fetch the one that the nodes run, by upgrade.md.',
  };
}

/** Step that verifies all backups by files alone, as whoever holds no secret does. */
export function verifyBackupsStep(document: VaultDocument): SheetStep {
  const names = document.tenant.keys.map(({ id }) => id).join(', ');
  return {
    title: 'Verify every backup by its proof',
    command: `holdfast ers verify ${backupOptions(document)}`,
    expect: `RECOVERABLE for each shared key (${names}), with the public key that the wallet knows.`,
    otherwise:
      'A code names what does not fit. PCR_MISMATCH: a backup of another release; add --pcrs releases/VERSION/pcr.json of that release. Have what is refused backed up again; where the vault is lost, look for other copies.',
  };
}
