import {
  type FROST,
  type FrostPublic,
  type FrostSecret,
  type NonceCommitments,
} from '@noble/curves/abstract/frost.js';
import { ed25519_FROST } from '@noble/curves/ed25519.js';
import { schnorr_FROST } from '@noble/curves/secp256k1.js';
import { type ShareType } from '../algorithms.ts';
import { type NonceCommitment } from '../api/bodies.ts';

export interface FrostSuite {
  readonly frost: FROST;
  readonly elementBytes: number;
}

export const SCALAR_BYTES = 32;

const SUITES: Readonly<Record<ShareType, FrostSuite>> = {
  'frost-ed25519': { frost: ed25519_FROST, elementBytes: 32 },
  // Makes BIP-340 signatures; elements are compressed SEC1.
  'frost-secp256k1-taproot': { frost: schnorr_FROST, elementBytes: 33 },
};

/** Returns FROST(Ed25519, SHA-512) of RFC 9591, 6.1, or its variant for BIP-340 signatures. */
export function getFrostSuite(type: ShareType): FrostSuite {
  return SUITES[type];
}

/** The public part of a group, which all its signers know. `commitments` are those to the polynomial's coefficients. */
export interface FrostGroup {
  readonly type: ShareType;
  readonly threshold: number;
  readonly participants: number;
  readonly commitments: readonly Uint8Array[];
}

/** Converts a group to the form of noble. The verifying shares serve the coordinator alone. */
export function toFrostPublic(
  group: FrostGroup,
  verifyingShares: FrostPublic['verifyingShares'] = {},
): FrostPublic {
  return {
    signers: { min: group.threshold, max: group.participants },
    commitments: group.commitments.map((commitment) => new Uint8Array(commitment)),
    verifyingShares,
  };
}

export function toFrostSecret(type: ShareType, participant: number, signingShare: Uint8Array): FrostSecret {
  return {
    identifier: getFrostSuite(type).frost.Identifier.fromNumber(participant),
    signingShare: signingShare as FrostSecret['signingShare'],
  };
}

/** Converts the commitments of a round, whose hex the schema has checked, to the form of noble. */
export function toNonceCommitments(
  type: ShareType,
  commitments: readonly NonceCommitment[],
): NonceCommitments[] {
  const { Identifier } = getFrostSuite(type).frost;
  return commitments.map(({ participant, hiding, binding }) => ({
    identifier: Identifier.fromNumber(participant),
    hiding: new Uint8Array(Buffer.from(hiding, 'hex')),
    binding: new Uint8Array(Buffer.from(binding, 'hex')),
  }));
}
