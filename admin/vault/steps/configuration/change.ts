import { type Exchange, ExchangeError, type Statement } from '../../exchange/index.ts';
import { roleOfNode, type VaultDocument } from '../../index.ts';
import { StepError } from '../errors.ts';

/** What a node's admin wants the node to run next. */
export type Proposal =
  | {
      readonly kind: 'rules';
      /** Copy of vault.yaml with other clients, people, keys or rules. */
      readonly description: VaultDocument;
      readonly bytes: Uint8Array;
      /** SHA-384 of the bytes, hex: by it admins see that they have the same file. */
      readonly digest: string;
      /** Whether it is to begin another change, in place of the one that others have stated. */
      readonly isAnew: boolean;
    }
  | {
      readonly kind: 'configuration';
      /** Configuration of this node alone, plain or in an envelope. */
      readonly bytes: Uint8Array;
    };

/** Newest statement of each node's admin about a change; undefined where there is none. */
export type ChangeStatements = ReadonlyMap<number, Statement<'change-configuration'> | undefined>;

/**
 * Reads what all admins have stated about changes.
 *
 * @param isNeeded whether a node's statement has to be believed; that of another, which is not, counts as none, so that no admin
 *   keeps the others from theirs
 * @throws ExchangeError STATEMENT_…
 */
export async function readChanges(
  { nodes }: VaultDocument,
  exchange: Pick<Exchange, 'statement'>,
  isNeeded: (node: number) => boolean = () => true,
): Promise<ChangeStatements> {
  const changes = new Map<number, Statement<'change-configuration'> | undefined>();
  for (const { node } of nodes) {
    try {
      changes.set(node, await exchange.statement(roleOfNode(node), 'change-configuration'));
    } catch (error) {
      if (isNeeded(node) || !(error instanceof ExchangeError)) throw error;
      changes.set(node, undefined);
    }
  }
  return changes;
}

/**
 * Most by which a change may be ahead of all in which other admins have taken part: an admin who numbers theirs as high as
 * numbers go would have the last one.
 */
const MAX_AHEAD = 16;

/**
 * Nodes whose admins have stated a change that is too far ahead of all others to count. The vault of one node has no others.
 *
 * @returns their numbers
 */
export function findLeaps(changes: ChangeStatements): readonly number[] {
  return [...changes.keys()].filter((node) => isLeap(changes, node, changes.get(node)?.facts.change ?? 0));
}

function isLeap(changes: ChangeStatements, node: number, change: number): boolean {
  const others = [...changes].filter(([one]) => one !== node);
  return others.length > 0 && others.every(([, one]) => change - (one?.facts.change ?? 0) > MAX_AHEAD);
}

/** Number of the newest change that anybody has stated, without leaps; 0: none. */
export function newestChange(changes: ChangeStatements): number {
  const leaps = findLeaps(changes);
  return Math.max(
    0,
    ...[...changes].map(([node, one]) => (leaps.includes(node) ? 0 : (one?.facts.change ?? 0))),
  );
}

/**
 * Numbers the change that a node takes part in by a description: that of the others where they have begun one, and the next
 * one otherwise. All nodes of one change have one description.
 *
 * @param digest SHA-384 of the description
 * @param isAnew whether another change is to begin, though others have stated one that this node has not taken part in
 * @throws StepError VAULT_CHANGE_DIFFERS, VAULT_CHANGE_LEAP
 */
export function numberChange(changes: ChangeStatements, node: number, rules: ProposedRules): number {
  const number = findNumber(changes, node, rules);
  if (!isLeap(changes, node, number)) return number;
  throw new StepError(
    'VAULT_CHANGE_LEAP',
    'the change would be too far ahead of all in which the other admins have taken part',
    { change: number, maximum: MAX_AHEAD },
  );
}

type ProposedRules = Pick<Proposal & { readonly kind: 'rules' }, 'digest' | 'isAnew'>;

function findNumber(changes: ChangeStatements, node: number, { digest, isAnew }: ProposedRules): number {
  const newest = newestChange(changes);
  const own = changes.get(node)?.facts;
  if (newest === 0) return 1;
  if (own?.change === newest) return own.rules === digest ? newest : newest + 1;
  const other = [...changes].find(
    ([, one]) => one?.facts.change === newest && one.facts.rules !== null && one.facts.rules !== digest,
  );
  if (other === undefined) return newest;
  if (isAnew) return newest + 1;
  throw new StepError(
    'VAULT_CHANGE_DIFFERS',
    'another admin has stated other rules for the change that you have not taken part in yet',
    { change: newest, node: other[0], expected: other[1]?.facts.rules, actual: digest },
  );
}
