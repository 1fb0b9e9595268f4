import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { computeChallenge, encodeStatement, parseStatement } from '../../../policy/approvals/index.ts';

const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((value) => Buffer.from(value).toString('hex'));
const identifier = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,62}$/);

const statements = fc.record({
  format: fc.constant('holdfast-approval/1' as const),
  decision: fc.constantFrom('approve' as const, 'reject' as const),
  request: fc.record({ id: hex(16), digest: hex(32) }),
  manifest: hex(48),
  configuration: fc.record({ version: fc.integer({ min: 1, max: 2 ** 31 }), digest: hex(48) }),
  rule: identifier,
  approver: identifier,
  expires: fc.integer({ min: 0, max: 2 ** 31 }),
});

test('a statement is read as it was written, and fits its maximum', () => {
  fc.assert(
    fc.property(statements, (statement) => {
      expect(parseStatement(encodeStatement(statement))).toEqual(statement);
    }),
  );
});

test('the challenge is SHA-256 of the pre-authentication encoding', () => {
  const [statement] = fc.sample(statements, { numRuns: 1, seed: 1 });
  if (statement === undefined) throw new Error('expected a sample');
  const text = Buffer.from(encodeStatement(statement)).toString();
  const message = `DSSEv1 38 application/vnd.holdfast.approval+json ${text.length} ${text}`;
  expect(Buffer.from(computeChallenge(encodeStatement(statement)))).toEqual(
    createHash('sha256').update(message).digest(),
  );
});
