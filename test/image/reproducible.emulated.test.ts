import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeEif, memorySource } from '../../attestation/eif/index.ts';
import { formatPcrFile } from '../../attestation/index.ts';
import { LOCK_VARIABLE, ROOT } from '../../scripts/image/lock.ts';
import { findEmulator, isPinned } from '../emulated/harness/emulator.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Exit code of scripts/build-eif --no-cache where node_modules cannot be checked. */
const UNCHECKED = 3;
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

describe.skipIf(findEmulator() === undefined)('the enclave image', () => {
  const folder = temporaryFolder();

  function build(
    project: string,
    out: string,
    environment: Record<string, string>,
    ...options: string[]
  ): number | null {
    const kept = isPinned() ? {} : { [LOCK_VARIABLE]: process.env[LOCK_VARIABLE] };
    const { status, stderr } = spawnSync(join(project, 'scripts/build-eif'), ['--out', out, ...options], {
      encoding: 'utf8',
      cwd: folder,
      env: {
        PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
        HOME: process.env['HOME'] ?? '/root',
        ...kept,
        ...environment,
      },
    });
    // The kernel that is built again says so.
    if (status !== UNCHECKED) {
      expect(stderr.replaceAll(/^kernel: .*\n/gm, '')).toBe('');
      expect(status).toBe(0);
    }
    return status;
  }

  /** A cache whose parts are there by their names and hold nothing, beside the packages that were downloaded. */
  function plantCache(): string {
    const real = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'holdfast');
    const planted = join(folder, 'cache/holdfast');
    for (const name of readdirSync(real).filter((part) => /^(inputs|kernel)-/.test(part))) {
      mkdirSync(join(planted, name), { recursive: true });
      writeFileSync(join(planted, name, 'complete'), '');
    }
    symlinkSync(join(real, 'packages'), join(planted, 'packages'));
    return join(folder, 'cache');
  }

  test(
    'has the same bytes when it is built in another folder, at another time, in another place, beside a false cache',
    { timeout: 2_400_000 },
    async ({ skip }) => {
      const projects = [join(folder, 'project'), join(folder, 'a copy of the project')] as const;
      for (const [index, project] of projects.entries()) {
        const from = index === 0 ? ROOT : projects[0];
        for (const name of SOURCES) cpSync(join(from, name), join(project, name), { recursive: true });
        symlinkSync(join(ROOT, 'node_modules'), join(project, 'node_modules'));
      }
      utimesSync(join(projects[1], 'enclave/main.ts'), 1, 1);
      const here = join(folder, 'here');
      const there = join(folder, 'there');
      build(projects[0], here, { TZ: 'UTC', LANG: 'C' });
      const elsewhere = { TZ: 'Pacific/Auckland', LANG: 'de_DE.UTF-8', USER: 'somebody' };
      const status = build(projects[1], there, { ...elsewhere, XDG_CACHE_HOME: plantCache() }, '--no-cache');
      skip(status === UNCHECKED, 'SKIPPED: npm has no packages here to hold node_modules against');
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
    },
  );
});
