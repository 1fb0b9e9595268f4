/** A member of a rule that a request can fail to match; `conditions` of effects have fields of their own. */
export type RuleField =
  | 'clients'
  | 'keys'
  | 'algorithms'
  | 'operations'
  | 'payloads'
  | 'networks'
  | 'time'
  | 'features'
  /** No condition is of the type of an effect. */
  | 'effects'
  | 'to'
  | 'assets'
  | 'contracts'
  | 'selectors'
  | 'amount'
  | 'fee'
  | 'gas'
  | 'nonce'
  | 'limits'
  | 'tiers'
  /** No kept backup covers the key. */
  | 'recovery'
  /** A rule that denies matches. */
  | 'denied'
  /** An approver has rejected the request. */
  | 'rejected';

/** Why one rule does not permit a request: the first field that does not match, or that the rule denies it. */
export interface Mismatch {
  /** null: no rule, but what the configuration says of all of them. */
  readonly rule: string | null;
  readonly field: RuleField;
  /** What was found and what was expected, in words. */
  readonly detail?: string;
}

/** The most characters of a detail. */
const MAX_DETAIL = 300;

export function mismatch(rule: string | null, field: RuleField, detail?: string): Mismatch {
  return detail === undefined ? { rule, field } : { rule, field, detail: detail.slice(0, MAX_DETAIL) };
}

const FIELD_WORDS: Readonly<Record<RuleField, string>> = {
  clients: 'it does not name the client',
  keys: 'it does not name the key',
  algorithms: 'it does not name the algorithm',
  operations: 'it does not name the operation',
  payloads: 'it does not name the kind of payload',
  networks: 'it does not name the network',
  time: 'it does not apply at this time',
  features: 'a feature of the transaction is not tolerated',
  effects: 'the transaction does something that it does not permit',
  to: 'the destination is not among those it names',
  assets: 'the asset is not among those it names',
  contracts: 'the contract is not among those it names',
  selectors: 'the function is not among those it names',
  amount: 'the amount is out of bounds',
  fee: 'the fee is too high or not known',
  gas: 'the gas is too high or not known',
  nonce: 'the nonce is out of bounds or not known',
  limits: 'a limit is used up, or nobody can count what the transaction moves',
  tiers: 'the amount is above all tiers, or not known',
  recovery: 'no kept backup covers the key',
  denied: 'it denies the request',
  rejected: 'an approver has rejected the request',
};

/** Describes in a sentence why a rule does not permit a request. */
export function describeReason({ rule, field, detail }: Mismatch): string {
  const words = detail ?? FIELD_WORDS[field];
  return rule === null ? words : `rule ${rule}: ${words}`;
}
