import type { Exchange, Facts } from './exchange/index.ts';

/** Where a node was started last, and the least that its store must be. */
type NodeStart = Facts<'upgrade-nodes'>['nodes'][number];

/** Steps of infrastructure that start nodes for good; of two that were told in the same second, the first is the later one. */
const STARTING = ['upgrade-restore', 'upgrade-nodes', 'change-restart', 'restart'] as const;

/**
 * Finds the last start of a node that infrastructure has told of, whichever ceremony it was in: a node that was down when the
 * others were upgraded, put back, or given other rules, stands in an earlier statement alone.
 *
 * @throws ExchangeError STATEMENT_… for a statement that is not to be believed
 */
export async function findLastStart(
  exchange: Pick<Exchange, 'statement'>,
  node: number,
): Promise<NodeStart | undefined> {
  const found: { readonly time: string; readonly start: NodeStart }[] = [];
  for (const step of STARTING) {
    const stated = await exchange.statement('infrastructure', step);
    const start = stated?.facts.nodes.find((one) => one.node === node);
    if (stated !== undefined && start !== undefined) found.push({ time: stated.time, start });
  }
  return found.toSorted((one, other) => (one.time < other.time ? 1 : one.time > other.time ? -1 : 0))[0]
    ?.start;
}
