import type { SigningInput } from '../../../policy/transactions/index.ts';
import type { ShareType } from '../../../shared/algorithms.ts';
import {
  adjustGroup,
  aggregate,
  createTaprootTweak,
  type DecodedGroup,
  digestShareGroup,
  type NonceCommitments,
  type Nonces,
  type SignatureShare,
} from '../../../shared/frost/index.ts';
import type { HeldShare } from '../../frost/index.ts';
import { assertSignable, type KeySignature } from '../../signer/index.ts';

/** This node's share of a key, as signing among nodes uses it. */
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
  /** Makes the nonces of one signature. @throws FrostError SHARE_DESTROYED */
  commit(): Nonces;
  /**
   * Makes this node's share of a signature; the nonces are zero afterwards.
   *
   * @throws FrostError COMMITMENTS_INVALID, SHARE_DESTROYED; SignerError PAYLOAD_MISMATCH
   */
  sign(input: SigningInput, nonces: Nonces, list: readonly NonceCommitments[]): SignatureShare;
  /**
   * Aggregates and verifies a signature: RFC 9591, 5.3. Where it does not verify, each share is verified by itself.
   *
   * @throws ThresholdError whose `culprits` are all nodes whose values are wrong
   */
  aggregate(
    input: SigningInput,
    list: readonly NonceCommitments[],
    shares: readonly SignatureShare[],
  ): KeySignature;
}

const KNOWN = new WeakMap<HeldShare, QuorumShare>();

/** Views a share that this node holds as signing among nodes uses it. */
export function toQuorumShare(held: HeldShare): QuorumShare {
  const known = KNOWN.get(held);
  if (known !== undefined) return known;
  const share = createQuorumShare(held);
  KNOWN.set(held, share);
  return share;
}

function createQuorumShare(held: HeldShare): QuorumShare {
  const { type, group, participant } = held;
  /** The group of BIP-86, whose empty root most signatures have. */
  let withEmptyRoot: DecodedGroup | undefined;
  const findGroup = (input: SigningInput): DecodedGroup => {
    if (input.kind !== 'taproot-sighash') return group;
    if (input.merkleRoot.length > 0) return adjustGroup(group, createTaprootTweak(group, input.merkleRoot));
    withEmptyRoot ??= adjustGroup(group, createTaprootTweak(group, input.merkleRoot));
    return withEmptyRoot;
  };
  return {
    type,
    epoch: group.epoch,
    digest: digestShareGroup(group),
    participant,
    threshold: group.threshold,
    elementBytes: group.suite.group.elementBytes,
    signers: group.signers,
    commit: () => held.commit(),
    sign: (input, nonces, list) => {
      const signing = { algorithm: type, payload: input };
      assertSignable(type, signing);
      return held.sign({ ...signing, round: { nonces, commitments: [...list] } });
    },
    aggregate: (input, list, shares) => {
      const signing = findGroup(input);
      const signature = aggregate(
        signing,
        list,
        input.kind === 'message' ? input.message : input.digest,
        shares,
      );
      const [publicKey = new Uint8Array(0)] = signing.commitments;
      return { signature, publicKey: signing.suite.isBip340 ? publicKey.subarray(1) : publicKey };
    },
  };
}
