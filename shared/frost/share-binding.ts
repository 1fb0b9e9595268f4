import { createHash } from 'node:crypto';
import { type ShareType } from '../algorithms.ts';
import { type FrostGroup, getFrostSuite } from './suites.ts';

/*
 * Encodings of what the ciphertext of a share is bound to (HPKE's info and aad), each part of fixed length or behind
 * its length, so that no two meanings have the same bytes.
 */
const INFO_LABEL = Buffer.from('holdfast-share/1\0');
const PACKAGE_LABEL = Buffer.from('holdfast-share-package/1\0');
const GROUP_LABEL = Buffer.from('holdfast-share-group/1\0');
const TYPE_NUMBERS: Readonly<Record<ShareType, number>> = {
  'frost-ed25519': 1,
  'frost-secp256k1-taproot': 2,
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

/** Encodes the public part of a share: HPKE's `aad`, and the beginning of a sealed share. */
export function encodeSharePackage(group: FrostGroup, participant: number): Buffer {
  const numbers = [TYPE_NUMBERS[group.type], participant, group.threshold, group.participants];
  return Buffer.concat([PACKAGE_LABEL, Uint8Array.from(numbers), ...group.commitments]);
}

/**
 * Computes the SHA-384, in hex, of all that is public about a group: its type, its quorum and every commitment
 * (SPEC.md, "The digest of a group"). A configuration pins a share by this digest. The public key alone, which is the
 * first commitment, pins nothing else: whoever knows it can choose the others so that a share of their own choosing
 * fits.
 */
export function digestShareGroup({ type, threshold, participants, commitments }: FrostGroup): string {
  const numbers = Uint8Array.of(TYPE_NUMBERS[type], threshold, participants);
  return createHash('sha384')
    .update(Buffer.concat([GROUP_LABEL, numbers, ...commitments]))
    .digest('hex');
}

/**
 * Decodes what {@link encodeSharePackage} encodes, and returns the bytes after it as `rest`; undefined where the bytes
 * are not a package of that type. The commitments are not checked to be elements of the group.
 */
export function decodeSharePackage(
  type: ShareType,
  bytes: Uint8Array,
): { group: FrostGroup; participant: number; rest: Uint8Array } | undefined {
  const label = bytes.subarray(0, PACKAGE_LABEL.length);
  const [typeNumber, participant, threshold, participants] = bytes.subarray(label.length, label.length + 4);
  if (!PACKAGE_LABEL.equals(label) || typeNumber !== TYPE_NUMBERS[type]) return undefined;
  if (participant === undefined || threshold === undefined || participants === undefined) return undefined;
  const { elementBytes } = getFrostSuite(type);
  const start = label.length + 4;
  const end = start + threshold * elementBytes;
  if (bytes.length < end) return undefined;
  const commitments = Array.from({ length: threshold }, (_, index) =>
    bytes.slice(start + index * elementBytes, start + (index + 1) * elementBytes),
  );
  return { group: { type, threshold, participants, commitments }, participant, rest: bytes.subarray(end) };
}
