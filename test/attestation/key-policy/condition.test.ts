import { describe, expect, it } from 'vitest';
import { allowNode, ask, policyText } from './policies.ts';

/** Whether a Condition holds for a request that carries these keys. */
function holds(
  Condition: object,
  context: Record<string, string | string[]>,
  Version = '2012-10-17',
): boolean {
  const text = policyText(allowNode({ Condition })).replace('2012-10-17', Version);
  return ask(text, { context }).decision === 'allow';
}

const ARN = 'arn:aws:iam::111122223333:role/a/b';

describe('comparisons', () => {
  it.each([
    ['StringEquals', 'abc', 'abc', true],
    ['StringEquals', 'abc', 'ABC', false],
    ['StringEquals', 'a*', 'abc', false],
    ['StringNotEquals', 'abc', 'abd', true],
    ['StringEqualsIgnoreCase', 'aBc', 'AbC', true],
    ['StringNotEqualsIgnoreCase', 'aBc', 'AbC', false],
    ['StringLike', 'a*c', 'abbc', true],
    ['StringLike', 'a?c', 'ac', false],
    ['StringLike', 'A*', 'abc', false],
    ['StringLike', '*a*b*', 'xxayyb', true],
    ['StringNotLike', 'a*', 'abc', false],
    ['StringLike', 'a${*}', 'abc', false],
    ['StringLike', 'a${*}', 'a*', true],
    ['NumericEquals', '10', '10.0', true],
    ['NumericNotEquals', '10', '11', true],
    ['NumericLessThan', '10', '9', true],
    ['NumericLessThan', '10', '10', false],
    ['NumericLessThanEquals', '10', '10', true],
    ['NumericGreaterThan', '10', '11', true],
    ['NumericGreaterThanEquals', '10', '9', false],
    ['NumericEquals', '1e1', '10', false],
    ['DateEquals', '2026-01-01T00:00:00Z', '1767225600', true],
    ['DateLessThan', '2026-01-01T00:00:00Z', '2025-12-31T23:59:59Z', true],
    ['DateLessThan', '2026-01-01', '2026-01-01T00:00:00Z', false],
    ['DateLessThanEquals', '2026-01-01', '2026-01-01T00:00:00Z', true],
    ['DateGreaterThan', '2026-01-01T01:00:00+01:00', '2026-01-01T00:00:01', true],
    ['DateGreaterThanEquals', 'yesterday', '2026-01-01T00:00:00Z', false],
    ['Bool', 'true', 'True', true],
    ['Bool', 'false', 'true', false],
    ['BinaryEquals', 'QUFB', 'QUFB', true],
    ['IpAddress', '203.0.113.0/24', '203.0.113.9', true],
    ['IpAddress', '203.0.113.0/24', '203.0.114.9', false],
    ['IpAddress', '2001:db8::/32', '2001:db8:1::1', true],
    ['IpAddress', '0.0.0.0/0', '2001:db8::1', false],
    ['IpAddress', '203.0.113.1', '203.0.113.1', true],
    ['IpAddress', '203.0.113.300/24', '203.0.113.1', false],
    ['NotIpAddress', '203.0.113.0/24', '198.51.100.1', true],
    ['ArnEquals', ARN, ARN, true],
    ['ArnLike', 'arn:aws:iam::*:role/*', ARN, true],
    ['ArnLike', 'arn:aws:*:role/a/b', ARN, false],
    ['ArnEquals', 'arn:aws:iam::111122223333:role/a/?', ARN, true],
    ['ArnNotLike', 'arn:aws:iam::*:role/*', ARN, false],
    ['ArnNotEquals', 'arn:aws:iam::111122223333:role/c', ARN, true],
    ['ArnLike', '*', ARN, false],
  ])('%s %s of %s: %s', (operator, wanted, actual, expected) => {
    expect(holds({ [operator]: { 'aws:Key': wanted } }, { 'aws:key': actual })).toBe(expected);
  });

  it('ORs the values of a key, and NORs them when the operator is negated', () => {
    const values = { 'aws:Key': ['a', 'b'] };
    expect(holds({ StringEquals: values }, { 'aws:Key': 'b' })).toBe(true);
    expect(holds({ StringNotEquals: values }, { 'aws:Key': 'b' })).toBe(false);
    expect(holds({ StringNotEquals: values }, { 'aws:Key': 'c' })).toBe(true);
  });

  it('ANDs keys and operators', () => {
    const condition = { StringEquals: { 'aws:A': 'a', 'aws:B': 'b' }, StringLike: { 'aws:C': '*' } };
    expect(holds(condition, { 'aws:A': 'a', 'aws:B': 'b', 'aws:C': 'c' })).toBe(true);
    expect(holds(condition, { 'aws:A': 'a', 'aws:B': 'b' })).toBe(false);
    expect(holds(condition, { 'aws:A': 'a', 'aws:C': 'c' })).toBe(false);
  });
});

