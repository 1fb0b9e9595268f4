import { sha384 } from '@noble/hashes/sha2.js';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { digestRequest } from '../../shared/api/request-digest.ts';
import {
  PENDING_REQUEST_PAYLOAD_TYPE,
  type PendingRequestDocument,
  pendingRequestSchema,
  type ReviewResponse,
  reviewResponseSchema,
} from '../../shared/api/requests.ts';
import { decodeBase64 } from '../../shared/base64.ts';
import { openEnvelope } from '../../shared/dsse/portable.ts';
import { HoldfastError } from '../../shared/errors.ts';
import { encodeCanonicalJson } from '../../shared/json/index.ts';
import { decodePayload, type Transaction, TransactionError } from '../transactions/index.ts';
import { encodeTransaction } from '../transactions/json.ts';
import {
  openConfiguration,
  parse,
  readManifest,
  readReceiptKey,
  type ReviewConfiguration,
  type ReviewManifest,
} from './review-documents.ts';
import { ReviewError } from './review-errors.ts';
import { type ApprovalStatement, encodeStatement } from './statement.ts';

const MAX_REVIEW_BYTES = 3 * 1024 * 1024;
const MAX_PENDING_BYTES = 1024 * 1024;
const MAX_DEPTH = 16;

/** An enclave: a document that was verified with a trusted root, and the PCRs of an image that the approver trusts. */
export interface AttestedNode {
  readonly attested: { readonly pcr16: Uint8Array | undefined; readonly userData: Uint8Array | null };
  /** PCR16 of a node with this manifest: `computeManifestPcr`. */
  readonly expectedPcr16: Uint8Array;
}

/** A cold node, which nothing attests: the approver knows its receipt key, 32 bytes in hex, by its identity. */
export interface ColdNodeIdentity {
  readonly receiptKey: string;
}

