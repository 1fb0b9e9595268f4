import { ReleaseError } from './errors.ts';

/** Version of a release: MAJOR.MINOR.PATCH, each without leading zeros, and maybe a pre-release's name. */
export const RELEASE_VERSION =
  /^(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})(?:-([0-9A-Za-z-]{1,20}(?:\.[0-9A-Za-z-]{1,20}){0,4}))?$/;

/**
 * Compares two versions by precedence: negative where the first is the older one. A pre-release is older than its release.
 *
 * @throws ReleaseError RELEASE_VERSION_MALFORMED
 *
 * Source: Semantic Versioning 2.0.0, section 11; build metadata is none of a release's version.
 */
export function compareVersions(left: string, right: string): number {
  const [a, b] = [parseVersion(left), parseVersion(right)];
  const differing = a.numbers.findIndex((number, index) => number !== b.numbers[index]);
  if (differing !== -1) return (a.numbers[differing] ?? 0) - (b.numbers[differing] ?? 0);
  if (a.pre.length === 0 || b.pre.length === 0) return b.pre.length - a.pre.length;
  for (let index = 0; index < Math.max(a.pre.length, b.pre.length); index += 1) {
    const order = comparePart(a.pre[index], b.pre[index]);
    if (order !== 0) return order;
  }
  return 0;
}

/** Asserts that a text is the version of a release. @throws ReleaseError RELEASE_VERSION_MALFORMED */
export function assertVersion(text: string): void {
  parseVersion(text);
}

function parseVersion(text: string): {
  readonly numbers: readonly number[];
  readonly pre: readonly string[];
} {
  const match = RELEASE_VERSION.exec(text);
  if (match === null) {
    throw new ReleaseError('RELEASE_VERSION_MALFORMED', 'expected a version such as 1.4.0', {
      version: text.slice(0, 64),
    });
  }
  const [, major, minor, patch, pre = ''] = match;
  return { numbers: [major, minor, patch].map(Number), pre: pre === '' ? [] : pre.split('.') };
}

function comparePart(left: string | undefined, right: string | undefined): number {
  if (left === undefined) return -1;
  if (right === undefined) return 1;
  const [isLeft, isRight] = [left, right].map((part) => /^[0-9]+$/.test(part));
  if (isLeft === true && isRight === true) return Number(left) - Number(right);
  if (isLeft !== isRight) return isLeft === true ? -1 : 1;
  return left < right ? -1 : left === right ? 0 : 1;
}
