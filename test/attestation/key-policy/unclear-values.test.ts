import { describe, expect, it } from 'vitest';
import {
  diffKeyPolicies,
  type Finding,
  type KeyPolicyError,
  lintKeyPolicy,
} from '../../../attestation/key-policy/index.ts';
import { KEY_ARN } from './policies.ts';

const NOW = Date.UTC(2026, 0, 15);

const policyOf = (...statements: object[]): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: statements.map((statement) => ({
      Effect: 'Allow',
      Principal: '*',
      Action: 'kms:Decrypt',
      Resource: '*',
      ...statement,
    })),
  });
const CLOSED = policyOf({ Effect: 'Deny' });
const findingsOf = (text: string): Finding[] =>
  lintKeyPolicy(text, { keyArn: KEY_ARN, now: NOW }).filter(({ code }) => code === 'UNATTESTED_USE');
const gainedBy = (text: string): number =>
  diffKeyPolicies(CLOSED, text, { keyArn: KEY_ARN, now: NOW }).gained.length;

/** What AWS reads in them is not known, or not known to be what it seems: a policy that needs it is not closed. */
const UNCLEAR: readonly (readonly [operator: string, key: string, ...values: string[]])[] = [
  ['NumericLessThan', 'aws:MultiFactorAuthAge', '1e9', '.5', '5.', ' 5', '0x10', 'Infinity', '1_000', ''],
  ['NumericEquals', 'aws:EpochTime', '1.8e9'],
  ['DateGreaterThan', 'aws:CurrentTime', '2020-01-01 00:00:00Z', '20200101T000000Z', '2020-1-1', '-1', '0'],
  ['DateGreaterThan', 'aws:TokenIssueTime', '1577836800.5', '2020-01-01t00:00:00z', '1577836800000'],
  ['DateLessThan', 'aws:CurrentTime', '20991231', '2099-W01-1'],
  ['IpAddress', 'aws:SourceIp', '0/0', '10.1', '10.0.0.0/255.0.0.0', '010.0.0.1', '0.0.0.0/0 ', '*'],
  ['IpAddress', 'aws:VpcSourceIp', '::ffff:1.2.3.4', '2001:db8::/129', 'fe80::1%eth0'],
  ['ArnLike', 'aws:PrincipalArn', '*', 'arn:*', 'arn:aws:iam::*', 'ARN:aws:iam::*:role/x'],
  ['ArnEquals', 'aws:SourceArn', 'arn:aws:s3*', '${aws:PrincipalTag/arn}'],
  ['Bool', 'aws:SecureTransport', 'yes', '1', ' true'],
  ['Null', 'kms:ViaService', 'yes', '1', ' true', ''],
  ['BinaryEquals', 'aws:SecureTransport', 'dHJ1ZQ=='],
];
const cases = UNCLEAR.flatMap(([operator, key, ...values]) =>
  values.map((value) => [operator, key, value] as const),
);

describe('a value that has no one reading', () => {
  it.each(cases)('opens an Allow: %s %s %j', (operator, key, value) => {
    const text = policyOf({ Condition: { [operator]: { [key]: value } } });
    expect(findingsOf(text)).not.toEqual([]);
    expect(gainedBy(text)).toBeGreaterThan(0);
  });

  it.each(cases)('takes the effect from a Deny: %s %s %j', (operator, key, value) => {
    const text = policyOf({}, { Effect: 'Deny', Condition: { [negate(operator)]: { [key]: value } } });
    expect(findingsOf(text)).not.toEqual([]);
    expect(gainedBy(text)).toBeGreaterThan(0);
  });

  it('says that the policy is not shown to be closed, beside values that are read', () => {
    const condition = { IpAddress: { 'aws:SourceIp': ['0/0', '255.255.255.256'] } };
    expect(findingsOf(policyOf({ Condition: condition }))).toMatchObject([{ proven: false }]);
    const both = { IpAddress: { 'aws:SourceIp': ['0/0', '10.0.0.0/8'] } };
    expect(findingsOf(policyOf({ Condition: both }))[0]).not.toHaveProperty('proven');
  });
});

describe('values that are read', () => {
  it.each([
    ['DateLessThan', 'aws:CurrentTime', '2020-01-01T00:00:00Z'],
    ['DateLessThan', 'aws:CurrentTime', '1577836800'],
    ['DateLessThan', 'aws:CurrentTime', '2020-01-01'],
    ['Bool', 'aws:SecureTransport', 'false'],
    ['Null', 'aws:SecureTransport', 'true'],
    ['ArnLike', 'kms:RecipientAttestation:PCR0', 'arn:aws:iam::444455556666:*'],
  ])('close an Allow that no request meets: %s %s %s', (operator, key, value) => {
    const text = policyOf({ Condition: { [operator]: { [key]: value } } });
    expect(findingsOf(text)).toEqual([]);
    expect(gainedBy(text)).toBe(0);
  });
});

describe('a condition key that stands there in two cases', () => {
  it.each([
    ['kms:RecipientAttestation:PCR0', 'KMS:recipientattestation:pcr0'],
    ['kms:EncryptionContext:node', 'kms:EncryptionContext:NODE'],
  ])('is refused under one operator, since readers differ in which one counts: %s', (one, other) => {
    const text = policyOf({ Condition: { StringEquals: { [one]: 'a', [other]: 'b' } } });
    expect(() => lintKeyPolicy(text, { keyArn: KEY_ARN, now: NOW })).toThrow(
      expect.objectContaining({ code: 'POLICY_MALFORMED' }) as KeyPolicyError,
    );
  });

  it('is taken under two operators, which both have to hold', () => {
    const text = policyOf({ Condition: { StringEquals: { 'aws:a': 'a' }, StringLike: { 'AWS:A': 'a' } } });
    expect(() => lintKeyPolicy(text, { keyArn: KEY_ARN, now: NOW })).not.toThrow();
  });
});

function negate(operator: string): string {
  const negated: Record<string, string> = {
    NumericLessThan: 'NumericNotEquals',
    NumericEquals: 'NumericNotEquals',
    DateGreaterThan: 'DateNotEquals',
    DateLessThan: 'DateNotEquals',
    IpAddress: 'NotIpAddress',
    ArnLike: 'ArnNotLike',
    ArnEquals: 'ArnNotEquals',
  };
  return negated[operator] ?? operator;
}
