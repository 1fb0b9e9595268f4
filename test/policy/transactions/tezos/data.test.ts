import { blake2b } from '@noble/hashes/blake2.js';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { type MichelsonData, packDataBytes } from '@taquito/michel-codec';
import { stringToBytes } from '@taquito/utils';
import { describe, expect, it } from 'vitest';
import { decodeTezos } from '../../../../policy/transactions/tezos/index.ts';
import {
  blsContext,
  type Content,
  contextOf,
  data,
  decodeForged,
  forge,
  micheline,
  operation,
  outcome,
  SOURCE,
  transaction,
} from './samples.ts';

const { int, string, pair } = micheline;
const outcomeOf = (hex: string, context = contextOf()) => outcome(() => decodeTezos(data(hex), context));
const pack = (value: unknown) => packDataBytes(value as MichelsonData).bytes;

const bytesWithLength = (hex: string) => (hex.length / 2).toString(16).padStart(8, '0') + hex;
/** A message as wallets make it (TZIP-10): 0x05, the tag of a string, its length, its characters. */
const signedMessage = (text: string) =>
  `0501${bytesWithLength(stringToBytes(`Tezos Signed Message: ${text}`))}`;

describe('packed data', () => {
  it('is read as taquito packs it, and hashed with its first byte', () => {
    const hex = pack(pair(int(-7), pair(string('a permit'), { bytes: '00ff' })));
    const { transaction: decoded, signings } = decodeTezos(data(hex), contextOf());
    expect(decoded).toMatchObject({
      kind: 'tezos-data',
      network: null,
      source: SOURCE,
      effects: [{ type: 'message', details: { data: 'Pair -7 (Pair "a permit" 0x00ff)' } }],
      features: ['tezos:packed-data'],
      fee: null,
    });
    const message = blake2b(hexToBytes(hex), { dkLen: 32 });
    expect(signings).toEqual([{ input: { kind: 'message', message } }]);
    expect(decodeTezos(data(hex), contextOf('ecdsa-secp256k1')).signings).toEqual([
      { input: { kind: 'digest', digest: message } },
    ]);
    expect(outcomeOf(hex, blsContext())).toBe('accepted');
  });

  it('that a wallet signs for a person has no feature', () => {
    const hex = signedMessage('hi');
    expect(pack(string('Tezos Signed Message: hi'))).toBe(hex);
    const { transaction: decoded } = decodeTezos(data(hex), contextOf());
    expect(decoded.features).toEqual([]);
    expect(decoded.effects[0]?.details).toEqual({ data: '"Tezos Signed Message: hi"' });
    const within = pack(pair(string('Tezos Signed Message: hi'), int(1)));
    expect(decodeTezos(data(within), contextOf()).transaction.features).toEqual(['tezos:packed-data']);
  });

  it('is read to its last byte, and refused in any other spelling', () => {
    const hex = pack(pair(int(70), string('x')));
    for (let length = 0; length < hex.length; length += 2)
      expect(outcomeOf(hex.slice(0, length))).toBe('TRANSACTION_MALFORMED');
    for (const more of ['00', '0000', hex]) expect(outcomeOf(hex + more)).toBe('TRANSACTION_MALFORMED');
    expect(outcomeOf('050006')).toBe('accepted');
    expect(outcomeOf('05008600')).toBe('TRANSACTION_NOT_CANONICAL');
    expect(outcomeOf('050040')).toBe('TRANSACTION_NOT_CANONICAL');
    expect(outcomeOf(`05${'02'.repeat(1)}00000000`)).toBe('accepted');
    expect(outcomeOf(`0501${bytesWithLength('c3a4')}`)).toBe('TRANSACTION_MALFORMED');
  });

  it('has the first byte 5, and is of a key that serves one network of Tezos', () => {
    const hex = pack(int(1));
    for (const first of ['01', '03', '04', '06', '11', '12', '13'])
      expect(outcomeOf(first + hex.slice(2))).toBe('TRANSACTION_MALFORMED');
    expect(outcomeOf(hex, contextOf('ed25519', ['eip155:1']))).toBe('TRANSACTION_NETWORK_MISMATCH');
    expect(outcomeOf(hex, { ...contextOf(), algorithm: 'bip340' })).toBe('TRANSACTION_KEY_MISMATCH');
  });

  it('nests no deeper than an operation may', () => {
    const nested = (depth: number) => `05${'0505'.repeat(depth - 1)}000a`;
    expect(outcomeOf(nested(256))).toBe('accepted');
    expect(outcomeOf(nested(257))).toBe('TRANSACTION_TOO_LARGE');
    expect(outcomeOf(nested(10_000))).toBe('TRANSACTION_TOO_LARGE');
  });
});

describe('a message that no block takes (failing_noop)', () => {
  it('stands alone, has no account, and has a feature', async () => {
    const text = bytesToHex(new TextEncoder().encode('prove that this key is yours'));
    const { transaction: decoded } = await decodeForged({ kind: 'failing_noop', arbitrary: text });
    expect(decoded).toMatchObject({
      source: SOURCE,
      effects: [
        {
          type: 'message',
          selector: 'failing_noop',
          details: { text: 'prove that this key is yours', bytes: '28' },
        },
      ],
      features: ['tezos:failing-noop'],
      fee: null,
      nonce: null,
    });
    const { transaction: binary } = await decodeForged({ kind: 'failing_noop', arbitrary: 'ff00' });
    expect(binary.effects[0]?.details).toEqual({ hex: 'ff00', bytes: '2' });
    const refused = async (...contents: readonly Content[]) => {
      const forged = await forge(...contents);
      return outcome(() => decodeTezos(operation(forged), contextOf()));
    };
    const noop = { kind: 'failing_noop', arbitrary: '00' };
    expect(await refused(noop, noop)).toBe('TRANSACTION_UNSAFE');
    expect(await refused(noop, transaction())).toBe('TRANSACTION_UNSAFE');
    expect(await refused(transaction(), noop)).toBe('TRANSACTION_UNSAFE');
  });
});
