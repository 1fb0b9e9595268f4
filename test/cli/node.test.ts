import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  formatPcrFile,
  computeManifestPcr,
  unsafeParseAttestationDocument,
} from '../../attestation/index.ts';
import { nodeCommands } from '../../cli/node/commands.ts';
import { chooseAlgorithm, readPayload } from '../../cli/node/payload.ts';
import { runCli } from '../../cli/run.ts';
import { backend, type FakeNode, nitroRoot, PCRS, startFakeNode } from '../client/fake-node.ts';
import { collectOutput } from '../support/collect-output.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const KEYS = {
  keys: [
    { id: 'hot', type: 'secp256k1', publicKey: `02${'ab'.repeat(32)}` },
    { id: 'shared', type: 'frost-ed25519', publicKey: null },
  ],
};
const SIGNATURE = {
  signature: 'cd'.repeat(64),
  recovery: 1,
  publicKey: `02${'ab'.repeat(32)}`,
  rule: 'payouts',
  configuration: 3,
};
const MANIFEST = {
  format: 'holdfast-manifest/1',
  namespace: 'demo',
  environment: 'local',
  node: 1,
  quorum: { size: 1, threshold: 1 },
  kms: {
    keyArn: 'arn:aws:kms:eu-central-1:111111111111:key/0e8f2c0a-0000-4000-8000-000000000001',
    region: 'eu-central-1',
  },
  configurationAuthority: { threshold: 1, keys: ['01'.repeat(32)] },
  emergencyRecovery: { publicKey: '02'.repeat(32) },
};

let folder: string;
let node: FakeNode;
let trust: string[];
let client: string[];
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = temporaryFolder();
  const manifest = Buffer.from(JSON.stringify(MANIFEST));
  writeFileSync(at('manifest.json'), manifest);
  writeFileSync(at('pcr.json'), formatPcrFile(PCRS));
  writeFileSync(at('other-pcr.json'), formatPcrFile(new Map([...PCRS, [16, new Uint8Array(48).fill(5)]])));
  writeFileSync(at('root.pem'), nitroRoot.toPem().certificate);
  writeFileSync(at('client.pem'), backend.privateKey.export({ type: 'pkcs8', format: 'pem' }), {
    mode: 0o600,
  });
  writeFileSync(at('message'), 'a message');
  node = await startFakeNode({
    manifest,
    answer: (request, response) => {
      const answer = { '/v1/keys': KEYS, '/v1/sign': SIGNATURE }[request.url ?? ''];
      if (answer === undefined) return undefined;
      response.end(JSON.stringify(answer));
      return true;
    },
  });
  trust = [
    '--url',
    node.url,
    '--pcrs',
    at('pcr.json'),
    '--manifest',
    at('manifest.json'),
    '--root',
    at('root.pem'),
  ];
  client = [...trust, '--client', 'backend', '--key', at('client.pem')];
});

afterAll(async () => {
  await node.close();
});

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly error: string;
  readonly json: () => Record<string, unknown>;
}

async function run(...args: string[]): Promise<Ran> {
  const [stdout, stderr] = [collectOutput(), collectOutput()];
  const code = await runCli(
    ['node', ...args],
    {
      stdin: Readable.from([]),
      stdout: stdout.stream,
      stderr: stderr.stream,
      signal: new AbortController().signal,
    },
    { node: { summary: 'nodes', load: () => Promise.resolve(nodeCommands) } },
  );
  return {
    code,
    out: stdout.text(),
    error: stderr.text(),
    json: () => JSON.parse(stdout.text()) as Record<string, unknown>,
  };
}

/** The exit code and the refusal's code. */
async function refused(...args: string[]): Promise<[number, unknown]> {
  const ran = await run(...args, '--json');
  return [ran.code, (ran.json()['error'] as { code: unknown }).code];
}

