import type { VerifiedDocument } from '../../attestation/index.ts';
import { nodeBindingSchema } from '../../shared/api/bodies.ts';
import { parseJson } from '../../shared/json/index.ts';
import { LOG_KEY_TYPES, parseVerifierKey, type VerifierKey } from '../log/index.ts';
import { ReceiptError } from './errors.ts';

/** Of an attestation document. */
const MAX_USER_DATA_BYTES = 1024;

/** What a verified attestation document says of the node that signs receipts. */
export interface ReceiptNode {
  /** SHA-384 of the manifest's bytes in hex; the document's PCR16 was compared with its measurement. */
  readonly manifest: string;
  /** Id of the boot in hex. */
  readonly session: string;
  /** Raw Ed25519 public key in hex. */
  readonly receiptKey: string;
  readonly log: { readonly origin: string; readonly key: VerifierKey };
  /** When the hypervisor signed the document, in milliseconds since 1970. */
  readonly attestedAt: number;
}

/**
 * Reads the keys of receipts and log out of a document that was verified against the image's PCRs and PCR16.
 *
 * @param manifest SHA-384 of the manifest's bytes, in hex
 * @throws ReceiptError RECEIPT_UNBOUND; LogError VERIFIER_KEY_MALFORMED
 */
export function readReceiptNode(
  { userData, timestamp }: Pick<VerifiedDocument, 'userData' | 'timestamp'>,
  manifest: string,
): ReceiptNode {
  const binding = nodeBindingSchema.safeParse(readUserData(userData ?? new Uint8Array()));
  if (!binding.success || binding.data.format !== 'holdfast-node/2') {
    throw new ReceiptError('RECEIPT_UNBOUND', 'the document names no key of receipts', {
      expected: 'holdfast-node/2',
      actual: binding.data?.format,
    });
  }
  const { session, receiptKey, log } = binding.data;
  return {
    manifest,
    session,
    receiptKey,
    log: { origin: log.origin, key: parseVerifierKey(log.key, LOG_KEY_TYPES) },
    attestedAt: timestamp,
  };
}

/** Undefined for what is no JSON: the schema refuses it. */
function readUserData(userData: Uint8Array): unknown {
  try {
    return parseJson(userData, { maxBytes: MAX_USER_DATA_BYTES, maxDepth: 3 });
  } catch {
    return undefined;
  }
}
