import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { describeEif, memorySource } from '../../attestation/eif/index.ts';
import { formatPcrFile } from '../../attestation/index.ts';
import { LOCK_VARIABLE, ROOT } from '../../scripts/image/lock.ts';
import { findEmulator, isPinned } from '../emulated/harness/emulator.ts';

const SOURCES = [
  'attestation',
  'cli',
  'docker',
  'enclave',
  'scripts',
  'shared',
  'package.json',
  'package-lock.json',
];

describe.skipIf(findEmulator() === undefined)('the enclave image', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-reproducible-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  function build(
    project: string,
    out: string,
    environment: Record<string, string>,
    ...options: string[]
  ): void {
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
    expect(stderr.replaceAll(/^kernel: .*\n/gm, '')).toBe('');
    expect(status).toBe(0);
  }

  test(
    'has the same bytes when it is built in another folder, at another time, in another place',
    { timeout: 1_200_000 },
    async () => {
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
      build(projects[1], there, elsewhere, '--no-cache');
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
