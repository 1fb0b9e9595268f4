import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { ROOT } from '../../scripts/image/lock.ts';
import { type BuiltPackage, buildPackage, layOutArchive } from './debian-archive.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const hasTools = ['apt-get', 'dpkg-deb'].every((tool) => spawnSync(tool, ['--version']).status === 0);
const SNAPSHOT = '20201122T000000Z';
const SOURCE = 'usr/src/linux-source-6.12.tar.xz';

/** A mirror moves on: it has the second version of what was pinned in the first. */
describe.skipIf(!hasTools)("the image's inputs, when the mirror no longer has a pinned version", () => {
  const folder = temporaryFolder();
  const build = (name: string, version: string, path: string) =>
    buildPackage(folder, { name, version, path, content: `${name} ${version}` });
  const stays = build('libc6', '1', 'usr/lib/libc.so.6');
  const old = build('linux-source-6.12', '1', SOURCE);
  const moved = build('linux-source-6.12', '2', SOURCE);
  const rotten = layOutArchive(join(folder, 'mirror'), [stays, moved]);
  layOutArchive(join(folder, 'snapshots', SNAPSHOT), [stays, old]);
  const snapshots = `[trusted=yes] file://${join(folder, 'snapshots')}`;
  const nowhere = `[trusted=yes] file://${join(folder, 'nowhere')}`;

  const line = ({ sha256, name, version }: BuiltPackage, use: string) =>
    `${sha256} ${name} ${version} ${use}\n`;
  const lock = `# Pinned.\nsnapshot ${SNAPSHOT}\n${line(old, 'kernel')}${line(stays, 'library')}`;
  let project: string;
  let cache: string;
  beforeEach(() => {
    project = temporaryFolder();
    for (const name of ['scripts', 'admin', 'cli', 'shared', 'attestation', 'package.json'])
      cpSync(join(ROOT, name), join(project, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(project, 'node_modules'));
    mkdirSync(join(project, 'docker'));
    writeFileSync(join(project, 'docker/inputs.lock'), lock);
    cache = join(project, 'cache');
  });

  function run(script: string, args: string[], environment: Record<string, string> = {}) {
    const { status, stdout, stderr } = spawnSync(join(project, 'scripts', script), args, {
      encoding: 'utf8',
      env: {
        PATH: process.env['PATH'],
        XDG_CACHE_HOME: cache,
        HOLDFAST_DEBIAN_MIRROR: rotten,
        HOLDFAST_DEBIAN_SNAPSHOT: nowhere,
        ...environment,
      },
    });
    return { status, out: stdout.trim(), stderr };
  }
  const kernelOf = (made: string) => readFileSync(join(made, 'kernel/linux.tar.xz'), 'utf8');
  const kept = ({ sha256 }: BuiltPackage) => join(cache, 'holdfast/packages', `${sha256}.deb`);

  test('are taken from the archive of snapshots, whose address real apt takes with its options', () => {
    const { status, out, stderr } = run('image-inputs.sh', [], { HOLDFAST_DEBIAN_SNAPSHOT: snapshots });
    expect(stderr).not.toMatch(/Malformed/);
    expect(status).toBe(0);
    expect(kernelOf(out)).toBe('linux-source-6.12 1');
    expect(readFileSync(join(out, 'root/usr/lib/libc.so.6'), 'utf8')).toBe('libc6 1');
  });

  test('are refused when nobody has them, with their names and the way on', () => {
    const { status, out, stderr } = run('image-inputs.sh', []);
    expect([status, out]).toEqual([1, '']);
    expect(stderr).toContain('linux-source-6.12 1');
    expect(stderr).toContain('1 of 2 pinned packages');
    expect(stderr).toContain('scripts/update-inputs');
  });

  test('are taken from a folder of packages that somebody kept, by their digests', () => {
    const shelf = join(project, 'shelf');
    mkdirSync(shelf);
    cpSync(moved.file, join(shelf, 'linux-source-6.12_1_all.deb'));
    expect(run('image-inputs.sh', [], { HOLDFAST_INPUTS: shelf }).status).toBe(1);
    cpSync(old.file, join(shelf, 'by another name.deb'));
    const { status, out } = run('image-inputs.sh', [], { HOLDFAST_INPUTS: shelf });
    expect(status).toBe(0);
    expect(kernelOf(out)).toBe('linux-source-6.12 1');
  });

  test('are not taken when an archive has other bytes under the pinned version', () => {
    const impostor = buildPackage(join(project, 'cache'), { ...old, content: 'an impostor' });
    const mirror = layOutArchive(join(project, 'impostors'), [stays, impostor]);
    expect(run('image-inputs.sh', [], { HOLDFAST_DEBIAN_MIRROR: mirror }).status).toBe(1);
  });

  test('are made by update-inputs from what the mirror has, in words', () => {
    const dry = run('update-inputs', ['--dry-run']);
    expect(dry.out).toMatch(/kernel +linux-source-6\.12 +1 -> 2 +PCR0, PCR1/);
    expect(dry.out).toContain('1 of 2 packages change');
    expect(dry.out).not.toContain('libc6');
    expect(readFileSync(join(project, 'docker/inputs.lock'), 'utf8')).toBe(lock);

    expect(run('update-inputs', []).status).toBe(0);
    const written = readFileSync(join(project, 'docker/inputs.lock'), 'utf8');
    // A day after the mirror signed its list.
    expect(written).toBe(
      `# Pinned.\nsnapshot 20201122T091544Z\n${line(moved, 'kernel')}${line(stays, 'library')}`,
    );
    const { status, out } = run('image-inputs.sh', []);
    expect(status).toBe(0);
    expect(kernelOf(out)).toBe('linux-source-6.12 2');
  });

  test('are not moved when the mirror has no package of a name any more', () => {
    const mirror = layOutArchive(join(project, 'smaller'), [stays]);
    const { status, stderr } = run('update-inputs', [], { HOLDFAST_DEBIAN_MIRROR: mirror });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^IMAGE_PACKAGE_GONE: .*linux-source-6\.12/m);
    expect(readFileSync(join(project, 'docker/inputs.lock'), 'utf8')).toBe(lock);
  });

  test('are measured by update-inputs before and after, as far as they can be had', () => {
    // Stands for minutes of a build: PCR1 is the version of the kernel, PCR2 stays.
    const builder = [
      '#!/bin/sh',
      'version=$(sed -n "s/.* linux-source-6.12 \\([12]\\) .*/\\1/p" "$HOLDFAST_INPUTS_LOCK")',
      '[ "$version" != "$LOST" ] || exit 1',
      'pcr() { printf "%096d" "$1"; }',
      `printf '{"Measurements":{"HashAlgorithm":"Sha384 { ... }","PCR0":"%s","PCR1":"%s","PCR2":"%s"}}' \\`,
      '  "$(pcr "$version")" "$(pcr "$version")" "$(pcr 7)" > "$2/pcr.json"',
    ];
    writeFileSync(join(project, 'scripts/build-eif'), `${builder.join('\n')}\n`, { mode: 0o755 });
    const [one, two, seven] = ['1', '2', '7'].map((digit) => digit.padStart(96, '0'));
    const both = run('update-inputs', ['--measure', '--dry-run']).out;
    expect(both).toContain(`PCR1 old      ${one}\n     new      ${two}`);
    expect(both).toContain(`PCR2 stays    ${seven}`);
    const lost = run('update-inputs', ['--measure', '--dry-run'], { LOST: '1' });
    expect(lost.status).toBe(0);
    expect(lost.out).toContain(`PCR1 old      unknown: the old inputs cannot be had\n     new      ${two}`);
    const broken = run('update-inputs', ['--measure'], { LOST: '2' });
    expect(broken.status).toBe(1);
    expect(broken.stderr).toContain('IMAGE_NOT_BUILT');
    expect(readFileSync(join(project, 'docker/inputs.lock'), 'utf8')).toBe(lock);
  });

  test.each([
    ['--check beside something else', ['--check', '--dry-run']],
    ['a file for a dry run', ['--dry-run', '--to', 'file']],
    ['an option that nobody knows', ['--force']],
  ])('are not moved by %s, which is usage', (_, args) => {
    expect(run('update-inputs', args).status).toBe(2);
  });

  test('are warned of before anybody needs them, and nothing is downloaded', () => {
    const alone = run('update-inputs', ['--check']);
    expect(alone.status).toBe(1);
    expect(alone.stderr).toContain('1 of 2 pinned inputs');
    expect(alone.stderr).toContain('linux-source-6.12 1');
    expect(alone.stderr).toContain('cannot be reached');
    const archived = run('update-inputs', ['--check'], { HOLDFAST_DEBIAN_SNAPSHOT: snapshots });
    expect(archived.stderr).toContain('still has them');
    expect(existsSync(cache)).toBe(false);
    writeFileSync(
      join(project, 'docker/inputs.lock'),
      lock.replace(line(old, 'kernel'), line(moved, 'kernel')),
    );
    expect(run('update-inputs', ['--check'])).toMatchObject({ status: 0, stderr: '' });
  });

  test('are replaced for the tests by those of today, which says so loudly; a later run has the pinned ones again', () => {
    // Whatever takes minutes, or is about something else.
    for (const name of ['emulator.sh', 'guest-kernel.sh', 'kernel.sh'])
      writeFileSync(join(project, 'scripts', name), '#!/bin/sh\n', { mode: 0o755 });
    const unpinned = join(project, 'build/unpinned-inputs.lock');
    const { status, stderr } = run('emulated-host.sh', ['--needed']);
    expect(status).toBe(0);
    expect(stderr).toContain('UNPINNED');
    expect(readFileSync(unpinned, 'utf8')).toContain(line(moved, 'kernel'));
    const { out } = run('image-inputs.sh', ['--path'], { HOLDFAST_INPUTS_LOCK: unpinned });
    expect(kernelOf(out)).toBe('linux-source-6.12 2');
    expect(run('image-inputs.sh', ['--path']).status).toBe(3);

    expect(run('emulated-host.sh', [], { HOLDFAST_DEBIAN_SNAPSHOT: snapshots }).stderr).not.toContain(
      'UNPINNED',
    );
    expect(existsSync(unpinned)).toBe(false);
  });

  test.each([['--rootfs'], ['--out']])(
    'of another lock file are not built from without a word: %s',
    (option) => {
      const other = join(project, 'other.lock');
      writeFileSync(other, lock);
      const built = (environment: Record<string, string>) =>
        run('build-eif', [option, join(project, 'built')], environment).stderr;
      expect(built({ HOLDFAST_INPUTS_LOCK: other })).toContain(`UNPINNED: made from ${other}`);
      expect(built({})).not.toContain('UNPINNED');
    },
  );

  test('are what a kernel in the cache is made from, whatever folder the environment names', () => {
    writeFileSync(join(project, 'docker/kernel.config'), '');
    const asked = join(project, 'asked');
    writeFileSync(join(project, 'scripts/image-inputs.sh'), `#!/bin/sh\ntouch ${asked}\nexit 1\n`, {
      mode: 0o755,
    });
    const environment = { HOLDFAST_INPUTS_FOLDER: join(project, 'unchecked') };
    expect(run('kernel.sh', ['--into', join(project, 'anew')], environment).status).toBe(1);
    expect(existsSync(asked)).toBe(false);
    expect(run('kernel.sh', [], environment).status).toBe(1);
    expect(existsSync(asked)).toBe(true);
  });

  test('are skipped with the reason when there is no mirror at all', () => {
    for (const name of ['emulator.sh', 'guest-kernel.sh', 'kernel.sh'])
      writeFileSync(join(project, 'scripts', name), '#!/bin/sh\n', { mode: 0o755 });
    const { status, stderr } = run('emulated-host.sh', [], { HOLDFAST_DEBIAN_MIRROR: nowhere });
    expect(status).toBe(0);
    expect(stderr).toContain('SKIPPED');
    expect(run('emulated-host.sh', ['--needed'], { HOLDFAST_DEBIAN_MIRROR: nowhere }).status).not.toBe(0);
  });

  describe('a cache', () => {
    const pinned = { HOLDFAST_DEBIAN_SNAPSHOT: snapshots };

    test('is believed by default, and not by whoever asks for everything anew', () => {
      const { out } = run('image-inputs.sh', [], pinned);
      rmSync(join(out, 'kernel/linux.tar.xz'));
      expect(run('image-inputs.sh', []).out).toBe(out);
      const into = join(project, 'anew');
      const anew = run('image-inputs.sh', ['--into', into]);
      expect(anew).toEqual({ status: 0, out: into, stderr: '' });
      expect(kernelOf(into)).toBe('linux-source-6.12 1');
    });

    test('that holds an altered package is not unpacked: the package is fetched again', () => {
      run('image-inputs.sh', [], pinned);
      expect(readdirSync(join(cache, 'holdfast/packages')).length).toBe(2);
      appendFileSync(kept(old), 'altered');
      const into = join(project, 'anew');
      expect(run('image-inputs.sh', ['--into', into]).status).toBe(1);
      cpSync(moved.file, kept(old));
      expect(run('image-inputs.sh', ['--into', into], pinned).status).toBe(0);
      expect(kernelOf(into)).toBe('linux-source-6.12 1');
      // It is mended, too.
      expect(readFileSync(kept(old)).equals(readFileSync(old.file))).toBe(true);
    });
  });
});
