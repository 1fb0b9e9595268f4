import { describe, expect, it } from 'vitest';
import { decodeRoot, encodeRoot, type RootRecord } from '../../../enclave/store/root-record.ts';
import { encodeCbor } from '../../../shared/cbor/index.ts';
import { MAX_RECORD_BYTES } from '../../../shared/protocol/control.ts';

const root: RootRecord = {
  format: 1,
  order: 'first-start',
  configuration: { version: 7, digest: new Uint8Array(48).fill(1) },
  boots: 3,
  records: { 'keys/hot': { revision: 2, digest: new Uint8Array(32).fill(2) } },
};

describe('the root record', () => {
  it('comes back as it was written', () => {
    expect(decodeRoot(encodeRoot(root))).toEqual(root);
  });

  it('has room for as many keys as a configuration may name, of the longest names', () => {
    const records = Object.fromEntries(
      Array.from({ length: 1024 }, (_, index) => [
        `shares/${`${index}`.padEnd(63, 'x')}`,
        { revision: Number.MAX_SAFE_INTEGER, digest: new Uint8Array(32) },
      ]),
    );
    const bytes = encodeRoot({ ...root, records });
    // 29 bytes go to the seal.
    expect(bytes.length).toBeLessThan(MAX_RECORD_BYTES - 29);
    expect(Object.keys(decodeRoot(bytes).records)).toHaveLength(1024);
  });

  it.each<[string, object]>([
    ['another format', { format: 2 }],
    ['a field that nobody knows', { more: 1 }],
    ['no order', { order: undefined }],
    ['no configuration in force', { configuration: { version: 0, digest: new Uint8Array(48) } }],
    ['a digest of another length', { configuration: { version: 1, digest: new Uint8Array(32) } }],
    ['no boot', { boots: 0 }],
    [
      'a record that was never written',
      { records: { 'keys/hot': { revision: 0, digest: new Uint8Array(32) } } },
    ],
    ['a record without its digest', { records: { 'keys/hot': { revision: 1 } } }],
  ])('is not taken with %s', (_, change) => {
    const entries = Object.entries({ ...root, ...change }).filter(([, value]) => value !== undefined);
    const bytes = encodeCbor(Object.fromEntries(entries));
    expect(() => decodeRoot(bytes)).toThrow(expect.objectContaining({ name: 'ZodError' }));
  });
});
