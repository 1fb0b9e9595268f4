import * as z from 'zod';
import { childPathSchema } from './child-path.ts';
import { payloadSchema } from './payloads.ts';
import { algorithmSchema, keyTypeSchema, shareTypeSchema } from '../algorithms.ts';

export * from './payloads.ts';

/**
 * The bodies of a node's HTTPS interface, JSON in UTF-8; byte strings are lower-case hex.
 *
 * GET  /v1/health                    that the node serves
 * POST /v1/attestation               an attestation document for the caller's nonce
 * GET  /v1/keys                      public keys                              (signed request)
 * POST /v1/sign                      a signature                              (signed request)
 * POST /v1/explain                   what would be decided, a dry run        (signed request)
 * PUT  /v1/keys/{id}/share           imports an encrypted FROST share         (signed request)
 *
 * POST /add-checkpoint               a cosignature of a peer's log, C2SP tlog-witness: text both ways
 *
 * A body has a Content-Length, and one request at a time is under way on a connection.
 * A signed request carries an HTTP Message Signature (RFC 9421): see shared/http-signature.
 */

export const MAX_REQUEST_BYTES = 64 * 1024;
/** Longest body of `POST /v1/sign`, in bytes: room for the longest PSBT in base64. */
export const MAX_SIGN_REQUEST_BYTES = 256 * 1024;

const identifier = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/);
const hex = (minimum: number, maximum: number) =>
  z.string().regex(new RegExp(`^([0-9a-f]{2}){${minimum},${maximum}}$`));

export const attestationRequestSchema = z.strictObject({ nonce: hex(16, 64) });
export const attestationResponseSchema = z.strictObject({ document: z.base64().max(32 * 1024) });

const bindingFields = {
  /** Random for each boot; signed requests name it, so that none can be replayed to another node or boot. */
  session: hex(16, 16),
  /** Version of the configuration in force. */
  configuration: z.int().min(1),
  /** X25519 public key that shares are encrypted to; made anew at each boot. */
  importKey: hex(32, 32),
};

const witnessGroup = z.strictObject({ threshold: z.int().min(1), of: z.int().min(1) });

/**
 * The user_data of an API attestation document, as JSON of at most 1,024 bytes. The document vouches for it beside
 * public_key, which is the SubjectPublicKeyInfo of the TLS certificate.
 */
const currentBindingSchema = z.strictObject({
  format: z.literal('holdfast-node/2'),
  ...bindingFields,
  /** The node's log: its origin (C2SP tlog-checkpoint), and the key that signs checkpoints as a vkey of signed-note. */
  log: z.strictObject({ origin: z.string().max(256), key: z.string().max(384) }),
  /** Ed25519 public key that verifies receipts. */
  receiptKey: hex(32, 32),
  /** How many of the witnesses must cosign before anything leaves the node; null where the configuration names none. */
  witnesses: witnessGroup.nullable(),
  /** How many other nodes of the quorum must cosign too; left out where the configuration asks for none. */
  peerWitnesses: witnessGroup.optional(),
  /**
   * Ed25519 public key by which the node cosigns other nodes' logs: the name before it in a vkey is that of the log, with
   * `/witness` in place of `/log`. Left out by nodes of earlier versions.
   */
  witnessKey: hex(32, 32).optional(),
});
export type NodeBinding = z.infer<typeof currentBindingSchema>;

/** The binding of a node of any version: those of format 1 had neither log nor receipts. */
export const nodeBindingSchema = z.discriminatedUnion('format', [
  currentBindingSchema,
  z.strictObject({ format: z.literal('holdfast-node/1'), ...bindingFields }),
]);
export type AnyNodeBinding = z.infer<typeof nodeBindingSchema>;

export const healthResponseSchema = z.strictObject({ status: z.literal('serving') });

export const keyInfoSchema = z.strictObject({
  id: identifier,
  type: keyTypeSchema,
  /** Raw Ed25519, compressed SEC1, G1 of BLS12-381, or the group's public key of a share; null while a share awaits its import. */
  publicKey: hex(1, 128).nullable(),
});
/** The fill level of a node's store, in records. */
export const storeUsageSchema = z.strictObject({
  records: z.int().min(0),
  /** Records that the configuration in force does not name; a later one may order to drop them. */
  unnamed: z.int().min(0),
  maximum: z.int().min(1),
});
export type StoreUsage = z.infer<typeof storeUsageSchema>;

/** `store` is left out by nodes of version 0.1.0. */
export const keysResponseSchema = z.strictObject({
  keys: z.array(keyInfoSchema),
  store: storeUsageSchema.optional(),
});
export type KeyInfo = z.infer<typeof keyInfoSchema>;

/** Longest signature: RSA's of 4096 bits. */
const MAX_SIGNATURE_BYTES = 512;
/** Longest public key: SubjectPublicKeyInfo of RSA with room to spare. */
const MAX_PUBLIC_KEY_BYTES = 1024;

export const signRequestSchema = z.strictObject({
  key: identifier,
  algorithm: algorithmSchema,
  payload: payloadSchema,
  /** From a key of the quorum for taproot to the child that signs; left out: the key itself signs. */
  path: childPathSchema.optional(),
});
export type SignRequest = z.infer<typeof signRequestSchema>;

