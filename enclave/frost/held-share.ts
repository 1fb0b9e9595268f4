import { type NonceCommitments, type Nonces } from '@noble/curves/abstract/frost.js';
import { InternalError } from '../../shared/errors.ts';
import { type ShareType } from '../../shared/algorithms.ts';
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
import { type SignatureShare, type Signer, SignerError } from '../signer/index.ts';
import { FrostError } from './errors.ts';

/**
 * A share of a group's key in memory. `sign` is round two (RFC 9591, 5.2) and clears the round's nonces, whatever
 * happens; whether the payload is one that the share may sign is asserted before the nonces are taken. `sign` and
 * `serialise` also throw FrostError COMMITMENTS_INVALID, SHARE_DESTROYED.
 */
export interface HeldShare extends Signer<ShareType, SignatureShare> {
  readonly group: FrostGroup;
  /** This signer's number in its group. */
  readonly participant: number;
  /** Makes the nonces of round one and commits to them (RFC 9591, 5.1). @throws FrostError SHARE_DESTROYED */
  commit(): { readonly nonces: Nonces; readonly commitment: NonceCommitments };
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
    throw new FrostError('SHARE_INVALID', 'expected a threshold from 2, and a signer within the quorum', {
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
    throw new FrostError(
      'SHARE_INVALID',
      "the share does not match its group's commitments",
      { participant },
      cause,
    );
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
    sign({ payload, round }) {
      if (round === undefined) throw new InternalError('expected the nonces of round one, found none');
      const { nonces, commitments } = round;
      const merkleRoot = payload.kind === 'taproot-sighash' ? payload.merkleRoot : undefined;
      const tweaked = merkleRoot && !destroyed ? tweakShare(secret, shared, merkleRoot) : undefined;
      try {
        assertHeld();
        const signatureShare = frost.signShare(
          tweaked ?? secret,
          merkleRoot ? tweakGroup(shared, merkleRoot) : shared,
          nonces,
          [...commitments],
          payload.kind === 'message' ? payload.message : payload.digest,
        );
        return { participant, signatureShare };
      } catch (error) {
        if (error instanceof SignerError) throw error;
        throw new FrostError('COMMITMENTS_INVALID', 'the commitments cannot be signed with', {}, error);
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