describe('node attest', () => {
  it('says what was verified, and keeps the document', async () => {
    const { code, out } = await run('attest', ...trust, '--output', at('document'));
    expect(code).toBe(0);
    expect(out).toContain(node.session);
    const { payload } = unsafeParseAttestationDocument(readFileSync(at('document')));
    expect(payload.pcrs.get(16)).toEqual(computeManifestPcr(readFileSync(at('manifest.json'))));
    const { json } = await run('attest', ...trust, '--json');
    expect(json()).toMatchObject({ ok: true, session: node.session, configuration: 1 });
    const sha256 = createHash('sha256')
      .update(new X509Certificate(readFileSync(at('root.pem'))).raw)
      .digest('hex');
    expect(json()).toMatchObject({ trustAnchor: { sha256, isAws: false, name: expect.any(String) } });
    expect(out).toContain("NOT AWS's");
    expect(out).toContain(sha256);
  });

  it('asks with the nonce that it is given', async () => {
    const nonce = 'ab'.repeat(16);
    const { code, error } = await run(
      'attest',
      ...trust,
      '--nonce',
      nonce.toUpperCase(),
      '--output',
      at('asked'),
    );
    expect([code, error]).toEqual([0, '']);
    expect(unsafeParseAttestationDocument(readFileSync(at('asked'))).payload.nonce).toEqual(
      new Uint8Array(Buffer.from(nonce, 'hex')),
    );
    for (const wrong of ['', 'ab', `0x${nonce}`, 'ab'.repeat(65)]) {
      expect((await run('attest', ...trust, '--nonce', wrong)).code).toBe(2);
    }
  });

  it('refuses another root, image or manifest', async () => {
    const change = (option: string, value: string) => trust.with(trust.indexOf(option) + 1, value);
    expect(await refused('attest', ...trust.slice(0, -2))).toEqual([1, 'ROOT_MISMATCH']);
    expect(await refused('attest', ...change('--root', at('message')))).toEqual([1, 'ROOT_MALFORMED']);
    expect(await refused('attest', ...change('--pcrs', at('other-pcr.json')))).toEqual([
      1,
      'MANIFEST_PCR_MISMATCH',
    ]);
    expect(await refused('attest', ...change('--manifest', at('message')))).toEqual([
      1,
      'MANIFEST_MALFORMED',
    ]);
  });

  it('knows what is not a url of a node', async () => {
    for (const url of ['http://127.0.0.1:1', 'https://127.0.0.1/v1', 'nonsense']) {
      expect((await run('attest', ...trust.with(1, url))).code).toBe(2);
    }
  });
});

describe('node keys', () => {
  it('lists them', async () => {
    const { code, out } = await run('keys', ...client);
    expect(code).toBe(0);
    expect(out.trim().split('\n')).toHaveLength(2);
    expect((await run('keys', ...client, '--json')).json()).toMatchObject({ ok: true, ...KEYS });
  });

  it('asks for what it needs', async () => {
    expect((await run('keys', ...trust)).code).toBe(2);
    expect((await run('keys', ...client.with(client.indexOf('backend'), 'No One'))).code).toBe(2);
  });
});

