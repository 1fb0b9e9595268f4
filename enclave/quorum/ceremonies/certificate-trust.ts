import {
  assertSigned,
  decodePlan,
  digestBody,
  digestPlan,
  type Plan,
  type SignedMessage,
  TranscriptError,
} from '../../../audit/transcript/index.ts';
import type { ShareRecord } from '../../frost/index.ts';

/**
 * Tells whether a node that has not confirmed an epoch may believe its certificate: as many nodes as sign with its own
 * share have signed the certificate with keys that they have proved to this node in a session.
 */
export function hasTrustedSigners(
  { dealers, holders, members, threshold }: Plan,
  { current }: ShareRecord,
  provenKey: (node: number) => Uint8Array | undefined,
): boolean {
  const signers = new Set([...dealers, ...holders]);
  const proven = members.filter(({ node, receiptKey }) => {
    const known = provenKey(node);
    return signers.has(node) && known !== undefined && Buffer.from(known).equals(receiptKey);
  });
  return proven.length >= (current?.group.threshold ?? threshold);
}

/** Asserts that a holder of a plan has signed that it never confirms. @throws TranscriptError */
export function assertAbort(encodedPlan: Uint8Array, message: SignedMessage): void {
  const { holders, members } = decodePlan(encodedPlan);
  const { step, sender, body, signature } = message;
  const member = members.find(({ node }) => node === sender);
  if (step !== 'abort' || member === undefined || !holders.includes(sender))
    throw new TranscriptError('CEREMONY_SENDERS_WRONG', 'expected the abort of a holder', { actual: sender });
  assertSigned(member.receiptKey, digestPlan(encodedPlan), {
    step,
    sender,
    bodyDigest: digestBody(body),
    signature,
  });
}
