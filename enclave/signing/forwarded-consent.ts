import {
  ApprovalError,
  type ApproverEntry,
  type ExpectedApproval,
  parseStatement,
  verifyApproval,
} from '../../policy/approvals/index.ts';
import type { Policy } from '../../policy/index.ts';
import { SIGNATURE_WINDOW_SECONDS } from '../../shared/http-signature/index.ts';
import { toApproval, toCanonical, type Vote } from '../approvals/index.ts';
import type { ForwardedConsent } from '../quorum/signing/index.ts';
import type { Approved } from './carry-out.ts';

/** What a node compares votes with that another node forwards: its own configuration, and who has coordinated. */
export interface ConsentContext {
  readonly policy: Policy;
  readonly approvers: readonly ApproverEntry[];
  /** SHA-384 of the coordinator's manifest in hex, as this node's configuration names it. */
  readonly manifest: string;
  /** Configuration of the coordinator, which its votes name. */
  readonly configuration: ExpectedApproval['configuration'];
  readonly requester: ExpectedApproval['requester'];
  /** SHA-256 of the canonical request, in hex. */
  readonly digest: string;
  /** Seconds since 1970 at which the client has created the request. */
  readonly created: number;
  /** Milliseconds since 1970, by this node's NSM. */
  readonly now: number;
}

/** The longest time, in seconds, that a rule of a policy lets requests wait; 0 where none does. */
export function longestWait({ permits }: Policy): number {
  return Math.max(0, ...permits.all.map(({ id }) => waitOf({ permits }, id)));
}

/** The longest time, in seconds, that a rule lets a request wait; 0 for a rule that asks nobody, or that is unknown. */
function waitOf({ permits }: Pick<Policy, 'permits'>, id: string): number {
  const rule = permits.all.find((permit) => permit.id === id);
  const requirements = [
    rule?.approvals,
    ...(rule?.tiers ?? []).flatMap(({ steps }) => steps.map(({ approvals }) => approvals)),
  ];
  return Math.max(0, ...requirements.map((each) => each?.expiresSeconds ?? 0));
}

/**
 * Verifies votes that were cast at the coordinator, by this node's own approvers and rules: each is about this very
 * request, by a person whom this node's rule of that name asks and who is not behind the client, at the node that
 * coordinates, within the time that this node's rule gives. Whether they suffice is left to the policy. The counters of
 * passkeys were held by the coordinator: other nodes see the assertions of one person in no order of theirs.
 *
 * @throws ApprovalError
 */
export function verifyForwardedConsent(
  { id, expires, votes }: Pick<ForwardedConsent, 'id' | 'expires' | 'votes'>,
  context: ConsentContext,
): Approved {
  const { policy, created, now } = context;
  // Unverified as yet: every vote has to name it, and this node's own rule of that name is what counts.
  const { rule } = parseStatement(Buffer.from(votes[0]?.statement ?? '', 'base64'));
  const own = policy.permits.all.find((permit) => permit.id === rule);
  if (own === undefined)
    throw new ApprovalError('APPROVAL_OTHER_RULE', 'no rule of this node has the name', { rule });
  const latest = (created + SIGNATURE_WINDOW_SECONDS + waitOf(policy, rule) + 1) * 1000;
  if (expires > latest) {
    throw new ApprovalError('APPROVAL_EXPIRED', 'the request was to wait longer than the rule lets it', {
      expires,
      latest,
    });
  }
  const counted: Vote[] = [];
  for (const vote of votes) {
    const expected: ExpectedApproval = {
      request: { id, digest: context.digest },
      manifest: context.manifest,
      configuration: context.configuration,
      rule,
      expires,
      asked: [...own.asked],
      requester: context.requester,
      votes: counted,
    };
    const { approver, decision } = verifyApproval(toApproval(vote), expected, {
      approvers: context.approvers,
      now,
      lastCounter: () => 0,
    });
    counted.push({ approver, decision, ...toCanonical(vote), time: now });
  }
  return { id, rule, expires, approvals: counted };
}