describe('node sign', () => {
  const sign = (...args: string[]) => run('sign', 'hot', ...client, '--json', ...args);

  it.each([
    [['--digest', `0x${'AB'.repeat(32)}`], 'ecdsa-secp256k1'],
    [['--message', ''], 'ecdsa-secp256k1'],
    [['--message-file', 'message'], 'ecdsa-secp256k1'],
    [['--taproot-sighash', '11'.repeat(32)], 'bip340'],
    [['--taproot-sighash', '11'.repeat(32), '--merkle-root', '22'.repeat(32)], 'bip340'],
    [['--digest', '11'.repeat(32), '--algorithm', 'bip340'], 'bip340'],
  ])('signs %j with %s', async (args, algorithm) => {
    const given = args.map((arg) => (arg === 'message' ? at('message') : arg));
    const { code, json } = await sign(...given);
    expect(code).toBe(0);
    expect(json()).toEqual({ ok: true, key: 'hot', algorithm, ...SIGNATURE });
  });

  it.each([
    [[]],
    [['--message', 'xyz']],
    [['--message', 'abc']],
    [['--message', '00'.repeat(16 * 1024 + 1)]],
    [['--digest', '11'.repeat(31)]],
    [['--digest', '11'.repeat(32), '--message', '00']],
    [['--digest', '11'.repeat(32), '--merkle-root', '22'.repeat(32)]],
    [['--taproot-sighash', '11'.repeat(32), '--merkle-root', '22']],
    [['--digest', '11'.repeat(32), '--algorithm', 'rsa']],
    [['--digest', '11'.repeat(32), '--kind', 'ethereum-transaction']],
    [['--transaction', 'message']],
    [['--transaction', '-', '--kind', 'dogecoin-transaction']],
  ])('does not understand %j', async (args) => {
    expect((await sign(...args)).code).toBe(2);
  });

  it.each([
    ['ethereum-transaction', '0x02c0', { transaction: '02c0' }],
    ['ethereum-transaction', '02c0\n', { transaction: '02c0' }],
    ['ethereum-transaction', Buffer.from('02c0ff', 'hex'), { transaction: '02c0ff' }],
    ['ethereum-message', 'abcd', { message: Buffer.from('abcd').toString('hex') }],
    ['ethereum-typed-data', '{"a":"\u00e9"}', { document: '{"a":"\u00e9"}' }],
    ['bitcoin-transaction', 'cHNidP8BAAA=\n', { psbt: 'cHNidP8BAAA=' }],
    ['bitcoin-transaction', Buffer.from('70736274ff010000', 'hex'), { psbt: 'cHNidP8BAAA=' }],
  ] as const)('sends a file of kind %s as the node takes it', async (kind, file, member) => {
    writeFileSync(at('transaction'), file);
    const input = { text: (name: string) => ({ transaction: at('transaction'), kind })[name] };
    expect(await readPayload({ ...input, io: {} } as never)).toEqual({ kind, ...member });
  });

  it('refuses a file that is none of its kind', async () => {
    writeFileSync(at('transaction'), 'neither hex nor base64!'.repeat(4_000));
    const args = ['--transaction', at('transaction'), '--kind', 'solana-transaction'];
    expect(await refused('sign', 'hot', ...client, ...args)).toEqual([1, 'PAYLOAD_FILE_MALFORMED']);
  });

  it('refuses keys that are not there or cannot sign such a thing', async () => {
    const digest = ['--digest', '11'.repeat(32)];
    expect(await refused('sign', 'cold', ...client, ...digest)).toEqual([1, 'KEY_UNKNOWN']);
    expect(await refused('sign', 'shared', ...client, ...digest)).toEqual([1, 'KEY_UNSUITABLE']);
  });

  it('chooses the algorithm by key and payload', () => {
    expect(chooseAlgorithm('ed25519', 'message')).toBe('ed25519');
    expect(chooseAlgorithm('ed25519', 'digest')).toBe('ed25519ph');
    expect(chooseAlgorithm('frost-ed25519', 'digest')).toBeUndefined();
    expect(chooseAlgorithm('p256', 'digest')).toBe('ecdsa-p256-sha256');
    expect(chooseAlgorithm('secp256k1', 'digest')).toBe('ecdsa-secp256k1');
    expect(chooseAlgorithm('secp256k1', 'taproot-sighash')).toBe('bip340');
  });
});

describe('node status', () => {
  async function statusOf(body: string, status = 200): Promise<Ran> {
    const server = createServer((_request, response) => {
      response.writeHead(status);
      response.end(body);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    try {
      return await run('status', `http://127.0.0.1:${(server.address() as AddressInfo).port}`, '--json');
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }
  const page = (phase: string, code: string | null = null) =>
    JSON.stringify({ node: { phase, code, since: 1_767_225_600_000 }, ingress: null, enclaveCid: 16 });

  it('is good when the node serves, and a refusal with its code when it does not', async () => {
    const serving = await statusOf(page('serving'));
    expect(serving.code).toBe(0);
    expect(serving.json()).toEqual({
      ok: true,
      node: { phase: 'serving', code: null, since: '2026-01-01T00:00:00.000Z' },
    });
    const failed = await statusOf(page('failed', 'KMS_REFUSED'));
    expect([failed.code, failed.json()]).toEqual([1, expect.objectContaining({ ok: false })]);
    expect((await statusOf('{"node":null}')).code).toBe(1);
  });

  it.each([
    ['text', 'hello', 200],
    ['a code that is none', page('failed', '\u001b[2J'), 200],
    ['a phase that is none', page('dancing'), 200],
    ['too much', `"${'x'.repeat(20_000)}"`, 200],
    ['an error', page('serving'), 500],
  ])('refuses a page that is %s', async (_name, body, status) => {
    const { code, json } = await statusOf(body, status);
    expect([code, json()]).toEqual([
      1,
      expect.objectContaining({ error: expect.objectContaining({ code: 'STATUS_MALFORMED' }) }),
    ]);
  });

  it('says when nobody answers, and what is not an address', async () => {
    expect(await refused('status', 'http://127.0.0.1:1')).toEqual([1, 'STATUS_UNREACHABLE']);
    expect((await run('status', 'ftp://127.0.0.1')).code).toBe(2);
  });
});
