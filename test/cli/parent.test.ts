import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createControlClient, type ControlClient } from '../../shared/protocol/control-client.ts';
import { openEgress } from '../../shared/protocol/egress-client.ts';
import { PARENT_CID } from '../../shared/transport/ports.ts';
import { createUnixTransport } from '../../shared/transport/unix-transport.ts';
import { readText } from '../support/read-stream.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const MAIN = join(import.meta.dirname, '../../cli/main.ts');
const ALIAS = join(import.meta.dirname, '../../cli/vsock-proxy.js');
const ENCLAVE_CID = 16;

let directory: string;
let configPath: string;
let target: Server;
let targetPort: number;
let client: ControlClient | undefined;
const children: ChildProcess[] = [];

beforeEach(async () => {
  directory = temporaryFolder();
  configPath = join(directory, 'parent.yaml');
  target = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  target.listen(0, '127.0.0.1');
  await once(target, 'listening');
  targetPort = (target.address() as AddressInfo).port;
  await writeFile(join(directory, 'manifest.json'), 'manifest');
  await writeConfig('kms.example.com');
});
afterEach(async () => {
  client?.close();
  client = undefined;
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  target.close();
});

const enclave = () => createUnixTransport({ directory: join(directory, 'vsock'), cid: ENCLAVE_CID });

async function writeConfig(host: string): Promise<void> {
  await writeFile(
    configPath,
    `
enclave: {cid: ${ENCLAVE_CID}}
transport: {unix: ${directory}/vsock}
artifacts: {manifest: ${directory}/manifest.json, configuration: ${directory}/configuration.json, secrets: ${directory}/secrets}
store: {sqlite: ${directory}/records.sqlite}
egress:
  allowlist:
    - {host: ${host}, port: 443, connectTo: {address: 127.0.0.1, port: ${targetPort}}}
status: {listen: '127.0.0.1:0'}
`,
  );
}

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(
  program: string,
  args: readonly string[],
): { child: ChildProcess; finished: Promise<Finished>; said: () => string } {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk: Buffer) => (stderr += String(chunk)));
  const finished = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  return { child, finished, said: () => stdout };
}

const runParent = () => start(MAIN, ['parent', 'run', '--config', configPath]);

function connect(): ControlClient {
  client = createControlClient(enclave(), { timeoutMs: 30_000 });
  return client;
}

function open(host: string): Promise<Duplex> {
  return openEgress(enclave(), { host, port: 443 }, { timeoutMs: 30_000 });
}

describe('holdfast parent run', () => {
  test('serves until SIGTERM, reads its allow-list again at SIGHUP, and says both in its log', async () => {
    const { child, finished, said } = runParent();
    expect(Buffer.from(await connect().manifest()).toString()).toBe('manifest');
    const stream = await open('kms.example.com');
    stream.end('through the daemon');
    expect(await readText(stream)).toBe('through the daemon');
    await writeConfig('other.example.com');
    child.kill('SIGHUP');
    await expect
      .poll(() =>
        open('other.example.com').then(
          (one) => one.destroy(),
          () => 'not yet',
        ),
      )
      .not.toBe('not yet');
    await expect(open('kms.example.com')).rejects.toMatchObject({ code: 'EGRESS_TARGET_FORBIDDEN' });
    await writeFile(configPath, 'nonsense');
    child.kill('SIGHUP');
    await expect.poll(said).toContain('parent.not-reloaded');
    (await open('other.example.com')).destroy();
    child.kill('SIGTERM');
    const { code, stdout, stderr } = await finished;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { event: string }).event);
    expect(events).toEqual(
      expect.arrayContaining(['parent.started', 'parent.reloaded', 'parent.not-reloaded', 'parent.stopped']),
    );
  });

  test('loses nothing that it acknowledged when it is killed and started again under load', async () => {
    runParent();
    const control = connect();
    const acknowledged = new Map<string, number>();
    const end = new AbortController();
    let count = 0;
    const load = (async () => {
      for (let round = 0; !end.signal.aborted; round += 1) {
        const id = `record-${round % 7}`;
        const expectedRevision = acknowledged.get(id) ?? 0;
        const bytes = new Uint8Array(512).fill(round & 255);
        await control.commit([{ table: 'load', id, expectedRevision, bytes }]);
        acknowledged.set(id, expectedRevision + 1);
        count += 1;
      }
    })();
    const tenMore = async () => {
      const goal = count + 10;
      await expect.poll(() => count >= goal, { interval: 5 }).toBe(true);
    };
    for (let kill = 0; kill < 4; kill += 1) {
      await tenMore();
      const victim = children.at(-1);
      victim?.kill('SIGKILL');
      if (victim !== undefined) await once(victim, 'exit');
      runParent();
    }
    await tenMore();
    end.abort();
    await load;
    const listed = new Map((await control.listRecords()).map(({ id, revision }) => [id, revision]));
    expect(listed).toEqual(acknowledged);
    expect(count).toBeGreaterThanOrEqual(50);
  });

  test('does not start beside another one, and leaves that one alone', async () => {
    runParent();
    await connect().manifest();
    const { code, stderr } = await runParent().finished;
    expect(code).toBe(1);
    expect(stderr).toContain('ADDRESS_IN_USE');
    expect(await client?.manifest()).toHaveLength(8);
  });

  test('says what is wrong with its configuration', async () => {
    await writeFile(configPath, 'enclave: {cid: 2}');
    for (const verb of ['run', 'check']) {
      const { code, stdout } = await start(MAIN, ['parent', verb, '--config', configPath, '--json']).finished;
      expect(code).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { code: 'OPTION_INVALID' } });
    }
  });
});

