import {
  type DecisionPredicate,
  parseEntry,
  PREDICATE_TYPES,
  unsafeParseReceipt,
} from '../../audit/receipt/index.ts';
import { describeAmount } from '../../policy/index.ts';
import { PAYMENT_RULE, SUPPLIER } from '../testbed/decision-configuration.ts';

/** Reads what a receipt says of a decision; nothing is verified. @throws TypeError for an entry of another type */
export function readDecision(receipt: unknown): DecisionPredicate {
  const { entry } = unsafeParseReceipt(Buffer.from(JSON.stringify(receipt)));
  const statement = parseEntry(entry);
  if (statement.predicateType !== PREDICATE_TYPES.decision) throw new TypeError('expected a decision');
  return statement.predicate;
}

/** Describes a decision for people: the outcome, what moves to whom, and the rule or the reasons. */
export function describeDecision({ outcome, transaction, rule, reasons, needs }: DecisionPredicate): string {
  const effects = transaction?.effects ?? [];
  const moved = effects.map(({ amount, asset, to }) => {
    const what = amount === null ? 'nobody knows how much' : describeAmount(BigInt(amount), asset);
    return `${what} to ${nameDestination(to)}`;
  });
  const because = [
    ...(rule === null ? [] : [`rule ${rule}`]),
    ...needs.map(({ words }) => `needs ${words}`),
    ...reasons.filter(({ rule }) => isAbout(transaction?.kind, rule)).map(({ words }) => words),
  ];
  return `${outcome}: ${[...moved, ...because].join('; ')}`;
}

function nameDestination(to: string | null): string {
  if (to === null) return 'nobody that could be read';
  const address = to.slice(to.lastIndexOf(':') + 1);
  const isSupplier = address.toLowerCase() === SUPPLIER.address.toLowerCase();
  return isSupplier ? SUPPLIER.label : `${address.slice(0, 8)}…, which no book names`;
}

/** Rules about other keys are no reason that somebody asks for. */
function isAbout(kind: string | undefined, rule: string | null): boolean {
  return kind !== 'ethereum-transaction' || rule === null || rule === PAYMENT_RULE;
}
