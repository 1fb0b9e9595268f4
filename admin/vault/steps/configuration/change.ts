import type { Exchange, Statement } from '../../exchange/index.ts';
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

/** Reads what all admins have stated about changes. @throws ExchangeError STATEMENT_… */
export async function readChanges(
  { nodes }: VaultDocument,
  exchange: Pick<Exchange, 'statement'>,
): Promise<ChangeStatements> {
  const changes = new Map<number, Statement<'change-configuration'> | undefined>();
  for (const { node } of nodes)
    changes.set(node, await exchange.statement(roleOfNode(node), 'change-configuration'));
  return changes;
}

/** Number of the newest change that anybody has stated; 0: none. */
export function newestChange(changes: ChangeStatements): number {
  return Math.max(0, ...[...changes.values()].map((one) => one?.facts.change ?? 0));
}

/**
 * Numbers the change that a node takes part in by a description: that of the others where they have begun one, and the next
 * one otherwise. All nodes of one change have one description.
 *
 * @param digest SHA-384 of the description
 * @param isAnew whether another change is to begin, though others have stated one that this node has not taken part in
 * @throws StepError VAULT_CHANGE_DIFFERS
 */
export function numberChange(
  changes: ChangeStatements,
  node: number,
  { digest, isAnew }: { readonly digest: string; readonly isAnew: boolean },
): number {
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
