import type { KeyEntry, PermitRule, Rule } from '../shared/documents/configuration.ts';

/** Describes a key in a phrase: its type, and the public key that it must have. */
export function describeKey({
  type,
  publicKey,
  commitments,
}: Pick<KeyEntry, 'type' | 'publicKey' | 'commitments'>): string {
  return [
    publicKey === undefined ? type : `${type}, none but ${publicKey}`,
    ...(commitments === undefined ? [] : [`of the group with commitments ${commitments}`]),
  ].join(', ');
}

/** Describes a rule in a sentence: who may do what with which keys. */
export function describeRule(rule: Rule): string {
  const { effect, clients, operations, keys, algorithms, payloads } = rule;
  const list = (names: readonly string[]) => names.join(', ');
  return `${list(clients)} ${effect === 'permit' ? 'may' : 'may not'} ${list(operations)} with ${list(keys)}, ${list(algorithms)} of ${list(payloads)}${effect === 'permit' ? `, ${describeRate(rule.rate)}` : ''}`;
}

/** Describes a rule's rate in a phrase. */
export function describeRate(rate: PermitRule['rate']): string {
  return rate === null ? 'no limit' : `${rate.count} per ${rate.seconds} s`;
}
