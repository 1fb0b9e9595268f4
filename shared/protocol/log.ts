import * as z from 'zod';

/** Longest checkpoint, with the log's own signature alone: its origin has 255 bytes at most. */
export const MAX_CHECKPOINT_BYTES = 1024;
/** Longest line of a cosignature: that of ML-DSA-44 has 3,250 characters beside its name. */
const MAX_COSIGNATURE_CHARACTERS = 4096;
/** The most witnesses of one log. */
export const MAX_WITNESSES = 32;
/** Longest frame of the service, either way. */
export const MAX_LOG_FRAME_BYTES = 256 * 1024;

/** Longest verifier key of a log or a witness (C2SP signed-note) in characters: that of an ML-DSA-44 key is the longest. */
const MAX_VERIFIER_KEY_CHARACTERS = 2304;

const nameList = z.array(z.string().max(256)).max(MAX_WITNESSES).readonly();

/** What an enclave hands to its parent of its log, beside the entries, which go with the records. */
export const logRequestSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('checkpoint'),
    /** A signed note (C2SP tlog-checkpoint) with the signature of the log. */
    bytes: z.custom<Uint8Array>(
      (value) => value instanceof Uint8Array && value.length <= MAX_CHECKPOINT_BYTES,
    ),
    /** The key that signed it, as a vkey: what an operator registers with witnesses. */
    key: z.string().max(MAX_VERIFIER_KEY_CHARACTERS),
    /** How many witnesses must cosign; 0 where nothing waits for them. */
    wanted: z.int().min(0).max(MAX_WITNESSES),
    /** Whose cosignatures are wanted: those of outside witnesses, or those of the other nodes of the quorum. */
    group: z.enum(['outside', 'peers']),
    /** Witnesses that the parent asks, by the names of their keys: the named alone, or all but the named. */
    witnesses: z.union([z.strictObject({ only: nameList }), z.strictObject({ except: nameList })]),
  }),
]);
export type LogRequest = z.infer<typeof logRequestSchema>;

/** Why a witness has not cosigned, as the parent says. */
export const witnessRefusalCodeSchema = z.enum([
  /** The witness knows a larger tree of this log. */
  'LARGER_TREE',
  /** The witness knows another tree of this size, or one that this tree does not extend. */
  'OTHER_TREE',
  /** The witness does not know the log, or not its key: an operator has to register it. */
  'UNKNOWN_LOG',
  /** A response that is none of the protocol, a failure of the witness included. */
  'FAILED',
  /** No response in time. */
  'UNREACHABLE',
]);
export type WitnessRefusalCode = z.infer<typeof witnessRefusalCodeSchema>;

export const witnessRefusalSchema = z.strictObject({
  witness: z.string().max(256),
  code: witnessRefusalCodeSchema,
});
export type WitnessRefusal = z.infer<typeof witnessRefusalSchema>;

export const logErrorCodeSchema = z.enum(['BAD_REQUEST', 'UNAVAILABLE']);

export const logResponseSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('checkpoint'),
    /** Lines of cosignatures over that very checkpoint, each with its line feed. */
    lines: z.array(z.string().max(MAX_COSIGNATURE_CHARACTERS)).max(MAX_WITNESSES),
    refusals: z.array(witnessRefusalSchema).max(MAX_WITNESSES),
  }),
  z.strictObject({ type: z.literal('error'), code: logErrorCodeSchema }),
]);
export type LogResponse = z.infer<typeof logResponseSchema>;
