import { randomBytes } from 'node:crypto';
import {
  dealGroup,
  digestShareGroup,
  encodeShareDestination,
  encodeSharePackage,
  type FrostGroup,
  listSigners,
  nobleSuites,
  type ShareDestination,
} from '../shared/frost/index.ts';
import { sealTo } from '../shared/hpke/index.ts';
import { type ShareImportRequest } from '../shared/api/bodies.ts';

/** One share of a group's secret key. */
export interface DealtShare {
  /** Place of the share's node in the quorum, from 1. */
  readonly participant: number;
  /** The share, 32 bytes. The caller clears the bytes once they are sealed. */
  readonly secret: Uint8Array;
}

/** A group and all its shares. */
export interface DealtGroup {
  /** The public part of the group. */
  readonly group: FrostGroup;
  /** SHA-384 of the group's commitments in hex: the value of `commitments` in each node's configuration of the share. */
  readonly commitments: string;
  readonly shares: readonly DealtShare[];
}

/**
 * Deals a group's key and its shares in this process, as a trusted dealer. The dealer knows the whole key and could sign
 * alone: meant for tests, for the migration of an existing key, and for a machine of the dealer's own.
 *
 * @param group `threshold` from 2 and `participants` from `threshold` to 255
 * @param secret an existing secret key: 32 bytes, a scalar as the group serialises it. Default: a random one
 * @throws ThresholdError GROUP_INVALID, GROUP_SHARE_INVALID for a threshold, a number of participants or a secret out of
 *   range
 *
 * Source: RFC 9591 appendix C.
 *
 * @example
 * ```ts
 * import { dealShares } from '@holdfast-nodes/holdfast/client';
 *
 * const { group, shares, commitments } = dealShares({ type: 'frost-ed25519', threshold: 2, participants: 3 });
 * console.log(shares.map(({ participant }) => participant).join()); // 1,2,3
 * console.log(group.commitments.length, commitments.length); // 2 96
 * for (const { secret } of shares) secret.fill(0); // after each share has been sealed
 * ```
 */
export function dealShares(
  {
    type,
    threshold,
    participants,
  }: Pick<FrostGroup, 'type' | 'threshold'> & { readonly participants: number },
  secret?: Uint8Array,
): DealtGroup {
  const quorum = { epoch: 0, threshold, signers: listSigners(participants) };
  const dealt = dealGroup(nobleSuites[type], quorum, randomBytes, secret);
  const { epoch, signers, commitments } = dealt.group;
  const group = { type, epoch, threshold, signers, commitments };
  const shares = [...dealt.shares].map(([participant, share]) => ({ participant, secret: share }));
  return { group, commitments: digestShareGroup(group), shares };
}

/**
 * Encrypts a share to the import key that a node's attestation document binds, for that node, boot and key alone: no other
 * node, and no later boot, can open the result. Needs no connection.
 *
 * @param importKey X25519 public key, 32 bytes, from a verified attestation document
 * @param destination digest of the node's manifest (48 bytes), its session, and the key's id in its configuration
 * @returns the body of `PUT /v1/keys/{key}/share`
 *
 * Source: RFC 9180 (HPKE, base mode); shared/frost/SPEC.md for info and associated data.
 *
 * @example
 * ```ts
 * import { createPrivateKey } from 'node:crypto';
 * import { readFile } from 'node:fs/promises';
 * import { AWS_NITRO_ROOT_G1, parsePcrFile } from '@holdfast-nodes/holdfast/attestation';
 * import { connectNode, dealShares, sealShare } from '@holdfast-nodes/holdfast/client';
 *
 * const node = await connectNode({
 *   url: 'https://node-1.example:8443',
 *   trust: {
 *     root: AWS_NITRO_ROOT_G1,
 *     pcrs: parsePcrFile(await readFile('pcr.json')),
 *     manifest: await readFile('manifest.json'),
 *   },
 *   clientId: 'backend',
 *   privateKey: createPrivateKey(await readFile('client.pem')),
 * });
 * const { group, shares } = dealShares({ type: 'frost-ed25519', threshold: 2, participants: 3 });
 * const imported = await node.importShare('treasury', (importKey, destination) =>
 *   sealShare(group, shares[0], importKey, destination),
 * );
 * console.log(imported.configuration); // 1
 * node.close();
 * ```
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
  const { type, threshold, signers, commitments } = group;
  const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
  return {
    package: {
      type,
      participant,
      threshold,
      participants: signers.length,
      commitments: commitments.map(toHex),
    },
    encapsulatedKey: toHex(encapsulatedKey),
    ciphertext: toHex(ciphertext),
  };
}
