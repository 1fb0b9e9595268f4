import { describe, expect, test } from 'vitest';
import * as attestation from '../../attestation/index.ts';
import { readVectors, readVectorTexts, vectorText } from './corpus/files.ts';
import { forgeVectors } from './corpus/index.ts';
import { judge } from './corpus/verdict.ts';

const vectors = readVectors();
const refused = vectors.filter(({ expect }) => expect.verdict === 'refuse');

describe('the conformance corpus', () => {
  test('is what its generator writes', () => {
    const written = new Map(forgeVectors().map((vector) => [vector.name, vectorText(vector)]));
    const files = readVectorTexts();
    expect([...files.keys()].sort()).toEqual([...written.keys()].sort());
    expect([...written].filter(([name, text]) => files.get(name) !== text).map(([name]) => name)).toEqual([]);
  });

  test('has more than 120 refusals, and accepts on the other side', () => {
    expect(refused.length).toBeGreaterThanOrEqual(120);
    expect(vectors.length - refused.length).toBeGreaterThanOrEqual(40);
  });

  test('has one document a vector', () => {
    const documents = vectors.map(({ document, pcrs, root, at, options }) =>
      JSON.stringify([document, pcrs, root, at, options]),
    );
    expect(new Set(documents).size).toBe(vectors.length);
  });

  test.each(vectors)('$rule $name: $about', (vector) => {
    expect(judge(vector)).toMatchObject(vector.expect);
  });

  test('gives the same verdicts with a cache that has seen all the others', () => {
    const verifier = new attestation.AttestationVerifier();
    for (const vector of [...vectors, ...vectors.toReversed()]) {
      expect({ name: vector.name, ...judge(vector, attestation, verifier) }).toMatchObject(vector.expect);
    }
  });
});
