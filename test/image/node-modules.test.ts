import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ROOT } from '../../scripts/image/lock.ts';

interface NpmLock {
  readonly packages: Readonly<Record<string, { readonly integrity?: string; readonly link?: boolean }>>;
}
const LOCK = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as NpmLock;
const SAMPLE = 'node_modules/reflect-metadata';

/** The machine's own tools, without those of this project. */
const PATH = (process.env['PATH'] ?? '')
  .split(':')
  .filter((folder) => !folder.includes('node_modules'))
  .join(':');
const hasNpm = spawnSync('npm', ['--version'], { env: { ...process.env, PATH } }).status === 0;

test('every package of package-lock.json has a SHA-512 there', () => {
  const without = Object.entries(LOCK.packages)
    .filter(([path, { integrity }]) => path !== '' && !/^sha512-[\w+/]{86}==$/.test(integrity ?? ''))
    .map(([path]) => path);
  expect(without).toEqual([]);
});

/** A project of one package, with the scripts of this one. */
describe.skipIf(!hasNpm)('node_modules that somebody has changed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-modules-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const installed = join(folder, 'installed');
  let project: string;

  beforeAll(() => {
    cpSync(join(ROOT, 'scripts'), join(installed, 'scripts'), { recursive: true });
    const manifest = { name: 'sample', version: '1.0.0', dependencies: { 'reflect-metadata': '0.2.2' } };
    const packages = { '': manifest, [SAMPLE]: LOCK.packages[SAMPLE] };
    writeFileSync(join(installed, 'package.json'), JSON.stringify(manifest));
    writeFileSync(
      join(installed, 'package-lock.json'),
      JSON.stringify({ ...manifest, lockfileVersion: 3, requires: true, packages }),
    );
    const { status, stderr } = spawnSync('npm', ['ci', '--ignore-scripts', '--prefer-offline'], {
      cwd: installed,
      env: { ...process.env, PATH },
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(stderr);
  });
  beforeEach(() => {
    project = mkdtempSync(join(folder, 'project-'));
    cpSync(installed, project, { recursive: true, verbatimSymlinks: true });
  });

  function run(script: string, ...args: string[]) {
    const path = `${join(project, 'node_modules/.bin')}:${PATH}`;
    const { status, stderr } = spawnSync(join(project, 'scripts', script), args, {
      encoding: 'utf8',
      env: { ...process.env, PATH: path },
    });
    return { status, stderr };
  }

  test('nobody has: there is nothing to say', () => {
    expect(run('check-node-modules.sh')).toEqual({ status: 0, stderr: '' });
  });

  const CHANGES: Record<string, [change: () => void, name: RegExp]> = {
    'a file has another byte': [
      () => appendFileSync(join(project, SAMPLE, 'Reflect.js'), ' '),
      /reflect-metadata\/Reflect\.js.* differ/,
    ],
    'a file is missing': [() => rmSync(join(project, SAMPLE, 'Reflect.js')), /Only in .*: Reflect\.js/],
    'a file is added, which another name finds first': [
      () => writeFileSync(join(project, SAMPLE, 'index.js'), ''),
      /Only in .*: index\.js/,
    ],
    'a package is added within another': [
      () => mkdirSync(join(project, SAMPLE, 'node_modules/zod'), { recursive: true }),
      /Only in .*reflect-metadata: node_modules/,
    ],
  };
  test.each(Object.entries(CHANGES))('%s: it is named, and refused', (_, [change, name]) => {
    change();
    const { status, stderr } = run('check-node-modules.sh');
    expect(status).toBe(1);
    expect(stderr).toMatch(name);
  });

  test.each([
    ['build-eif', ['--no-cache']],
    ['verify-build', []],
  ])('its Node is another program: %s does not start it', (script, args) => {
    const ran = join(project, 'ran');
    const node = join(project, 'node_modules/.bin/node');
    mkdirSync(join(node, '..'), { recursive: true });
    writeFileSync(node, `#!/bin/sh\ntouch '${ran}'\n`);
    chmodSync(node, 0o755);
    const { status, stderr } = run(script, ...args);
    expect(status).toBe(1);
    expect(stderr).toContain('node_modules is not what package-lock.json names');
    expect(existsSync(ran)).toBe(false);
  });
});
