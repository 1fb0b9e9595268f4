import { beforeAll, describe, expect, it } from 'vitest';
import { nouns } from '../../cli/nouns.ts';

/**
 * What a command is given stands in the list of processes and in the shell's history, for everybody on the machine. So every
 * option that could carry a secret carries the name of a file: KEY_FILE_EXPOSED is said of one that others may read.
 */

/** Placeholders of values that name a file or a folder, or a place from which something is read. */
const FILES = new Set(
  'FILE FOLDER PEM DOC TABLE OLD BLOB HTML PATH DIRECTORY NAME=FILE NAME[=PEM] DIR|FILE'.split(' '),
);
/** Placeholders of values that everybody may see, by what they are. */
const PUBLIC = new Set([
  // Names, places, kinds.
  ...'NAME ROLE ROLE=NAME STAGE ID ORIGIN PART PARTITION PLACE LOCATION REGION ARCH CHAIN KIND SEVERITY VERSION TEXT URL'.split(
    ' ',
  ),
  ...'ADDRESS:PORT PORT CID CIDR ACCOUNT ARN KEYID INDEX NODE NODES UNIT json|raw|base64'.split(' '),
  // Numbers and times.
  ...'COUNT NUMBER N K T DAY DAYS HOURS SECONDS TIME'.split(' '),
  // Public keys, digests, nonces, payloads, signatures; an exception and its reason.
  ...'HEX VKEY KEY:TYPE:HEX STATEMENT=REASON'.split(' '),
  // Id of a key, a file of one, or an alias of KMS.
  'KEY',
]);
/** Options whose names speak of a secret, and whose values are public all the same: verb, option, placeholder. */
const PUBLIC_ALL_THE_SAME: readonly RegExp[] = [
  /^config import --client-key HEX$/,
  /^vault join --recovery-key HEX$/,
  / --public-key HEX$/,
  / --signer HEX$/,
  / --(?:sign-key|without-key) KEYID$/,
  / --(?:key|log-key|witness-key|witness) VKEY$/,
  / --key (?:ID|ARN)$/,
  / --private-key KEY$/,
];
const SECRET = /key|secret|passw|passphrase|token|share|words|signer|credential|mnemonic|seed|values/;

let options: readonly { readonly name: string; readonly value: string }[];
beforeAll(async () => {
  const commands = (await Promise.all(Object.values(nouns).map(async ({ load }) => await load()))).flat();
  options = commands.flatMap((command) =>
    Object.entries(command.options)
      .filter(([, { type }]) => type === 'string')
      .map(([option, { value = '' }]) => ({ name: `${command.name} --${option}`, value })),
  );
}, 60_000);

describe('the arguments of all verbs', () => {
  it('have no option that takes a secret as its value: none stands in a list of processes', () => {
    expect(options.length).toBeGreaterThan(300);
    expect(options.filter(({ value }) => !FILES.has(value) && !PUBLIC.has(value))).toEqual([]);
    const spoken = options.filter(({ name }) => SECRET.test(name.slice(name.indexOf('--'))));
    expect(spoken.length).toBeGreaterThan(50);
    const taken = spoken
      .filter(({ value }) => !FILES.has(value))
      .map(({ name, value }) => `${name} ${value}`)
      .filter((option) => !PUBLIC_ALL_THE_SAME.some((known) => known.test(option)));
    expect(taken).toEqual([]);
  });
});
