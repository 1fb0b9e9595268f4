import { QuorumSigningError } from './errors.ts';
import type { SignerCommitments } from './messages.ts';
import type { NonceCommitments } from '../../../shared/frost/index.ts';
import type { QuorumShare } from './quorum-share.ts';

/** Joins the commitments of one signer: hiding ‖ binding of each signature, one after the other. */
export function joinCommitments(
  commitments: readonly Pick<NonceCommitments, 'hiding' | 'binding'>[],
): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(commitments.flatMap(({ hiding, binding }) => [hiding, binding])));
}

/** Splits what {@link joinCommitments} has joined; undefined where the length is not that of `count` pairs. */
export function splitCommitments(
  participant: number,
  bytes: Uint8Array,
  { count, elementBytes }: { readonly count: number; readonly elementBytes: number },
): NonceCommitments[] | undefined {
  if (bytes.length !== 2 * count * elementBytes) return undefined;
  const part = (index: number) => bytes.slice(index * elementBytes, (index + 1) * elementBytes);
  return Array.from({ length: count }, (_, index) => ({
    participant,
    hiding: part(2 * index),
    binding: part(2 * index + 1),
  }));
}

/**
 * Opens a package: the list of commitments of each of `count` signatures. The signers are of the group, ascending and as
 * many as the threshold, this node and the coordinator among them. Whether commitments are elements is left to the
 * arithmetic, which decodes them anyway.
 *
 * @throws QuorumSigningError QUORUM_PACKAGE_INVALID
 */
export function openPackage(
  list: readonly SignerCommitments[],
  { share, coordinator, count }: { share: QuorumShare; coordinator: number; count: number },
): (readonly NonceCommitments[])[] {
  const numbers = list.map(({ participant }) => participant);
  const isAscending = numbers.every((number, index) => index === 0 || number > (numbers[index - 1] ?? 0));
  const isOfGroup = numbers.every((number) => share.signers.includes(number));
  const hasBoth = numbers.includes(share.participant) && numbers.includes(coordinator);
  const { elementBytes } = share;
  const split = list.map(({ participant, commitments }) =>
    splitCommitments(participant, commitments, { count, elementBytes }),
  );
  if (
    !isAscending ||
    !isOfGroup ||
    !hasBoth ||
    numbers.length !== share.threshold ||
    split.includes(undefined)
  ) {
    throw new QuorumSigningError(
      'QUORUM_PACKAGE_INVALID',
      'expected commitments of as many signers of the group as the threshold, in ascending order',
      { signers: numbers, threshold: share.threshold },
    );
  }
  return Array.from({ length: count }, (_, index) =>
    split.flatMap((commitments) => commitments?.[index] ?? []),
  );
}
