import { TranscriptError } from './errors.ts';
import type { Plan, PlannedKey } from './plan.ts';
import type { VerifiedEpoch, VerifiedTranscript } from './verification.ts';

/** One ceremony's part in the life of a key. */
interface Link {
  readonly plan: Plan;
  readonly planned: PlannedKey;
  readonly made: VerifiedEpoch;
}

/**
 * Verifies that transcripts of the same key follow one another: each starts from the very group that the one before has
 * made, and its dealers are the nodes that hold that group. Whatever the transcripts' order, the epochs' order counts.
 *
 * @throws TranscriptError CEREMONY_UNENDORSED
 */
export function verifyChain(transcripts: readonly VerifiedTranscript[]): void {
  const links = new Map<string, Link[]>();
  for (const { plan, keys } of transcripts) {
    for (const [index, made] of keys.entries()) {
      const planned = plan.keys[index];
      if (planned !== undefined)
        links.set(made.key, [...(links.get(made.key) ?? []), { plan, planned, made }]);
    }
  }
  for (const chain of links.values()) {
    const sorted = chain.toSorted((one, other) => one.made.epoch - other.made.epoch);
    for (const [index, link] of sorted.entries()) {
      const before = sorted[index - 1];
      if (before !== undefined) assertFollows(before, link);
    }
  }
}

function assertFollows(before: Link, { plan, planned }: Link): void {
  const refuse = (message: string) =>
    new TranscriptError('CEREMONY_UNENDORSED', message, {
      key: planned.key,
      epoch: planned.epoch,
      expected: before.made.epoch,
      actual: planned.former?.epoch,
    });
  const { former } = planned;
  if (former === null || former.epoch !== before.made.epoch || planned.epoch <= before.made.epoch)
    throw refuse('the ceremony does not start from the epoch before');
  const isSame =
    former.threshold === before.plan.threshold &&
    String(former.holders) === String(before.plan.holders) &&
    former.commitments.length === before.made.commitments.length &&
    former.commitments.every((one, at) => isEqual(one, before.made.commitments[at]));
  if (!isSame) throw refuse('the ceremony starts from another group than the one before has made');
  const known = plan.dealers.filter((dealer) => {
    const manifest = manifestOf(plan, dealer);
    return manifest !== undefined && isEqual(manifest, manifestOf(before.plan, dealer));
  });
  if (known.length < former.threshold)
    throw refuse('dealers are not the nodes that the epoch before was dealt to');
}

function manifestOf({ members }: Plan, node: number): Uint8Array | undefined {
  return members.find((member) => member.node === node)?.manifest;
}

function isEqual(one: Uint8Array, other: Uint8Array | undefined): boolean {
  return other !== undefined && Buffer.from(one).equals(other);
}
