import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase58, encodeBase58, type Prefix } from '../../../../policy/transactions/tezos/base58.ts';
import {
  ACCOUNTS,
  BLS_KEY,
  BRANCH,
  CONTRACT,
  OTHER,
  PAYLOAD_HASH,
  PROTOCOL,
  ROLLUP,
  TZ4,
} from './samples.ts';

const TEXTS: readonly (readonly [Prefix, string])[] = [
  ['tz1', OTHER],
  ['tz2', ACCOUNTS['ecdsa-secp256k1'].address],
  ['tz3', ACCOUNTS['ecdsa-p256-sha256'].address],
  ['tz4', TZ4],
  ['KT1', CONTRACT],
  ['sr1', ROLLUP],
  ['edpk', ACCOUNTS.ed25519.publicKey],
  ['block', BRANCH],
  ['protocol', PROTOCOL],
  ['payload', PAYLOAD_HASH],
  ['chain', 'NetXdQprcVkpaWU'],
];

describe('Base58Check', () => {
  it.each(TEXTS)('of %s is read and written as other programs have it', (prefix, text) => {
    const read = decodeBase58(text, [prefix]);
    expect(read?.prefix).toBe(prefix);
    expect(encodeBase58(prefix, read?.value ?? new Uint8Array())).toBe(text);
  });

  it('has each value in one text alone', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), (value) => {
        const text = encodeBase58('KT1', value);
        expect(decodeBase58(text, ['tz1', 'KT1'])).toEqual({ prefix: 'KT1', value });
        for (const other of [
          `1${text}`,
          `${text}1`,
          text.slice(1),
          text.slice(0, -1),
          text.toLowerCase(),
          ` ${text}`,
        ]) {
          expect(decodeBase58(other, ['KT1'])).toBeUndefined();
        }
        expect(decodeBase58(text, ['tz1', 'tz2', 'sr1'])).toBeUndefined();
      }),
    );
  });

  it.each(['', '1', 'O', '1'.repeat(64), 'z'.repeat(65), 'ä', BLS_KEY])('reads no address in %j', (text) => {
    expect(decodeBase58(text, ['tz1', 'tz2', 'tz3', 'tz4', 'KT1', 'sr1'])).toBeUndefined();
  });
});
