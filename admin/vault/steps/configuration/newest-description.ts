import { ExchangeError, type Exchange, type Statement } from '../../exchange/index.ts';
import { digestVault, parseVault, type VaultDocument } from '../../index.ts';
import { StepError } from '../errors.ts';
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
 * @throws ExchangeError STATEMENT_…; VaultError VAULT_MALFORMED; StepError VAULT_RULES_OTHER_VAULT, VAULT_CHANGE_DIFFERS
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
  const described = stated.filter(({ node, one }) => one.facts.rules !== null && !leaps.includes(node));
  const last = chooseLast(described, vault.threshold);
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

interface Stated {
  readonly node: number;
  readonly one: Statement<'change-configuration'>;
}

/**
 * Chooses a statement of the newest change: where admins have stated different descriptions by one number, that of as many as
 * the threshold.
 *
 * @throws StepError VAULT_CHANGE_DIFFERS
 */
function chooseLast(described: readonly Stated[], threshold: number): Stated | undefined {
  const change = Math.max(...described.map(({ one }) => one.facts.change));
  const newest = described.filter(({ one }) => one.facts.change === change);
  const first = new Map(newest.toReversed().map((stated) => [stated.one.facts.rules, stated]));
  if (first.size < 2) return newest[0];
  const agreed = [...first.values()].filter(
    ({ one: { facts } }) => newest.filter(({ one }) => one.facts.rules === facts.rules).length >= threshold,
  );
  if (agreed.length === 1) return agreed[0];
  throw new StepError('VAULT_CHANGE_DIFFERS', 'admins have stated different rules for the newest change', {
    change,
    stated: newest.map(({ node, one }) => ({ node, rules: one.facts.rules })),
  });
}
