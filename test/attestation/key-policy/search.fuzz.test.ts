import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBudget } from '../../../attestation/key-policy/budget.ts';
import { representCallers } from '../../../attestation/key-policy/callers.ts';
import { UNKNOWN_PCR, UNKNOWN_VALUE } from '../../../attestation/key-policy/candidates.ts';
import {
  diffKeyPolicies,
  evaluateKeyPolicy,
  KeyPolicyError,
  lintKeyPolicy,
  parseKeyPolicy,
} from '../../../attestation/key-policy/index.ts';
import { findAllowed } from '../../../attestation/key-policy/search.ts';
import { ACCOUNT, KEY_ARN, NODE_ROLE_ARN, policyText, ROOT_ARN } from './policies.ts';

const NOW = Date.UTC(2026, 0, 15);
const A = 'a'.repeat(96);
const B = 'b'.repeat(96);
const PCRS = [
  'kms:recipientattestation:pcr0',
  'kms:recipientattestation:pcr1',
  'kms:recipientattestation:pcr16',
];
const NAMES = ['aws:sourcevpc', 'kms:viaservice'];

/** Every value that tells the generated conditions apart, by key; undefined is a key that is not there. */
const UNIVERSE: ReadonlyMap<string, readonly (string | undefined)[]> = new Map<
  string,
  readonly (string | undefined)[]
>([
  ...PCRS.map(
    (key) => [key, key.endsWith('16') ? [A, B, UNKNOWN_PCR, undefined] : [A, B, UNKNOWN_PCR]] as const,
  ),
  ...NAMES.map((key) => [key, ['x', 'y', UNKNOWN_VALUE, undefined]] as const),
]);

const operator = fc.constantFrom(
  'StringEquals',
  'StringNotEquals',
  'StringEqualsIfExists',
  'StringNotEqualsIfExists',
  'ForAllValues:StringEquals',
  'ForAnyValue:StringNotEquals',
);
const condition = fc.oneof(
  fc.tuple(operator, fc.constantFrom(...PCRS), fc.subarray([A, B], { minLength: 1 })),
  fc.tuple(operator, fc.constantFrom(...NAMES), fc.subarray(['x', 'y'], { minLength: 1 })),
  fc.tuple(
    fc.constant('Null'),
    fc.constantFrom(...PCRS, ...NAMES),
    fc.constantFrom('true', 'false').map((value) => [value]),
  ),
);
const statement = fc
  .record({
    Effect: fc.constantFrom('Allow', 'Deny', 'Deny'),
    Principal: fc.constantFrom({ AWS: NODE_ROLE_ARN }, { AWS: ROOT_ARN }, '*'),
    Action: fc.constantFrom('kms:Decrypt', 'kms:*', ['kms:Encrypt']),
    conditions: fc.array(condition, { maxLength: 4 }),
  })
  .map(({ conditions, ...rest }) => {
    const Condition: Record<string, Record<string, string[]>> = {};
    for (const [name, key, values] of conditions) Condition[name] = { ...Condition[name], [key]: values };
    return { ...rest, Resource: '*', Condition };
  });
const policy = fc
  .array(statement, { minLength: 1, maxLength: 6 })
  .map((statements) => policyText(...statements));

/** The same answer by asking for everything that there is. */
function isAllowedSomehow(text: string, attested: boolean): boolean {
  const parsed = parseKeyPolicy(text);
  const who = node(text);
  const keys = [...UNIVERSE];
  const total = keys.reduce((product, [, values]) => product * values.length, 1);
  for (let number = 0; number < total; number += 1) {
    let rest = number;
    const context = new Map([['aws:principalarn', [NODE_ROLE_ARN]]]);
    for (const [key, values] of keys) {
      const value = values[rest % values.length];
      rest = Math.floor(rest / values.length);
      const absent = value === undefined || (!attested && PCRS.includes(key));
      if (!absent) context.set(key, [value]);
    }
    const request = {
      action: 'kms:Decrypt',
      caller: who.caller,
      keyArn: KEY_ARN,
      context,
      identity: 'allow' as const,
    };
    if (evaluateKeyPolicy(parsed, request).decision === 'allow') return true;
  }
  return false;
}

