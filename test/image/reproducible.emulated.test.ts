import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeEif, memorySource } from '../../attestation/eif/index.ts';
import { formatPcrFile } from '../../attestation/index.ts';
import { LOCK_VARIABLE, ROOT } from '../../scripts/image/lock.ts';
import { findEmulator, isPinned } from '../emulated/harness/emulator.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Exit code of scripts/build-eif --no-cache where node_modules cannot be checked. */
const UNCHECKED = '3';
const SOURCES = [
  'admin',
  'attestation',
  'cli',
  'docker',
  'enclave',
  'audit',
  'policy',
  'scripts',
  'shared',
  'package.json',
  'package-lock.json',
];
/** Made by scripts/build-anew.sh, where `make test` has not: elsewhere, at another time, beside a false cache. */
const ANEW = join(ROOT, 'build/anew');

describe.skipIf(findEmulator() === undefined)('the enclave image', () => {
  const folder = temporaryFolder();
  const kept = isPinned() ? {} : { [LOCK_VARIABLE]: process.env[LOCK_VARIABLE] };
  const home = process.env['HOME'] ?? '/root';
  // The kernel that is built again says so.
  const saidOf = (stderr: string) => stderr.replaceAll(/^kernel: .*\n/gm, '');

  function buildHere(out: string): void {
    const project = join(folder, 'project');
    for (const name of SOURCES) cpSync(join(ROOT, name), join(project, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(project, 'node_modules'));
    const { status, stderr } = spawnSync(join(project, 'scripts/build-eif'), ['--out', out], {
      encoding: 'utf8',
      cwd: folder,
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: home, TZ: 'UTC', LANG: 'C', ...kept },
    });
    expect(saidOf(stderr)).toBe('');
    expect(status).toBe(0);
  }

  test(
    'has the same bytes when it is built in another folder, at another time, in another place, beside a false cache',
    { timeout: 2_400_000 },
    async ({ skip }) => {
      const { status, stderr } = spawnSync(join(ROOT, 'scripts/build-anew.sh'), { encoding: 'utf8' });
      expect(stderr).toBe('');
      expect(status).toBe(0);
      const outcome = readFileSync(join(ANEW, 'status'), 'utf8').trim();
      skip(outcome === UNCHECKED, 'SKIPPED: npm has no packages here to hold node_modules against');
      expect(saidOf(readFileSync(join(ANEW, 'log'), 'utf8'))).toBe('');
      const here = join(folder, 'here');
      const there = join(ANEW, 'image');
      buildHere(here);
      const names = readdirSync(here).toSorted();
      expect(names).toEqual([
        'enclave.eif',
        'image-files.json',
        'pcr.json',
        'provenance.json',
        'sbom.cdx.json',
      ]);
      const differing = names.filter(
        (name) => !readFileSync(join(there, name)).equals(readFileSync(join(here, name))),
      );
      expect(differing).toEqual([]);

      const image = readFileSync(join(here, 'enclave.eif'));
      const { measurements } = await describeEif(memorySource(image));
      expect(formatPcrFile(measurements)).toBe(readFileSync(join(here, 'pcr.json'), 'utf8'));
      expect(image.length).toBeLessThan(48 * 1024 * 1024);
      // One comparison of each: the next run builds anew.
      rmSync(ANEW, { recursive: true });
    },
  );
});
