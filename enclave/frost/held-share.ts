import { randomBytes } from 'node:crypto';
import { InternalError } from '../../shared/errors.ts';
import { type ShareType } from '../../shared/algorithms.ts';
import {
  adjustShare,
  assertShare,
  clearNonces,
  commit,
  decodeGroup,
  type DecodedGroup,
  encodeSharePackage,
  type FrostGroup,
  nobleSuites,
  type Nonces,
  type RandomSource,
  type PreparedShare,
  signPrepared,
  type Suites,
  ThresholdError,
  tweakGroup,
} from '../../shared/frost/index.ts';
import { type Signer, SignerError } from '../signer/index.ts';
import { FrostError } from './errors.ts';
import type { ShareRecord } from './share-record.ts';

/**
 * A share of a group's key in memory. `sign` is round two (RFC 9591, 5.2) and clears the round's nonces, whatever
 * happens; whether the payload is one that the share may sign is asserted before the nonces are taken. `sign` and
 * `serialise` also throw FrostError COMMITMENTS_INVALID, SHARE_DESTROYED.
 */
export interface HeldShare extends Signer<ShareType, PreparedShare> {
  readonly group: DecodedGroup;
  /** This signer's number in its group. */
  readonly participant: number;
  /** Makes the nonces of round one and commits to them (RFC 9591, 5.1). @throws FrostError SHARE_DESTROYED */
  commit(): Nonces;
}

/** What the arithmetic of shares needs from outside. */
export interface ShareArithmetic {
  readonly suites: Suites;
  readonly random: RandomSource;
}

/** The arithmetic of noble, where a platform hands in no other. */
export const NOBLE_ARITHMETIC: ShareArithmetic = { suites: nobleSuites, random: randomBytes };

/**
 * Holds a share after verifying it against its group's commitments (RFC 9591, C.2). Copies `bytes`, which the
 * caller clears.
 *
 * By default the arithmetic is noble's: no secret-dependent branches by design, but on BigInt, which is not constant time
 * and whose values stay in memory until they are collected.
 *
 * @throws FrostError SHARE_INVALID
 */
export function holdShare(
  publicGroup: FrostGroup,
  participant: number,
  bytes: Uint8Array,
  { suites, random }: ShareArithmetic = NOBLE_ARITHMETIC,
): HeldShare {
  const { type } = publicGroup;
  const suite = suites[type];
  const group = decodeVerified(publicGroup, participant, bytes, suites);
  const share = new Uint8Array(bytes);
  const [publicKey] = group.commitments;
  if (publicKey === undefined) throw new InternalError('expected a group with a key');

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
      return commit(suite, participant, share, random);
    },
    sign({ payload, round }) {
      if (round === undefined) throw new InternalError('expected the nonces of round one, found none');
      const { nonces, commitments, child } = round;
      const signing = child?.group ?? group;
      const merkleRoot = payload.kind === 'taproot-sighash' ? payload.merkleRoot : undefined;
      let derived: Uint8Array | undefined;
      let tweaked: Uint8Array | undefined;
      try {
        assertHeld();
        derived = child && adjustShare(group, share, child.adjustment);
        const output = merkleRoot && tweakGroup(signing, merkleRoot);
        tweaked = output && adjustShare(signing, derived ?? share, output.tweak);
        return signPrepared(
          { group: output?.group ?? signing, participant, share: tweaked ?? derived ?? share },
          nonces,
          commitments,
          payload.kind === 'message' ? payload.message : payload.digest,
        );
      } catch (error) {
        if (error instanceof SignerError) throw error;
        throw new FrostError('COMMITMENTS_INVALID', 'the commitments cannot be signed with', {}, error);
      } finally {
        clearNonces(nonces);
        derived?.fill(0);
        tweaked?.fill(0);
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

/** Holds the share of the epoch in force; undefined where a record has none. @throws FrostError SHARE_INVALID */
export function holdCurrent(
  { current }: Pick<ShareRecord, 'current'>,
  arithmetic?: ShareArithmetic,
): HeldShare | undefined {
  return current === null
    ? undefined
    : holdShare(current.group, current.participant, current.share, arithmetic);
}

function decodeVerified(
  publicGroup: FrostGroup,
  participant: number,
  bytes: Uint8Array,
  suites: Suites,
): DecodedGroup {
  try {
    const group = decodeGroup(suites[publicGroup.type], publicGroup);
    assertShare(group, participant, bytes);
    return group;
  } catch (error) {
    if (!(error instanceof ThresholdError)) throw error;
    throw new FrostError(
      'SHARE_INVALID',
      "expected a signer of the group with the share that the group's commitments promise",
      { participant },
      error,
    );
  }
}
