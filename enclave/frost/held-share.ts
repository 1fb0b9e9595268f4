import { type NonceCommitments, type Nonces } from '@noble/curves/abstract/frost.js';
import { type ShareType } from '../../shared/node/algorithms.ts';
import {
  encodeSharePackage,
  type FrostGroup,
  getFrostSuite,
  SCALAR_BYTES,
  toFrostPublic,
  toFrostSecret,
  tweakGroup,
  tweakShare,
} from '../../shared/frost/index.ts';
import { FrostError } from './errors.ts';

/** What the signers of a group sign together; `merkleRoot` makes it a taproot signature hash (BIP-341). */
export interface GroupMessage {
  readonly message: Uint8Array;
  readonly merkleRoot?: Uint8Array;
}

/** A share of a group's key in memory. Only its closure holds the secret. */
export interface HeldShare {
  readonly type: ShareType;
  readonly group: FrostGroup;
  /** This signer's number in its group. */
  readonly participant: number;
  /** The group's public key as it was dealt: raw Ed25519 or compressed SEC1. */
  readonly publicKey: Uint8Array;
  /** Round one (RFC 9591, 5.1). @throws FrostError SHARE_DESTROYED */
  commit(): { readonly nonces: Nonces; readonly commitment: NonceCommitments };
  /**
   * Round two (RFC 9591, 5.2): the signature share. Clears `nonces`, whatever happens.
   *
   * @throws FrostError COMMITMENTS_INVALID, SHARE_DESTROYED
   */
  sign(nonces: Nonces, commitments: readonly NonceCommitments[], message: GroupMessage): Uint8Array;
  /** For the sealed store: the caller seals it and clears it. @throws FrostError SHARE_DESTROYED */
  serialise(): Uint8Array<ArrayBuffer>;
  /** Clears the secret; every later use throws. */
  destroy(): void;
}

/**
 * Holds a share after verifying it against its group's commitments (RFC 9591, C.2). Copies `bytes`, which the
 * caller clears.
 *
 * The arithmetic is noble's: no secret-dependent branches by design, but on BigInt, which is not constant time and
 * whose values, like the copies that noble makes of a share, stay in memory until they are collected.
 *
 * @throws FrostError SHARE_INVALID
 */
export function holdShare(group: FrostGroup, participant: number, bytes: Uint8Array): HeldShare {
  const { type, threshold, participants, commitments } = group;
  const { frost, elementBytes } = getFrostSuite(type);
  const [publicKey] = commitments;
  if (
    bytes.length !== SCALAR_BYTES ||
    publicKey === undefined ||
    commitments.length !== threshold ||
    commitments.some(({ length }) => length !== elementBytes) ||
    threshold < 2 ||
    threshold > participants ||
    participant < 1 ||
    participant > participants
  ) {
    throw new FrostError('SHARE_INVALID', 'not the share of a quorum', {
      participant,
      threshold,
      participants,
    });
  }
  const share = new Uint8Array(bytes);
  const secret = toFrostSecret(type, participant, share);
  const shared = toFrostPublic(group);
  try {
    frost.validateSecret(secret, shared);
  } catch (cause) {
    share.fill(0);
    throw new FrostError('SHARE_INVALID', 'not the share that was committed to', { participant }, cause);
  }

  let destroyed = false;
  const assertHeld = () => {
    if (destroyed) throw new FrostError('SHARE_DESTROYED', 'the share was destroyed');
  };
  return {
    type,
    group,
    participant,
    publicKey,
    commit() {
      assertHeld();
      const { nonces, commitments: commitment } = frost.commit(secret);
      return { nonces, commitment };
    },
    sign(nonces, commitments, { message, merkleRoot }) {
      const tweaked = merkleRoot && !destroyed ? tweakShare(secret, shared, merkleRoot) : undefined;
      try {
        assertHeld();
        return frost.signShare(
          tweaked ?? secret,
          merkleRoot ? tweakGroup(shared, merkleRoot) : shared,
          nonces,
          [...commitments],
          message,
        );
      } catch (error) {
        if (error instanceof FrostError) throw error;
        throw new FrostError('COMMITMENTS_INVALID', 'nothing to sign with those commitments', {}, error);
      } finally {
        nonces.hiding.fill(0);
        nonces.binding.fill(0);
        tweaked?.signingShare.fill(0);
      }
    },
    serialise() {
      assertHeld();
      const header = encodeSharePackage(group, participant);
      const serialised = new Uint8Array(header.length + share.length);
      serialised.set(header);
      serialised.set(share, header.length);
      return serialised;
    },
    destroy() {
      destroyed = true;
      share.fill(0);
    },
  };
}
