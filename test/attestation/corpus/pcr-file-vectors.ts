import { accept, nitroCliFile, refuse, type Place, type VectorSource } from './vector.ts';

type Values = Record<string, string>;

function file(name: string, about: string, pcrFile: (values: Values) => string): VectorSource {
  return accept(`pcr-file/${name}`, 'pcr.json', about, { pcrFile });
}

function badFile(
  name: string,
  about: string,
  code: string,
  place: Place,
  pcrFile: (values: Values) => string,
): VectorSource {
  return refuse(`pcr-file/${name}`, 'pcr.json', about, code, place, { pcrFile });
}

const json = (value: unknown): string => JSON.stringify(value);
const renamed = (values: Values, rename: (key: string) => string): Values =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [rename(key), value]));

const ZERO = '0'.repeat(96);

/** The file of expected measurements. */
export const pcrFileVectors: VectorSource[] = [
  file('inner-object', 'the object inside Measurements alone', (values) =>
    json({ HashAlgorithm: 'Sha384 { ... }', ...values }),
  ),
  file('plain-map', 'a map of PCRs and nothing else', (values) => json(values)),
  file('numbers', 'a map from numbers', (values) => json(renamed(values, (key) => key.slice(3)))),
  file('lower-case-keys', 'keys in lower case', (values) =>
    json(renamed(values, (key) => key.toLowerCase())),
  ),
  file('upper-case-values', 'values in upper case', (values) =>
    json(Object.fromEntries(Object.entries(values).map(([key, value]) => [key, value.toUpperCase()]))),
  ),
  file('described-image', 'what describe-eif prints around the measurements', (values) =>
    json({
      EifVersion: 4,
      Measurements: { HashAlgorithm: 'Sha384 { ... }', ...values },
      IsSigned: true,
      CheckCRC: true,
    }),
  ),
  file(
    'white-space',
    'white space around everything',
    (values) => ` \n${JSON.stringify({ Measurements: values }, undefined, '\t')}\r\n`,
  ),
  badFile('empty', 'no text at all', 'PCR_FILE_JSON', {}, () => ''),
  badFile('trailing-text', 'text after the object', 'PCR_FILE_JSON', {}, (values) => `${json(values)}{}`),
  badFile(
    'too-large',
    'a file of 64 KiB and more',
    'PCR_FILE_JSON',
    {},
    (values) => json(values) + ' '.repeat(65_536),
  ),
  badFile('nesting-bomb', 'arrays in arrays', 'PCR_FILE_JSON', {}, () => '['.repeat(1000)),
  badFile(
    'prototype',
    'a key named __proto__',
    'PCR_FILE_JSON',
    {},
    (values) => `{"__proto__":{},${json(values).slice(1)}`,
  ),
  badFile('array', 'an array', 'PCR_FILE_STRUCTURE', {}, () => '[]'),
  badFile(
    'measurements-array',
    'Measurements that are an array',
    'PCR_FILE_STRUCTURE',
    { field: 'Measurements' },
    () => '{"Measurements":[]}',
  ),
  badFile('duplicate-key', 'PCR0 twice: which one counts?', 'PCR_FILE_DUPLICATE', {}, (values) =>
    nitroCliFile(values).replace('"PCR0"', `"PCR0":"${ZERO}","PCR0"`),
  ),
  badFile(
    'duplicate-spelling',
    'PCR0 and pcr0',
    'PCR_FILE_DUPLICATE',
    { field: 'pcr0', index: 0 },
    (values) => json({ ...values, pcr0: values['PCR0'] }),
  ),
  badFile('sha256', 'PCRs of SHA-256', 'PCR_FILE_HASH_ALGORITHM', { field: 'HashAlgorithm' }, (values) =>
    json({ HashAlgorithm: 'Sha256 { ... }', ...values }),
  ),
  badFile(
    'hash-algorithm-number',
    'a hash algorithm that is a number',
    'PCR_FILE_HASH_ALGORITHM',
    { field: 'HashAlgorithm' },
    (values) => json({ HashAlgorithm: 384, ...values }),
  ),
  badFile('unknown-key', 'a key that is no PCR', 'PCR_FILE_UNKNOWN_KEY', { field: 'PCRO' }, (values) =>
    json({ ...values, PCRO: values['PCR0'] }),
  ),
  badFile('pcr32', 'PCR32', 'PCR_FILE_UNKNOWN_KEY', { field: 'PCR32' }, (values) =>
    json({ ...values, PCR32: ZERO }),
  ),
  badFile('pcr00', 'PCR00', 'PCR_FILE_UNKNOWN_KEY', { field: 'PCR00' }, (values) =>
    json({ ...values, PCR00: ZERO }),
  ),
  badFile('short-value', 'a PCR of 95 digits', 'PCR_FILE_VALUE', { field: 'PCR8', index: 8 }, (values) =>
    json({ ...values, PCR8: ZERO.slice(1) }),
  ),
  badFile('long-value', 'a PCR of 98 digits', 'PCR_FILE_VALUE', { field: 'PCR8', index: 8 }, (values) =>
    json({ ...values, PCR8: `${ZERO}00` }),
  ),
  badFile(
    'not-hex',
    'a PCR with a letter that is no digit',
    'PCR_FILE_VALUE',
    { field: 'PCR8', index: 8 },
    (values) => json({ ...values, PCR8: `${ZERO.slice(1)}g` }),
  ),
  badFile('number-value', 'a PCR that is a number', 'PCR_FILE_VALUE', { field: 'PCR8', index: 8 }, (values) =>
    json({ ...values, PCR8: 0 }),
  ),
  badFile('no-measurements', 'Measurements without a PCR', 'PCR_FILE_INCOMPLETE', { index: 0 }, () =>
    nitroCliFile({}),
  ),
  badFile('pcr0-alone', 'PCR0 alone', 'PCR_FILE_INCOMPLETE', { field: 'PCR1', index: 1 }, ({ PCR0 = '' }) =>
    nitroCliFile({ PCR0 }),
  ),
  badFile(
    'without-pcr2',
    'no PCR2',
    'PCR_FILE_INCOMPLETE',
    { field: 'PCR2', index: 2 },
    ({ PCR0 = '', PCR1 = '' }) => nitroCliFile({ PCR0, PCR1 }),
  ),
  ...[0, 1, 2].map((index) =>
    badFile(`pcr${index}-zero`, `PCR${index} is zero`, 'PCR_FILE_ZERO', { index }, (values) =>
      nitroCliFile({ ...values, [`PCR${index}`]: ZERO }),
    ),
  ),
];
