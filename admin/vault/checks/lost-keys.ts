import { isShareType } from '../../../shared/algorithms.ts';
import type { NetworkKey } from '../../../shared/documents/configuration/keys.ts';
import { nobleSuites } from '../../../shared/frost/index.ts';
import { isToRecover } from '../derive/administration.ts';
import type { VaultDocument } from '../document.ts';
import type { OpenFinding } from './finding.ts';
import { isOpenValue } from './placeholders.ts';

/** Finding without its place: the field of the key that it is about. */
type KeyFinding = Omit<OpenFinding, 'path' | 'roles'> & { readonly field: 'publicKey' | 'commitments' };

/** Finds what is wrong with keys that exist already, and are to come back from backups. */
export function checkLostKeys({ tenant: { keys } }: VaultDocument): OpenFinding[] {
  const firsts = new Map<string, string>();
  return keys.flatMap((key, index) => {
    const { id, publicKey } = key;
    const first = publicKey === undefined ? undefined : firsts.get(publicKey);
    if (publicKey !== undefined) firsts.set(publicKey, first ?? id);
    const found = findLost(key, first);
    if (found === undefined) return [];
    const { field, ...rest } = found;
    return [{ ...rest, path: ['tenant', 'keys', index, field] }];
  });
}

/** @param first key of the same public key before this one */
function findLost(key: NetworkKey, first: string | undefined): KeyFinding | undefined {
  const { id, type, publicKey = '', commitments } = key;
  if (commitments !== undefined)
    return {
      code: 'KEY_NOT_RECOVERABLE',
      severity: 'error',
      field: 'commitments',
      text: `${id} names a group of shares that no node of a new vault has, and no import makes`,
      advice: 'Leave commitments out: the public key says which key it is, and the import makes new shares.',
    };
  if (!isToRecover(key) || isOpenValue(publicKey)) return undefined;
  const common = { field: 'publicKey' } as const;
  if (!isShareType(type))
    return {
      ...common,
      code: 'KEY_NOT_RECOVERABLE',
      severity: 'error',
      text: `${id} is a whole key, which no node takes up from outside: a node that should have it would not start`,
      advice:
        'Have the nodes make another key, or use this one elsewhere: "ers recover" writes a whole key into a file.',
    };
  if (nobleSuites[type].group.decode(Buffer.from(publicKey, 'hex')) === undefined)
    return {
      ...common,
      code: 'PUBLIC_KEY_UNUSABLE',
      severity: 'error',
      text: `the public key of ${id} is none of ${type}`,
      advice: 'Write the one that "ers verify" prints of the backups.',
    };
  if (first !== undefined)
    return {
      ...common,
      code: 'KEY_OF_TWO_PURPOSES',
      severity: 'error',
      text: `${id} and ${first} are one key: the rules of one would not hold what the other signs`,
      advice: 'Keep one of the two.',
    };
  return {
    ...common,
    code: 'KEY_TO_RECOVER',
    severity: 'note',
    text: `${id} is to be recovered: owners may import the key of this public key, and nodes take no other and make none`,
    advice: 'Compare the public key with the one that "ers verify" prints of the backups.',
  };
}
