import { renderKeyPolicy, type RenderOptions } from '../../attestation/key-policy/index.ts';
import type { PcrValues } from '../../attestation/index.ts';
import { UpgradeError } from './errors.ts';
import type { ImageName, UpgradeImages } from './images.ts';

const DAY_MS = 86_400_000;
/** Longest time for which an old image stays admitted, in milliseconds. */
export const MAX_OVERLAP_MS = 30 * DAY_MS;
/** Time before the end of an overlap from which on the admins are reminded. */
const REMINDER_MS = 3 * DAY_MS;
/** Least time that has to be left for a node to be taken down: it may have to be put back to the old image. */
const MARGIN_MS = 3_600_000;

/** What a key policy is made of besides its images; PCR16 is the node's own. */
export interface KeyPolicyOfNode extends Omit<RenderOptions, 'images' | 'initialise' | 'supply'> {
  /** PCR16 of the node's manifest, 48 bytes. */
  readonly pcr16: Uint8Array;
}

/**
 * Writes the policy that admits both images: the new one without end, the old one until the day.
 * @throws KeyPolicyError POLICY_…
 */
export function renderOverlapPolicy(key: KeyPolicyOfNode, images: UpgradeImages, until: number): string {
  return render(key, [{ pcrs: images.new }, { pcrs: images.old, until }]);
}

/** Writes the policy that admits one image alone. @throws KeyPolicyError POLICY_… */
export function renderSinglePolicy(key: KeyPolicyOfNode, image: PcrValues): string {
  return render(key, [{ pcrs: image }]);
}

function render(
  { pcr16, ...options }: KeyPolicyOfNode,
  images: readonly [{ pcrs: PcrValues; until?: number }, ...{ pcrs: PcrValues; until?: number }[]],
): string {
  const [first, ...rest] = images.map((image) => ({
    ...image,
    pcrs: new Map([...image.pcrs, [16, pcr16]] as const),
  }));
  if (first === undefined) throw new TypeError('expected an image');
  return renderKeyPolicy({ ...options, images: [first, ...rest] });
}

/**
 * Asserts that an overlap ends in the future, and not too late.
 * @throws UpgradeError UPGRADE_OVERLAP_LENGTH
 */
export function assertOverlapLength(until: number, now: number): void {
  if (until > now + MARGIN_MS && until <= now + MAX_OVERLAP_MS) return;
  throw new UpgradeError(
    'UPGRADE_OVERLAP_LENGTH',
    'the overlap has to end later than in an hour, and within 30 days',
    {
      until: new Date(until).toISOString(),
      now: new Date(now).toISOString(),
    },
  );
}

/**
 * Asserts that a node may be brought to an image: to the new one while there is time to roll back, to the old one while KMS
 * admits it.
 *
 * @throws UpgradeError UPGRADE_OVERLAP_EXPIRED
 */
export function assertWithinOverlap(until: number, now: number, image: ImageName): void {
  if (now + (image === 'new' ? MARGIN_MS : 0) < until) return;
  throw new UpgradeError(
    'UPGRADE_OVERLAP_EXPIRED',
    'the old image is no longer admitted, or not for long enough to roll back',
    {
      until: new Date(until).toISOString(),
      now: new Date(now).toISOString(),
    },
  );
}

/** State of the overlap in one node's key policy. */
export type OverlapState = 'before' | 'open' | 'ending' | 'expired' | 'narrowed' | 'other';

/**
 * Finds how far a key policy is: `before` admits the old image alone, `open` both, `ending` both for three days more at most,
 * `expired` is one whose day is over and that nobody has narrowed since (KMS refuses the old image by itself), `narrowed`
 * admits the new image alone, `other` is none of these.
 */
export function findOverlapState(
  policy: string,
  { key, images, until, now }: { key: KeyPolicyOfNode; images: UpgradeImages; until: number; now: number },
): OverlapState {
  const found = canonical(policy);
  if (found === canonical(renderSinglePolicy(key, images.new))) return 'narrowed';
  if (found === canonical(renderSinglePolicy(key, images.old))) return 'before';
  if (found !== canonical(renderOverlapPolicy(key, images, until))) return 'other';
  return overlapAt(until, now);
}

/** State of an overlap whose policy is in force, by its day alone. */
export function overlapAt(until: number, now: number): 'open' | 'ending' | 'expired' {
  if (now >= until) return 'expired';
  return now >= until - REMINDER_MS ? 'ending' : 'open';
}

/** Words for people about the overlap, or undefined where there is nothing to remind of. */
export function describeReminder(
  node: number,
  state: OverlapState,
  until: number,
  now: number,
): string | undefined {
  const day = new Date(until).toISOString();
  const days = Math.max(0, Math.floor((until - now) / DAY_MS));
  switch (state) {
    case 'ending':
      return `node ${node}: the old image is admitted until ${day} (${days} days): finish the upgrade, or roll back`;
    case 'expired':
      return `node ${node}: the overlap has ended at ${day}, KMS refuses the old image: narrow the policy to the new one`;
    case 'other':
      return `node ${node}: the key policy is neither the old one, nor the new one, nor the overlap of both`;
    case 'before':
    case 'open':
    case 'narrowed':
    default:
      return undefined;
  }
}

/** JSON without spaces, members in order: KMS gives a policy back as it was put. */
function canonical(policy: string): string {
  return JSON.stringify(JSON.parse(policy), (_name, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
