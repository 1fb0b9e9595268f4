import { describe, expect, it } from 'vitest';
import { createBudget } from '../../../attestation/key-policy/budget.ts';
import {
  diffKeyPolicies,
  KeyPolicyError,
  lintKeyPolicy,
  parseKeyPolicy,
} from '../../../attestation/key-policy/index.ts';
import { findAllowed, openInquiry, type Witness } from '../../../attestation/key-policy/search.ts';
import { allows, type OracleRequest } from './oracle/decide.ts';
import { drawRequest, readHints, seeded } from './oracle/draw.ts';
import { drawPolicy, drawStatement } from './oracle/policies.ts';
import { ACCOUNT, allowNode, KEY_ARN, policyText } from './policies.ts';

const NOW = Date.UTC(2026, 0, 15);
const KEY = 'arn:aws:kms:us-west-2:210987654321:key/0000abcd-12ab-34cd-56ef-1234567890ab';

/** Everybody by whom a policy allows an action, as the search has it. */
function openSearch(text: string): (action: string, attestation: 'none' | 'enclave') => Witness[] {
  const policy = parseKeyPolicy(text);
  const inquiry = openInquiry([policy], { keyArn: KEY, now: NOW, budget: createBudget() });
  return (action, attestation) =>
    inquiry.callers.flatMap((who) => [...findAllowed(inquiry, policy, { action, who, attestation })]);
}

/** Whether a witness stands for callers of the request's kind. */
function isLike({ who }: Witness, { context }: OracleRequest): boolean {
  const kind = who.fixed.get('aws:principaltype')?.[0];
  return who.caller.type === 'unnamed' || kind === context['aws:principaltype']?.[0];
}

/** A witness as a request to the oracle. */
function toRequest({ who, action, assignment }: Witness): OracleRequest {
  const chosen = [...assignment].map(([key, values]) => [key, values.map(String)] as const);
  const context = Object.fromEntries([...who.fixed, ...chosen].filter(([, values]) => values.length > 0));
  const pcr0 = context['kms:recipientattestation:pcr0'];
  if (pcr0 !== undefined) context['kms:recipientattestation:imagesha384'] = pcr0;
  const { caller } = who;
  const names = ['roleArn', 'sessionArn', 'arn', 'name', 'value'].flatMap(
    (name) => (caller as Record<string, unknown>)[name] ?? [],
  );
  return {
    action,
    keyArn: KEY,
    context,
    who: { names: names.map(String), ...('accountId' in caller ? { account: caller.accountId } : {}) },
  };
}

describe('the search for a request that a policy allows', () => {
  it('finds one wherever somebody who draws requests on their own finds one', () => {
    let allowed = 0;
    for (let seed = 1; seed <= 120; seed += 1) {
      const random = seeded(seed);
      const text = drawPolicy(random);
      const hints = readHints(text);
      const search = openSearch(text);
      const answers = new Map<string, Witness[]>();
      for (let count = 0; count < 60; count += 1) {
        const request = drawRequest(text, hints, KEY, NOW, random);
        if (!allows(text, request)) continue;
        allowed += 1;
        const attestation = request.attested ? 'enclave' : 'none';
        const name = `${request.action} ${attestation}`;
        const found = answers.get(name) ?? search(request.action, attestation);
        answers.set(name, found);
        const shown = `seed ${seed}: ${text}\n${JSON.stringify(request)}`;
        expect(found.some((one) => isLike(one, request)) ? '' : shown).toBe('');
      }
    }
    // The drawing is worth something.
    expect(allowed).toBeGreaterThan(300);
  }, 300_000);

  it('says that a request is surely allowed only when it is', () => {
    let proven = 0;
    for (let seed = 1; seed <= 120; seed += 1) {
      const text = drawPolicy(seeded(seed));
      const search = openSearch(text);
      for (const attestation of ['none', 'enclave'] as const) {
        for (const witness of search('kms:Decrypt', attestation)) {
          if (!witness.proven) continue;
          proven += 1;
          const request = toRequest(witness);
          expect(allows(text, request) ? '' : `seed ${seed}: ${text}\n${JSON.stringify(request)}`).toBe('');
        }
      }
    }
    expect(proven).toBeGreaterThan(100);
  }, 300_000);
});

describe('two drawn policies', () => {
  const options = { keyArn: KEY, now: NOW };

  it('differ wherever a request shows it, and one differs from itself in nothing', () => {
    let differing = 0;
    for (let seed = 1; seed <= 60; seed += 1) {
      const random = seeded(seed);
      const [before, after] = [drawPolicy(random), drawPolicy(random)];
      expect({ before, ...diffKeyPolicies(before, before, options) }).toEqual({
        before,
        gained: [],
        lost: [],
      });
      const { gained } = diffKeyPolicies(before, after, options);
      const hints = readHints(`[${before},${after}]`);
      for (let count = 0; count < 60; count += 1) {
        const request = drawRequest(`[${before},${after}]`, hints, KEY, NOW, random);
        if (!allows(after, request) || allows(before, request)) continue;
        differing += 1;
        expect(gained.length > 0 ? '' : `seed ${seed}: ${before}\n${after}\n${JSON.stringify(request)}`).toBe(
          '',
        );
      }
    }
    expect(differing).toBeGreaterThan(50);
  }, 300_000);

  it('gain nothing where only a Deny is added', () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const random = seeded(seed);
      const text = drawPolicy(random);
      const { Statement, Version } = JSON.parse(text) as { Statement: object[]; Version: string };
      const more = JSON.stringify({ Version, Statement: [...Statement, drawStatement(random, 'Deny')] });
      expect([more, diffKeyPolicies(text, more, options).gained]).toEqual([more, []]);
    }
  }, 300_000);
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
    for (let seed = 1000; seed < 1100; seed += 1) expect(lint(drawPolicy(seeded(seed)))).toBe('linted');
  }, 300_000);

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
    expect(['linted', 'POLICY_TOO_COMPLEX']).toContain(lint(policyText(allowNode(), ...clauses)));
  });

  it('full of wildcards or names is refused before it takes for ever', () => {
    const pattern = allowNode({ Condition: { StringLike: { 'aws:SourceVpc': `${'a*'.repeat(14_000)}b` } } });
    expect(lint(policyText(pattern))).toBe('POLICY_TOO_COMPLEX');
    const roles = Array.from({ length: 600 }, (_, index) => `arn:aws:iam::${ACCOUNT}:role/r${index}`);
    expect(['linted', 'POLICY_TOO_COMPLEX']).toContain(
      lint(policyText(allowNode({ Principal: { AWS: roles } }))),
    );
  });
});
