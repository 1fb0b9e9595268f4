import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { dealShares, sealShare } from '../../../client/index.ts';
import {
  type ExpectedShare,
  generateImportKey,
  type HeldShare,
  openShare,
} from '../../../enclave/frost/index.ts';
import { SignerError } from '../../../enclave/signer/index.ts';
import { type ShareType } from '../../../shared/algorithms.ts';

/** Node of a group: its share, imported as a client would. */
export interface Node {
  readonly share: HeldShare;
}

/** A group of nodes, each with a share that was dealt, encrypted to it and imported. */
export function startGroup(type: ShareType, threshold = 2, participants = 3) {
  const { group, shares } = dealShares({ type, threshold, participants });
  const nodes = shares.map((share): Node => {
    const importKey = generateImportKey();
    const destination = {
      manifest: randomBytes(48),
      session: randomBytes(16).toString('hex'),
      key: 'shared',
    };
    const request = sealShare(group, share, importKey.publicKey, destination);
    const expected: ExpectedShare = { type, participant: share.participant, threshold, participants };
    return { share: openShare(request, importKey, destination, expected) };
  });
  return { group, nodes };
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