function node(text: string) {
  const policies = [parseKeyPolicy(text), parseKeyPolicy(policyText(allowNode))];
  const found = representCallers(policies, ACCOUNT).find(({ label }) => label === NODE_ROLE_ARN);
  if (found === undefined) throw new TypeError('no node');
  return found;
}
const allowNode = {
  Effect: 'Allow',
  Principal: { AWS: NODE_ROLE_ARN },
  Action: 'kms:Decrypt',
  Resource: '*',
};

describe('the search for a request that a policy allows', () => {
  it.each(['none', 'enclave'] as const)(
    'finds one exactly when there is one (attestation: %s)',
    (attestation) => {
      fc.assert(
        fc.property(policy, (text) => {
          const question = { action: 'kms:Decrypt', who: node(text), attestation, keyArn: KEY_ARN, now: NOW };
          const found = [...findAllowed(parseKeyPolicy(text), { ...question, budget: createBudget() })];
          expect(found.length > 0).toBe(isAllowedSomehow(text, attestation === 'enclave'));
        }),
        { numRuns: 100 },
      );
    },
  );

  it('finds no difference between a policy and itself, and no gain where only a Deny is added', () => {
    fc.assert(
      fc.property(policy, statement, (text, more) => {
        const options = { keyArn: KEY_ARN, now: NOW };
        expect(diffKeyPolicies(text, text, options)).toEqual({ gained: [], lost: [] });
        const { Statement } = JSON.parse(text) as { Statement: object[] };
        const denied = policyText(...Statement, { ...more, Effect: 'Deny' });
        expect(diffKeyPolicies(text, denied, options).gained).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });
});

describe('a hostile policy', () => {
  const lint = (text: string): string => {
    try {
      lintKeyPolicy(text, { keyArn: KEY_ARN, now: NOW });
      return 'linted';
    } catch (error) {
      if (error instanceof KeyPolicyError) return error.code;
      throw error;
    }
  };

  it('never makes the linter fail but with its own error', () => {
    fc.assert(
      fc.property(policy, (text) => {
        expect(lint(text)).toBe('linted');
      }),
      { numRuns: 100 },
    );
  });

  it('that is a riddle is refused before it takes for ever', () => {
    // Which of many values to give up is tried out, and no choice fits all Denies.
    const keys = Array.from({ length: 40 }, (_, index) => `aws:RequestTag/${index}`);
    const clauses = keys.flatMap((key, index) => [
      {
        Effect: 'Deny',
        Principal: '*',
        Action: 'kms:*',
        Resource: '*',
        Condition: { StringEquals: { [key]: 'x', [keys[(index * 7 + 1) % 40] ?? '']: 'x' } },
      },
      {
        Effect: 'Deny',
        Principal: '*',
        Action: 'kms:*',
        Resource: '*',
        Condition: { StringNotEquals: { [key]: 'x', [keys[(index * 11 + 3) % 40] ?? '']: 'x' } },
      },
    ]);
    expect(['linted', 'POLICY_TOO_COMPLEX']).toContain(lint(policyText(allowNode, ...clauses)));
  });

  it('full of wildcards or names is refused before it takes for ever', () => {
    const pattern = {
      ...allowNode,
      Condition: { StringLike: { 'aws:SourceVpc': `${'a*'.repeat(14_000)}b` } },
    };
    expect(lint(policyText(pattern))).toBe('POLICY_TOO_COMPLEX');
    const roles = Array.from({ length: 600 }, (_, index) => `arn:aws:iam::${ACCOUNT}:role/r${index}`);
    expect(['linted', 'POLICY_TOO_COMPLEX']).toContain(
      lint(policyText({ ...allowNode, Principal: { AWS: roles } })),
    );
  });
});
