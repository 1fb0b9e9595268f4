import { randomInt } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Agreement, compareDocument, compareTransaction } from './comparison.ts';
import { askGeth, findGeth } from './peers/geth-peer.ts';
import { changeDocument, drawDocument } from './random-documents.ts';
import { createRandomSource } from './random-source.ts';
import { changeByte, drawTransaction, encodeOddly } from './random-transactions.ts';
import { bare, decode, digestOf, encodeTransaction, TOKEN, TRANSACTIONS } from './support.ts';
import { EVERYTHING, MAIL, PERMIT } from './typed-documents.ts';

const asked = process.env['HOLDFAST_SEED'] ?? '20261122';
const SEED = asked === 'random' ? randomInt(2 ** 31) : Number(asked);
const CASES = 200;
const geth = findGeth();

function count(agreements: readonly Agreement[]): Partial<Record<Agreement, number>> {
  const counts: Partial<Record<Agreement, number>> = {};
  for (const agreement of agreements) counts[agreement] = (counts[agreement] ?? 0) + 1;
  return counts;
}

describe.skipIf(geth === undefined)(`go-ethereum and our decoder, from seed ${SEED}`, () => {
  const ask = (requests: Parameters<typeof askGeth>[1]) => askGeth(geth ?? '', requests);
  const compareTransactions = (all: readonly string[]) => {
    const responses = ask(all.map((bytes) => ({ kind: 'transaction', bytes })));
    return count(all.map((bytes, index) => compareTransaction(bytes, responses[index] ?? {})));
  };
  const draw = <Value>(make: (random: ReturnType<typeof createRandomSource>) => Value) =>
    Array.from({ length: CASES }, (_, index) => make(createRandomSource(SEED + index)));

  it('take the same base transactions', () => {
    const all = Object.keys(TRANSACTIONS).map((type) => encodeTransaction(type));
    expect(compareTransactions(all)).toEqual({ 'both take it': all.length });
  });

  it('take the same drawn transactions, with the same fields and digests', () => {
    expect(compareTransactions(draw(drawTransaction))).toEqual({ 'both take it': CASES });
  });

  it('refuse alike what one byte more, less or other makes of them', () => {
    const counts = compareTransactions(draw((random) => changeByte(drawTransaction(random), random)));
    expect(counts['both take it']).toBeGreaterThan(CASES / 10);
    expect(counts['both refuse it']).toBeGreaterThan(CASES / 10);
  });

  it('refuse alike what is encoded oddly', () => {
    const counts = compareTransactions(draw((random) => encodeOddly(drawTransaction(random), random)));
    expect(counts['both take it']).toBeGreaterThan(CASES / 20);
    expect(counts['both refuse it']).toBeGreaterThan(CASES / 5);
  });

  it('find the same digests of typed data, and so do ethers and viem', () => {
    const all = [MAIL, EVERYTHING, PERMIT, ...draw(drawDocument)];
    const responses = ask(
      all.map((document) => ({ kind: 'typed-data', document: JSON.stringify(document) })),
    );
    const counts = count(all.map((document, index) => compareDocument(document, responses[index] ?? {})));
    expect(counts).toEqual({ 'both take it': all.length });
  });

  it('find the same digest of whatever we take of documents that were changed', () => {
    const all = draw((random) => changeDocument(drawDocument(random), random));
    const responses = ask(
      all.map((document) => ({ kind: 'typed-data', document: JSON.stringify(document) })),
    );
    const counts = count(all.map((document, index) => compareDocument(document, responses[index] ?? {})));
    expect(counts['both take it']).toBeGreaterThan(0);
    expect(counts['both refuse it']).toBeGreaterThan(0);
  });

  it('find the same digests of messages and authorisations', () => {
    const authorizations = ['05d70194', '05d78094'].map((start) => `${start}${bare(TOKEN).toLowerCase()}03`);
    const messages = ['', '6869', 'ff00', '19'.repeat(300)];
    const responses = ask([
      ...authorizations.map((bytes) => ({ kind: 'authorization', bytes }) as const),
      ...messages.map((bytes) => ({ kind: 'message', bytes }) as const),
    ]);
    const ours = [
      ...authorizations.map((authorization) => decode({ kind: 'ethereum-authorization', authorization })),
      ...messages.map((message) => decode({ kind: 'ethereum-message', message })),
    ];
    expect(responses.map(({ digest }) => `0x${digest}`)).toEqual(ours.map(digestOf));
  });
});
