import { createHash } from 'node:crypto';
import { ThresholdError } from '../errors.ts';
import {
  areAscending,
  assertQuorum,
  type DecodedGroup,
  MAX_EPOCH,
  MAX_SIGNER_NUMBER,
} from '../frost-group.ts';
import { digestShareGroup, TYPE_NUMBERS } from '../share-binding.ts';
import { type Suite } from '../suites/suite.ts';

/** The most bytes of a context: the session of a ceremony, or what else tells it from all others. */
const MAX_CONTEXT_BYTES = 64;
const TERMS_LABEL = Buffer.from('holdfast-frost-terms/1\0');

/** The ceremonies, with the numbers that stand for them in packages. */
export const CEREMONY_NUMBERS = { generate: 1, refresh: 2, reshare: 3, repair: 4 } as const;
export type CeremonyKind = keyof typeof CEREMONY_NUMBERS;

/** What all participants of a ceremony must agree on before it begins. Made by the functions of this file alone. */
export interface Terms<Kind extends CeremonyKind = CeremonyKind> {
  readonly kind: Kind;
  readonly suite: Suite;
  /** The epoch of the group that the ceremony makes; of a repair, the epoch of the group that it repairs. */
  readonly epoch: number;
  /** The threshold of the group that the ceremony makes. */
  readonly threshold: number;
  /** Senders of packages, in ascending order: all signers, the old holders of a reshare, the helpers of a repair. */
  readonly dealers: readonly number[];
  /** Holders of the new shares, in ascending order; of a repair, the one that gets a share. */
  readonly receivers: readonly number[];
  /** The group whose key goes on; undefined for a generation. */
  readonly base: DecodedGroup | undefined;
  /** SHA-384 of all of the above and of the context (SPEC.md, "Terms"): packages of other terms are refused. */
  readonly digest: Uint8Array;
}

/** The terms of ceremonies that deal polynomials: all but repair. */
export type DealingTerms = Terms<'generate' | 'refresh' | 'reshare'>;

/**
 * The terms of a distributed key generation among `signers`.
 *
 * @throws ThresholdError GROUP_INVALID
 */
export function createGenerationTerms(
  suite: Suite,
  { threshold, signers }: { readonly threshold: number; readonly signers: readonly number[] },
  context: Uint8Array,
): Terms<'generate'> {
  assertQuorum(threshold, signers);
  return digestTerms(
    { kind: 'generate', suite, epoch: 1, threshold, dealers: signers, receivers: signers, base: undefined },
    context,
  );
}

/**
 * The terms of a refresh: the same key and threshold, with shares that do not fit the old ones. Signers that are left out
 * hold no share afterwards.
 *
 * @param signers of the group, in ascending order, at least as many as the threshold
 * @throws ThresholdError PARTICIPANTS_INVALID, GROUP_INVALID where no epoch is left
 */
export function createRefreshTerms(
  base: DecodedGroup,
  signers: readonly number[],
  context: Uint8Array,
): Terms<'refresh'> {
  assertMembers(base, signers);
  const { suite, threshold } = base;
  return digestTerms(
    { kind: 'refresh', suite, epoch: nextEpoch(base), threshold, dealers: signers, receivers: signers, base },
    context,
  );
}

/**
 * The terms of a reshare: the same key, held by other signers, or with another threshold.
 *
 * @param dealers old holders, in ascending order, at least as many as the old threshold
 * @throws ThresholdError PARTICIPANTS_INVALID, GROUP_INVALID
 */
export function createReshareTerms(
  base: DecodedGroup,
  dealers: readonly number[],
  { threshold, signers }: { readonly threshold: number; readonly signers: readonly number[] },
  context: Uint8Array,
): Terms<'reshare'> {
  assertMembers(base, dealers);
  assertQuorum(threshold, signers);
  const { suite } = base;
  return digestTerms(
    { kind: 'reshare', suite, epoch: nextEpoch(base), threshold, dealers, receivers: signers, base },
    context,
  );
}

/**
 * The terms of a repair: helpers compute the share of `target` for it. A target that is no signer yet is enrolled:
 * {@link enrolSigner} makes the group that has it.
 *
 * @param helpers signers of the group, in ascending order, the target not among them, at least as many as the threshold
 * @throws ThresholdError PARTICIPANTS_INVALID
 */
export function createRepairTerms(
  base: DecodedGroup,
  helpers: readonly number[],
  target: number,
  context: Uint8Array,
): Terms<'repair'> {
  assertMembers(base, helpers);
  if (!Number.isInteger(target) || target < 1 || target > MAX_SIGNER_NUMBER || helpers.includes(target)) {
    throw new ThresholdError('PARTICIPANTS_INVALID', 'expected a target that is no helper', [], { target });
  }
  const { suite, epoch, threshold } = base;
  return digestTerms(
    { kind: 'repair', suite, epoch, threshold, dealers: helpers, receivers: [target], base },
    context,
  );
}

function assertMembers({ signers, threshold }: DecodedGroup, members: readonly number[]): void {
  if (
    members.length < threshold ||
    !areAscending(members) ||
    members.some((member) => !signers.includes(member))
  ) {
    throw new ThresholdError(
      'PARTICIPANTS_INVALID',
      'expected signers of the group in ascending order, at least as many as the threshold',
      [],
      { members: members.length, threshold },
    );
  }
}

/** Returns the epoch after a group's. @throws ThresholdError GROUP_INVALID where none is left */
export function nextEpoch({ epoch }: Pick<DecodedGroup, 'epoch'>): number {
  if (epoch >= MAX_EPOCH) throw new ThresholdError('GROUP_INVALID', 'no epoch is left', [], { epoch });
  return epoch + 1;
}

function digestTerms<Kind extends CeremonyKind>(
  terms: Omit<Terms<Kind>, 'digest'>,
  context: Uint8Array,
): Terms<Kind> {
  if (context.length > MAX_CONTEXT_BYTES)
    throw new RangeError(`expected a context of at most ${MAX_CONTEXT_BYTES} bytes`);
  const { kind, suite, epoch, threshold, base } = terms;
  const dealers = [...terms.dealers];
  const receivers = [...terms.receivers];
  const header = Buffer.alloc(7);
  header.writeUInt8(TYPE_NUMBERS[suite.type], 0);
  header.writeUInt8(CEREMONY_NUMBERS[kind], 1);
  header.writeUInt32BE(epoch, 2);
  header.writeUInt8(threshold, 6);
  const digest = createHash('sha384')
    .update(TERMS_LABEL)
    .update(header)
    .update(encodeNumbers(dealers))
    .update(encodeNumbers(receivers))
    .update(base === undefined ? Buffer.alloc(48) : Buffer.from(digestShareGroup(base), 'hex'))
    .update(Uint8Array.of(context.length))
    .update(context)
    .digest();
  return Object.freeze({ ...terms, dealers, receivers, digest: new Uint8Array(digest) });
}

function encodeNumbers(numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(1 + 2 * numbers.length);
  bytes.writeUInt8(numbers.length, 0);
  for (const [index, number] of numbers.entries()) bytes.writeUInt16BE(number, 1 + 2 * index);
  return bytes;
}
