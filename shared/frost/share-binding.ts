import { createHash } from 'node:crypto';
import { type ShareType } from '../algorithms.ts';
import { areAscending, type FrostGroup } from './frost-group.ts';

/*
 * Encodings of what the ciphertext of a share is bound to (HPKE's info and aad), each part of fixed length or behind
 * its length, so that no two meanings have the same bytes.
 */
const INFO_LABEL = Buffer.from('holdfast-share/1\0');
/** Format 1 is that of groups as a client deals them: epoch 0, signers 1 to n. Format 2 is that of all others. */
const PACKAGE_LABELS = [
  Buffer.from('holdfast-share-package/1\0'),
  Buffer.from('holdfast-share-package/2\0'),
] as const;
const GROUP_LABELS = [
  Buffer.from('holdfast-share-group/1\0'),
  Buffer.from('holdfast-share-group/2\0'),
] as const;
const LABEL_BYTES = PACKAGE_LABELS[0].length;
export const TYPE_NUMBERS: Readonly<Record<ShareType, number>> = {
  'frost-ed25519': 1,
  'frost-secp256k1-taproot': 2,
  'frost-p256': 3,
  'frost-ristretto255': 4,
};
const ELEMENT_BYTES: Readonly<Record<ShareType, number>> = {
  'frost-ed25519': 32,
  'frost-secp256k1-taproot': 33,
  'frost-p256': 33,
  'frost-ristretto255': 32,
};

/** The node, the boot of the node and the key that a share is meant for. */
export interface ShareDestination {
  /** SHA-384 of the node's manifest. */
  readonly manifest: Uint8Array;
  /** The session of the attestation document that the import key was taken from, in hex. */
  readonly session: string;
  /** The key's id in the node's configuration. */
  readonly key: string;
}

/** Encodes HPKE's `info`: the destination of a share. */
export function encodeShareDestination({ manifest, session, key }: ShareDestination): Buffer {
  if (manifest.length !== 48 || !/^[0-9a-f]{32}$/.test(session))
    throw new RangeError('expected a manifest digest of 48 bytes and a session of 32 hex digits');
  return Buffer.concat([INFO_LABEL, manifest, Buffer.from(session, 'hex'), Buffer.from(key)]);
}

/** Returns the numbers 1 to `count`: the signers of a group as a client deals it. */
export function listSigners(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

function isFormat1({ epoch, signers }: Pick<FrostGroup, 'epoch' | 'signers'>): boolean {
  return epoch === 0 && signers.every((signer, index) => signer === index + 1);
}

/** Encodes the public part of a share: HPKE's `aad`, and the beginning of a sealed share. */
export function encodeSharePackage(group: FrostGroup, participant: number): Buffer {
  const { type, threshold, signers, commitments } = group;
  const numbers = isFormat1(group)
    ? [
        PACKAGE_LABELS[0],
        Uint8Array.of(TYPE_NUMBERS[type], toByte(participant), threshold, toByte(signers.length)),
      ]
    : [
        PACKAGE_LABELS[1],
        Uint8Array.of(TYPE_NUMBERS[type], participant >> 8, participant & 255),
        encodeQuorum(group),
      ];
  return Buffer.concat([...numbers, ...commitments]);
}

/**
 * Computes the SHA-384, in hex, of all that is public about a group: its type, its quorum and every commitment
 * (SPEC.md, "The digest of a group"). A configuration pins a share by this digest. The public key alone, which is the
 * first commitment, pins nothing else: whoever knows it can choose the others so that a share of their own choosing
 * fits.
 */
export function digestShareGroup(group: FrostGroup): string {
  const { type, threshold, signers, commitments } = group;
  const numbers = isFormat1(group)
    ? [GROUP_LABELS[0], Uint8Array.of(TYPE_NUMBERS[type], threshold, toByte(signers.length))]
    : [GROUP_LABELS[1], Uint8Array.of(TYPE_NUMBERS[type]), encodeQuorum(group)];
  return createHash('sha384')
    .update(Buffer.concat([...numbers, ...commitments]))
    .digest('hex');
}

/** Encodes epoch, threshold and signers of a group in format 2. */
function encodeQuorum({ epoch, threshold, signers }: FrostGroup): Buffer {
  const bytes = Buffer.alloc(6 + 2 * signers.length);
  bytes.writeUInt32BE(epoch);
  bytes.writeUInt8(threshold, 4);
  bytes.writeUInt8(signers.length, 5);
  for (const [index, signer] of signers.entries()) bytes.writeUInt16BE(signer, 6 + 2 * index);
  return bytes;
}

function toByte(value: number): number {
  if (value > 255) throw new RangeError('expected a number of at most 255');
  return value;
}

interface DecodedPackage {
  readonly group: FrostGroup;
  readonly participant: number;
  readonly rest: Uint8Array;
}

/**
 * Decodes what {@link encodeSharePackage} encodes, and returns the bytes after it as `rest`; undefined where the bytes
 * are not a package of that type. The commitments are not checked to be elements of the group.
 */
export function decodeSharePackage(type: ShareType, bytes: Uint8Array): DecodedPackage | undefined {
  const label = bytes.subarray(0, LABEL_BYTES);
  const body = bytes.subarray(LABEL_BYTES);
  if (body[0] !== TYPE_NUMBERS[type]) return undefined;
  if (PACKAGE_LABELS[0].equals(label)) return decodeFormat1(type, body.subarray(1));
  return PACKAGE_LABELS[1].equals(label) ? decodeFormat2(type, body.subarray(1)) : undefined;
}

function decodeFormat1(type: ShareType, body: Uint8Array): DecodedPackage | undefined {
  const [participant, threshold, participants] = body;
  if (participant === undefined || threshold === undefined || participants === undefined) return undefined;
  const quorum = { type, epoch: 0, threshold, signers: listSigners(participants) };
  return takeCommitments(quorum, participant, body.subarray(3));
}

function decodeFormat2(type: ShareType, body: Uint8Array): DecodedPackage | undefined {
  if (body.length < 8) return undefined;
  const view = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const participant = view.readUInt16BE(0);
  const epoch = view.readUInt32BE(2);
  const threshold = view.readUInt8(6);
  const count = view.readUInt8(7);
  const end = 8 + 2 * count;
  if (body.length < end) return undefined;
  const signers = Array.from({ length: count }, (_, index) => view.readUInt16BE(8 + 2 * index));
  const quorum = { type, epoch, threshold, signers };
  // Each group has one encoding.
  if (!areAscending(signers) || isFormat1(quorum)) return undefined;
  return takeCommitments(quorum, participant, body.subarray(end));
}

function takeCommitments(
  quorum: Omit<FrostGroup, 'commitments'>,
  participant: number,
  bytes: Uint8Array,
): DecodedPackage | undefined {
  const length = ELEMENT_BYTES[quorum.type];
  const end = quorum.threshold * length;
  if (bytes.length < end) return undefined;
  const commitments = Array.from({ length: quorum.threshold }, (_, index) =>
    bytes.slice(index * length, (index + 1) * length),
  );
  return { group: { ...quorum, commitments }, participant, rest: bytes.subarray(end) };
}
