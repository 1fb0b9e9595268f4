import { ExchangeError, type Exchange } from '../../exchange/index.ts';
import { digestVault, parseVault, type VaultDocument } from '../../index.ts';
import { findUpgradeState } from '../upgrade/state.ts';
import { findLeaps, newestChange, readChanges } from './change.ts';
import { assertSameVault } from './rules-file.ts';

/** What a vault has become by what its admins have stated, for whoever describes its successor. */
export interface NewestDescription {
  /** vault.yaml, or what the newest change has put in its place for clients, people, keys, rules and doors. */
  readonly document: VaultDocument;
  /** Number of the newest change; 0: none. */
  readonly change: number;
  /** Nodes whose admins have stated that very description; none before the first change. */
  readonly by: readonly number[];
  /** Nodes whose admins have stated a configuration past every description: nobody can take its rules over. */
  readonly past: readonly number[];
  /** Release that the nodes ran last. */
  readonly release: string;
}

/**
 * Finds what a vault has become by the signed statements alone.
 *
 * @throws ExchangeError STATEMENT_…; VaultError VAULT_MALFORMED; StepError VAULT_RULES_OTHER_VAULT
 */
export async function findNewestDescription(
  vault: VaultDocument,
  exchange: Exchange,
): Promise<NewestDescription> {
  const changes = await readChanges(vault, exchange);
  const { running: release } = await findUpgradeState(vault, exchange);
  const newest = newestChange(changes, vault.threshold);
  const stated = [...changes].flatMap(([node, one]) => (one === undefined ? [] : [{ node, one }]));
  const past = stated.filter(({ one }) => one.facts.rules === null).map(({ node }) => node);
  const leaps = findLeaps(changes, vault.threshold);
  const [last] = stated
    .filter(({ node, one }) => one.facts.rules !== null && !leaps.includes(node))
    .toSorted((a, b) => b.one.facts.change - a.one.facts.change);
  if (last === undefined) return { document: vault, change: newest, by: [], past, release };
  const bytes = await exchange.file(last.one, 'rules.yaml');
  if (digestVault(bytes) !== last.one.facts.rules)
    throw new ExchangeError('STATEMENT_FILE_CHANGED', 'the description is not the one that was signed', {
      step: `node-${last.node}/change-configuration`,
      file: 'rules.yaml',
    });
  const document = parseVault(bytes);
  assertSameVault(vault, document);
  const by = stated.flatMap(({ node, one }) => (one.facts.rules === last.one.facts.rules ? [node] : []));
  return { document, change: last.one.facts.change, by, past, release };
}
