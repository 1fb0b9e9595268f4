import { describe, expect, it } from 'vitest';
import { ALL_KMS_ACTIONS } from '../../../attestation/key-policy/actions.ts';
import { diffKeyPolicies } from '../../../attestation/key-policy/index.ts';
import { ACCOUNT, allowNode, KEY_ARN, NODE_ROLE_ARN, policyText, ROOT_ARN } from './policies.ts';

const NOW = Date.UTC(2026, 0, 15);
const diff = (before: string, after: string) => diffKeyPolicies(before, after, { keyArn: KEY_ARN, now: NOW });
const key = (pcr: number): string => `kms:RecipientAttestation:PCR${pcr}`;
const attested = (...images: string[]): object[] =>
  images.map((digit) =>
    allowNode({
      Condition: { StringEqualsIgnoreCase: { [key(0)]: digit.repeat(96), [key(1)]: digit.repeat(96) } },
    }),
  );
const PCR0 = 'kms:recipientattestation:pcr0';

describe('two policies', () => {
  it('that permit the same differ in nothing, however they are written', () => {
    const apart = policyText(allowNode(), allowNode({ Action: 'kms:Encrypt' }));
    const together = policyText(
      allowNode({ Action: ['KMS:encrypt', 'kms:decrypt'], Principal: { AWS: [NODE_ROLE_ARN] } }),
    );
    expect(diff(apart, together)).toEqual({ gained: [], lost: [] });
  });

  it('differ in an image that may decrypt now, and in one that no longer may', () => {
    const { gained, lost } = diff(policyText(...attested('a', 'b')), policyText(...attested('b', 'c')));
    expect(gained).toMatchObject([
      { caller: NODE_ROLE_ARN, action: 'kms:Decrypt', attestation: 'enclave', statement: { index: 1 } },
    ]);
    expect(gained[0]?.context[PCR0]).toBe('c'.repeat(96));
    expect(lost.map(({ context }) => context[PCR0])).toEqual(['a'.repeat(96)]);
  });

  it('name every image of a value list', () => {
    const list = allowNode({
      Condition: { StringEquals: { [key(0)]: ['a', 'b', 'c'].map((digit) => digit.repeat(96)) } },
    });
    const { gained } = diff(policyText(allowNode({ Effect: 'Deny' })), policyText(list));
    expect(gained.map(({ context }) => context[PCR0]?.charAt(0))).toEqual(['a', 'b', 'c']);
  });

  it('differ in a condition that was loosened', () => {
    const bound = allowNode({
      Condition: { StringEquals: { [key(0)]: 'a'.repeat(96), 'kms:EncryptionContext:node': '1' } },
    });
    const loose = allowNode({ Condition: { StringEquals: { [key(0)]: 'a'.repeat(96) } } });
    const { gained, lost } = diff(policyText(bound), policyText(loose));
    expect(gained).toHaveLength(1);
    expect(gained[0]?.context['kms:encryptioncontext:node']).not.toBe('1');
    expect(lost).toEqual([]);
  });

  it('differ in a Deny that is gone, for whom it was there', () => {
    const everybody = { ...allowNode(), Principal: { AWS: ROOT_ARN } };
    const deny = { Effect: 'Deny', Principal: { AWS: NODE_ROLE_ARN }, Action: 'kms:*', Resource: '*' };
    const { gained, lost } = diff(policyText(everybody, deny), policyText(everybody));
    expect(gained).toMatchObject([{ caller: NODE_ROLE_ARN, action: 'kms:Decrypt', attestation: 'none' }]);
    expect(lost).toEqual([]);
  });

  it('differ in every action that kms:* brings, for each who may', () => {
    const { gained } = diff(
      policyText(allowNode()),
      policyText(allowNode(), { ...allowNode(), Action: 'kms:*', Principal: { AWS: ROOT_ARN } }),
    );
    const callers = new Set(gained.map(({ caller }) => caller));
    expect(callers).toEqual(
      new Set([
        NODE_ROLE_ARN,
        `root user of ${ACCOUNT}`,
        `any other principal of ${ACCOUNT} with an IAM policy`,
      ]),
    );
    expect(gained.map(({ action }) => action)).toContain('kms:PutKeyPolicy');
    // What the node could do before is not gained.
    expect(gained.some(({ caller, action }) => caller === NODE_ROLE_ARN && action === 'kms:Decrypt')).toBe(
      false,
    );
  });

  it('differ in the actions that AWS may add, where a wildcard or NotAction tells them apart', () => {
    const everything = (more: object) => policyText({ ...allowNode(), Action: undefined, ...more });
    const listed = policyText({ ...allowNode(), Action: ALL_KMS_ACTIONS });
    for (const after of [everything({ Action: 'kms:*' }), everything({ NotAction: 'kms:ListKeys' })]) {
      expect(diff(listed, after).gained.map(({ action }) => action)).toEqual(['kms:X']);
      expect(diff(after, after)).toEqual({ gained: [], lost: [] });
    }
  });

  it('do not differ in an attested Encrypt, which takes no document and so is never allowed', () => {
    const before = policyText(...attested('a'));
    const after = policyText(
      ...attested('a'),
      allowNode({ Action: 'kms:Encrypt', Condition: { StringEquals: { [key(0)]: 'a'.repeat(96) } } }),
    );
    expect(diff(before, after)).toEqual({ gained: [], lost: [] });
  });

  it('differ in when they allow', () => {
    const until = (day: string) =>
      policyText(allowNode({ Condition: { DateLessThan: { 'aws:CurrentTime': day } } }));
    const { gained, lost } = diff(until('2026-02-01T00:00:00Z'), until('2026-03-01T00:00:00Z'));
    expect(gained[0]?.context['aws:currenttime']).toBe('2026-02-01T00:00:00.000Z');
    expect(lost).toEqual([]);
    expect(diff(until('2025-01-01T00:00:00Z'), until('2025-02-01T00:00:00Z'))).toEqual({
      gained: [],
      lost: [],
    });
  });
});
