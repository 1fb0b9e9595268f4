import { normaliseOn } from '../../shared/addresses.ts';
import type { Effect, Transaction } from '../transactions/index.ts';
import { findCoin, splitAmount } from '../coins.ts';
import type { VerifiedReview } from './review.ts';
import { makeSafe } from './safe-text.ts';

/** One line of what is shown to an approver: all text is safe to show. */
export interface Fact {
  readonly name: string;
  readonly value: string;
  /** Label of an address in the configuration's address books. */
  readonly label?: string;
}

/** What a person who decides reads of a request, in the order in which they read it. */
export interface Presentation {
  /** One paragraph for each effect: the sentence, and its facts. */
  readonly effects: readonly { readonly sentence: string; readonly facts: readonly Fact[] }[];
  /** What is unusual: each a sentence. Empty in an ordinary transaction. */
  readonly warnings: readonly string[];
  readonly facts: readonly Fact[];
}

const SENTENCES: Readonly<Record<Effect['type'], string>> = {
  transfer: 'Sends',
  allowance: 'Lets another take later',
  call: 'Calls a contract with data that nobody here can read',
  deploy: 'Creates a contract',
  'authorise-code': 'Hands the whole account over to code',
  delegate: 'Hands on voting or baking rights',
  stake: 'Stakes or unstakes funds',
  reveal: 'Reveals a public key',
  message: 'Signs a statement',
  consensus: 'Signs as a baker',
  unknown: 'Does something that nobody here can read',
  blind: 'Signs bytes that nobody here can read',
};

/** Types of effects that can do more than the amounts say. */
const ALARMING: ReadonlySet<Effect['type']> = new Set([
  'allowance',
  'call',
  'deploy',
  'authorise-code',
  'unknown',
  'blind',
]);

/** Says in words what a verified request does. Labels come from the verified configuration alone. */
export function presentReview({
  pending,
  transaction,
  configuration,
  manifest,
}: VerifiedReview): Presentation {
  const labelOf = (address: string | null) => findLabel(configuration, transaction.network, address);
  return {
    effects: transaction.effects.map((effect) => presentEffect(effect, labelOf)),
    warnings: listWarnings(transaction, labelOf),
    facts: [
      ...(transaction.fee === null
        ? []
        : [fact('Fee, at most', presentAmount(transaction.fee.amount, transaction.fee.asset))]),
      ...optional('From', transaction.source, labelOf(transaction.source)),
      ...optional('Network', transaction.network),
      fact('Key', pending.request.key),
      ...optional('Child of the key', pending.request.path ?? null),
      fact('Asked for by', pending.client),
      fact('Rule', pending.rule),
      fact('Node', `${manifest.node} of ${manifest.environment}, ${manifest.namespace}`),
      fact('Configuration', String(configuration.version)),
      ...optional('Nonce', transaction.nonce === null ? null : String(transaction.nonce)),
      ...Object.entries(transaction.details).map(([name, value]) => fact(name, value)),
      fact('Expires', new Date(pending.expires).toISOString()),
      fact('Needs', pending.needs.map(({ group, count }) => `${count} of ${group}`).join(' and ')),
      fact(
        'Voted so far',
        pending.votes.map(({ approver, decision }) => `${approver}: ${decision}`).join(', ') || 'nobody',
      ),
      fact('Digest of the request', pending.digest),
    ],
  };
}

/** Writes an amount with its unit; in the smallest unit too where decimals are known, so that nobody needs to count. */
export function presentAmount(amount: bigint, asset: string): string {
  const coin = findCoin(asset);
  if (coin === undefined) return `${group(amount)} units of ${makeSafe(asset)}`;
  const { whole, fraction } = splitAmount(amount, coin);
  return `${group(whole)}${fraction === '' ? '' : `.${fraction}`} ${coin.symbol}`;
}

/** Groups digits by narrow no-break spaces, which no language takes for a decimal point. */
function group(amount: bigint): string {
  return amount.toString().replaceAll(/\B(?=(\d{3})+$)/g, '\u202F');
}

function presentEffect(effect: Effect, labelOf: (address: string | null) => string | undefined) {
  const { type, to, asset, amount, contract, selector, details } = effect;
  const sum =
    asset === null
      ? null
      : amount === null
        ? `an unlimited amount of ${makeSafe(asset)}`
        : presentAmount(amount, asset);
  return {
    sentence: `${SENTENCES[type]}${sum === null ? '' : ` ${sum}`}`,
    facts: [
      ...optional('To', to, labelOf(to)),
      ...optional('Contract', contract, labelOf(contract)),
      ...optional('Function', selector),
      ...(asset !== null && amount !== null
        ? [fact('In smallest units', `${amount}`), fact('Asset', asset)]
        : []),
      ...Object.entries(details).map(([name, value]) => fact(name, value)),
    ],
  };
}

function listWarnings(
  { effects, features, fee }: Transaction,
  labelOf: (address: string | null) => string | undefined,
): string[] {
  const alarming = effects.filter(({ type }) => ALARMING.has(type));
  return [
    ...new Set(
      alarming.map(({ type }) => `${SENTENCES[type]}: that can cost more than any amount shown here.`),
    ),
    ...(effects.some(({ type, to }) => type === 'transfer' && to !== null && labelOf(to) === undefined)
      ? ['A recipient is in no address book of this node.']
      : []),
    ...effects.flatMap(({ amount, asset }) =>
      fee !== null && amount !== null && asset === fee.asset && amount > 0n && fee.amount > amount
        ? ['The fee may be higher than the amount.']
        : [],
    ),
    ...features.map((feature) => `Unusual: ${makeSafe(feature)}`),
  ];
}

function findLabel(
  { addressBooks }: VerifiedReview['configuration'],
  network: string | null,
  address: string | null,
): string | undefined {
  if (network === null || address === null) return undefined;
  const wanted = normaliseOn(network, address);
  for (const book of addressBooks) {
    if (book.network !== network) continue;
    const entry = book.entries.find(({ address }) => normaliseOn(network, address) === wanted);
    if (entry !== undefined) return `${makeSafe(entry.label)} (${makeSafe(book.id)})`;
  }
  return undefined;
}

function fact(name: string, value: string, label?: string): Fact {
  return { name: makeSafe(name), value: makeSafe(value), ...(label === undefined ? {} : { label }) };
}

function optional(name: string, value: string | null, label?: string): Fact[] {
  return value === null ? [] : [fact(name, value, label)];
}
