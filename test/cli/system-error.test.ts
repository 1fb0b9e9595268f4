import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { existsSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { refusalIn, runHoldfast } from './in-process.ts';
import { makeFolder } from './node-files.ts';

let folder: ReturnType<typeof makeFolder>;
beforeEach(() => {
  folder = makeFolder();
});

function writeConfig(changes: Record<string, string> = {}): string {
  const lines = {
    enclave: '{cid: 16}',
    artifacts: '{manifest: /m, configuration: /c, secrets: /s}',
    store: `{sqlite: ${folder.at('none/records.sqlite')}}`,
    egress: '{}',
    status: "{listen: '127.0.0.1:0'}",
    ...changes,
  };
  const text = Object.entries(lines).map(([name, value]) => `${name}: ${value}\n`);
  return folder.write('parent.yaml', text.join(''));
}

const check = async (path: string) => await runHoldfast(['parent', 'check', '--config', path, '--json']);

describe('what the system refused', () => {
  it.each([
    ['there is nothing', () => folder.at('nothing.yaml'), 'ENOENT'],
    ['there is a folder', () => folder.at('.'), 'EISDIR'],
  ])('is said by its code where %s', async (_, path, code) => {
    const { exit, out } = await check(path());
    expect(exit).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'OPTION_INVALID', cause: { code } } });
  });

  it('is said by its code where nobody listens', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    const { out } = await runHoldfast(['node', 'status', `http://127.0.0.1:${port}`, '--json']);
    expect(JSON.parse(out)).toMatchObject({
      error: { code: 'STATUS_UNREACHABLE', cause: { code: 'ECONNREFUSED' } },
    });
  });
});

describe('holdfast parent check', () => {
  it('says on which line a file is no YAML, and does not quote it', async () => {
    const path = writeConfig({ store: '{postgres: {url: "postgres://node:hunter2@db"}, node: one' });
    const finished = await check(path);
    expect(refusalIn(finished)).toMatchObject({ code: 'OPTION_INVALID', details: { line: 4 } });
    expect(finished.out).not.toContain('hunter2');
  });

  it.each([
    ['a status page for other machines', { status: "{listen: '0.0.0.0:9464'}" }, 'status.listen'],
    ['an image without its pcr.json', { enclave: '{cid: 16, image: /image}' }, 'enclave'],
  ])('refuses %s, as the daemon would', async (_, changes, field) => {
    const { code, details } = refusalIn(await check(writeConfig(changes)));
    expect(code).toBe('OPTION_INVALID');
    expect(details['fields']).toEqual([expect.stringMatching(`^${field}: `)]);
  });
});

describe('holdfast parent backup', () => {
  it('makes neither a store nor a backup where there is no store', async () => {
    const config = writeConfig();
    const out = folder.at('records.backup');
    const finished = await runHoldfast(['parent', 'backup', out, '--config', config, '--json']);
    expect(refusalIn(finished)).toMatchObject({ exit: 1, code: 'STORE_MISSING' });
    expect([existsSync(out), existsSync(folder.at('none'))]).toEqual([false, false]);
  });
});
