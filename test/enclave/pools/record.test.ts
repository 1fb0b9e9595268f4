import { describe, expect, it } from 'vitest';
import { decodeRecord, encodeRecord, type PoolKeyRecord } from '../../../enclave/pools/record.ts';

const ID = '0b0b0b0b-0b0b-4b0b-8b0b-0b0b0b0b0b0b';
const RECORD: PoolKeyRecord = {
  format: 'holdfast-pool-key/1',
  id: ID,
  pool: 'canton',
  type: 'p256',
  usage: 'sign',
  publicKey: '3059',
  client: 'participant',
  token: '0a'.repeat(16),
  request: '0c'.repeat(32),
  description: 'participant "Zürich"\n',
  aliases: ['canton/one'],
  tags: [{ key: 'CreatedBy', value: 'Canton' }],
  state: 'enabled',
  created: 1,
  deletionTime: null,
  named: false,
};
const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

describe('the record of a key of a pool', () => {
  it('is read as it was written', () => {
    expect(decodeRecord(ID, encodeRecord(RECORD))).toEqual(RECORD);
  });

  it.each([
    ['of another key', { id: ID.replace('0b', '0c') }],
    ['of another format', { format: 'holdfast-pool-key/2' }],
    ['with a member that nobody knows', { extra: 1 }],
    ['without a member', { named: undefined }],
    ['of a usage that the type is not for', { usage: 'encrypt' }],
    ['of no type', { type: 'dsa' }],
    ['of no state', { state: 'gone' }],
    ['that awaits a deletion without a time', { state: 'pending-deletion' }],
    ['that is enabled and has a deletion time', { deletionTime: 5 }],
    ['with an alias twice', { aliases: ['canton/one', 'canton/one'] }],
    ['with a tag twice', { tags: [...RECORD.tags, ...RECORD.tags] }],
    ['with a public key that is no hex', { publicKey: 'key' }],
    ['with half a token', { token: '0a' }],
  ])('%s is none', (_, changes) => {
    expect(decodeRecord(ID, encode({ ...RECORD, ...changes }))).toBeUndefined();
  });

  it('that is cut off anywhere, or has bytes behind it, is none', () => {
    const bytes = encodeRecord(RECORD);
    for (let length = 0; length < bytes.length; length += 1)
      expect(decodeRecord(ID, bytes.subarray(0, length))).toBeUndefined();
    expect(decodeRecord(ID, new Uint8Array([...bytes, 0x7b]))).toBeUndefined();
  });
});
