import type { Configuration } from '../../../shared/documents/configuration.ts';
import { decide } from '../../decision.ts';
import { type Policy, preparePolicy } from '../../policy.ts';
import { makeRequest } from '../../request.ts';
import { createPolicyState } from '../../state.ts';
import { type Decided, denied, describeDecision } from '../decided.ts';
import { isOver } from '../reading.ts';
import { type Candidate, listCandidates } from './candidates.ts';
import { gatherPools } from './pools.ts';

/** The most requests that a search tries, unless it is told otherwise. */
export const MAX_TRIED = 50_000;
/** After so many milliseconds every rate is full. */
const FULL_MS = 31 * 86_400_000;

/** A request that two configurations decide differently. */
export interface Witness {
  readonly candidate: Candidate;
  readonly before: Decided;
  readonly after: Decided;
}

export interface SearchResult {
  /** A request that the newer configuration alone permits, or permits with fewer approvals; null: none was found. */
  readonly gained: Witness | null;
  /** The same for the older one. */
  readonly lost: Witness | null;
  /** How many requests were tried. */
  readonly tried: number;
  /** Whether the limit ended the search before its candidates did. */
  readonly isCut: boolean;
}

/**
 * Searches for requests that two configurations decide differently, among those that their own values make up. What it
 * finds is so, since the evaluator has decided it; finding nothing proves nothing. Each request stands alone: what only
 * several together show (a rate, the length of a limit's window) is not found.
 *
 * @param now milliseconds since 1970
 */
export function searchDifferences(
  before: Configuration,
  after: Configuration,
  now: number,
  maximum = MAX_TRIED,
): SearchResult {
  const [older, newer] = [before, after].map((configuration) => ({
    configuration,
    policy: preparePolicy(configuration),
  }));
  if (older === undefined || newer === undefined) throw new RangeError('expected two configurations');
  let [gained, lost]: (Witness | null)[] = [null, null];
  let tried = 0;
  for (const candidate of interleave(before, after, now)) {
    if (tried >= maximum) return { gained: gained ?? null, lost: lost ?? null, tried, isCut: true };
    tried += 1;
    const witness = {
      candidate,
      before: decideAlone(older, candidate),
      after: decideAlone(newer, candidate),
    };
    if (isMore(witness.after, witness.before)) gained ??= witness;
    if (isMore(witness.before, witness.after)) lost ??= witness;
    if (gained && lost) break;
  }
  return { gained: gained ?? null, lost: lost ?? null, tried, isCut: false };
}

/** Gives candidates of each rule in turn, rules that differ first, so that a large rule does not use up the search. */
function* interleave(before: Configuration, after: Configuration, now: number): Generator<Candidate> {
  const pools = gatherPools([before, after], now);
  const textOf = (rule: unknown) => JSON.stringify(rule);
  const [old, next] = [before, after].map(({ rules }) => new Set(rules.map(textOf)));
  const sources = [after, before].flatMap((configuration) =>
    configuration.rules.map((rule) => ({ rule, configuration })),
  );
  const isShared = ({ rule }: (typeof sources)[number]) =>
    old?.has(textOf(rule)) === true && next?.has(textOf(rule)) === true;
  for (const part of [sources.filter((each) => !isShared(each)), sources.filter(isShared)]) {
    let open = part.map(({ rule, configuration }) => listCandidates(rule, configuration, pools, now));
    while (open.length > 0) {
      const still: typeof open = [];
      for (const source of open) {
        const { value, done } = source.next();
        if (done === true) continue;
        still.push(source);
        yield value;
      }
      open = still;
    }
  }
}

/** Decides a request by a node that has spent nothing and whose rates are full. */
function decideAlone(
  { configuration, policy }: { configuration: Configuration; policy: Policy },
  { operation, client, key, poolKey, algorithm, payload, transaction, at, consent }: Candidate,
): Decided {
  if (isOver(configuration, at)) return denied('CONFIGURATION_EXPIRED');
  const votes = consent && {
    rule: consent.rule,
    approvals: consent.approvers.map((approver) => ({ approver, decision: 'approve' as const, at })),
  };
  const request = makeRequest({
    operation,
    client,
    key,
    poolKey,
    algorithm,
    payload: payload ?? undefined,
    transaction: transaction ?? undefined,
    // What rules permit is compared, not what a node happens to have backed up.
    backup: 'kept',
    consent: votes ?? undefined,
  });
  return describeDecision(
    decide(policy, request, createPolicyState(policy, 0), { now: at, monotonic: FULL_MS }),
  );
}

/** Tells whether one decision permits what the other does not, or with fewer approvals. */
function isMore(one: Decided, other: Decided): boolean {
  return countNeeds(one) < countNeeds(other);
}

function countNeeds({ outcome, needs }: Decided): number {
  if (outcome === 'denied') return Infinity;
  return Object.values(needs).reduce((sum, count) => sum + count, 0);
}
