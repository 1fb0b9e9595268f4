import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  KeyPolicyError,
  parseIdentityPolicy,
  parseKeyPolicy,
} from '../../../attestation/key-policy/index.ts';
import { allowNode, policyText } from './policies.ts';

function codeOf(text: string): string {
  try {
    parseKeyPolicy(text);
    return 'parsed';
  } catch (error) {
    if (error instanceof KeyPolicyError) return error.code;
    throw error;
  }
}

describe('a key policy document', () => {
  it('is read whole', () => {
    const policy = parseKeyPolicy(policyText(allowNode({ Sid: 'a' }), allowNode({ Effect: 'Deny' })));
    expect(policy.statements.map(({ index, sid, effect }) => ({ index, sid, effect }))).toEqual([
      { index: 0, sid: 'a', effect: 'Allow' },
      { index: 1, sid: undefined, effect: 'Deny' },
    ]);
  });

  it('may have one statement outside of a list, and the older version', () => {
    const text = JSON.stringify({ Id: 'x', Statement: allowNode() });
    expect(parseKeyPolicy(text)).toMatchObject({
      id: 'x',
      version: '2008-10-17',
      statements: [{ index: 0 }],
    });
  });

  it('is refused when a member occurs twice, since readers differ in which one counts', () => {
    const doubled = policyText(allowNode()).replace('"Effect":"Allow"', '"Effect":"Deny","Effect":"Allow"');
    expect(codeOf(doubled)).toBe('POLICY_SYNTAX');
    const escaped = doubled.replace('"Effect":"Deny"', String.raw`"\u0045ffect":"Deny"`);
    expect(codeOf(escaped)).toBe('POLICY_SYNTAX');
  });

  it.each([
    ['trailing text', `${policyText(allowNode())} x`],
    ['a trailing comma', '{"Version":"2012-10-17",}'],
    ['a comment', `/**/${policyText(allowNode())}`],
    ['a leading zero', '{"Statement":[01]}'],
    ['a bare control character', '{"Id":"\u0001"}'],
    ['nesting', `${'['.repeat(100)}${']'.repeat(100)}`],
    ['nothing', ''],
  ])('is refused as syntax: %s', (_, text) => {
    expect(codeOf(text)).toBe('POLICY_SYNTAX');
  });

  it('is refused when it is longer than AWS stores', () => {
    expect(codeOf(policyText(allowNode({ Sid: 'x'.repeat(33_000) })))).toBe('POLICY_TOO_LARGE');
  });

  const { Principal: _, ...anonymous } = allowNode() as { Principal: unknown };
  it.each([
    ['no statement', '{"Version":"2012-10-17"}'],
    ['an empty list', '{"Version":"2012-10-17","Statement":[]}'],
    ['another version', JSON.stringify({ Version: '2027-01-01', Statement: allowNode() })],
    ['an unknown element', policyText(allowNode({ Conditions: {} }))],
    ['an element in another case', policyText({ ...anonymous, principal: '*' })],
    ['an unknown effect', policyText(allowNode({ Effect: 'allow' }))],
    ['no principal', policyText(anonymous)],
    ['both Action and NotAction', policyText(allowNode({ NotAction: 'kms:*' }))],
    ['no action', policyText(allowNode({ Action: [] }))],
    ['an action without a service', policyText(allowNode({ Action: 'Decrypt' }))],
    [
      'a partial wildcard principal',
      policyText(allowNode({ Principal: { AWS: 'arn:aws:iam::111122223333:role/*' } })),
    ],
    ['a short account id', policyText(allowNode({ Principal: { AWS: '11112222333' } }))],
    ['an unknown principal type', policyText(allowNode({ Principal: { Aws: '*' } }))],
    ['a bare ARN as principal', policyText(allowNode({ Principal: 'arn:aws:iam::111122223333:root' }))],
    ['an empty principal', policyText(allowNode({ Principal: {} }))],
    ['an unknown operator', policyText(allowNode({ Condition: { StringMatches: { 'aws:A': 'a' } } }))],
    ['NullIfExists', policyText(allowNode({ Condition: { NullIfExists: { 'aws:A': 'true' } } }))],
    ['an unknown quantifier', policyText(allowNode({ Condition: { 'ForEach:Bool': { 'aws:A': 'true' } } }))],
    ['no values', policyText(allowNode({ Condition: { StringEquals: { 'aws:A': [] } } }))],
    ['an object as a value', policyText(allowNode({ Condition: { StringEquals: { 'aws:A': {} } } }))],
    ['a key without a service', policyText(allowNode({ Condition: { StringEquals: { A: 'a' } } }))],
  ])('is refused as malformed: %s', (_name, text) => {
    expect(codeOf(text)).toBe('POLICY_MALFORMED');
  });

  it('may have a Sid twice, as key policies that AWS stores do', () => {
    const text = policyText(allowNode({ Sid: 'a' }), allowNode({ Sid: 'a', Effect: 'Deny' }));
    expect(parseKeyPolicy(text).statements.map(({ sid, effect }) => [sid, effect])).toEqual([
      ['a', 'Allow'],
      ['a', 'Deny'],
    ]);
  });

  it.each([
    [
      'Fn::Join in a principal',
      { Principal: { AWS: { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }]] } } },
    ],
    ['Ref as a principal', { Principal: { AWS: { Ref: 'Role' } } }],
    ['Fn::GetAtt in a list of principals', { Principal: { AWS: [{ 'Fn::GetAtt': ['Role', 'Arn'] }] } }],
    [
      'Fn::Sub in a condition',
      { Condition: { StringEquals: { 'aws:A': { 'Fn::Sub': '${AWS::AccountId}' } } } },
    ],
    ['Fn::If as a condition', { Condition: { 'Fn::If': ['a', {}, {}] } }],
    ['text of Fn::Sub', { Principal: { AWS: 'arn:${AWS::Partition}:iam::111122223333:root' } }],
  ])('that is an unresolved template is refused as that: %s', (_name, more) => {
    expect(codeOf(policyText(allowNode(more)))).toBe('POLICY_UNRESOLVED');
  });

  it('refuses a member named after a prototype', () => {
    expect(codeOf(policyText(allowNode()).replace('"Effect":', '"__proto__":{},"Effect":'))).toBe(
      'POLICY_SYNTAX',
    );
  });

  it('never fails but with its own error', () => {
    const valid = policyText(allowNode({ Condition: { StringLike: { 'kms:EncryptionContext:a': ['*'] } } }));
    fc.assert(
      fc.property(
        fc.nat(valid.length),
        fc.nat(valid.length),
        fc.string({ maxLength: 4 }),
        (at, cut, text) => {
          expect(codeOf(valid.slice(0, at) + text + valid.slice(at + (cut % 3)))).toMatch(
            /^parsed$|^POLICY_/,
          );
        },
      ),
      { numRuns: 500 },
    );
    for (let at = 0; at < valid.length; at += 1) expect(codeOf(valid.slice(0, at))).toBe('POLICY_SYNTAX');
  });

  it('has no principal when it is attached to a role', () => {
    expect(parseIdentityPolicy(policyText(anonymous)).statements).toHaveLength(1);
    expect(() => parseIdentityPolicy(policyText(allowNode()))).toThrow(KeyPolicyError);
  });
});
