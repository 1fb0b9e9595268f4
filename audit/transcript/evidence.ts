import { createPrivateKey, createPublicKey } from 'node:crypto';
import { type Suites, ThresholdError } from '../../shared/frost/index.ts';
import { exportPublicKey } from '../../shared/hpke/index.ts';
import { type VerifiedDealings, verifyDealings } from './dealings.ts';
import { TranscriptError } from './errors.ts';
import { assertSigned, complaintBodySchema, decodeBody, digestBody, type SignedMessage } from './message.ts';
import { decodePlan, digestPlan, type Plan } from './plan.ts';
import {
  listDealings,
  type VerifiedCommits,
  verifyCommits,
  type VerifiedDeals,
  verifyDeals,
} from './rounds.ts';
import { openParts } from './secret-parts.ts';

/** Signed messages of a ceremony that has failed, by which anybody can tell who is at fault. */
export interface Evidence {
  /** The encoded plan. */
  readonly plan: Uint8Array;
  readonly commits: readonly SignedMessage[];
  readonly deals: readonly SignedMessage[];
  readonly complaints: readonly SignedMessage[];
}

/**
 * Finds all who are at fault: dealers whose commitments or proofs do not verify, members that have signed another view
 * or a message of the wrong form, dealers whose parts for one who complains do not fit, and those who complain
 * wrongly. A complaint opens what it is about.
 *
 * @throws TranscriptError where a message is not signed by its sender, or complete messages of a step are missing
 */
export function judgeMessages(suites: Suites, evidence: Evidence): number[] {
  const plan = decodePlan(evidence.plan);
  const planDigest = digestPlan(evidence.plan);
  const culprits = new Set<number>();
  const blame = (error: unknown) => {
    const named = readCulprits(error);
    if (named.length === 0) throw error;
    for (const node of named) culprits.add(node);
  };
  const attempt = <Result>(act: () => Result): Result | undefined => {
    try {
      return act();
    } catch (error) {
      blame(error);
      return undefined;
    }
  };
  const commits = attempt(() => verifyCommits(plan, planDigest, evidence.commits));
  if (commits === undefined) return sorted(culprits);
  const dealings = plan.keys.map((_, index) =>
    attempt(() => verifyDealings(suites, plan, planDigest, index, listDealings(plan, commits, index))),
  );
  if (evidence.deals.length === 0 || culprits.size > 0) return sorted(culprits);
  const deals = attempt(() => verifyDeals(plan, planDigest, commits.digest, evidence.deals));
  if (deals === undefined) return sorted(culprits);
  const known: Case = { plan, planDigest, commits, deals, dealings: dealings.flatMap((one) => one ?? []) };
  for (const complaint of evidence.complaints)
    for (const node of judgeComplaint(known, complaint)) culprits.add(node);
  return sorted(culprits);
}

interface Case {
  readonly plan: Plan;
  readonly planDigest: Uint8Array;
  readonly commits: VerifiedCommits;
  readonly deals: VerifiedDeals;
  readonly dealings: readonly VerifiedDealings[];
}

/** Finds who is at fault: each accused dealer whose parts do not fit, or the one who complains of one whose parts do. */
function judgeComplaint(
  { plan, planDigest, commits, deals, dealings }: Case,
  complaint: SignedMessage,
): number[] {
  const { sender, step, body, signature } = complaint;
  const member = plan.members.find(({ node }) => node === sender);
  if (step !== 'complain' || member === undefined || !plan.holders.includes(sender))
    throw new TranscriptError('EVIDENCE_INSUFFICIENT', 'expected the complaint of a holder');
  assertSigned(member.receiptKey, planDigest, { step, sender, bodyDigest: digestBody(body), signature });
  const { accused } = decodeBody(complaintBodySchema, complaint);
  return accused.map(({ dealer, recipientKey }) => {
    const announced = commits.bodies.get(sender)?.recipientKeys[plan.dealers.indexOf(dealer)];
    const key = readPrivateKey(recipientKey);
    if (
      announced === undefined ||
      key === undefined ||
      !exportPublicKey(createPublicKey(key)).equals(announced)
    )
      return sender;
    const pair = { dealer, holder: sender };
    const parts = openParts(key, plan, deals.bodies.get(dealer), planDigest, commits.digest, pair);
    if (parts === undefined) return dealer;
    const isRight = dealings.every((dealing, index) => {
      const part = parts[index];
      return part !== undefined && dealing.isPartOf(dealer, sender, part.value);
    });
    return isRight ? sender : dealer;
  });
}

function readPrivateKey(bytes: Uint8Array) {
  try {
    return createPrivateKey({ key: Buffer.from(bytes), format: 'raw-private', asymmetricKeyType: 'x25519' });
  } catch {
    return undefined;
  }
}

function readCulprits(error: unknown): readonly number[] {
  if (error instanceof ThresholdError) return error.culprits;
  const { culprits } = error instanceof TranscriptError ? error.details : {};
  return Array.isArray(culprits) ? culprits.filter((one): one is number => typeof one === 'number') : [];
}

function sorted(culprits: ReadonlySet<number>): number[] {
  return [...culprits].toSorted((a, b) => a - b);
}
