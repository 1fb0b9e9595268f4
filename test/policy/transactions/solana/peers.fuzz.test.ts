import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findDifference } from './compare-readings.ts';
import { drawnMessages, mutated } from './drawn.ts';
import { findReader, isRefusal, readOurs } from './peers/readers.ts';
import { VECTORS } from './support.ts';

const agave = findReader('agave');
const solders = findReader('solders');
const vectors = VECTORS.map(({ message }) => Buffer.from(message, 'hex'));

function compareAll(messages: readonly Uint8Array[]): string[] {
  const [theirs, others] = [agave?.(messages), solders?.(messages)];
  return messages.flatMap((message, index) => {
    const difference = findDifference(message, theirs?.[index], others?.[index]);
    return difference === undefined ? [] : [`${difference}: ${Buffer.from(message).toString('hex')}`];
  });
}

/** Draws messages; the seed is fixed, or printed, by test/setup.ts. */
const draw = (arbitrary: fc.Arbitrary<Uint8Array>, count: number) => fc.sample(arbitrary, count);

describe('messages of Solana as others read them', () => {
  it('reads those of other libraries alike', () => {
    expect(compareAll(vectors)).toEqual([]);
  });

  it('reads drawn ones alike, and takes and refuses the same', () => {
    const messages = draw(drawnMessages, 4000);
    const taken = messages.filter((message) => !isRefusal(readOurs(message))).length;
    // Neither all nor none, or nothing would be compared.
    expect(taken).toBeGreaterThan(400);
    expect(taken).toBeLessThan(3600);
    expect(compareAll(messages)).toEqual([]);
  });

  it('reads altered ones alike, or refuses them', () => {
    const whole = fc.oneof(fc.constantFrom<Uint8Array[]>(...vectors), drawnMessages);
    const messages = draw(mutated(whole), 8000);
    expect(messages.filter((message) => !isRefusal(readOurs(message))).length).toBeGreaterThan(800);
    expect(compareAll(messages)).toEqual([]);
  });

  it.skipIf(agave === undefined)('is held against Agave’s own types', () => {
    expect(agave?.(vectors).some(isRefusal)).toBe(false);
  });

  it.skipIf(solders === undefined)('is held against solders', () => {
    expect(solders?.(vectors).some(isRefusal)).toBe(false);
  });
});
