import * as z from 'zod';
import { type ShareType, shareTypeSchema } from '../../shared/algorithms.ts';
import { decodeCborObject, encodeCbor } from '../../shared/cbor/index.ts';
import {
  decodeSharePackage,
  digestShareGroup,
  type FrostGroup,
  SCALAR_BYTES,
} from '../../shared/frost/index.ts';
import { MAX_RECORD_BYTES } from '../../shared/protocol/control.ts';
import { FrostError } from './errors.ts';

/** The most epochs of one key that a node has confirmed and that are neither in force nor past. */
export const MAX_PENDING_EPOCHS = 4;
/** Ceremonies whose transcripts are kept for a key: the first one, and the newest. */
export const MAX_SHARE_HISTORY = 4;

const bytes = (length: number) =>
  z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length === length);
const element = z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length <= 33);
const number = z.int().min(1).max(255);
const epochNumber = z.int().min(0).max(0xffff_ffff);

const shareSchema = z.strictObject({
  epoch: epochNumber,
  threshold: z.int().min(2).max(255),
  signers: z.array(number).min(2).max(255),
  commitments: z.array(element).min(2).max(255),
  participant: number,
  share: bytes(SCALAR_BYTES),
});

const recordSchema = z.strictObject({
  format: z.literal(2),
  type: shareTypeSchema,
  origin: bytes(48).nullable(),
  current: shareSchema.nullable(),
  pending: z
    .array(
      z.strictObject({
        ceremony: bytes(16),
        transcript: bytes(32),
        isAborted: z.boolean(),
        share: shareSchema,
      }),
    )
    .max(MAX_PENDING_EPOCHS),
  superseded: z.strictObject({ epoch: epochNumber, publicKey: element }).nullable(),
  history: z
    .array(z.strictObject({ epoch: epochNumber, ceremony: bytes(16), time: z.int().min(0) }))
    .max(MAX_SHARE_HISTORY),
});

/** One node's share of a key in one epoch. */
export interface EpochShare {
  readonly group: FrostGroup;
  readonly participant: number;
  /** The scalar, 32 bytes. */
  readonly share: Uint8Array;
}

/** An epoch that this node has confirmed, and which waits for its certificate. */
export interface PendingEpoch {
  /** Id of its ceremony, 16 bytes. */
  readonly ceremony: Uint8Array;
  /** Digest of the transcript that this node has confirmed, 32 bytes. */
  readonly transcript: Uint8Array;
  /**
   * True where a holder has signed that it will never confirm. The share is kept all the same until another epoch is in
   * force: a certificate, which an aborting node whose store was rolled back cannot take back, goes before an abort.
   */
  readonly isAborted: boolean;
  readonly share: EpochShare;
}

/** A ceremony that made an epoch of a key, and whose transcript is kept. */
export interface KeptCeremony {
  readonly epoch: number;
  /** Id of the ceremony, 16 bytes. */
  readonly ceremony: Uint8Array;
  /** When it was planned, in milliseconds since 1970. */
  readonly time: number;
}

/** All that a node holds of a key that is shared. */
export interface ShareRecord {
  readonly type: ShareType;
  /** SHA-384 of the key's first group in hex (shared/frost/SPEC.md), which a configuration may pin. */
  readonly origin: string | null;
  /** null while the first epoch is made, and where the key has gone on without this node. */
  readonly current: EpochShare | null;
  readonly pending: readonly PendingEpoch[];
  /** The epoch that is in force without this node's share. */
  readonly superseded: { readonly epoch: number; readonly publicKey: Uint8Array } | null;
  /** Ceremonies whose transcripts this node keeps, by ascending epoch. */
  readonly history: readonly KeptCeremony[];
}

