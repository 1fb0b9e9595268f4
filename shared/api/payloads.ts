import * as z from 'zod';
import { BLIND_PAYLOAD_KINDS } from '../algorithms.ts';

/** Longest message or typed-data document, in bytes. */
export const MAX_MESSAGE_BYTES = 16 * 1024;
/** Longest unsigned transaction, in bytes. */
export const MAX_TRANSACTION_BYTES = 32 * 1024;
/** Longest PSBT, in bytes: segwit v0 inputs carry the whole transactions that they spend. */
export const MAX_PSBT_BYTES = 128 * 1024;

const hex = (minimum: number, maximum: number) =>
  z
    .string()
    .max(2 * maximum)
    .regex(/^(?:[0-9a-f]{2})*$/)
    .min(2 * minimum);
/** Lengths of a payload of kind `digest`, in bytes: which one, the algorithm says. */
export const DIGEST_BYTES: readonly number[] = [32, 48, 64];
const digest = hex(32, 64).refine((text) => DIGEST_BYTES.includes(text.length / 2), {
  error: 'a digest has 32, 48 or 64 bytes',
});
const sighash = hex(32, 32);

/** Payloads that the node cannot read: a rule has to name their kind. */
export const blindPayloadSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('message'), message: hex(0, MAX_MESSAGE_BYTES) }),
  z.strictObject({ kind: z.literal('digest'), digest }),
  z.strictObject({
    kind: z.literal('taproot-sighash'),
    digest: sighash,
    merkleRoot: sighash.or(z.literal('')),
  }),
]);
export type BlindPayload = z.infer<typeof blindPayloadSchema>;

/** Payloads that the node decodes, decides on, and hashes itself. Byte strings are lower-case hex unless said. */
export const transactionPayloadSchema = z.discriminatedUnion('kind', [
  /** The unsigned transaction: an EIP-2718 envelope (types 1 to 4), or the nine fields of EIP-155 with r and s empty. */
  z.strictObject({ kind: z.literal('ethereum-transaction'), transaction: hex(1, MAX_TRANSACTION_BYTES) }),
  /** EIP-7702: 0x05 ‖ rlp([chain_id, address, nonce]). */
  z.strictObject({ kind: z.literal('ethereum-authorization'), authorization: hex(1, 128) }),
  /** EIP-191, version 0x45 (personal_sign): the message without its prefix. */
  z.strictObject({ kind: z.literal('ethereum-message'), message: hex(0, MAX_MESSAGE_BYTES) }),
  /** EIP-712: the document of eth_signTypedData_v4 as JSON text. */
  z.strictObject({ kind: z.literal('ethereum-typed-data'), document: z.string().max(MAX_MESSAGE_BYTES) }),
  /** BIP-174 or BIP-370, in base64. Signs each input that belongs to the key. */
  z.strictObject({
    kind: z.literal('bitcoin-transaction'),
    psbt: z.base64().max(4 * Math.ceil(MAX_PSBT_BYTES / 3)),
  }),
  /** 0x03 ‖ branch ‖ manager operations. */
  z.strictObject({ kind: z.literal('tezos-operation'), operation: hex(1, MAX_TRANSACTION_BYTES) }),
  /** 0x11, 0x12 or 0x13 ‖ chain id ‖ block header, preattestation or attestation. */
  z.strictObject({ kind: z.literal('tezos-consensus'), operation: hex(1, MAX_TRANSACTION_BYTES) }),
  /** 0x05 ‖ one Micheline expression: what `PACK` makes, "Tezos Signed Message: …" of wallets among it. */
  z.strictObject({ kind: z.literal('tezos-data'), data: hex(1, MAX_TRANSACTION_BYTES) }),
  /** The public key of BLS12-381 that proves its own possession: the signing key's, compressed. */
  z.strictObject({ kind: z.literal('tezos-proof-of-possession'), publicKey: hex(48, 48) }),
  /** A legacy or v0 message, as it is signed. */
  z.strictObject({ kind: z.literal('solana-transaction'), message: hex(1, 1232) }),
]);
export type TransactionPayload = z.infer<typeof transactionPayloadSchema>;

/** What to sign, by kind. There is no default kind: a request without one is refused. */
export const payloadSchema = z.discriminatedUnion('kind', [
  ...blindPayloadSchema.options,
  ...transactionPayloadSchema.options,
]);
export type Payload = z.infer<typeof payloadSchema>;

/** Tells whether nobody can read a payload. */
export function isBlindPayload(payload: Payload): payload is BlindPayload {
  return (BLIND_PAYLOAD_KINDS as readonly string[]).includes(payload.kind);
}
