import { hexToBytes } from '@noble/hashes/utils.js';
import { describe, expect, it } from 'vitest';
import { decodeTezos, readConsensusPosition } from '../../../../policy/transactions/tezos/index.ts';
import { attestation, header, HASH_HEX, MAINNET_CHAIN, preattestation } from './consensus-samples.ts';
import {
  BLS_ACCOUNT,
  BLS_RAW,
  blsContext,
  consensus,
  contextOf,
  forge,
  MAINNET,
  manager,
  operation,
  OTHER,
  outcome,
} from './samples.ts';

/** Writes what a key of BLS12-381 signs by the offsets that were seen in Octez: level at 38, round at 42. */
function statement(first: string, tag: string, { level = 5_000_000, round = 0 } = {}): string {
  const int32 = (value: number) => value.toString(16).padStart(8, '0');
  return `${first}${MAINNET_CHAIN}${HASH_HEX}${tag}${int32(level)}${int32(round)}${HASH_HEX}`;
}
const blsPreattestation = (fields = {}) => statement('12', '28', fields);
const blsAttestation = (fields = {}) => statement('13', '29', fields);
const outcomeOf = (hex: string, context = blsContext()) =>
  outcome(() => decodeTezos(consensus(hex), context));

describe('what a key of BLS12-381 signs as a baker', () => {
  it.each([
    ['preattestation', blsPreattestation({ level: 7, round: 2 })],
    ['attestation', blsAttestation({ level: 7, round: 2 })],
  ])('is a %s of 78 bytes without a slot, signed as it is', (kind, hex) => {
    expect(hex.length / 2).toBe(78);
    expect(readConsensusPosition(consensus(hex), BLS_ACCOUNT)).toMatchObject({
      kind,
      level: 7,
      round: 2,
      payloadHash: HASH_HEX,
    });
    const { transaction, signings } = decodeTezos(consensus(hex), blsContext());
    expect(transaction.source).toBe(BLS_ACCOUNT);
    expect(transaction.effects).toMatchObject([{ type: 'consensus', selector: kind }]);
    expect(signings).toEqual([{ input: { kind: 'message', message: hexToBytes(hex) } }]);
  });

  it('is a block like everybody else', () => {
    const { transaction, signings } = decodeTezos(consensus(header()), blsContext());
    expect(transaction).toMatchObject({ source: BLS_ACCOUNT, effects: [{ selector: 'block' }] });
    expect(signings).toEqual([{ input: { kind: 'message', message: hexToBytes(header()) } }]);
  });

  it('is an operation, signed as it is', async () => {
    const forged = await forge({ kind: 'delegation', ...manager(), source: BLS_ACCOUNT });
    const { transaction, signings } = decodeTezos(operation(forged), blsContext());
    expect(transaction.source).toBe(BLS_ACCOUNT);
    expect(signings).toEqual([{ input: { kind: 'message', message: hexToBytes(`03${forged}`) } }]);
  });

  it('has no slot and no DAL content: tags of other curves are refused, and its own for them', async () => {
    for (const hex of [preattestation(), await attestation(), await attestation({ dal: 1 })]) {
      expect(outcomeOf(hex)).toBe('TRANSACTION_UNSUPPORTED');
      expect(outcomeOf(hex, contextOf())).toBe('accepted');
    }
    for (const algorithm of ['ed25519', 'ecdsa-secp256k1', 'ecdsa-p256-sha256'] as const) {
      for (const hex of [blsPreattestation(), blsAttestation()]) {
        expect(outcomeOf(hex, contextOf(algorithm))).toBe('TRANSACTION_UNSUPPORTED');
      }
    }
    expect(outcomeOf(statement('12', '29'))).toBe('TRANSACTION_UNSUPPORTED');
    expect(outcomeOf(statement('13', '28'))).toBe('TRANSACTION_UNSUPPORTED');
  });

  it('is read to its last byte', () => {
    for (const hex of [blsPreattestation(), blsAttestation()]) {
      expect(outcomeOf(hex)).toBe('accepted');
      for (let length = 0; length < hex.length; length += 2)
        expect(outcomeOf(hex.slice(0, length))).toBe('TRANSACTION_MALFORMED');
      for (const more of ['00', '0000', 'ff'.repeat(32)])
        expect(outcomeOf(hex + more)).toBe('TRANSACTION_MALFORMED');
    }
    expect(outcomeOf(blsAttestation({ level: 0 }))).toBe('TRANSACTION_UNSAFE');
  });
});

describe('a proof of possession', () => {
  const ask = (publicKey: string, context = blsContext()) =>
    decodeTezos({ kind: 'tezos-proof-of-possession', publicKey }, context);

  it('is over the own public key, under a suite of its own', () => {
    const { transaction, signings } = ask(BLS_RAW);
    expect(transaction).toMatchObject({
      kind: 'tezos-proof-of-possession',
      network: null,
      source: BLS_ACCOUNT,
      effects: [{ type: 'message' }],
      features: [],
    });
    const message = hexToBytes(BLS_RAW);
    expect(signings).toEqual([{ input: { kind: 'message', message, suite: 'proof-of-possession' } }]);
  });

  it('is none of another key, by a key of another curve, or by one that serves no network of Tezos', () => {
    const flipped = `${BLS_RAW.slice(0, -2)}${BLS_RAW.endsWith('00') ? '01' : '00'}`;
    expect(outcome(() => ask(flipped))).toBe('TRANSACTION_KEY_MISMATCH');
    const { publicKey } = contextOf();
    const own = Buffer.from(publicKey).toString('hex');
    expect(outcome(() => ask(own, contextOf()))).toBe('TRANSACTION_KEY_MISMATCH');
    expect(outcome(() => ask(BLS_RAW, blsContext(['eip155:1'])))).toBe('TRANSACTION_NETWORK_MISMATCH');
    expect(outcome(() => ask(BLS_RAW, blsContext([MAINNET, 'tezos:NetXnHfVqm9iesp'])))).toBe(
      'TRANSACTION_NETWORK_MISMATCH',
    );
  });

  it('cannot be asked for as anything else: its bytes are no payload of another kind', () => {
    expect(OTHER).not.toBe(BLS_ACCOUNT);
    expect(outcomeOf(BLS_RAW)).toBe('TRANSACTION_MALFORMED');
    expect(outcome(() => decodeTezos({ kind: 'tezos-operation', operation: BLS_RAW }, blsContext()))).toBe(
      'TRANSACTION_MALFORMED',
    );
  });
});