/** Encodes a record; the caller seals the bytes and clears them. */
export function encodeShareRecord(record: ShareRecord): Uint8Array<ArrayBuffer> {
  const { type, origin, current, pending, superseded, history } = record;
  return encodeCbor({
    format: 2,
    type,
    origin: origin === null ? null : new Uint8Array(Buffer.from(origin, 'hex')),
    current: current && toSealed(current),
    pending: pending.map(({ ceremony, transcript, isAborted, share }) => ({
      ceremony,
      transcript,
      isAborted,
      share: toSealed(share),
    })),
    superseded: superseded && { ...superseded },
    history: history.map((one) => ({ ...one })),
  });
}

function toSealed({ group, participant, share }: EpochShare) {
  const { epoch, threshold, signers, commitments } = group;
  return { epoch, threshold, signers: [...signers], commitments: [...commitments], participant, share };
}

/**
 * Decodes a sealed record, also one that was written before there were epochs: its share is of epoch 0. Secrets are
 * copies; the caller clears `bytes`.
 *
 * @throws FrostError SHARE_MALFORMED
 */
export function decodeShareRecord(type: ShareType, sealed: Uint8Array): ShareRecord {
  const dealt = decodeSharePackage(type, sealed);
  if (dealt !== undefined) {
    if (dealt.rest.length !== SCALAR_BYTES) throw malformed(type, sealed.length);
    return createDealtRecord({ ...dealt, share: dealt.rest.slice() });
  }
  let value: unknown;
  try {
    value = decodeCborObject(sealed, { maxBytes: MAX_RECORD_BYTES, maxDepth: 5 });
  } catch (error) {
    throw malformed(type, sealed.length, error);
  }
  const parsed = recordSchema.safeParse(value);
  if (!parsed.success || parsed.data.type !== type) throw malformed(type, sealed.length);
  const { origin, current, pending, superseded, history } = parsed.data;
  return {
    type,
    origin: origin && Buffer.from(origin).toString('hex'),
    current: current && fromSealed(type, current),
    pending: pending.map(({ ceremony, transcript, isAborted, share }) => ({
      ceremony: ceremony.slice(),
      transcript: transcript.slice(),
      isAborted,
      share: fromSealed(type, share),
    })),
    superseded: superseded && { ...superseded, publicKey: superseded.publicKey.slice() },
    history: history.map((kept) => ({ ...kept, ceremony: kept.ceremony.slice() })),
  };
}

function fromSealed(
  type: ShareType,
  { epoch, threshold, signers, commitments, participant, share }: z.infer<typeof shareSchema>,
): EpochShare {
  const group = { type, epoch, threshold, signers, commitments: commitments.map((one) => one.slice()) };
  return { group, participant, share: share.slice() };
}

/** Makes the record of a share that a dealer outside has made: epoch 0. */
export function createDealtRecord(current: EpochShare): ShareRecord {
  return {
    type: current.group.type,
    origin: digestShareGroup(current.group),
    current,
    pending: [],
    superseded: null,
    history: [],
  };
}

/** The group's public key that a record knows; undefined while the first epoch is made. */
export function publicKeyOf({ current, superseded }: ShareRecord): Uint8Array | undefined {
  return current?.group.commitments[0] ?? superseded?.publicKey;
}

/** The epoch in force that a record knows; undefined while the first one is made. */
export function epochOf({ current, superseded }: ShareRecord): number | undefined {
  return current?.group.epoch ?? superseded?.epoch;
}

/** Clears the secrets of a record, but those that another record goes on with. */
export function clearShareRecord(record: ShareRecord, successor?: ShareRecord): void {
  const kept = new Set(successor === undefined ? [] : listShares(successor));
  for (const share of listShares(record)) if (!kept.has(share)) share.fill(0);
}

function listShares({ current, pending }: ShareRecord): Uint8Array[] {
  return [...(current === null ? [] : [current.share]), ...pending.map(({ share }) => share.share)];
}

function malformed(type: ShareType, length: number, cause?: unknown): FrostError {
  return new FrostError(
    'SHARE_MALFORMED',
    `expected a serialised share of type ${type}`,
    { type, length },
    cause,
  );
}
