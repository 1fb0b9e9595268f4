import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConsensusPosition } from '../../../policy/transactions/tezos/index.ts';
import { type WatermarkRecord, Watermarks } from '../../../policy/watermarks/index.ts';
import { ACCOUNTS } from '../transactions/tezos/samples.ts';

const CHAINS = ['NetXdQprcVkpaWU', 'NetXnHfVqm9iesp'] as const;
const SOURCES = [ACCOUNTS.ed25519.address, ACCOUNTS['ecdsa-p256-sha256'].address] as const;
const KINDS = ['block', 'preattestation', 'attestation', 'attestation-with-dal'] as const;
/** Order of the steps in a round: an attestation with DAL content is an attestation. */
const ORDER = { block: 0, preattestation: 1, attestation: 2, 'attestation-with-dal': 2 } as const;

const hash = (name: string) => createHash('sha256').update(name).digest('hex');

const request = fc
  .record({
    type: fc.constant('request' as const),
    source: fc.constantFrom(...SOURCES),
    chain: fc.constantFrom(...CHAINS),
    kind: fc.constantFrom(...KINDS),
    level: fc.integer({ min: 1, max: 4 }),
    round: fc.integer({ min: 0, max: 2 }),
    payload: fc.integer({ min: 0, max: 1 }),
    variant: fc.integer({ min: 0, max: 1 }),
  })
  .map(({ payload, variant, ...rest }) => ({
    ...rest,
    payloadHash: hash(`P${payload}`),
    digest: hash([rest.chain, rest.kind, rest.level, rest.round, payload, variant].join()),
  }));
/** A flush makes what was asked durable, and lets its signatures out; a crash may come before, amid or after it. */
const action = fc.oneof(
  { weight: 8, arbitrary: request },
  {
    weight: 3,
    arbitrary: fc.constantFrom({ type: 'flush' as const }, { type: 'flush-and-lose-the-response' as const }),
  },
  { weight: 1, arbitrary: fc.constant({ type: 'crash' as const }) },
);
type Request = { readonly source: string } & ConsensusPosition;

/** A node with a store that commits as a whole: signatures leave when the commit that has their watermark is durable. */
class Model {
  readonly signed: Request[] = [];
  #store = new Map<string, WatermarkRecord>();
  #watermarks = Watermarks.restore([]);
  #waiting: Request[] = [];

  run(step: typeof action extends fc.Arbitrary<infer T> ? T : never): void {
    if (step.type === 'request') {
      const verdict = this.#watermarks.check(step.source, step);
      if (verdict !== 'advance' && verdict !== 'repeat') return;
      this.#watermarks.advance(step.source, step);
      this.#waiting.push(step);
      return;
    }
    if (step.type !== 'crash') {
      for (const record of this.#watermarks.collectDirty()) this.#store.set(record.id, record);
      if (step.type === 'flush') this.signed.push(...this.#waiting);
      this.#waiting = [];
      if (step.type === 'flush') return;
    }
    this.#waiting = [];
    this.#watermarks = Watermarks.restore(this.#store.values());
  }
}

/** Finds what no baker may have signed, by the list of signatures alone. */
function findFaults(signed: readonly Request[]): string[] {
  const faults: string[] = [];
  const groups = Map.groupBy(signed, ({ source, chain }) => `${source} ${chain}`);
  for (const group of groups.values()) {
    for (const [index, later] of group.entries()) {
      for (const earlier of group.slice(0, index)) {
        const isSameRound = earlier.level === later.level && earlier.round === later.round;
        const isBefore =
          earlier.level < later.level || (earlier.level === later.level && earlier.round < later.round);
        if (!isSameRound && !isBefore) faults.push(`back to ${later.level}/${later.round}`);
        if (!isSameRound) continue;
        if (earlier.payloadHash !== later.payloadHash) faults.push('two proposals in one round');
        if (ORDER[earlier.kind] === ORDER[later.kind] && earlier.digest !== later.digest) {
          faults.push(`two of ${later.kind}`);
        }
      }
    }
  }
  return faults;
}

describe('watermarks', () => {
  it('never let two things be signed for one step, nor anything for an earlier round, over any crashes', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const model = new Model();
        for (const step of actions) model.run(step);
        model.run({ type: 'flush' });
        expect(findFaults(model.signed)).toEqual([]);
      }),
      { numRuns: 3000 },
    );
  });

  it('let an honest baker sign everything, whatever the crashes between', () => {
    const crashes = fc.array(fc.boolean(), { minLength: 40, maxLength: 40 });
    fc.assert(
      fc.property(
        crashes,
        fc.array(fc.nat({ max: 3 }), { minLength: 10, maxLength: 10 }),
        (crashAt, rounds) => {
          const model = new Model();
          let expected = 0;
          for (const [index, round] of rounds.entries()) {
            for (const [step, kind] of KINDS.slice(0, 3).entries()) {
              const fields = { source: SOURCES[0], chain: CHAINS[0], kind, level: index + 1, round };
              model.run({
                type: 'request',
                ...fields,
                payloadHash: hash('P'),
                digest: hash(`${kind}${index}`),
              });
              model.run({ type: 'flush' });
              expected += 1;
              if (crashAt[3 * index + step] === true) model.run({ type: 'crash' });
            }
          }
          expect(model.signed.length).toBe(expected);
        },
      ),
      { numRuns: 200 },
    );
  });
});
