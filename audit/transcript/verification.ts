import {
  AttestationError,
  extendPcr,
  MANIFEST_PCR,
  type PcrValues,
  verifyAttestationDocument,
  zeroPcr,
} from '../../attestation/index.ts';
import type { Suites } from '../../shared/frost/index.ts';
import { ReceiptError, type ReceiptNode, readReceiptNode } from '../receipt/index.ts';
import { verifyCertificate } from './certificate.ts';
import { verifyDealings } from './dealings.ts';
import { TranscriptError } from './errors.ts';
import { type CeremonyMember, decodePlan, digestPlan, type Plan } from './plan.ts';
import { listDealings, verifyCommits, verifyDeals } from './rounds.ts';
import { decodeTranscript, extractCertificate } from './transcript.ts';

/** What an auditor trusts. */
export interface TranscriptTrust {
  /** The trusted root of attestation documents, in DER. */
  readonly root: Uint8Array;
  /** Measurements of the images that participants may have run. */
  readonly images: readonly PcrValues[];
  /** SHA-384 of the manifests that participants may have had, in hex. */
  readonly manifests: readonly string[];
  readonly suites: Suites;
}

/** An epoch of a key that a verified transcript has made. */
export interface VerifiedEpoch {
  readonly key: string;
  readonly epoch: number;
  readonly publicKey: Uint8Array;
  /** Commitments to the group's polynomial; the first one is the public key. */
  readonly commitments: readonly Uint8Array[];
}

/** A ceremony all of whose messages and documents have been verified. */
export interface VerifiedTranscript {
  readonly plan: Plan;
  /** SHA-256 that every holder has confirmed. */
  readonly transcript: Uint8Array;
  /** The keys in the plan's order: public key, and SHA-384 of the group's commitments. */
  readonly keys: readonly VerifiedEpoch[];
}

/**
 * Verifies the transcript of a ceremony, offline and years later: that the participants were enclaves of these images and
 * manifests and made their documents for this ceremony; that each has signed its messages; that proofs and commitments
 * verify and make the groups that are named; that all holders have confirmed the same transcript.
 *
 * @throws TranscriptError with any code but EVIDENCE_INSUFFICIENT; ThresholdError
 */
export function verifyTranscript(bytes: Uint8Array, trust: TranscriptTrust): VerifiedTranscript {
  const transcript = decodeTranscript(bytes);
  const plan = decodePlan(transcript.plan);
  const planDigest = digestPlan(transcript.plan);
  const commits = verifyCommits(plan, planDigest, transcript.commits);
  for (const member of plan.members) {
    const document = commits.bodies.get(member.node)?.document ?? new Uint8Array();
    assertDocument(member, document, planDigest, trust);
  }
  verifyDeals(plan, planDigest, commits.digest, transcript.deals);
  for (const [index, expected] of transcript.result.entries()) {
    const { group } = verifyDealings(
      trust.suites,
      plan,
      planDigest,
      index,
      listDealings(plan, commits, index),
    );
    const isSame = group.commitments.every((one, at) =>
      Buffer.from(one).equals(expected[at] ?? new Uint8Array()),
    );
    if (!isSame || expected.length !== group.commitments.length)
      throw new TranscriptError('CEREMONY_RESULT_WRONG', 'the dealings make another group', {
        key: plan.keys[index]?.key,
      });
  }
  // A transcript that waits for its certificate lacks confirmations, and is refused for that.
  const verified = verifyCertificate(extractCertificate(transcript));
  return {
    plan,
    transcript: verified.transcript,
    keys: plan.keys.map(({ key, epoch }, index) => ({
      key,
      epoch,
      publicKey: verified.result[index]?.[0] ?? new Uint8Array(),
      commitments: verified.result[index] ?? [],
    })),
  };
}

/** Asserts that a document was made for the ceremony, by an enclave that is trusted, and names the member's key. */
function assertDocument(
  member: CeremonyMember,
  document: Uint8Array,
  planDigest: Uint8Array,
  { root, images, manifests }: TranscriptTrust,
): void {
  const manifest = Buffer.from(member.manifest).toString('hex');
  const refuse = (message: string, cause?: unknown) =>
    new TranscriptError('CEREMONY_DOCUMENT_WRONG', message, { node: member.node }, cause);
  if (!manifests.includes(manifest)) throw refuse('the manifest is none of those that are expected');
  const pcr16 = extendPcr(zeroPcr(), member.manifest);
  const pcrs = images.map((image) => new Map([...image, [MANIFEST_PCR, pcr16] as const]));
  let found: ReceiptNode;
  try {
    const verified = verifyAttestationDocument(document, { root, at: 'document', pcrs, nonce: planDigest });
    found = readReceiptNode(verified, manifest);
  } catch (error) {
    if (!(error instanceof AttestationError) && !(error instanceof ReceiptError)) throw error;
    throw refuse('no document of an expected image for this ceremony', error);
  }
  const receiptKey = Buffer.from(member.receiptKey).toString('hex');
  if (found.session !== member.session || found.receiptKey !== receiptKey)
    throw refuse('the document is of another boot or receipt key');
}
