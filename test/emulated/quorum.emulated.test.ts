import { createPublicKey, verify } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { schnorr } from '@noble/curves/secp256k1.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseEntry, type Receipt, unsafeParseReceipt } from '../../audit/receipt/index.ts';
import { verifyTranscript } from '../../audit/transcript/index.ts';
import type { NodeClient } from '../../client/index.ts';
import type { Signed } from '../../client/responses.ts';
import { digestManifest } from '../../shared/documents/manifest.ts';
import { errorCode } from '../../shared/errors.ts';
import { nobleSuites } from '../../shared/frost/index.ts';
import { PARENT_PORT } from '../../shared/transport/ports.ts';
import { findEmulator } from './harness/emulator.ts';
import { EMULATED, QuorumHost } from './harness/quorum-host.ts';

// Node 1 is a real image on real AF_VSOCK and /dev/nsm. The emulator's NSM signs nothing, and the root of nodes 2 and 3 is a
// stand-in's: so the image of node 1 holds a key under that root, and signs by it what its own device has written. The
// verifiers of the other nodes, of KMS and of the client are as they are everywhere. The production image trusts AWS's root
// alone and has no such key: no test can have it in a quorum with stand-ins.
const emulator = findEmulator();
const NODES = [1, 2, 3];
const PEERS_TIMEOUT_MS = 170_000;
const MAX_RETRIES = 2;
const MESSAGE = Buffer.from('a transfer out of the treasury');
const DIGEST = 'ab'.repeat(32);
const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex');

const REQUESTS = {
  treasury: {
    key: 'treasury',
    algorithm: 'frost-ed25519',
    payload: { kind: 'message', message: hex(MESSAGE) },
  },
  'treasury-bitcoin': {
    key: 'treasury-bitcoin',
    algorithm: 'frost-secp256k1-taproot',
    payload: { kind: 'digest', digest: DIGEST },
  },
} as const;
const KEYS = ['treasury', 'treasury-bitcoin'] as const;

/** Whether a signature verifies by other software than made it: OpenSSL for Ed25519, noble for BIP-340. */
function isSignature(key: (typeof KEYS)[number], signature: string, publicKey: string): boolean {
  const [bytes, point] = [Buffer.from(signature, 'hex'), Buffer.from(publicKey, 'hex')];
  if (key === 'treasury-bitcoin')
    return schnorr.verify(bytes, Buffer.from(DIGEST, 'hex'), point.subarray(-32));
  const x = point.toString('base64url');
  return verify(
    null,
    MESSAGE,
    createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }),
    bytes,
  );
}

/** The node that decided, and the quorum that it decided in, of each receipt of a response, in the order of nodes. */
function decisionsOf({ receipt, receipts = [] }: Signed) {
  const read = (each: Receipt | undefined) =>
    parseEntry(unsafeParseReceipt(Buffer.from(JSON.stringify(each))).entry).predicate;
  return [receipt, ...receipts].map(read).toSorted((left, right) => left.node.index - right.node.index);
}

