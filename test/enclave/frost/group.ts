import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { dealShares, sealShare } from '../../../client/index.ts';
import {
  commitNonces,
  type ExpectedShare,
  generateImportKey,
  type HeldShare,
  NonceStore,
  openShare,
  signShare,
} from '../../../enclave/frost/index.ts';
import { SignerError } from '../../../enclave/signer/index.ts';
import { type ShareType } from '../../../shared/algorithms.ts';
import { toSigningInput } from '../../../policy/transactions/index.ts';
import { type NonceCommitment, type BlindPayload } from '../../../shared/api/bodies.ts';

export const OWNER = { client: 'backend', key: 'shared' };

/** Node of a group: its share, imported as a client would, and its nonces. */
export interface Node {
  readonly share: HeldShare;
  readonly store: NonceStore;
}

/** A group of nodes, each with a share that was dealt, encrypted to it and imported. */
export function startGroup(type: ShareType, threshold = 2, participants = 3) {
  const { group, shares } = dealShares({ type, threshold, participants });
  const nodes = shares.map((share): Node => {
    const importKey = generateImportKey();
    const destination = {
      manifest: randomBytes(48),
      session: randomBytes(16).toString('hex'),
      key: OWNER.key,
    };
    const request = sealShare(group, share, importKey.publicKey, destination);
    const expected: ExpectedShare = { type, participant: share.participant, threshold, participants };
    return { share: openShare(request, importKey, destination, expected), store: new NonceStore() };
  });
  return { group, nodes };
}

/** Runs both rounds with these nodes; returns the result of each. */
export function signTogether(nodes: readonly Node[], payload: BlindPayload) {
  const rounds = nodes.map(({ share, store }) => commitNonces(store, { ...OWNER, share, now: 0 }));
  const commitments: NonceCommitment[] = rounds.map(({ commitment }) => commitment);
  const shares = nodes.map(({ share, store }, index) => ({
    participant: share.participant,
    signatureShare: Buffer.from(
      signShare(store, {
        ...OWNER,
        share,
        now: 1,
        handle: rounds[index]?.handle ?? '',
        commitments,
        payload: toSigningInput(payload),
      }).signatureShare,
    ).toString('hex'),
  }));
  return { commitments, shares };
}

/** Code of the refusal, or `none`. */
export function frostCode(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(SignerError);
    return (error as SignerError<string>).code;
  }
  return 'none';
}
