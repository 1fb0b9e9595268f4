import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  digestShareGroup,
  encodeImportedKey,
  encodeKeyDestination,
  encodeShareDestination,
  encodeSharePackage,
  listSigners,
  type ShareDestination,
} from '../../shared/frost/index.ts';
import { exportPublicKey, HpkeError, openWith } from '../../shared/hpke/index.ts';
import { type ShareType } from '../../shared/algorithms.ts';
import { type ShareImportRequest } from '../../shared/api/bodies.ts';
import type { ImportKeyRequest } from '../../shared/api/quorum.ts';
import { FrostError } from './errors.ts';
import { type HeldShare, holdShare, type ShareArithmetic } from './held-share.ts';

/** The X25519 key that shares are encrypted to, made anew at each boot and named by its attestation documents. */
export interface ImportKey {
  readonly publicKey: Uint8Array;
  readonly privateKey: KeyObject;
}

export function generateImportKey(): ImportKey {
  const { publicKey, privateKey } = generateKeyPairSync('x25519');
  return { publicKey: exportPublicKey(publicKey), privateKey };
}

/**
 * The properties that a share must have to be imported: signer and quorum as the manifest, type, public key and
 * commitments as the configuration names them.
 */
export interface ExpectedShare {
  readonly type: ShareType;
  readonly participant: number;
  readonly threshold: number;
  readonly participants: number;
  /** The group's public key in hex, where the configuration names it. */
  readonly publicKey?: string | undefined;
  /** The digest of all the group's commitments in hex, where the configuration names it. */
  readonly commitments?: string | undefined;
}

/**
 * Opens a share that was encrypted for this node, boot and key, and verifies it. The signer's number must be
 * the node's place in its quorum, so that no two nodes hold the same share.
 *
 * @throws FrostError SHARE_MISMATCH, SHARE_UNREADABLE, SHARE_INVALID
 */
export function openShare(
  request: ShareImportRequest,
  importKey: ImportKey,
  destination: ShareDestination,
  expected: ExpectedShare,
  arithmetic?: ShareArithmetic,
): HeldShare {
  const { type, participant, threshold, participants } = request.package;
  const group = {
    type,
    epoch: 0,
    threshold,
    signers: listSigners(participants),
    commitments: request.package.commitments.map(
      (commitment) => new Uint8Array(Buffer.from(commitment, 'hex')),
    ),
  };
  const commitments = digestShareGroup(group);
  assertExpected(
    { type, participant, threshold, participants, publicKey: request.package.commitments[0], commitments },
    expected,
  );
  const share = openCiphertext(request, importKey, {
    info: encodeShareDestination(destination),
    aad: encodeSharePackage(group, participant),
  });
  try {
    return holdShare(group, participant, share, arithmetic);
  } finally {
    share.fill(0);
  }
}

/**
 * Opens a whole key that was encrypted for this node, boot and key, to be split among the quorum. The caller clears it.
 *
 * @throws FrostError SHARE_UNREADABLE
 */
export function openImportedKey(
  request: ImportKeyRequest,
  importKey: ImportKey,
  destination: ShareDestination,
  type: ShareType,
): Uint8Array<ArrayBuffer> {
  return openCiphertext(request, importKey, {
    info: encodeKeyDestination(destination),
    aad: encodeImportedKey({ type, publicKey: Buffer.from(request.publicKey, 'hex') }),
  });
}

function openCiphertext(
  request: Pick<ShareImportRequest, 'encapsulatedKey' | 'ciphertext'>,
  importKey: ImportKey,
  binding: { info: Uint8Array; aad: Uint8Array },
): Uint8Array<ArrayBuffer> {
  const encrypted = {
    encapsulatedKey: Buffer.from(request.encapsulatedKey, 'hex'),
    ciphertext: Buffer.from(request.ciphertext, 'hex'),
  };
  try {
    return openWith(importKey.privateKey, encrypted, binding);
  } catch (error) {
    if (!(error instanceof HpkeError)) throw error;
    throw new FrostError(
      'SHARE_UNREADABLE',
      'the share was encrypted for another node, boot or key, or altered',
      {},
      error,
    );
  }
}

function assertExpected(share: ExpectedShare, expected: ExpectedShare): void {
  for (const field of [
    'type',
    'participant',
    'threshold',
    'participants',
    'publicKey',
    'commitments',
  ] as const) {
    if (expected[field] !== undefined && share[field] !== expected[field]) {
      throw new FrostError('SHARE_MISMATCH', `the share has another ${field} than expected`, {
        field,
        expected: expected[field],
        actual: share[field],
      });
    }
  }
}
