import { blake2b } from '@noble/hashes/blake2.js';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { describe, expect, it } from 'vitest';
import { decodeTezos, readConsensusPosition } from '../../../../policy/transactions/tezos/index.ts';
import { attestation, header, type HeaderFields, HASH_HEX, preattestation } from './consensus-samples.ts';
import {
  ACCOUNTS,
  BRANCH,
  consensus,
  contextOf,
  forge,
  MAINNET,
  outcome,
  SOURCE,
  transaction,
} from './samples.ts';

const CHAIN = 'NetXdQprcVkpaWU';
const GHOSTNET = 'af1864d9';
const outcomeOf = (hex: string, context = contextOf()) => outcome(() => decodeTezos(consensus(hex), context));
const digestOf = (hex: string) => bytesToHex(blake2b(hexToBytes(hex), { dkLen: 32 }));

describe('consensus payloads', () => {
  it('of a block give level, round and payload hash', () => {
    const hex = header({ level: 7, round: 2, payloadRound: 1, lockedRound: 1 });
    expect(readConsensusPosition(consensus(hex), SOURCE)).toEqual({
      chain: CHAIN,
      kind: 'block',
      level: 7,
      round: 2,
      payloadHash: HASH_HEX,
      digest: digestOf(hex),
    });
    expect(decodeTezos(consensus(hex), contextOf('ecdsa-secp256k1')).transaction).toEqual({
      kind: 'tezos-consensus',
      network: MAINNET,
      source: ACCOUNTS['ecdsa-secp256k1'].address,
      effects: [
        {
          type: 'consensus',
          to: null,
          asset: null,
          amount: null,
          contract: null,
          selector: 'block',
          details: {
            level: '7',
            round: '2',
            payloadHash: HASH_HEX,
            predecessor: BRANCH,
            payloadRound: '1',
            timestamp: '1790000000',
          },
        },
      ],
      fee: null,
      nonce: null,
      gas: null,
      features: [],
      details: {},
    });
  });

  it('have the lengths that Signatory and Octez have', async () => {
    expect(preattestation().length / 2).toBe(80);
    expect((await attestation()).length / 2).toBe(80);
    expect((await attestation({ dal: 1 })).length / 2).toBe(81);
  });

  it('of a preattestation give its position', () => {
    const hex = preattestation({ level: 9, round: 4, slot: 65_535 });
    expect(readConsensusPosition(consensus(hex), SOURCE)).toEqual({
      chain: CHAIN,
      kind: 'preattestation',
      level: 9,
      round: 4,
      payloadHash: HASH_HEX,
      digest: digestOf(hex),
    });
  });

  it('of an attestation that taquito forged give its position, with DAL content or without', async () => {
    for (const [dal, kind] of [
      [undefined, 'attestation'],
      [5, 'attestation-with-dal'],
    ] as const) {
      const hex = await attestation({ level: 2 ** 31 - 1, round: 3, slot: 12, ...(dal ? { dal } : {}) });
      expect(readConsensusPosition(consensus(hex), SOURCE)).toMatchObject({
        kind,
        level: 2 ** 31 - 1,
        round: 3,
      });
      const { transaction: decoded, signings } = decodeTezos(consensus(hex), contextOf('ecdsa-p256-sha256'));
      expect(decoded.effects[0]).toMatchObject({
        selector: kind,
        details: { slot: '12', branch: BRANCH, ...(dal ? { dalAttestation: '5' } : {}) },
      });
      expect(signings).toEqual([{ input: { kind: 'digest', digest: hexToBytes(digestOf(hex)) } }]);
    }
  });

  it('read DAL content as the protocol does, whose bit sets are signed integers', () => {
    const hex = `13${preattestation().slice(2, 74)}17${preattestation().slice(76)}bf01`;
    const { transaction: decoded } = decodeTezos(consensus(hex), contextOf());
    expect(decoded.effects[0]?.details['dalAttestation']).toBe('127');
  });
});

