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
 * @param counts whether a statement that cannot be believed ends the reading; one that does not counts as none, so that no admin
 *   keeps the others from theirs
 * @throws ExchangeError STATEMENT_…
 */
export async function readChanges(
  { nodes }: VaultDocument,
  exchange: Pick<Exchange, 'statement'>,
  counts: (node: number, error: ExchangeError) => boolean = () => true,
): Promise<ChangeStatements> {
  const changes = new Map<number, Statement<'change-configuration'> | undefined>();
  for (const { node } of nodes) {
    try {
      changes.set(node, await exchange.statement(roleOfNode(node), 'change-configuration'));
    } catch (error) {
      if (!(error instanceof ExchangeError) || counts(node, error)) throw error;
      changes.set(node, undefined);
    }
  }
  return changes;
}

/**
 * Most by which a change may be ahead of all in which a threshold of admins have taken part: fewer of them, who number theirs as
 * high as numbers go, would have the last one.
 */
const MAX_AHEAD = 16;

/**
 * Nodes whose admins have stated a change that is too far ahead to count.
 *
 * @param threshold of the vault: so many admins agree on what happens
 * @returns their numbers
 */
export function findLeaps(changes: ChangeStatements, threshold: number): readonly number[] {
  return [...changes.keys()].filter((node) =>
    isLeap(changes, node, { change: changes.get(node)?.facts.change ?? 0, threshold }),
  );
}

function isLeap(
  changes: ChangeStatements,
  node: number,
  { change, threshold }: { readonly change: number; readonly threshold: number },
): boolean {
  const numbers = [...changes].map(([one, stated]) => (one === node ? change : (stated?.facts.change ?? 0)));
  const reached = numbers.toSorted((one, other) => other - one)[threshold - 1] ?? 0;
  return change - reached > MAX_AHEAD;
}

/** Number of the newest change that anybody has stated, without leaps; 0: none. */
export function newestChange(changes: ChangeStatements, threshold: number): number {
  const leaps = findLeaps(changes, threshold);
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
  const change = findNumber(changes, node, rules);
  if (!isLeap(changes, node, { change, threshold: rules.threshold })) return change;
  throw new StepError(
    'VAULT_CHANGE_LEAP',
    'the change would be too far ahead of all in which the other admins have taken part',
    { change, maximum: MAX_AHEAD },
  );
}

type ProposedRules = Pick<Proposal & { readonly kind: 'rules' }, 'digest' | 'isAnew'> & {
  readonly threshold: number;
  /** False where what another admin has stated could not be believed, and was left out. */
  readonly isWhole: boolean;
};

function findNumber(
  changes: ChangeStatements,
  node: number,
  { digest, isAnew, threshold, isWhole }: ProposedRules,
): number {
  const own = changes.get(node)?.facts;
  // Where others could not be read, one's own seems a leap, and must not begin anew.
  const newest = Math.max(newestChange(changes, threshold), isWhole ? 0 : (own?.change ?? 0));
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
