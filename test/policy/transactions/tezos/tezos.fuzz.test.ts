import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeTezos, readConsensusPosition } from '../../../../policy/transactions/tezos/index.ts';
import { decide, runCase } from '../../../fuzz/tezos-comparison.ts';
import { attestation, header, preattestation } from './consensus-samples.ts';
import { consensus, contextOf, outcome, SOURCE } from './samples.ts';

const seed = process.env['HOLDFAST_SEED'] === 'random' ? String(Date.now()) : 'unit';
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('the decoder of Tezos', () => {
  it('reads what taquito forges as the same fields, and takes altered bytes only if taquito forges them again', async () => {
    const outcomes = new Set<string>();
    for (let number = 0; number < 600; number += 1) {
      const { outcome, fault } = await runCase(seed, number);
      expect(fault, `case ${number} of seed ${seed}`).toBeUndefined();
      outcomes.add(outcome);
    }
    expect([...outcomes]).toEqual(
      expect.arrayContaining(['accepted', 'TRANSACTION_MALFORMED', 'TRANSACTION_NOT_CANONICAL']),
    );
  });

  it('refuses any bytes by a code of its own', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.constantFrom('03', '11', '12', '13'),
        (bytes, first) => {
          expect(decide(first + hex(bytes))).toMatch(/^TRANSACTION_/);
          expect(outcome(() => decodeTezos(consensus(first + hex(bytes)), contextOf()))).toMatch(
            /^TRANSACTION_/,
          );
        },
      ),
    );
  });

  it('gives another digest, or none, for consensus payloads with any byte altered', async () => {
    const payloads = [header({ round: 2, lockedRound: 1 }), preattestation(), await attestation({ dal: 3 })];
    fc.assert(
      fc.property(
        fc.constantFrom(...payloads),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (payload, place, mask) => {
          const bytes = Buffer.from(payload, 'hex');
          const at = place % bytes.length;
          bytes[at] = (bytes[at] ?? 0) ^ mask;
          const read = () => readConsensusPosition(consensus(hex(bytes)), SOURCE);
          if (outcome(read) === 'accepted') {
            expect(read().digest).not.toBe(readConsensusPosition(consensus(payload), SOURCE).digest);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
