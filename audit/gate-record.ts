import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import * as z from 'zod';
import { equalBytes } from '../attestation/bytes.ts';
import { AWS_NITRO_ROOT_G1 } from '../attestation/index.ts';
import { GATE_RECORD_FORMAT, GATE_RECORD_TYPE } from '../attestation/key-policy/index.ts';
import { parseEnvelope, verifyEnvelope } from '../shared/dsse/index.ts';
import { JsonError, parseJson } from '../shared/json/index.ts';
import { AuditError } from './errors.ts';

/** Of a signed record, in bytes. */
export const MAX_GATE_RECORD_BYTES = 2 * 1024 * 1024;
const digestSchema = z.string().regex(/^[0-9a-f]{64}$/);

/** What an auditor relies on; members that a later version adds are shown as they are. */
const recordSchema = z.looseObject({
  format: z.literal(GATE_RECORD_FORMAT),
  decidedAt: z.iso.datetime(),
  keyArn: z.string(),
  policySha256: digestSchema,
  replacesSha256: digestSchema.nullable(),
  document: z.looseObject({
    sha256: digestSchema,
    root: z.strictObject({ name: z.string(), sha256: digestSchema, isAws: z.boolean() }),
    moduleId: z.string(),
    signedAt: z.iso.datetime(),
    nonce: z.string().regex(/^(?:[0-9a-f]{2})+$/),
    pcrs: z.record(z.string(), z.string().regex(/^[0-9a-f]{96}$/)),
  }),
  findings: z.array(z.looseObject({ code: z.string(), severity: z.string() })),
});
/** A record as its reader relies on it; attestation/key-policy/gate-record.ts is its writer's side. */
export type VerifiedGateRecord = z.infer<typeof recordSchema>;

/**
 * Opens the signed record of a decision of the gate.
 *
 * @param file a DSSE envelope as JSON
 * @param keys raw Ed25519 public keys in hex, each once; all of them must have signed
 * @throws DsseError when they have not, or it is no envelope; AuditError RECORD_MALFORMED
 */
export function openGateRecord(file: Uint8Array, keys: readonly string[]): VerifiedGateRecord {
  const expected = { payloadType: GATE_RECORD_TYPE, keys, threshold: keys.length };
  const { payload } = verifyEnvelope(parseEnvelope(file), expected);
  const parsed = recordSchema.safeParse(readJson(payload));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new AuditError('RECORD_MALFORMED', 'signed, but not a record of the gate', {
    field: issue?.path.join('.'),
  });
}

/** Undefined for what is no JSON: the schema refuses it. */
function readJson(bytes: Uint8Array): unknown {
  try {
    return parseJson(bytes, { maxBytes: MAX_GATE_RECORD_BYTES, maxDepth: 16 });
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}

/** What a record may be compared with: a record that is about anything else is refused. */
export interface GateRecordSubject {
  /** The trust anchor that the document verified under, a certificate in DER. */
  readonly root: Uint8Array;
  /** The policy that was let through, as it is put. */
  readonly policy?: string;
  /** The attestation document that the decision rests on. */
  readonly document?: Uint8Array;
}

/**
 * Compares a record with what it has to be about.
 *
 * @returns what was compared: `root`, `policy`, `document`
 * @throws AuditError RECORD_MISMATCH
 */
export function compareGateRecord(
  record: VerifiedGateRecord,
  { root, policy, document }: GateRecordSubject,
): readonly string[] {
  const compared = ['root'];
  assertSame('document.root.sha256', record.document.root.sha256, root);
  // Whoever signed could have written anything there, and it is shown as what the verdict rests on.
  const isAws = equalBytes(root, AWS_NITRO_ROOT_G1);
  if (record.document.root.isAws !== isAws)
    throw mismatch('document.root.isAws', isAws, record.document.root.isAws);
  if (policy !== undefined) {
    assertSame('policySha256', record.policySha256, utf8ToBytes(policy));
    compared.push('policy');
  }
  if (document !== undefined) {
    assertSame('document.sha256', record.document.sha256, document);
    compared.push('document');
  }
  return compared;
}

function assertSame(field: string, expected: string, bytes: Uint8Array): void {
  const actual = bytesToHex(sha256(bytes));
  if (actual !== expected) throw mismatch(field, expected, actual);
}

function mismatch(field: string, expected: unknown, actual: unknown): AuditError {
  return new AuditError('RECORD_MISMATCH', `the record is about something else: ${field} differs`, {
    field,
    expected,
    actual,
  });
}
