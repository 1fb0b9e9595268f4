import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compareLocks, describeChanges, findMissing, moveLock } from '../../scripts/image/lock-changes.ts';
import {
  formatLock,
  type LockedPackage,
  parseLock,
  PINNED_LOCK,
  readLock,
} from '../../scripts/image/lock.ts';

const sha = (digit: string) => digit.repeat(64);
const locked = (name: string, version: string, use: LockedPackage['use'], digit = '0'): LockedPackage => ({
  sha256: sha(digit),
  name,
  version,
  use,
});
const SNAPSHOT = '20261121T000000Z';
const LOCK = {
  snapshot: SNAPSHOT,
  packages: [
    locked('gcc-14', '14.2.0-19', 'compiler'),
    locked('libc6', '2.41-12', 'library', '1'),
    locked('linux-source-6.12', '6.12.107-1', 'kernel', '2'),
  ],
};

describe('a lock file', () => {
  test('is the same after it was read and written, with its comments', () => {
    const text = readFileSync(PINNED_LOCK, 'utf8');
    expect(formatLock(parseLock(text), text)).toBe(text);
    expect(readLock(PINNED_LOCK).packages.length).toBeGreaterThan(40);
  });

  test.each([
    ['a digest that is none', `snapshot ${SNAPSHOT}\n${'0'.repeat(63)} gcc 1 compiler`],
    ['a use that nobody knows', `snapshot ${SNAPSHOT}\n${sha('0')} gcc 1 guest`],
    ['an option of apt for a name', `snapshot ${SNAPSHOT}\n${sha('0')} -oDir=/ 1 compiler`],
    ['more words', `snapshot ${SNAPSHOT}\n${sha('0')} gcc 1 compiler or`],
    ['no time of a snapshot', `${sha('0')} gcc 1 compiler`],
    ['a time that is none', `snapshot yesterday\n${sha('0')} gcc 1 compiler`],
  ])('is refused with %s', (_, text) => {
    expect(() => parseLock(text)).toThrow(expect.objectContaining({ code: 'IMAGE_LOCK_MALFORMED' }));
  });
});

describe('what a mirror has', () => {
  const newer = { sha256: sha('a'), name: 'libc6', version: '2.41-13' };
  const listed = [newer, ...LOCK.packages];

  test('lacks a package whose version or bytes it does not have', () => {
    expect(findMissing(LOCK, listed)).toEqual([]);
    const [, libc6, kernel] = LOCK.packages;
    expect(findMissing(LOCK, [newer, ...LOCK.packages.slice(0, 1)])).toEqual([libc6, kernel]);
    const otherBytes = LOCK.packages.map((version) => ({ ...version, sha256: sha('f') }));
    expect(findMissing(LOCK, otherBytes)).toEqual(LOCK.packages);
  });

  test('moves a package to the version that it lists first, and keeps order and use', () => {
    const { packages } = moveLock(LOCK, listed, SNAPSHOT);
    expect(packages.map(({ version }) => version)).toEqual(['14.2.0-19', '2.41-13', '6.12.107-1']);
    expect(packages[1]).toEqual({ ...newer, use: 'library' });
  });

  test('ends the move when a name is gone', () => {
    expect(() => moveLock(LOCK, listed.slice(0, 2), SNAPSHOT)).toThrow(
      expect.objectContaining({ code: 'IMAGE_PACKAGE_GONE' }),
    );
  });
});

describe('the words about a change', () => {
  const change = (...names: string[]) =>
    describeChanges(
      compareLocks(LOCK, {
        snapshot: SNAPSHOT,
        packages: LOCK.packages.map((old) => (names.includes(old.name) ? { ...old, version: 'next' } : old)),
      }),
      LOCK.packages.length,
    ).join('\n');

  test('say nothing changes', () => {
    expect(change()).toBe('all 3 packages are the newest: nothing changes');
  });

  test.each([
    [
      'linux-source-6.12',
      'kernel     linux-source-6.12  6.12.107-1 -> next  PCR0, PCR1',
      'PCR0, PCR1 change.',
    ],
    ['libc6', 'library    libc6  2.41-12 -> next  PCR0, PCR2', 'PCR0, PCR2 change.'],
    ['gcc-14', 'compiler   gcc-14  14.2.0-19 -> next  PCR0, PCR1, PCR2', 'PCR0, PCR1, PCR2 may change'],
  ])('name what %s decides', (name, line, sum) => {
    const words = change(name);
    expect(words).toContain(sum);
    expect(words.replaceAll(/ +/g, ' ')).toContain(line.replaceAll(/ +/g, ' '));
  });

  test('tell what changes for certain from what only a build tells', () => {
    expect(change('libc6', 'gcc-14')).toContain('PCR0, PCR2 change; PCR1 may change');
  });

  test('tell other bytes under the same version', () => {
    const packages = LOCK.packages.map((old) => ({ ...old, sha256: sha('9') }));
    const words = describeChanges(compareLocks(LOCK, { snapshot: SNAPSHOT, packages }), 3).join('\n');
    expect(words).toContain('2.41-12, other bytes');
  });
});
