import type { SigningInput } from '../../policy/transactions/index.ts';
import { type NonceCommitment } from '../../shared/api/bodies.ts';
import type { SignatureShare } from '../../shared/frost/index.ts';
import { assertSignable } from '../signer/index.ts';
import { FrostError } from './errors.ts';
import { type HeldShare } from './held-share.ts';
import { type NonceOwner, type NonceStore } from './nonce-store.ts';

export interface Round1 extends NonceOwner {
  readonly share: HeldShare;
  /** Milliseconds of the store's monotonic clock. */
  readonly now: number;
}

export interface Round2 extends Round1 {
  readonly handle: string;
  readonly commitments: readonly NonceCommitment[];
  readonly payload: SigningInput;
}

/**
 * Makes nonces and commits to them (RFC 9591, 5.1). Nothing about the message is bound here: FROST stays unforgeable
 * when the message is chosen after the commitments, because the binding factors of round two hash both, and clients
 * may commit ahead of time. What may be signed is decided in round two, on the message itself.
 *
 * @throws FrostError NONCE_LIMIT, SHARE_DESTROYED
 */
export function commitNonces(
  store: NonceStore,
  { client, key, share, now }: Round1,
): { readonly handle: string; readonly commitment: NonceCommitment } {
  // Checked first, since making nonces takes a thousand times as long as this look-up.
  store.assertRoom(client, now);
  const nonces = share.commit();
  const { hiding, binding } = nonces.commitments;
  return {
    handle: store.put({ client, key }, nonces, now),
    commitment: {
      participant: share.participant,
      hiding: Buffer.from(hiding).toString('hex'),
      binding: Buffer.from(binding).toString('hex'),
    },
  };
}

/**
 * Makes this node's share of a signature (RFC 9591, 5.2). The nonces are gone afterwards, even if it fails, as soon
 * as the request is of the right form.
 *
 * @throws FrostError PAYLOAD_MISMATCH, COMMITMENTS_INVALID, NONCE_USED, NONCE_UNKNOWN, SHARE_DESTROYED
 */
export function signShare(store: NonceStore, request: Round2): SignatureShare {
  const { client, key, share, handle, commitments, now } = request;
  const signing = { algorithm: share.type, payload: request.payload };
  // Checked before the nonces are taken: a request that cannot be signed leaves them for one that can.
  assertSignable(share.type, signing);
  assertQuorum(share, commitments);
  const list = commitments.map(({ participant, hiding, binding }) => ({
    participant,
    hiding: new Uint8Array(Buffer.from(hiding, 'hex')),
    binding: new Uint8Array(Buffer.from(binding, 'hex')),
  }));
  const nonces = store.take(handle, { client, key }, now);
  return share.sign({ ...signing, round: { nonces, commitments: list } });
}

/**
 * Asserts that commitments are of enough signers of the group, each once, in ascending order, and this node's among
 * them.
 *
 * @throws FrostError COMMITMENTS_INVALID
 */
function assertQuorum({ group, participant }: HeldShare, commitments: readonly NonceCommitment[]): void {
  const hexLength = 2 * group.suite.group.elementBytes;
  let previous = 0;
  for (const commitment of commitments) {
    if (
      !Number.isInteger(commitment.participant) ||
      commitment.participant <= previous ||
      !group.signers.includes(commitment.participant) ||
      commitment.hiding.length !== hexLength ||
      commitment.binding.length !== hexLength
    ) {
      throw new FrostError(
        'COMMITMENTS_INVALID',
        'expected distinct signers of the group in ascending order',
      );
    }
    previous = commitment.participant;
  }
  if (
    commitments.length < group.threshold ||
    !commitments.some((commitment) => commitment.participant === participant)
  ) {
    throw new FrostError('COMMITMENTS_INVALID', 'expected a quorum with this node in it');
  }
}