describe.skipIf(emulator === undefined)('a quorum with one node on an emulated Nitro host', () => {
  const host = new QuorumHost(emulator ?? '');
  const clients = new Map<number, NodeClient>();
  const publicKeys = new Map<string, string>();

  function client(node: number): NodeClient {
    const found = clients.get(node);
    if (found === undefined) throw new RangeError(`no client of node ${node}`);
    return found;
  }

  beforeAll(async () => {
    try {
      await host.start();
      for (const node of NODES) clients.set(node, await host.connect(node));
    } catch (error) {
      throw new Error(host.describeConsoles(), { cause: error });
    }
  }, 900_000);
  afterAll(async () => {
    if (process.env['HOLDFAST_SHOW_CONSOLES'] !== undefined)
      process.stderr.write(`${host.describeConsoles()}\n`);
    await host.close();
  });

  test('the client verifies a document with the PCRs of the built image, which the others do not have', async () => {
    const { document } = await client(EMULATED).attest();
    const built = host.pcrsOf(EMULATED);
    expect([...built.keys()]).toEqual([0, 1, 2]);
    for (const [index, value] of built) {
      expect(hex(document.pcrs.get(index))).toBe(hex(value));
      expect(hex(host.pcrsOf(2).get(index))).not.toBe(hex(value));
    }
  });

  test('the enclave has opened its stream to the parent, by AF_VSOCK port 7005', () => {
    expect(PARENT_PORT.peers).toBe(7005);
    expect(host.eventsOf('peers.enclave-connected')).toHaveLength(1);
  });

  test.each(NODES)('node %i has a channel with both others', async (node) => {
    const deadline = Date.now() + PEERS_TIMEOUT_MS;
    const ask = async () => (await client(node).quorum.status()).peers;
    let peers = await ask();
    while (peers.some(({ state }) => state !== 'connected') && Date.now() < deadline) {
      await sleep(500);
      peers = await ask();
    }
    expect(peers.map((peer) => [peer.node, peer.state, peer.configuration?.version])).toEqual(
      NODES.filter((other) => other !== node).map((other) => [other, 'connected', 1]),
    );
  });

  test.each(KEYS)('all three generate %s, led by the node in the enclave', async (key) => {
    const { quorum } = client(EMULATED);
    const done = await quorum.waitFor((await quorum.generate(key)).ceremony);
    expect(done).toMatchObject({ coordinator: EMULATED, participants: NODES, threshold: 2, epoch: 1 });
    publicKeys.set(key, done.publicKey ?? '');
    // Every document of it is verified again, offline, against the image of its own node.
    const verified = verifyTranscript(await client(2).quorum.transcript(key, 1), {
      root: host.root,
      images: [host.pcrsOf(EMULATED), host.pcrsOf(2)],
      manifests: NODES.map((node) => hex(digestManifest(host.testNode(node).manifestBytes))),
      suites: nobleSuites,
    });
    expect(verified.keys.map(({ publicKey }) => hex(publicKey))).toEqual([done.publicKey]);
  });

  /** Asks for a signature, and again where a busy machine has not made it within the nodes' eight seconds. */
  async function sign(key: (typeof KEYS)[number], coordinator: number): Promise<Signed> {
    for (let retries = 0; ; retries += 1) {
      try {
        return await client(coordinator).sign(REQUESTS[key]);
      } catch (error) {
        if (retries === MAX_RETRIES || errorCode(error) !== 'QUORUM_UNREACHABLE') throw error;
        process.stderr.write(`\nRETRIED: node ${coordinator} had no signature in time\n`);
      }
    }
  }

  async function expectSigned(key: (typeof KEYS)[number], coordinator: number, epoch: number) {
    const signed = await sign(key, coordinator);
    expect(signed.publicKey.slice(-64)).toBe(publicKeys.get(key)?.slice(-64));
    expect(isSignature(key, signed.signature, publicKeys.get(key) ?? '')).toBe(true);
    const decisions = decisionsOf(signed);
    const participants = decisions.map(({ node }) => node.index);
    for (const decision of decisions)
      expect(decision).toMatchObject({ outcome: 'permitted', quorum: { coordinator, participants, epoch } });
    return participants;
  }

  test.each(KEYS)('two of three sign with %s, asked by the node in the enclave', async (key) => {
    const participants = await expectSigned(key, EMULATED, 1);
    expect(participants).toHaveLength(2);
    expect(participants).toContain(EMULATED);
  });

  test('the node in the enclave takes part in a refresh that another one leads', async () => {
    const { quorum } = client(3);
    const done = await quorum.waitFor((await quorum.refresh('treasury')).ceremony);
    expect(done).toMatchObject({ coordinator: 3, participants: NODES, epoch: 2 });
    expect(done.publicKey).toBe(publicKeys.get('treasury'));
  });

  test('without node 3 the other two sign, whichever of them is asked', async () => {
    await host.kill(3);
    expect(await expectSigned('treasury', 2, 2)).toEqual([EMULATED, 2]);
    expect(await expectSigned('treasury', EMULATED, 2)).toEqual([EMULATED, 2]);
    expect(await expectSigned('treasury-bitcoin', 2, 1)).toEqual([EMULATED, 2]);
  });

  test('the enclave runs on: no call was made that its filter of system calls ends it for', () => {
    expect(host.eventsOf('node.exit')).toEqual([]);
  });
});
