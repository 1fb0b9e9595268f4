import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { writeGatewayFiles } from './gateway/gateway-files.ts';
import { makeFolder, makeKey, makeManifest } from './node-files.ts';

const PROJECT = resolve(import.meta.dirname, '..', '..');
const LAUNCHER = join(PROJECT, 'cli', 'holdfast.js');

/** A Node of the machine that is not the pinned one. */
const systemNode = (process.env['PATH'] ?? '')
  .split(delimiter)
  .filter((folder) => folder !== '' && !folder.includes('node_modules'))
  .map((folder) => join(folder, 'node'))
  .find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return spawnSync(path, ['--version']).stdout.toString().trim() !== process.version;
    } catch {
      return false;
    }
  });

function run(node: string, args: readonly string[], options: { input?: string; launcher?: string } = {}) {
  const { launcher = LAUNCHER, input = '' } = options;
  const { status, stdout, stderr } = spawnSync(node, [launcher, ...args], { input, encoding: 'utf8' });
  return { exit: status, out: stdout, err: stderr };
}

describe.each([
  ['the pinned Node', process.execPath],
  ["the machine's own Node", systemNode],
])('holdfast, started by %s', (_, found) => {
  const node = found ?? '';

  describe.skipIf(found === undefined)('(skipped where the machine has no other Node)', () => {
    it('prints help: exit 0', () => {
      const { exit, out, err } = run(node, ['--help']);
      expect([exit, err]).toEqual([0, '']);
      expect(out).toContain('usage: holdfast');
    });

    it('hands on arguments, standard input and output', () => {
      const manifest = makeManifest([makeKey().publicKey]).text;
      const { exit, out } = run(node, ['manifest', 'verify', '-', '--json'], { input: manifest });
      expect(exit).toBe(0);
      expect(JSON.parse(out)).toMatchObject({ ok: true, manifest: { namespace: 'acme' } });
    });

    it('hands on a refusal: exit 1', () => {
      const { exit, out, err } = run(node, ['manifest', 'verify', '-'], { input: '{}' });
      expect([exit, out]).toEqual([1, '']);
      expect(err).toContain('MANIFEST_MALFORMED');
    });

    it('hands on a usage error: exit 2', () => {
      expect(run(node, []).exit).toBe(2);
      expect(run(node, ['manifest', 'verify']).exit).toBe(2);
    });

    it('keeps its exit code when nobody reads what it says', async () => {
      const child = spawn(node, [LAUNCHER, 'manifest', 'verify', '-'], { stdio: ['pipe', 'pipe', 'pipe'] });
      child.stdout.destroy();
      child.stderr.destroy();
      child.stdin.end('{}');
      const exit = await new Promise((done) => child.once('exit', done));
      expect(exit).toBe(1);
    });

    it('ends cleanly when the signal goes to all of its processes at once', async () => {
      const child = spawn(node, [LAUNCHER, 'manifest', 'verify', '-', '--json'], {
        stdio: ['pipe', 'pipe', 'ignore'],
        detached: true,
      });
      child.stdin.on('error', () => {});
      const ended = new Promise<unknown>((done) => child.once('close', done));
      const out = text(child.stdout);
      await new Promise((written) => child.stdin.write(' '.repeat(4 * 1024 * 1024), written));
      process.kill(-(child.pid ?? 0), 'SIGTERM');
      expect(await ended).toBe(1);
      expect(JSON.parse(await out)).toMatchObject({ error: { code: 'INTERRUPTED' } });
    });

    it.runIf(process.platform === 'linux')(
      'starts a door with a small young generation, in its own place where it can',
      async () => {
        const file = join(writeGatewayFiles('https://127.0.0.1:1'), 'gateway.yaml');
        const child = spawn(node, [LAUNCHER, 'gateway', 'kms', '--config', file], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        const ended = new Promise<unknown>((done) => child.once('close', done));
        let out = '';
        await new Promise<void>((listens) => {
          child.stdout.setEncoding('utf8').on('data', (piece: string) => {
            out += piece;
            if (out.includes('door.listens')) listens();
          });
        });
        const pid = child.pid ?? 0;
        const isReplaced = readdirSync(`/proc/${pid}/task`).every(
          (task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8') === '',
        );
        expect(isReplaced || node !== process.execPath).toBe(true);
        const door = isReplaced ? pid : Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'));
        const words = readFileSync(`/proc/${door}/cmdline`, 'utf8').split('\0');
        expect(words.slice(1, 4)).toEqual([
          '--max-semi-space-size=2',
          expect.stringContaining('main'),
          'gateway',
        ]);
        child.kill('SIGTERM');
        expect(await ended).toBe(0);
      },
    );

    it.each(['SIGTERM', 'SIGINT'] as const)('passes %s on, once is enough', async (signal) => {
      const child = spawn(node, [LAUNCHER, 'manifest', 'verify', '-', '--json'], {
        stdio: ['pipe', 'pipe', 'ignore'],
      });
      child.stdin.on('error', () => {});
      const ended = new Promise<unknown>((done) => child.once('close', done));
      const out = text(child.stdout);
      // More than the kernel keeps: it is all gone when the command waits for the rest.
      await new Promise((written) => child.stdin.write(' '.repeat(4 * 1024 * 1024), written));
      child.kill(signal);
      expect(await ended).toBe(1);
      expect(JSON.parse(await out)).toMatchObject({ error: { code: 'INTERRUPTED' } });
    });
  });
});

describe('./holdfast, in a working copy', () => {
  it('is the command, from any folder and by a link', () => {
    const folder = makeFolder();
    symlinkSync(join(PROJECT, 'holdfast'), folder.at('linked'));
    for (const path of [join(PROJECT, 'holdfast'), folder.at('linked')]) {
      const { status, stdout } = spawnSync(path, ['version'], { cwd: folder.path, encoding: 'utf8' });
      expect([status, stdout]).toEqual([0, expect.stringContaining('holdfast ')]);
    }
  });

  it('finds the pinned Node where the machine has none, and hands on an exit code', () => {
    const env = { PATH: '/usr/bin:/bin' };
    const { status } = spawnSync(join(PROJECT, 'holdfast'), ['nothing'], { env, encoding: 'utf8' });
    expect(status).toBe(2);
  });
});

describe.skipIf(systemNode === undefined)('where nothing is installed', () => {
  it('says what to do: exit 2', () => {
    const folder = makeFolder();
    mkdirSync(folder.at('cli'));
    cpSync(LAUNCHER, folder.at('cli/holdfast.js'));
    folder.write('package.json', '{"type":"module"}');
    const { exit, err } = run(systemNode ?? '', ['--help'], { launcher: folder.at('cli/holdfast.js') });
    expect(exit).toBe(2);
    expect(err).toContain('npm ci');
  });
});
