import { assertEach } from '../errors.ts';
import { type CeremonyPackage } from './package.ts';
import { type Terms } from './terms.ts';

/**
 * Asserts that there is one package of each dealer, under the same terms, and none of anybody else; names all who are at
 * fault, those whose package is missing or repeated among them.
 *
 * @throws ThresholdError PACKAGE_INVALID
 */
export function assertPackagesOfAll(
  { kind, dealers, digest }: Terms,
  packages: readonly CeremonyPackage[],
): void {
  const senders = new Set([...dealers, ...packages.map(({ sender }) => sender)]);
  assertEach(
    [...senders].map((sender) => [sender, packages.filter((each) => each.sender === sender)] as const),
    (sent, sender) =>
      dealers.includes(sender) &&
      sent.length === 1 &&
      sent.every((each) => each.kind === kind && Buffer.from(digest).equals(each.terms)),
    'PACKAGE_INVALID',
    'expected one package of each dealer, under the terms of this ceremony',
  );
}

/**
 * Asserts that there is one secret part of each dealer and none of anybody else.
 *
 * @throws ThresholdError SECRET_PART_INVALID
 */
export function assertPartsOfAll(senders: readonly number[], parts: readonly SecretPart[]): void {
  const all = new Set([...senders, ...parts.map(({ sender }) => sender)]);
  assertEach(
    [...all].map((sender) => [sender, parts.filter((part) => part.sender === sender).length] as const),
    (count, sender) => count === 1 && senders.includes(sender),
    'SECRET_PART_INVALID',
    'expected one secret part of each dealer',
  );
}

/** A secret scalar of 32 bytes that one participant sends to one other, encrypted to it. */
export interface SecretPart {
  readonly sender: number;
  readonly value: Uint8Array;
}
