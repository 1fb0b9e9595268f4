import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashLeaf, MAX_ENTRY_BYTES } from '../../../audit/log/hash.ts';
import { hashLeafByNode } from '../../../audit/log/node-hash.ts';

describe('hashLeafByNode', () => {
  it('hashes as hashLeaf does', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (entry) => {
        expect(hashLeafByNode(entry)).toEqual(hashLeaf(entry));
      }),
    );
  });

  it('refuses an entry that is too long', () => {
    expect(() => hashLeafByNode(new Uint8Array(MAX_ENTRY_BYTES + 1))).toThrow(RangeError);
  });
});
