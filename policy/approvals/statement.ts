import { sha256 } from '@noble/hashes/sha2.js';
import * as z from 'zod';
import { encodePae } from '../../shared/dsse/pae.ts';
import { encodeCanonicalJson, JsonError, parseJson } from '../../shared/json/index.ts';
import { ApprovalError } from './errors.ts';

/** DSSE payload type of an approval. */
export const APPROVAL_PAYLOAD_TYPE = 'application/vnd.holdfast.approval+json';
/** Longest statement, in bytes. */
export const MAX_STATEMENT_BYTES = 2048;

const identifier = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/);
const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`));

/** What an approver signs about one request: see SPEC.md of this folder. */
export const approvalStatementSchema = z.strictObject({
  format: z.literal('holdfast-approval/1'),
  /** `reject` ends the request, whatever others say. */
  decision: z.enum(['approve', 'reject']),
  request: z.strictObject({
    /** Id of the request that waits: 128 random bits. */
    id: hex(16),
    /** SHA-256 of the canonical request, see `digestRequest`. */
    digest: hex(32),
  }),
  /** SHA-384 of the node's manifest. */
  manifest: hex(48),
  configuration: z.strictObject({
    version: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
    /** SHA-384 of the signed bytes. */
    digest: hex(48),
  }),
  /** Rule that asks for the approval. */
  rule: identifier,
  /** Id of the person in the configuration. */
  approver: identifier,
  /** End of its validity: the request's, in milliseconds since 1970. */
  expires: z.int().min(0).max(8.64e15),
});
export type ApprovalStatement = z.infer<typeof approvalStatementSchema>;

/** Encodes a statement as canonical JSON (RFC 8785). */
export function encodeStatement(statement: ApprovalStatement): Uint8Array<ArrayBuffer> {
  return encodeCanonicalJson(statement);
}

/**
 * Parses a statement, and requires the very bytes that encoding it again gives: a signature covers one reading.
 *
 * @throws ApprovalError APPROVAL_MALFORMED
 */
export function parseStatement(bytes: Uint8Array): ApprovalStatement {
  const parsed = approvalStatementSchema.safeParse(parseBytes(bytes));
  if (!parsed.success) throw malformed('not a statement of holdfast-approval/1');
  const canonical = encodeStatement(parsed.data);
  if (canonical.length !== bytes.length || !canonical.every((byte, index) => byte === bytes[index])) {
    throw malformed('the statement is not canonical JSON');
  }
  return parsed.data;
}

/** Encodes the bytes that an Ed25519 key signs for a statement: DSSE's pre-authentication encoding. */
export function encodeApprovalMessage(statement: Uint8Array): Uint8Array {
  return encodePae(APPROVAL_PAYLOAD_TYPE, statement);
}

/** Computes the challenge that a passkey signs for a statement: SHA-256 of the bytes that an Ed25519 key signs. */
export function computeChallenge(statement: Uint8Array): Uint8Array<ArrayBuffer> {
  return sha256(encodeApprovalMessage(statement));
}

function parseBytes(bytes: Uint8Array): unknown {
  try {
    return parseJson(bytes, { maxBytes: MAX_STATEMENT_BYTES, maxDepth: 2 });
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw malformed('the statement is not strict JSON', error);
  }
}

function malformed(message: string, cause?: unknown): ApprovalError {
  return new ApprovalError('APPROVAL_MALFORMED', message, {}, cause);
}