/** What an approver brings along, and what an attestation verifier has found. */
export interface ReviewTrust {
  /** Bytes of the node's manifest, from a source that the approver trusts. */
  readonly manifest: Uint8Array;
  readonly node: AttestedNode | ColdNodeIdentity;
  /** Id that the approver was given; undefined where the review came as a file. */
  readonly id?: string | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** A request that may be shown to an approver: everything in it was verified, and the transaction read here. */
export interface VerifiedReview {
  readonly manifest: ReviewManifest;
  readonly pending: PendingRequestDocument;
  /** The transaction as the reader has decoded it from the payload's bytes. */
  readonly transaction: Transaction;
  readonly configuration: ReviewConfiguration;
}

/** Parses a review as a node or a file has it. @throws ReviewError REVIEW_MALFORMED */
export function parseReview(bytes: Uint8Array): ReviewResponse {
  return parse(bytes, reviewResponseSchema, { maxBytes: MAX_REVIEW_BYTES, maxDepth: 2 }, 'REVIEW_MALFORMED');
}

/** Decodes base64 that {@link parseReview} has let pass. @throws ReviewError REVIEW_MALFORMED */
export function decodeReviewPart(text: string): Uint8Array<ArrayBuffer> {
  const bytes = decodeBase64(text);
  if (bytes === undefined) throw new ReviewError('REVIEW_MALFORMED', 'expected canonical base64');
  return bytes;
}

/**
 * Verifies a review, step by step from the enclave to the transaction: the enclave runs under the approver's manifest;
 * its document names the receipt key; that key has signed the request; the request is the one asked for, and its digest
 * is that of the payload; the manifest's authorities have signed the configuration that it names; and the payload,
 * decoded here, is what the node says. Whoever carries the review can alter nothing of it.
 *
 * @throws ReviewError
 */
export function verifyReview(review: ReviewResponse, trust: ReviewTrust): VerifiedReview {
  const manifest = readManifest(trust.manifest);
  assertKind(manifest, trust.node);
  const pending = openPending(decodeReviewPart(review.envelope), findReceiptKey(trust.node));
  assertSubject(pending, trust);
  const configuration = openConfiguration(decodeReviewPart(review.configuration), manifest, {
    manifest: pending.manifest,
    ...pending.configuration,
  });
  return { manifest, pending, transaction: readTransaction(pending, configuration), configuration };
}

/** Makes the bytes that an approver signs about a verified review. */
export function createStatement(
  { pending }: VerifiedReview,
  approver: string,
  decision: ApprovalStatement['decision'],
): Uint8Array<ArrayBuffer> {
  const { id, digest, manifest, configuration, rule, expires } = pending;
  return encodeStatement({
    format: 'holdfast-approval/1',
    decision,
    request: { id, digest },
    manifest,
    configuration,
    rule,
    approver,
    expires,
  });
}

/** Asserts that a cold node's manifest is not shown for an enclave, and the other way round. */
function assertKind({ format }: ReviewManifest, node: ReviewTrust['node']): void {
  if ((format === 'holdfast-cold-manifest/1') === 'receiptKey' in node) return;
  throw new ReviewError('REVIEW_OTHER_NODE', 'the manifest is of another kind of node', { format });
}

function findReceiptKey(node: ReviewTrust['node']): string {
  if ('receiptKey' in node) return node.receiptKey;
  const { attested, expectedPcr16 } = node;
  if (attested.pcr16 === undefined || bytesToHex(attested.pcr16) !== bytesToHex(expectedPcr16)) {
    throw new ReviewError('REVIEW_OTHER_NODE', 'the enclave was started with another manifest');
  }
  return readReceiptKey(attested.userData);
}

function openPending(envelope: Uint8Array, receiptKey: string): PendingRequestDocument {
  let payload: Uint8Array;
  try {
    payload = openEnvelope(envelope, {
      payloadType: PENDING_REQUEST_PAYLOAD_TYPE,
      keys: [receiptKey],
      threshold: 1,
    });
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    throw new ReviewError(
      'REVIEW_SIGNATURE_INVALID',
      "the request is not signed by the node's receipt key",
      {},
      error,
    );
  }
  const limits = { maxBytes: MAX_PENDING_BYTES, maxDepth: MAX_DEPTH };
  return parse(payload, pendingRequestSchema, limits, 'REVIEW_MALFORMED');
}

/** Asserts that a request is the one asked for, of this node, unaltered, and still waits. */
function assertSubject(pending: PendingRequestDocument, { id, manifest, now }: ReviewTrust): void {
  const digest = bytesToHex(digestRequest({ operation: 'sign', client: pending.client, ...pending.request }));
  if ((id !== undefined && pending.id !== id) || pending.digest !== digest) {
    throw new ReviewError('REVIEW_OTHER_REQUEST', 'the request is not the one asked for', {
      expected: { id, digest },
      actual: { id: pending.id, digest: pending.digest },
    });
  }
  if (pending.manifest !== bytesToHex(sha384(manifest))) {
    throw new ReviewError('REVIEW_OTHER_NODE', 'the request names another manifest');
  }
  if (!(now < pending.expires)) {
    throw new ReviewError('REVIEW_EXPIRED', 'the request has expired', { expires: pending.expires, now });
  }
}

/** Decodes the payload, and asserts that the node has read the same. */
function readTransaction(pending: PendingRequestDocument, { networksOf }: ReviewConfiguration): Transaction {
  const { request, context } = pending;
  const networks = networksOf.get(request.key);
  if (networks === undefined || networks.join() !== context.networks.join()) {
    throw new ReviewError('REVIEW_READINGS_DIFFER', 'the configuration gives the key other networks', {
      key: request.key,
      expected: networks,
      actual: context.networks,
    });
  }
  let transaction: Transaction;
  try {
    ({ transaction } = decodePayload(request.payload, {
      algorithm: request.algorithm,
      publicKey: hexToBytes(context.publicKey),
      networks,
      ownKeys: context.ownKeys.map(({ id, publicKey }) => ({ id, publicKey: hexToBytes(publicKey) })),
    }));
  } catch (error) {
    if (!(error instanceof TransactionError)) throw error;
    throw new ReviewError('REVIEW_UNREADABLE', 'the transaction cannot be read', { code: error.code }, error);
  }
  if (canonical(encodeTransaction(transaction)) !== canonical(pending.transaction)) {
    throw new ReviewError('REVIEW_READINGS_DIFFER', 'the node has read the transaction in another way');
  }
  return transaction;
}

function canonical(value: unknown): string {
  try {
    return bytesToHex(encodeCanonicalJson(value as Parameters<typeof encodeCanonicalJson>[0]));
  } catch (error) {
    throw new ReviewError(
      'REVIEW_MALFORMED',
      'a transaction with numbers that JSON does not hold',
      {},
      error,
    );
  }
}
