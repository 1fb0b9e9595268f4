import * as attestation from '../../../attestation/index.ts';
import type { Expectation, Vector } from './vector.ts';

type Attestation = typeof attestation;

/** Judges a vector by our verifier, or a changed one, in the words of the vector. */
export function judge(
  vector: Vector,
  { AttestationError, AttestationVerifier, parsePcrFile }: Attestation = attestation,
  verifier = new AttestationVerifier({ maxCachedCertificates: 0 }),
): Expectation {
  const { allowDebug = false, kind = 'enclave', nonce, userData, publicKey, ...rest } = vector.options;
  try {
    verifier.verify(Buffer.from(vector.document, 'base64'), {
      root: Buffer.from(vector.root, 'base64'),
      at: vector.at === 'document' ? vector.at : Date.parse(vector.at),
      pcrs: parsePcrFile(vector.pcrs, { allowDebug, kind }),
      allowDebug,
      kind,
      ...(nonce === undefined ? {} : { nonce: Buffer.from(nonce, 'hex') }),
      ...(userData === undefined ? {} : { userData: Buffer.from(userData, 'hex') }),
      ...(publicKey === undefined ? {} : { publicKey: Buffer.from(publicKey, 'hex') }),
      ...rest,
    });
    return { verdict: 'accept' };
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error;
    const { field, index } = error.details;
    return {
      verdict: 'refuse',
      code: error.code,
      ...(field === undefined ? {} : { field }),
      ...(index === undefined ? {} : { index }),
    };
  }
}

/** Tells whether a verdict is the expected one: the code, and the place where the vector names one. */
export function isExpected(verdict: Expectation, expected: Expectation): boolean {
  if (verdict.verdict !== 'refuse' || expected.verdict !== 'refuse')
    return verdict.verdict === expected.verdict;
  return (
    verdict.code === expected.code &&
    (expected.field === undefined || verdict.field === expected.field) &&
    (expected.index === undefined || verdict.index === expected.index)
  );
}
