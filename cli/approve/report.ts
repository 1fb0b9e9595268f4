import { type Fact, presentReview, type VerifiedReview } from '../../policy/approvals/index.ts';
import { encodeTransaction } from '../../policy/transactions/json.ts';

/** Writes a verified request for a terminal: what it does first, then what is unusual, then the rest. */
export function describeReview(review: VerifiedReview): string {
  const { effects, warnings, facts } = presentReview(review);
  return [
    ...effects.flatMap(({ sentence, facts }) => [sentence, ...facts.map(line)]),
    ...(warnings.length > 0 ? ['', ...warnings.map((warning) => `! ${warning}`)] : []),
    '',
    ...facts.map(line),
  ].join('\n');
}

/** The same as data. */
export function reviewData({ pending, transaction }: VerifiedReview) {
  const { id, digest, client, request, rule, needs, votes, created, expires } = pending;
  return {
    id,
    digest,
    client,
    key: request.key,
    rule,
    needs,
    votes,
    created,
    expires,
    transaction: encodeTransaction(transaction),
  };
}

function line({ name, value, label }: Fact): string {
  return `  ${name}: ${label === undefined ? '' : `${label} `}${value}`;
}
