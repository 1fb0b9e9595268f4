import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parsePcrFile, formatPcrFile } from '../../attestation/index.ts';
import { attestNode, connectNode, type NodeClient, type NodeClientOptions } from '../../client/index.ts';
import { type Payload } from '../../shared/api/bodies.ts';
import { backend, type FakeNode, nitroRoot, PCRS, startFakeNode } from './fake-node.ts';

let node: FakeNode;
let client: NodeClient;
let options: NodeClientOptions;
let signed = 0;
const manifest = Buffer.from('{}');

beforeAll(async () => {
  node = await startFakeNode({
    manifest,
    answer: (request) => {
      if (request.url === '/v1/sign') signed += 1;
      return undefined;
    },
  });
  options = {
    url: node.url,
    trust: { root: nitroRoot.certificate, pcrs: PCRS, manifest },
    clientId: 'backend',
    privateKey: backend.privateKey,
  };
  client = await connectNode(options);
});

afterAll(async () => {
  client.close();
  await node.close();
});

const wrong = (value: unknown) => value as never;
const pem = () => nitroRoot.toPem().certificate;

describe('what a caller mixes up is a TypeError that says so', () => {
  it.each<[string, () => Partial<NodeClientOptions['trust']>, RegExp]>([
    ['a root in PEM, as text', () => ({ root: wrong(pem()) }), /DER.*text/],
    ['a root in PEM, as a file has it', () => ({ root: Buffer.from(pem()) }), /DER.*PEM/],
    ['a root that is no certificate', () => ({ root: Uint8Array.of(1, 2, 3) }), /no certificate/],
    [
      'a root with something after it',
      () => ({ root: Buffer.concat([nitroRoot.certificate, Buffer.of(0)]) }),
      /certificate/,
    ],
    ['no root', () => ({ root: wrong(undefined) }), /trust\.root/],
    ['a manifest that was parsed', () => ({ manifest: wrong({}) }), /trust\.manifest.*bytes/],
    ['a manifest as text', () => ({ manifest: wrong('{}') }), /trust\.manifest.*bytes/],
    [
      'a pcr.json that was not parsed',
      () => ({ pcrs: wrong(Buffer.from(formatPcrFile(PCRS))) }),
      /parsePcrFile/,
    ],
    ['no PCRs', () => ({ pcrs: [] }), /parsePcrFile/],
  ])('%s', async (_, change, message) => {
    const trust = { ...options.trust, ...change() };
    for (const attempt of [connectNode({ ...options, trust }), attestNode({ url: node.url, trust })]) {
      const error = await attempt.then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(TypeError);
      expect(String(error)).toMatch(message);
    }
  });

  it.each<[string, () => unknown]>([
    ['in PEM', () => backend.privateKey.export({ type: 'pkcs8', format: 'pem' })],
    ['of the public half', () => generateKeyPairSync('ed25519').publicKey],
    ['of another type', () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey],
  ])('a key %s', async (_, key) => {
    await expect(connectNode({ ...options, privateKey: wrong(key()) })).rejects.toBeInstanceOf(TypeError);
  });

  it.each<[string, unknown, RegExp]>([
    ['bytes', Buffer.alloc(32), /bytes.*toString\("hex"\)/],
    ['0x in front', `0x${'11'.repeat(32)}`, /0x.*slice\(2\)/],
    ['upper case', 'AB'.repeat(32), /lower case/],
    ['base64', 'q6s=', /hex/],
    ['a number', 17, /hex/],
    ['20 bytes', '11'.repeat(20), /32, 48 or 64 bytes/],
  ])('a digest as %s, before anything is sent', async (_, digest, message) => {
    const payload: Payload = { kind: 'digest', digest: wrong(digest) };
    const request = { key: 'hot', algorithm: 'ecdsa-secp256k1', payload } as const;
    const before = signed;
    await expect(client.sign(request)).rejects.toThrow(TypeError);
    await expect(client.sign(request)).rejects.toThrow(message);
    expect(signed).toBe(before);
  });

  it('a nonce of the wrong length or kind', async () => {
    for (const nonce of [new Uint8Array(15), new Uint8Array(65), wrong('ab'.repeat(16))]) {
      await expect(attestNode({ ...options, nonce })).rejects.toBeInstanceOf(TypeError);
    }
  });

  it('and what is right passes', async () => {
    const pcrs = parsePcrFile(formatPcrFile(PCRS));
    const { document } = await attestNode({
      ...options,
      trust: { ...options.trust, pcrs: [pcrs] },
      nonce: new Uint8Array(16),
    });
    expect(document.nonce).toEqual(new Uint8Array(16));
  });
});
