import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ALGORITHMS, describeAlgorithm } from '../../../shared/algorithms.ts';
import { addressBookSchema } from '../../../shared/documents/configuration/address-books.ts';
import { approvalsSchema, tiersSchema } from '../../../shared/documents/configuration/approvals.ts';
import {
  approverGroupSchema,
  approverSchema,
  clientGroupSchema,
  credentialSchema,
} from '../../../shared/documents/configuration/approvers.ts';
import { conditionSchema } from '../../../shared/documents/configuration/conditions.ts';
import { configuration1Schema, rule1Schema } from '../../../shared/documents/configuration/format-1.ts';
import { clientSchema, configuration2Schema } from '../../../shared/documents/configuration/format-2.ts';
import { dropEntrySchema, networkKeySchema } from '../../../shared/documents/configuration/keys.ts';
import { feeSchema, limitSchema, timeSchema } from '../../../shared/documents/configuration/limits.ts';
import { denySchema, permitSchema } from '../../../shared/documents/configuration/rules.ts';
import { witnessesSchema } from '../../../shared/documents/configuration/witnesses.ts';
import { parseConfiguration } from '../../../shared/documents/configuration.ts';
import { EFFECT_TYPES } from '../../../shared/effect-types.ts';
import { manifestSchema } from '../../../shared/documents/manifest.ts';

const PIN = 'ab'.repeat(48);
const configuration = {
  format: 'holdfast-configuration/1',
  version: 3,
  manifest: '00'.repeat(48),
  clients: [],
  keys: [
    { id: 'hot', type: 'ed25519' },
    { id: 'treasury', type: 'frost-ed25519', commitments: PIN },
  ],
  rules: [],
};
const drop = (id: string, type = 'p256') => ({ id, type, publicKey: '02'.repeat(33) });
const parse = (change: object) =>
  parseConfiguration(Buffer.from(JSON.stringify({ ...configuration, ...change })));

describe('a configuration', () => {
  it('may pin the commitments of a share, and order keys to be dropped', () => {
    const drops = [drop('cold'), drop('hot', 'frost-ed25519')];
    expect(parse({ drop: drops })).toMatchObject({ drop: drops, keys: [{}, { commitments: PIN }] });
    const most = Array.from({ length: 1024 }, (_, index) => drop(`key-${index}`));
    expect(parse({ drop: most }).drop).toHaveLength(1024);
  });

  it('may give a taproot key of the quorum the chain code of its children', () => {
    const key = { id: 'a', type: 'frost-secp256k1-taproot', chainCode: 'c4'.repeat(32) };
    expect(parse({ keys: [key] }).keys).toMatchObject([key]);
  });

  it.each<[string, object]>([
    [
      'pins the commitments of a key that is no share',
      { keys: [{ id: 'hot', type: 'ed25519', commitments: PIN }] },
    ],
    [
      'pins with a digest of another length',
      { keys: [{ id: 'a', type: 'frost-ed25519', commitments: 'ab'.repeat(32) }] },
    ],
    ['pins in upper case', { keys: [{ id: 'a', type: 'frost-ed25519', commitments: PIN.toUpperCase() }] }],
    [
      'gives a chain code to a key without children',
      { keys: [{ id: 'a', type: 'frost-ed25519', chainCode: 'c4'.repeat(32) }] },
    ],
    [
      'gives a chain code to a whole key',
      { keys: [{ id: 'a', type: 'secp256k1', chainCode: 'c4'.repeat(32) }] },
    ],
    [
      'gives a chain code of another length',
      { keys: [{ id: 'a', type: 'frost-secp256k1-taproot', chainCode: 'c4'.repeat(33) }] },
    ],
    ['drops what it names', { drop: [drop('hot', 'ed25519')] }],
    ['drops what it names as another type of key', { drop: [drop('hot')] }],
    ['drops a share that it names', { drop: [drop('treasury', 'frost-secp256k1-taproot')] }],
    ['drops one record twice', { drop: [drop('cold'), drop('cold', 'secp256k1')] }],
    ['drops without saying which key', { drop: [{ id: 'cold', type: 'p256' }] }],
    ['drops nothing', { drop: [] }],
    ['drops too many', { drop: Array.from({ length: 1025 }, (_, index) => drop(`key-${index}`)) }],
  ])('is refused when it %s', (_, change) => {
    expect(() => parse(change)).toThrow(expect.objectContaining({ code: 'CONFIGURATION_MALFORMED' }));
  });
});

describe('the format of a configuration', () => {
  it.each([
    ['a later version', 'holdfast-configuration/3'],
    ['another document', 'holdfast-manifest/1'],
    ['a name that every object has', 'constructor'],
    ['a number', 1],
    ['nothing', undefined],
  ])('is read first, and %s is refused by name', (_, format) => {
    expect(() => parse({ format, version: 'no version' })).toThrow(
      expect.objectContaining({
        code: 'CONFIGURATION_MALFORMED',
        message: expect.stringContaining('holdfast-configuration/1'),
        details: expect.objectContaining({ field: 'format' }),
      }),
    );
  });

  it.each(['null', '[]', '"holdfast-configuration/1"', '3'])('is none of %s', (text) => {
    expect(() => parseConfiguration(Buffer.from(text))).toThrow(
      expect.objectContaining({
        code: 'CONFIGURATION_MALFORMED',
        details: expect.objectContaining({ field: '' }),
      }),
    );
  });
});

describe('SPEC.md of manifest and configuration', () => {
  const spec = readFileSync(new URL('../../../shared/documents/SPEC.md', import.meta.url), 'utf8');

  it('names every member', () => {
    const schemas = [
      manifestSchema,
      configuration1Schema,
      configuration2Schema,
      clientSchema,
      clientGroupSchema,
      networkKeySchema,
      dropEntrySchema,
      rule1Schema,
      permitSchema,
      denySchema,
      conditionSchema,
      approverSchema,
      approverGroupSchema,
      ...credentialSchema.options,
      addressBookSchema,
      limitSchema,
      feeSchema,
      timeSchema,
      approvalsSchema,
      tiersSchema,
      witnessesSchema,
    ];
    for (const member of new Set(schemas.flatMap(({ shape }) => Object.keys(shape)))) {
      expect(spec).toMatch(new RegExp(`[\`{, ]${member}[\`},]`));
    }
  });

  it('names every type of effect', () => {
    for (const type of EFFECT_TYPES) expect(spec).toContain(`\`${type}\``);
  });

  it('says with which key each algorithm signs which payloads', () => {
    const table = [...spec.matchAll(/^\| `([a-z0-9-]+)` +\| (`[a-z0-9`, -]+`) +\| (`[a-z`, -]+`) +\|$/gm)];
    const rows = table.map(([, algorithm, keys = '', payloads = '']) => [
      algorithm,
      keys.match(/[a-z0-9-]+/g),
      payloads.match(/[a-z-]+/g),
    ]);
    expect(rows).toEqual(
      ALGORITHMS.flatMap((algorithm) => {
        const { keys, usage, payloads } = describeAlgorithm(algorithm);
        return usage === 'sign' ? [[algorithm, keys, payloads]] : [];
      }),
    );
  });
});
