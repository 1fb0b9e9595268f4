import type { SigningInput } from '../../../policy/transactions/index.ts';
import type { ShareType } from '../../../shared/algorithms.ts';
import {
  aggregatePrepared,
  type ChildKey,
  deriveChildKey,
  digestShareGroup,
  type NonceCommitments,
  type Nonces,
  type PreparedShare,
  type SignatureShare,
  type SigningPackage,
} from '../../../shared/frost/index.ts';
import type { HeldShare } from '../../frost/index.ts';
import { assertSignable, type KeySignature } from '../../signer/index.ts';
import { dropOldest } from '../../../shared/drop-oldest.ts';

/** A node's own share of a key, as signing among nodes uses it. */
export interface QuorumShare {
  readonly type: ShareType;
  /** How often the shares of the key were made anew. */
  readonly epoch: number;
  /** SHA-384, in hex, of all that is public about the group of this epoch. */
  readonly digest: string;
  /** Number of this node, which is its participant's. */
  readonly participant: number;
  readonly threshold: number;
  /** Bytes of an encoded element of the group. */
  readonly elementBytes: number;
  /** Numbers of all nodes with a share, ascending. */
  readonly signers: readonly number[];
  /** The encoded public key: of the child, where this is one. */
  readonly publicKey: Uint8Array;
  /**
   * Views the share of a child of the key: its signatures are the child's, the rest is the key's.
   *
   * @param path unhardened indices of BIP-32
   * @throws ThresholdError DERIVATION_UNSUPPORTED, DERIVATION_INVALID
   */
  child(path: readonly number[]): QuorumShare;
  /** Makes the nonces of one signature. @throws FrostError SHARE_DESTROYED */
  commit(): Nonces;
  /**
   * Makes this node's share of a signature; the nonces are zero afterwards.
   *
   * @throws FrostError COMMITMENTS_INVALID, SHARE_DESTROYED; SignerError PAYLOAD_MISMATCH
   */
  sign(input: SigningInput, nonces: Nonces, list: readonly NonceCommitments[]): PreparedShare;
  /**
   * Aggregates and verifies a signature: RFC 9591, 5.3. Where it does not verify, each share is verified by itself.
   *
   * @param prepared what this node has made its own share with: group, list and message are those
   * @throws ThresholdError whose `culprits` are all nodes whose values are wrong
   */
  aggregate(prepared: SigningPackage, shares: readonly SignatureShare[]): KeySignature;
}

/** The most children of one share that are kept, so that each is derived once. */
const MAX_KEPT_CHILDREN = 64;

const KNOWN = new WeakMap<HeldShare, QuorumShare>();

/**
 * Views a share that this node holds as signing among nodes uses it.
 *
 * @param chainCode 32 bytes, with which children of the key are derived; the same whenever the share is viewed
 */
export function toQuorumShare(held: HeldShare, chainCode: Uint8Array): QuorumShare {
  const known = KNOWN.get(held);
  if (known !== undefined) return known;
  const share = createQuorumShare(held, chainCode);
  KNOWN.set(held, share);
  return share;
}

function createQuorumShare(held: HeldShare, chainCode: Uint8Array, child?: ChildKey): QuorumShare {
  const { type, group, participant } = held;
  const signing = child?.group ?? group;
  const children = new Map<string, QuorumShare>();
  const [publicKey = new Uint8Array(0)] = signing.commitments;
  return {
    type,
    epoch: group.epoch,
    digest: digestShareGroup(group),
    participant,
    threshold: group.threshold,
    elementBytes: group.suite.group.elementBytes,
    signers: group.signers,
    publicKey,
    child: (path) => {
      const name = path.join('/');
      const known = children.get(name);
      if (known !== undefined) return known;
      const made = createQuorumShare(held, chainCode, deriveChildKey(group, chainCode, path));
      children.set(name, made);
      dropOldest(children, MAX_KEPT_CHILDREN);
      return made;
    },
    commit: () => held.commit(),
    sign: (input, nonces, list) => {
      const request = { algorithm: type, payload: input };
      assertSignable(type, request);
      return held.sign({ ...request, round: { nonces, commitments: [...list], child } });
    },
    aggregate: (prepared, shares) => {
      const { suite, commitments } = prepared.group;
      const [key = new Uint8Array(0)] = commitments;
      const signature = aggregatePrepared(prepared, shares);
      return { signature, publicKey: suite.isBip340 ? key.subarray(1) : key };
    },
  };
}