describe('consensus payloads that are refused', () => {
  const unsafe: readonly (readonly [string, string])[] = [
    ['level 0', header({ level: 0 })],
    ['a negative level', preattestation({ level: -1 })],
    ['a negative round', preattestation({ round: -1 })],
    ['a negative round of a block', header({ round: -1 })],
    ['a payload round above the round', header({ round: 1, payloadRound: 2 })],
    ['a negative payload round', header({ payloadRound: -1 })],
    ['a locked round that is not below the round', header({ round: 1, lockedRound: 1 })],
    ['a negative locked round', header({ round: 1, lockedRound: -1 })],
    ['a predecessor round that is not a complement', header({ predecessorRound: -1 })],
  ];
  it.each(unsafe)('%s', (_name, hex) => {
    expect(outcomeOf(hex)).toBe('TRANSACTION_UNSAFE');
  });

  const fitnesses: readonly (readonly string[])[] = [
    [],
    ['01', '004c4b40', '', 'ffffffff', '00000000'],
    ['02', '004c4b41', '', 'ffffffff', '00000000'],
    ['02', '004c4b40', '00', 'ffffffff', '00000000'],
    ['02', '004c4b40', '', 'ffffffff'],
    ['02', '004c4b40', '', 'ffffffff', '0000000000'],
    ['02', '004c4b40', '', 'ffffffff', '00000000', ''],
    ['0002', '004c4b40', '', 'ffffffff', '00000000'],
  ];
  it.each(fitnesses.map((fitness) => [fitness] as const))('the fitness %o', (fitness) => {
    expect(outcomeOf(header({ fitness }))).toBe('TRANSACTION_UNSAFE');
  });

  it('another chain than the network of the key, and what is no network of it', async () => {
    for (const hex of [header({}, GHOSTNET), preattestation({}, GHOSTNET), await attestation({}, GHOSTNET)]) {
      expect(outcomeOf(hex)).toBe('TRANSACTION_NETWORK_MISMATCH');
      expect(outcomeOf(hex, contextOf('ed25519', ['tezos:NetXnHfVqm9iesp']))).toBe('accepted');
      expect(outcomeOf(hex, contextOf('ed25519', [MAINNET, 'tezos:NetXnHfVqm9iesp']))).toBe(
        'TRANSACTION_NETWORK_MISMATCH',
      );
    }
  });

  it('the first byte of one kind before another, and the tags of BLS keys', async () => {
    const signed = await attestation();
    expect(outcomeOf(`12${signed.slice(2)}`)).toBe('TRANSACTION_UNSUPPORTED');
    expect(outcomeOf(`13${preattestation().slice(2)}`)).toBe('TRANSACTION_UNSUPPORTED');
    expect(outcomeOf(`03${signed.slice(2)}`)).toBe('TRANSACTION_MALFORMED');
    for (const tag of ['28', '29', '1e', '1f', '6c']) {
      expect(outcomeOf(`${signed.slice(0, 74)}${tag}${signed.slice(76)}`)).toBe('TRANSACTION_UNSUPPORTED');
    }
    const manager = await forge(transaction());
    expect(outcome(() => decodeTezos({ kind: 'tezos-operation', operation: signed }, contextOf()))).toBe(
      'TRANSACTION_MALFORMED',
    );
    expect(outcomeOf(`137a06a770${manager}`)).toBe('TRANSACTION_UNSUPPORTED');
  });

  it('DAL content that is not minimal, or negative', async () => {
    const signed = (await attestation({ dal: 1 })).slice(0, -2);
    expect(outcomeOf(`${signed}01`)).toBe('accepted');
    expect(outcomeOf(`${signed}8100`)).toBe('TRANSACTION_NOT_CANONICAL');
    expect(outcomeOf(`${signed}40`)).toBe('TRANSACTION_NOT_CANONICAL');
    expect(outcomeOf(`${signed}41`)).toBe('TRANSACTION_UNSAFE');
    expect(outcomeOf(signed)).toBe('TRANSACTION_MALFORMED');
  });

  it('any of them with its end dropped, or with a byte more', async () => {
    const fields: Partial<HeaderFields> = { seedNonce: `ff${'cc'.repeat(32)}`, round: 1, lockedRound: 0 };
    for (const hex of [
      header(),
      header(fields),
      preattestation(),
      await attestation(),
      await attestation({ dal: 9 }),
    ]) {
      expect(outcomeOf(hex)).toBe('accepted');
      for (let length = 0; length < hex.length; length += 2) {
        expect(outcomeOf(hex.slice(0, length))).not.toBe('accepted');
      }
      for (const more of ['00', 'ff', '00'.repeat(64)]) expect(outcomeOf(hex + more)).not.toBe('accepted');
    }
  });

  it('flags that are none, lengths that do not fit', () => {
    expect(outcomeOf(header({ seedNonce: '01' }))).toBe('TRANSACTION_MALFORMED');
    const hex = header();
    const at = 83 * 2;
    expect(hex.slice(at, at + 8)).toBe('00000021');
    for (const length of ['00000020', '00000022', 'ffffffff']) {
      expect(outcomeOf(hex.slice(0, at) + length + hex.slice(at + 8))).toBe('TRANSACTION_MALFORMED');
    }
  });
});
