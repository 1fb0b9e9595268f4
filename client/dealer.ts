import {
  digestShareGroup,
  encodeShareDestination,
  encodeSharePackage,
  type FrostGroup,
  getFrostSuite,
  type ShareDestination,
} from '../shared/frost/index.ts';
import { sealTo } from '../shared/hpke/index.ts';
import { type ShareImportRequest } from '../shared/api/bodies.ts';

export interface DealtShare {
  /** From 1: the place in the quorum of the node that it is for. */
  readonly participant: number;
  /** The 32 bytes of the share: the caller clears them once they are sealed. */
  readonly secret: Uint8Array;
}

export interface DealtGroup {
  readonly group: FrostGroup;
  /** SHA-384 of the group's commitments in hex: what its nodes' configurations name as the share's `commitments`. */
  readonly commitments: string;
  readonly shares: readonly DealtShare[];
}

/**
 * Makes a group's key and its shares in this process, as a trusted dealer (RFC 9591, appendix C). Whoever deals
 * could sign alone: for tests, for migration of an existing key, and for those who deal on a machine of their own.
 *
 * @param secret an existing secret key: 32 bytes, a scalar as the group serialises it
 */
export function dealShares(
  { type, threshold, participants }: Pick<FrostGroup, 'type' | 'threshold' | 'participants'>,
  secret?: Uint8Array,
): DealtGroup {
  const { frost } = getFrostSuite(type);
  const dealt = frost.trustedDealer({ min: threshold, max: participants }, undefined, secret);
  const shares = Array.from({ length: participants }, (_, index) => {
    const share = dealt.secretShares[frost.Identifier.fromNumber(index + 1)];
    if (share === undefined) throw new RangeError('the dealer made too few shares');
    return { participant: index + 1, secret: share.signingShare };
  });
  const group = { type, threshold, participants, commitments: dealt.public.commitments };
  return { group, commitments: digestShareGroup(group), shares };
}

/**
 * Encrypts a share to the import key that a node's attestation document binds, for that node, boot and key alone.
 *
 * @param importKey X25519, from a verified attestation document
 */
export function sealShare(
  group: FrostGroup,
  { participant, secret }: DealtShare,
  importKey: Uint8Array,
  destination: ShareDestination,
): ShareImportRequest {
  const { encapsulatedKey, ciphertext } = sealTo(importKey, secret, {
    info: encodeShareDestination(destination),
    aad: encodeSharePackage(group, participant),
  });
  const { type, threshold, participants, commitments } = group;
  const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
  return {
    package: { type, participant, threshold, participants, commitments: commitments.map(toHex) },
    encapsulatedKey: toHex(encapsulatedKey),
    ciphertext: toHex(ciphertext),
  };
}