describe('holdfast parent backup and restore', () => {
  test('move the records of a stopped parent to another store, and none of a running one', async () => {
    const { child, finished } = runParent();
    const control = connect();
    await control.commit([{ table: 'keys', id: 'one', expectedRevision: 0, bytes: Uint8Array.of(1) }]);
    const file = join(directory, 'records.backup');
    const backUp = () => start(MAIN, ['parent', 'backup', file, '--config', configPath, '--json']).finished;
    expect(JSON.parse((await backUp()).stdout)).toMatchObject({ error: { code: 'STORE_BUSY' } });
    child.kill('SIGTERM');
    await finished;
    expect(JSON.parse((await backUp()).stdout)).toMatchObject({ ok: true, records: 1 });
    await rm(join(directory, 'records.sqlite'));
    const restored = await start(MAIN, ['parent', 'restore', file, '--config', configPath, '--json'])
      .finished;
    expect(JSON.parse(restored.stdout)).toMatchObject({ ok: true, records: 1 });
    runParent();
    expect(await control.readRecord({ table: 'keys', id: 'one' })).toEqual({
      revision: 1,
      bytes: Uint8Array.of(1),
    });
  });
});

describe('holdfast parent check', () => {
  test('counts the targets of vsock-proxy’s file, and says what in it opens nothing', async () => {
    const list = join(directory, 'vsock-proxy.yaml');
    await writeFile(
      list,
      'allowlist:\n- {address: KMS.example.com., port: 443}\n- {address: "*.example.com", port: 443}\n',
    );
    const config = (await readFile(configPath, 'utf8')).replace(
      'egress:',
      `egress:\n  allowlistFile: ${list}\n  networks: [10.1.3.0/24]`,
    );
    await writeFile(configPath, config);
    const check = () => start(MAIN, ['parent', 'check', '--config', configPath, '--json']).finished;
    expect(JSON.parse((await check()).stdout)).toMatchObject({
      ok: true,
      targets: 1,
      warnings: [{ code: 'ALLOWLIST_HOST_NEVER_MATCHES', line: 3, address: '*.example.com' }],
    });
    await writeFile(configPath, config.replace('10.1.3.0/24', '169.254.0.0/16'));
    expect(JSON.parse((await check()).stdout)).toMatchObject({ error: { code: 'OPTION_INVALID' } });
  });
});

describe('holdfast parent status', () => {
  test('says that nobody answers', async () => {
    const { code, stdout } = await start(MAIN, ['parent', 'status', '--url', 'http://127.0.0.1:1', '--json'])
      .finished;
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'PARENT_UNREACHABLE' } });
  });
});

describe('holdfast-vsock-proxy', () => {
  const listen = (
    options: readonly string[],
    list = `allowlist:\n- {address: 127.0.0.1, port: ${targetPort}}\n`,
  ) => {
    const path = join(directory, 'vsock-proxy.yaml');
    return writeFile(path, list).then(() =>
      start(ALIAS, [...options, '--config', path, '--unix', join(directory, 'vsock')]),
    );
  };

  /** What comes back of a text through the proxy's port, once it listens. */
  async function echoThroughProxy(text: string): Promise<string> {
    const dial = () => enclave().connect({ cid: PARENT_CID, port: 8_000 }, { timeoutMs: 30_000 });
    let stream: Duplex | undefined;
    await expect.poll(async () => (stream = await dial().catch(() => undefined))).toBeDefined();
    if (stream === undefined) return '';
    stream.end(text);
    const echo = await readText(stream);
    stream.destroy();
    return echo;
  }

  test('forwards one port with the arguments of AWS’s program', async () => {
    await listen(['-4', '-w', '8', '8000', '127.0.0.1', String(targetPort)]);
    expect(await echoThroughProxy('as before')).toBe('as before');
  });

  test.each(['-w4', '-w=4', '-4w4'])('takes %s, and fields that it does not know', async (workers) => {
    const options = [workers, '8000', '127.0.0.1', String(targetPort)];
    await listen(options, `allowlist:\n- {address: 127.0.0.1, port: ${targetPort}, note: here}\n`);
    expect(await echoThroughProxy('as before')).toBe('as before');
  });

  test.each([
    ['-V', /^holdfast \d/],
    ['--version', /^holdfast \d/],
    ['-h', /^usage: holdfast parent vsock-proxy/],
    ['--help', /^usage: holdfast parent vsock-proxy/],
  ])('answers %s', async (option, expected) => {
    const { code, stdout } = await start(ALIAS, [option]).finished;
    expect(code).toBe(0);
    expect(stdout).toMatch(expected);
  });

  test('compares a name with names and an address with addresses, whatever DNS says', async () => {
    const list = `allowlist:\n- {address: localhost, port: ${targetPort}}\n`;
    const { finished } = await listen(['8000', '127.0.0.1', String(targetPort)], list);
    expect(await finished).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('OPTION_INVALID') as string,
    });
  });

  test.each([
    ['a port that is too large', ['8000', '127.0.0.1', '65979'], 2],
    ['no workers', ['-w', '0', '8000', '127.0.0.1', '443'], 2],
    ['no workers, in one word', ['-4w0', '8000', '127.0.0.1', '443'], 2],
    ['a flag that it does not know', ['-4x', '8000', '127.0.0.1', '443'], 2],
    ['the metadata service as a network', ['--network', '169.254.0.0/16', '8000', '127.0.0.1', '443'], 2],
    ['loopback as a network', ['--network', '127.0.0.0/8', '8000', '127.0.0.1', '443'], 2],
    ['both families', ['-4', '-6', '8000', '127.0.0.1', '443'], 2],
    ['a target that is not on the list', ['8000', '127.0.0.1', '1'], 1],
  ])('refuses %s', async (_name, options, code) => {
    const { finished } = await listen(options);
    expect((await finished).code).toBe(code);
  });
});