/** The most receipts of other nodes in one response. */
const MAX_RECEIPTS = 32;

/** The members of every response to a permitted request. */
const permitted = {
  /** The rule that permitted the request. */
  rule: identifier,
  /** The version of the configuration in force. */
  configuration: z.int().min(1),
  /** The receipt of the decision: audit/receipt. */
  receipt: z.unknown().optional(),
};

export const signResponseSchema = z.strictObject({
  /**
   * Ed25519, BIP-340 and FROST's ristretto255: 64 bytes; ECDSA: r ‖ s, 64 bytes, of P-384 96; FROST's P-256: 65 bytes; BLS:
   * 96 bytes; RSA: as long as the modulus. Of the first input, where a transaction has several.
   */
  signature: hex(64, MAX_SIGNATURE_BYTES),
  /** ECDSA on secp256k1 only: 0 or 1, for public key recovery (Ethereum's yParity). */
  recovery: z.int().min(0).max(1).optional(),
  /** The public key that verifies the signature: differs from the key's own for `taproot-sighash` (the output key). */
  publicKey: hex(32, MAX_PUBLIC_KEY_BYTES),
  /** For `bitcoin-transaction`: the signature of each input that is the key's. */
  inputs: z
    .array(z.strictObject({ index: z.int().min(0), signature: hex(64, 64), publicKey: hex(32, 65) }))
    .optional(),
  /** With a key of the quorum: receipts of the other nodes that have signed. */
  receipts: z.array(z.unknown()).max(MAX_RECEIPTS).optional(),
  ...permitted,
});
export type SignResponse = z.infer<typeof signResponseSchema>;

/** The response with status 202: the request waits for approvals (shared/api/requests.ts). */
export const waitingResponseSchema = z.strictObject({
  waiting: z.strictObject({
    /** Id of the request, 16 random bytes: whoever knows it may read the request. */
    id: hex(16, 16),
    /** When the request is given up, in milliseconds since 1970. */
    expires: z.int().min(0),
  }),
  ...permitted,
});
export type WaitingResponse = z.infer<typeof waitingResponseSchema>;

/** The most rules that a dry run explains. */
export const MAX_EXPLAINED_RULES = 256;

/** The body of the response to POST /v1/explain; the request's is that of POST /v1/sign. */
export const explainResponseSchema = z.strictObject({
  outcome: z.enum(['permitted', 'pending', 'denied']),
  /** The rule that permits, or under which the request would wait. */
  rule: identifier.nullable(),
  code: z.string().nullable(),
  /** Approvals that would be missing: by group, how many. */
  needs: z.record(z.string(), z.int().min(1)),
  /** Why rules do not permit it, in sentences. */
  reasons: z.array(z.string()),
  /** What each of the client's rules says: the first condition that does not hold. */
  rules: z
    .array(
      z.strictObject({
        rule: identifier,
        effect: z.enum(['permit', 'deny']),
        matches: z.boolean(),
        condition: z.string().nullable(),
        words: z.string().nullable(),
      }),
    )
    .max(MAX_EXPLAINED_RULES),
  /** The transaction as the node reads it, in the JSON form of receipts. */
  transaction: z.json().nullable(),
  configuration: z.int().min(1),
});
export type ExplainResponse = z.infer<typeof explainResponseSchema>;

/** A group element: 32 bytes on Ed25519 and ristretto255, 33 (compressed SEC1) on secp256k1 and P-256. */
const element = hex(32, 33);
/** A signer's number in its group, which is its node's place in the quorum. */
const participant = z.int().min(1).max(255);

/** The public part of one FROST share: RFC 9591, appendix C. */
export const sharePackageSchema = z.strictObject({
  type: shareTypeSchema,
  participant,
  threshold: z.int().min(2).max(255),
  participants: z.int().min(2).max(255),
  /** The commitments to the polynomial's coefficients, `threshold` of them; the first is the group's public key. */
  commitments: z.array(element).min(2).max(255),
});
export type SharePackage = z.infer<typeof sharePackageSchema>;

/** The body of PUT /v1/keys/{id}/share; shared/frost/SPEC.md says what the ciphertext is bound to. */
export const shareImportRequestSchema = z.strictObject({
  package: sharePackageSchema,
  /** HPKE (RFC 9180) of the 32 bytes of the share to the node's import key. */
  encapsulatedKey: hex(32, 32),
  ciphertext: hex(48, 48),
});
export type ShareImportRequest = z.infer<typeof shareImportRequestSchema>;

export const shareImportResponseSchema = z.strictObject({
  publicKey: element,
  ...permitted,
});
export type ShareImportResponse = z.infer<typeof shareImportResponseSchema>;

/**
 * The body of every refusal: a stable code; of one that was decided, the receipt, which says why, and those of other nodes
 * of the quorum that have decided.
 */
export const errorResponseSchema = z.strictObject({
  error: z.string().regex(/^[A-Z][A-Z0-9_]{1,63}$/),
  receipt: z.unknown().optional(),
  receipts: z.array(z.unknown()).max(MAX_RECEIPTS).optional(),
});
