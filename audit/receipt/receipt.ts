import * as z from 'zod';
import { decodeBase64, encodeBase64 } from '../../shared/base64.ts';
import { encodePae } from '../../shared/dsse/pae.ts';
import { parseJson } from '../../shared/json/index.ts';
import { MAX_ENTRY_BYTES } from './entry.ts';
import { ReceiptError } from './errors.ts';
import { base64UpTo, hex } from './fields.ts';

/** Largest receipt file, in bytes: entry, proof with cosignatures, and attestation document. */
export const MAX_RECEIPT_BYTES = 256 * 1024;
const MAX_PROOF_CHARACTERS = 64 * 1024;
/** Of an attestation document. */
const MAX_DOCUMENT_BYTES = 16_640;

export const RECEIPT_FORMAT = 'holdfast-receipt/1';
/** DSSE's payload type of in-toto statements. */
export const ENTRY_PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/** A DSSE envelope over the bytes of one entry, signed by the node's receipt key, whose raw hex is `keyid`. */
const envelopeSchema = z.strictObject({
  payloadType: z.literal(ENTRY_PAYLOAD_TYPE),
  payload: base64UpTo(MAX_ENTRY_BYTES),
  signatures: z.tuple([z.strictObject({ keyid: hex(32), sig: base64UpTo(64) })]),
});
export type ReceiptEnvelope = z.infer<typeof envelopeSchema>;

/** Schema of a receipt file, its members in this order. */
export const receiptSchema = z.strictObject({
  format: z.literal(RECEIPT_FORMAT),
  envelope: envelopeSchema,
  /** C2SP tlog-proof of the entry's place in the log; null before there is a checkpoint over it. */
  proof: z.string().max(MAX_PROOF_CHARACTERS).nullable(),
  /** An attestation document whose user_data names the receipt key, in base64. */
  document: base64UpTo(MAX_DOCUMENT_BYTES).optional(),
});
export type Receipt = z.infer<typeof receiptSchema>;

/** Returns the bytes that the receipt key signs for an entry. @param entry the bytes of its leaf */
export function encodeReceiptPae(entry: Uint8Array): Uint8Array {
  return encodePae(ENTRY_PAYLOAD_TYPE, entry);
}

/**
 * Makes a receipt.
 *
 * @param entry the bytes of the leaf
 * @param signer raw Ed25519 public key of the receipt key in hex, and its signature over {@link encodeReceiptPae}
 * @param parts the proof's text, or null; the attestation document's bytes, where the receipt carries one
 */
export function createReceipt(
  entry: Uint8Array,
  signer: { readonly publicKey: string; readonly signature: Uint8Array },
  { proof, document }: { readonly proof: string | null; readonly document?: Uint8Array },
): Receipt {
  return {
    format: RECEIPT_FORMAT,
    envelope: {
      payloadType: ENTRY_PAYLOAD_TYPE,
      payload: encodeBase64(entry),
      signatures: [{ keyid: signer.publicKey, sig: encodeBase64(signer.signature) }],
    },
    proof,
    ...(document === undefined ? {} : { document: encodeBase64(document) }),
  };
}

/** Parts of a receipt as bytes; nothing is verified. */
export interface UnverifiedReceipt {
  /** The bytes of the leaf. */
  readonly entry: Uint8Array;
  readonly signer: { readonly publicKey: string; readonly signature: Uint8Array };
  readonly proof: string | null;
  readonly document: Uint8Array | undefined;
}

/** Parses a receipt file without verifying it. @throws ReceiptError RECEIPT_MALFORMED */
export function unsafeParseReceipt(bytes: Uint8Array): UnverifiedReceipt {
  let value: unknown;
  try {
    value = parseJson(bytes, { maxBytes: MAX_RECEIPT_BYTES, maxDepth: 5 });
  } catch (error) {
    throw new ReceiptError('RECEIPT_MALFORMED', 'the receipt is not strict JSON', {}, error);
  }
  const parsed = receiptSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ReceiptError('RECEIPT_MALFORMED', 'the receipt does not match its schema', {
      field: issue?.path.join('.'),
    });
  }
  const { envelope, proof, document } = parsed.data;
  const [{ keyid, sig }] = envelope.signatures;
  return {
    entry: decode(envelope.payload),
    signer: { publicKey: keyid, signature: decode(sig) },
    proof,
    document: document === undefined ? undefined : decode(document),
  };
}

/** Decodes what the schema has shown to be base64. */
function decode(text: string): Uint8Array {
  const bytes = decodeBase64(text);
  if (bytes === undefined) throw new TypeError('expected base64');
  return bytes;
}