describe('a key that the request does not carry', () => {
  it.each([
    ['StringEquals', false],
    ['StringNotEquals', true],
    ['StringEqualsIfExists', true],
    ['StringNotEqualsIfExists', true],
    ['ArnNotLike', true],
    ['NotIpAddress', true],
    ['NumericLessThan', false],
    ['ForAllValues:StringEquals', true],
    ['ForAllValues:StringNotEquals', true],
    ['ForAnyValue:StringEquals', false],
    ['ForAnyValue:StringNotEquals', false],
    ['ForAnyValue:StringEqualsIfExists', true],
  ])('%s holds: %s', (operator, expected) => {
    expect(holds({ [operator]: { 'aws:Key': 'a' } }, {})).toBe(expected);
  });

  it('is what Null asks for', () => {
    expect(holds({ Null: { 'aws:Key': 'true' } }, {})).toBe(true);
    expect(holds({ Null: { 'aws:Key': false } }, {})).toBe(false);
    expect(holds({ Null: { 'aws:Key': 'false' } }, { 'aws:Key': 'x' })).toBe(true);
  });
});

describe('several values in the request', () => {
  const many = { 'aws:Key': ['a', 'b'] };
  it.each([
    ['ForAllValues:StringEquals', ['a', 'b', 'c'], true],
    ['ForAllValues:StringEquals', ['a'], false],
    ['ForAnyValue:StringEquals', ['a', 'x'], true],
    ['ForAnyValue:StringEquals', ['x'], false],
    ['ForAllValues:StringNotEquals', ['x'], true],
    ['ForAllValues:StringNotEquals', ['a'], false],
    ['ForAnyValue:StringNotEquals', ['a'], true],
    ['ForAnyValue:StringNotEquals', ['a', 'b'], false],
  ])('%s %j holds: %s', (operator, wanted, expected) => {
    expect(holds({ [operator]: { 'aws:Key': wanted } }, many)).toBe(expected);
  });
});

describe('policy variables', () => {
  const condition = { StringEquals: { 'aws:A': 'x-${aws:B}' } };
  it('are filled in from the request', () => {
    expect(holds(condition, { 'aws:A': 'x-b', 'aws:B': 'b' })).toBe(true);
    expect(holds(condition, { 'aws:A': 'x-c', 'aws:B': 'b' })).toBe(false);
  });

  it('never match when the request lacks the key or has several values, unless a default is given', () => {
    expect(holds(condition, { 'aws:A': 'x-' })).toBe(false);
    expect(holds(condition, { 'aws:A': 'x-b', 'aws:B': ['b', 'c'] })).toBe(false);
    expect(holds({ StringEquals: { 'aws:A': "${aws:B, 'none'}" } }, { 'aws:A': 'none' })).toBe(true);
  });

  it('do not turn a value of the request into a wildcard', () => {
    expect(holds({ StringLike: { 'aws:A': '${aws:B}' } }, { 'aws:A': 'abc', 'aws:B': '*' })).toBe(false);
  });

  it('are plain text in a policy of 2008-10-17', () => {
    expect(holds(condition, { 'aws:A': 'x-b', 'aws:B': 'b' }, '2008-10-17')).toBe(false);
    expect(holds(condition, { 'aws:A': 'x-${aws:B}', 'aws:B': 'b' }, '2008-10-17')).toBe(true);
  });
});
