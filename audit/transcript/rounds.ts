import { assertSenders } from './certificate.ts';
import { TranscriptError } from './errors.ts';
import {
  assertSigned,
  type CeremonyStep,
  type CommitBody,
  commitBodySchema,
  type DealBody,
  dealBodySchema,
  decodeBody,
  digestBody,
  digestMessages,
  type SignedMessage,
} from './message.ts';
import type { SentDealing } from './dealings.ts';
import type { Plan } from './plan.ts';

/** The `commit` messages of all members: signed, complete, and of the right form. */
export interface VerifiedCommits {
  readonly bodies: ReadonlyMap<number, CommitBody>;
  /** Digest of the messages. */
  readonly digest: Uint8Array;
}

/** The `deal` messages of all members, who have seen the same `commit` messages. */
export interface VerifiedDeals {
  readonly bodies: ReadonlyMap<number, DealBody>;
  /** Digest of the messages. */
  readonly digest: Uint8Array;
}

/**
 * Verifies the first messages of a ceremony. What is dealt in them is verified by {@link verifyDealings}.
 *
 * @throws TranscriptError CEREMONY_SENDERS_WRONG, CEREMONY_SIGNATURE_INVALID, TRANSCRIPT_MALFORMED,
 * CEREMONY_DEALING_INVALID
 */
export function verifyCommits(
  plan: Plan,
  planDigest: Uint8Array,
  messages: readonly SignedMessage[],
): VerifiedCommits {
  const bodies = openMessages(plan, planDigest, 'commit', messages, (message) =>
    decodeBody(commitBodySchema, message),
  );
  const isOfForm = (node: number, { recipientKeys, dealings }: CommitBody) =>
    recipientKeys.length === (plan.holders.includes(node) ? plan.dealers.length : 0) &&
    dealings.length === (plan.dealers.includes(node) ? plan.keys.length : 0);
  assertNoCulprits(
    bodies,
    isOfForm,
    'CEREMONY_DEALING_INVALID',
    'expected a key for each dealer, a dealing for each key',
  );
  return { bodies, digest: digestMessages(planDigest, messages) };
}

/**
 * Verifies the second messages of a ceremony.
 *
 * @param commits digest of the first messages as the caller has seen them
 * @throws TranscriptError CEREMONY_SENDERS_WRONG, CEREMONY_SIGNATURE_INVALID, TRANSCRIPT_MALFORMED,
 * CEREMONY_VIEWS_DIFFER, CEREMONY_DEALING_INVALID
 */
export function verifyDeals(
  plan: Plan,
  planDigest: Uint8Array,
  commits: Uint8Array,
  messages: readonly SignedMessage[],
): VerifiedDeals {
  const bodies = openMessages(plan, planDigest, 'deal', messages, (message) =>
    decodeBody(dealBodySchema, message),
  );
  const hasSameView = (_: number, body: DealBody) => Buffer.from(commits).equals(body.commitments);
  assertNoCulprits(bodies, hasSameView, 'CEREMONY_VIEWS_DIFFER', 'a participant has seen other commitments');
  const isOfForm = (node: number, { ciphertexts }: DealBody) =>
    ciphertexts.length === (plan.dealers.includes(node) ? plan.holders.length : 0);
  assertNoCulprits(bodies, isOfForm, 'CEREMONY_DEALING_INVALID', 'expected a ciphertext for each holder');
  return { bodies, digest: digestMessages(planDigest, messages) };
}

/** Lists what all dealers have dealt for one key of the plan. */
export function listDealings(plan: Plan, { bodies }: VerifiedCommits, index: number): SentDealing[] {
  return plan.dealers.flatMap((sender) => {
    const dealing = bodies.get(sender)?.dealings[index];
    return dealing === undefined ? [] : [{ sender, dealing }];
  });
}

function openMessages<Body>(
  { members }: Plan,
  planDigest: Uint8Array,
  step: CeremonyStep,
  messages: readonly SignedMessage[],
  open: (message: SignedMessage) => Body,
): Map<number, Body> {
  assertSenders(
    members.map(({ node }) => node),
    messages,
  );
  const bodies = new Map<number, Body>();
  for (const [index, message] of messages.entries()) {
    const { sender, body, signature } = message;
    if (message.step !== step)
      throw new TranscriptError('CEREMONY_SENDERS_WRONG', 'expected a message of another step', {
        expected: step,
        actual: message.step,
      });
    const receiptKey = members[index]?.receiptKey ?? new Uint8Array();
    assertSigned(receiptKey, planDigest, { step, sender, bodyDigest: digestBody(body), signature });
    bodies.set(sender, open(message));
  }
  return bodies;
}

function assertNoCulprits<Body>(
  bodies: ReadonlyMap<number, Body>,
  isRight: (node: number, body: Body) => boolean,
  code: 'CEREMONY_DEALING_INVALID' | 'CEREMONY_VIEWS_DIFFER',
  message: string,
): void {
  const culprits = [...bodies].filter(([node, body]) => !isRight(node, body)).map(([node]) => node);
  if (culprits.length > 0) throw new TranscriptError(code, message, { culprits });
}
