import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { nouns } from '../../cli/nouns.ts';
import { runCli } from '../../cli/run.ts';
import { refusalIn, runHoldfast } from './in-process.ts';
import { makeFolder } from './node-files.ts';

interface Event {
  readonly event: string;
  readonly status?: string;
  readonly profile?: string;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** Runs `local up --json` until its node serves, does something with it, and stops it. */
async function whileUp(state: string, act: (serving: Event) => Promise<void>, more: readonly string[] = []) {
  const stop = new AbortController();
  let text = '';
  let acted: Promise<void> | undefined;
  const stdout = new Writable({
    write: (chunk: Buffer, _, done) => {
      text += chunk.toString();
      const [first] = text.split('\n');
      if (text.includes('\n') && acted === undefined && first !== undefined) {
        acted = act(JSON.parse(first) as Event).finally(() => stop.abort());
      }
      done();
    },
  });
  const io = { stdin: Readable.from([]), stdout, stderr: new Writable(), signal: stop.signal };
  const exit = await runCli(['local', 'up', '--json', '--state', state, '--port', '0', ...more], io, nouns);
  await acted;
  return {
    exit,
    events: text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Event),
  };
}

describe('holdfast local up', () => {
  it(
    'tells programs an event a line, and has a status page that both commands read',
    { timeout: 60_000 },
    async () => {
      const folder = makeFolder();
      let parent: unknown;
      let node: unknown;
      const { exit, events } = await whileUp(folder.at('state'), async ({ status = '' }) => {
        parent = JSON.parse((await runHoldfast(['parent', 'status', '--url', status, '--json'])).out);
        node = JSON.parse((await runHoldfast(['node', 'status', status, '--json'])).out);
      });
      expect(exit).toBe(0);
      expect(events.map(({ event }) => event)).toEqual(['serving', 'stopped']);
      expect(parent).toMatchObject({
        ok: true,
        node: { phase: 'serving' },
        enclave: { cid: expect.any(Number) },
      });
      expect(node).toMatchObject({ ok: true, node: { phase: 'serving' } });
    },
  );

  it(
    'keeps its status port, and leaves a profile that saves typing everything else',
    { timeout: 90_000 },
    async () => {
      const folder = makeFolder();
      const port = await freePort();
      for (const _ of ['first', 'second']) {
        let seen: unknown[] = [];
        const { exit } = await whileUp(
          folder.at('state'),
          async ({ status, profile = '' }) => {
            const options = { env: { HOLDFAST_PROFILE: profile } };
            const run = async (...args: string[]) =>
              JSON.parse((await runHoldfast([...args, '--json'], options)).out) as { ok: boolean };
            seen = [
              status,
              (await run('node', 'status')).ok,
              (await run('parent', 'status')).ok,
              (await run('node', 'attest')).ok,
              (await run('node', 'keys')).ok,
              (await run('node', 'sign', 'ethereum-hot', '--digest', '11'.repeat(32))).ok,
            ];
          },
          ['--status-port', String(port)],
        );
        expect(exit).toBe(0);
        expect(seen).toEqual([`http://127.0.0.1:${port}`, true, true, true, true, true]);
      }
    },
  );

  it('takes ports that are ports', async () => {
    for (const args of [
      ['--port', '8443', '--status-port', '8443'],
      ['--status-port', '65536'],
      ['--port', '1e3'],
    ]) {
      const finished = await runHoldfast(['local', 'up', '--json', '--state', '/nowhere', ...args]);
      expect(refusalIn(finished)).toMatchObject({ exit: 2, code: 'USAGE' });
    }
  });

  it.each([
    ['nitro/nitro-root.json', 'STATE_DAMAGED'],
    ['keys/authority.pem', 'STATE_DAMAGED'],
    ['node-1/manifest.json', 'STATE_DAMAGED'],
    ['aws/aws.sqlite', 'STATE_UNREADABLE'],
  ])('says that its state is damaged, without quoting it: %s', { timeout: 60_000 }, async (name, code) => {
    const folder = makeFolder();
    const path = join(folder.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '-----BEGIN SECRET-----');
    const finished = await runHoldfast(['local', 'up', '--json', '--state', folder.path, '--port', '0']);
    expect(refusalIn(finished)).toMatchObject({ exit: 1, code });
    expect(finished.out).not.toContain('BEGIN');
    expect(readFileSync(path, 'utf8')).toContain('BEGIN');
  });

  it('takes no empty folder name for this folder', async () => {
    const finished = await runHoldfast(['local', 'up', '--json', '--state', '']);
    expect(refusalIn(finished)).toMatchObject({ exit: 2, code: 'USAGE' });
  });
});
