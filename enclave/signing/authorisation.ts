import {
  type Accumulations,
  type BackupCoverage,
  createPolicyState,
  decide,
  type Decision,
  describeReason,
  makeRequest,
  type Need,
  type Policy,
  type PolicyRequest,
} from '../../policy/index.ts';
import { type ConsensusPosition, readConsensusPosition } from '../../policy/transactions/tezos/index.ts';
import type { WatermarkRefusal, Watermarks } from '../../policy/watermarks/index.ts';
import type { DecisionPredicate } from '../../audit/receipt/index.ts';
import type { DecodedPayload } from '../../policy/transactions/index.ts';
import type { Configuration } from '../../shared/documents/configuration.ts';
import { hasExpired } from '../node/configuration.ts';
import type { Approved, PipelineRequest } from './carry-out.ts';
import type { DenialCode } from './errors.ts';

/** The clocks that a decision needs. */
export interface DecisionClocks {
  /** Milliseconds since 1970, by the NSM. */
  readonly now: () => number;
  /** Milliseconds of a monotonic clock, for rates. */
  readonly monotonic: () => number;
}

/** What the configuration in force says to a request, in the words of the log. */
export type Verdict =
  | { readonly outcome: 'permitted'; readonly rule: string; readonly charges: DecisionPredicate['charges'] }
  | {
      readonly outcome: 'pending';
      readonly rule: string;
      readonly needs: DecisionPredicate['needs'];
      /** `count` people of each group, all of them distinct. */
      readonly groups: readonly { readonly group: string; readonly count: number }[];
      /** End of the time for approvals, in milliseconds since 1970. */
      readonly expires: number;
    }
  | {
      readonly outcome: 'denied';
      readonly code: DenialCode;
      readonly rule: string | null;
      readonly reasons: DecisionPredicate['reasons'];
      readonly needs: DecisionPredicate['needs'];
    };

/** Decides one request by the configuration in force. */
export type Authorise = (
  request: PipelineRequest,
  decoded: DecodedPayload | undefined,
  approved: Approved | undefined,
) => Verdict;

/** What decisions change beside rates; the log's commits seal it. */
export interface AuthorisationState {
  /** What was spent against limits. */
  readonly accumulations: Accumulations;
  /** What bakers' keys have signed last. */
  readonly watermarks: Watermarks;
}

/**
 * Creates the decisions by a configuration; its rates start empty. A permitted request has moved the state already.
 *
 * @param mayServe tells whether enough nodes of the quorum are reachable for a key, or none are needed
 * @param coverageOf tells whether a kept backup covers the key of a request
 */
export function createAuthorise(
  { configuration, policy }: { readonly configuration: Configuration; readonly policy: Policy },
  { now, monotonic }: DecisionClocks,
  { accumulations, watermarks }: AuthorisationState,
  mayServe: (key: string) => boolean = () => true,
  coverageOf: (request: PipelineRequest) => BackupCoverage | undefined = () => undefined,
): Authorise {
  const state = createPolicyState(policy, monotonic(), accumulations);
  return (request, decoded, approved) => {
    const time = { now: now(), monotonic: monotonic() };
    if (hasExpired(configuration, time.now)) return denyByCode('CONFIGURATION_EXPIRED');
    // What one node holds can be backed up, and has to be all the more, when others are gone.
    const needsQuorum = request.operation !== 'backup';
    if (needsQuorum && !mayServe(request.poolKey?.pool ?? request.key))
      return denyByCode('QUORUM_BELOW_THRESHOLD');
    const mark = findMark(request, decoded);
    const refusal = mark && refuseMark(watermarks, mark);
    if (refusal !== undefined) return denyByCode(refusal);
    const asked = toPolicyRequest(request, decoded, approved, coverageOf(request));
    const decision = decide(policy, asked, state, time);
    if (decision.outcome === 'permitted' && mark !== undefined)
      watermarks.advance(mark.source, mark.position);
    return describeVerdict(decision, time.now);
  };
}

/** Makes the denial that no rule takes part in. */
export function denyByCode(code: DenialCode): Extract<Verdict, { outcome: 'denied' }> {
  return { outcome: 'denied', code, rule: null, reasons: [], needs: [] };
}

/** The place of a consensus payload in its chain, and the account that signs it. */
interface Mark {
  readonly source: string;
  readonly position: ConsensusPosition;
}

function findMark({ payload }: PipelineRequest, decoded: DecodedPayload | undefined): Mark | undefined {
  const source = decoded?.transaction.source ?? undefined;
  if (payload?.kind !== 'tezos-consensus' || source === undefined) return undefined;
  return { source, position: readConsensusPosition(payload, source) };
}

function refuseMark(watermarks: Watermarks, { source, position }: Mark): WatermarkRefusal | undefined {
  const verdict = watermarks.check(source, position);
  return verdict === 'advance' || verdict === 'repeat' ? undefined : verdict;
}

/** Describes a request as rules see it. */
export function toPolicyRequest(
  { operation, client, key, poolKey, algorithm, payload }: PipelineRequest,
  decoded: DecodedPayload | undefined,
  approved: Approved | undefined,
  backup?: BackupCoverage,
): PolicyRequest {
  const consent = approved && {
    rule: approved.rule,
    approvals: approved.approvals.map(({ approver, decision, time }) => ({ approver, decision, at: time })),
  };
  const kind = poolKey && { type: poolKey.type, usage: poolKey.usage };
  return makeRequest({
    operation,
    client,
    key: poolKey?.pool ?? key,
    poolKey: kind,
    algorithm,
    backup,
    consent,
    payload: payload?.kind,
    transaction: decoded?.transaction,
  });
}

function describeVerdict(decision: Decision, now: number): Verdict {
  if (decision.outcome === 'permitted') {
    const { rule } = decision;
    const charges = decision.charges.map(({ limit, asset, amount }) => ({
      rule,
      limit,
      asset,
      amount: String(amount),
    }));
    return { outcome: 'permitted', rule, charges };
  }
  const needs = decision.needs.map(describeNeed);
  if (decision.outcome === 'pending') {
    const [{ groups, expiresSeconds }] = decision.needs;
    return {
      outcome: 'pending',
      rule: decision.rule,
      needs,
      groups,
      expires: now + expiresSeconds * 1000,
    };
  }
  const reasons = decision.reasons.map((reason) => ({
    rule: reason.rule,
    condition: reason.field,
    words: describeReason(reason),
  }));
  return { outcome: 'denied', code: decision.code, rule: null, reasons, needs };
}

function describeNeed(need: Need): DecisionPredicate['needs'][number] {
  const words =
    need.kind === 'time'
      ? `in ${Math.ceil(need.milliseconds / 1000)} s`
      : need.groups.map(({ group, count }) => `${count} of ${group}`).join(' and ');
  return { rule: need.rule, kind: need.kind, words };
}
