import { normaliseOn } from '../../shared/addresses.ts';
import type { AddressBook } from '../../shared/documents/configuration.ts';
import { describeAmount } from '../coins.ts';
import type { Effect, Transaction } from '../transactions/index.ts';

/** Describes a decoded transaction in lines: what it does, to whom, what it costs, what is unusual in it. */
export function describeTransaction(
  { kind, network, source, effects, fee, nonce, gas, features }: Transaction,
  books: readonly AddressBook[],
): string[] {
  return [
    `${kind}${network === null ? '' : ` on ${network}`}${source === null ? '' : ` from ${source}`}`,
    ...effects.map((effect) => `  ${describeEffect(effect, network, books)}`),
    ...(fee === null ? [] : [`  fee at most ${describeAmount(fee.amount, fee.asset)}`]),
    ...(nonce === null ? [] : [`  nonce ${nonce}`]),
    ...(gas === null ? [] : [`  gas ${gas}`]),
    ...features.map((feature) => `  UNUSUAL: ${feature}`),
  ];
}

function describeEffect(
  { type, to, asset, amount, contract, selector }: Effect,
  network: string | null,
  books: readonly AddressBook[],
): string {
  const what = amount === null ? (asset ?? '') : describeAmount(amount, asset);
  return [
    type,
    ...(what === '' ? [] : [what]),
    ...(to === null ? [] : [`to ${to}${describeLabel(network, to, books)}`]),
    ...(contract === null ? [] : [`by ${contract}${selector === null ? '' : ` (${selector})`}`]),
  ].join(' ');
}

/** Names the address books that list an address, with its labels. */
function describeLabel(network: string | null, address: string, books: readonly AddressBook[]): string {
  if (network === null) return '';
  const name = normaliseOn(network, address);
  const labels = books
    .filter((book) => book.network === network)
    .flatMap(({ id, entries }) =>
      entries
        .filter((entry) => normaliseOn(network, entry.address) === name)
        .map(({ label }) => `"${label}" of ${id}`),
    );
  return labels.length === 0 ? ' (in no address book)' : ` (${labels.join(', ')})`;
}
