import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NitroHost } from '../../local/nitro-host/index.ts';
import type { StartedNode } from '../../local/testbed/index.ts';
import { makeQuorumMember } from '../../local/testbed/quorum-configuration.ts';
import { Scenario } from '../../local/testbed/scenario.ts';
import { CONFIGURATION_FORMAT_1, CONFIGURATION_FORMAT_2 } from '../../shared/documents/configuration.ts';
import { upgradeConfiguration } from '../../shared/documents/configuration/upgrade.ts';
import { FrameStream } from '../../shared/frames/index.ts';
import { PEER_SERVICE, type PeerEnclaveFrame } from '../../shared/protocol/peers.ts';
import { PARENT_CID } from '../../shared/transport/ports.ts';
import { createUnixTransport } from '../../shared/transport/unix-transport.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const LIMITS = { timeoutMs: 10_000, idleTimeoutMs: Infinity };
type States = Extract<PeerEnclaveFrame, { type: 'status' }>['peers'];

/** Carries datagrams between the enclaves of several hosts, and keeps what each says of the others. */
class Exchange {
  readonly states = new Map<number, States>();
  readonly #nodes = new Map<number, FrameStream>();
  /** Bytes of all datagrams, as one could read them on the way. */
  readonly seen: Uint8Array[] = [];

  async serve({ socketDirectory }: NitroHost): Promise<{ close(): Promise<void> }> {
    const transport = createUnixTransport({ directory: socketDirectory, cid: PARENT_CID });
    return await transport.listen(PEER_SERVICE.port, ({ stream }) => {
      stream.on('error', () => undefined);
      void this.#read(new FrameStream(stream, { maxBytes: PEER_SERVICE.maxFrameBytes })).catch(
        () => undefined,
      );
    });
  }

  async #read(frames: FrameStream): Promise<void> {
    const first = await frames.read(PEER_SERVICE.enclaveFrameSchema, LIMITS);
    if (first.type !== 'open') throw new TypeError('expected open');
    this.#nodes.set(first.node, frames);
    for (;;) {
      const frame = await frames.read(PEER_SERVICE.enclaveFrameSchema, LIMITS);
      if (frame.type === 'status') this.states.set(first.node, frame.peers);
      if (frame.type !== 'send') continue;
      this.seen.push(frame.bytes);
      const deliver = { type: 'deliver', from: first.node, bytes: frame.bytes } as const;
      void this.#nodes
        .get(frame.to)
        ?.write(deliver, { timeoutMs: 10_000 })
        .catch(() => undefined);
    }
  }

  /** Waits until a node says that of another one. */
  async until(node: number, state: Partial<States[number]>): Promise<void> {
    const end = Date.now() + 90_000;
    const holds = () =>
      this.states
        .get(node)
        ?.some((each) => Object.entries(state).every(([name, value]) => Reflect.get(each, name) === value));
    while (!(holds() ?? false)) {
      if (Date.now() > end) throw new Error(`node ${node} says ${JSON.stringify(this.states.get(node))}`);
      await sleep(50);
    }
  }
}

describe('two whole nodes', () => {
  const exchange = new Exchange();
  const scenarios: Scenario[] = [];
  const hosts: NitroHost[] = [];
  const closing: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    const one = await Scenario.open(temporaryFolder(), 1);
    scenarios.push(one, await one.beside(2));
    for (const scenario of scenarios) {
      const host = await scenario.testbed.addHost();
      hosts.push(host);
      const listener = await exchange.serve(host);
      closing.push(() => listener.close());
    }
  });

  afterAll(async () => {
    for (const close of closing) await close();
    await scenarios[0]?.close();
  });

  /** Configures a node, whose peer may run the image that the scenario measured, or another one, and starts it. */
  async function start(index: 0 | 1, version: number, image?: Uint8Array): Promise<StartedNode> {
    const [scenario, other, host] = [scenarios[index], scenarios[1 - index], hosts[index]];
    if (scenario === undefined || other === undefined || host === undefined)
      throw new TypeError('no scenario');
    const { manifest: _, ...body } = upgradeConfiguration({
      format: CONFIGURATION_FORMAT_1,
      manifest: '00'.repeat(48),
      ...scenario.configuration(version, 'initialise-1'),
    });
    const pcrs = new Map(scenario.pcrs);
    if (image !== undefined) pcrs.set(0, image);
    await scenario.testNode.configure({
      ...body,
      format: CONFIGURATION_FORMAT_2,
      quorum: makeQuorumMember(
        [other.testNode.manifest.node].map((node) => ({ node, manifestBytes: other.testNode.manifestBytes })),
        [{ pcrs, notAfter: null }],
        [],
      ),
    });
    const node = await scenario.start({ host });
    closing.unshift(() => node.stop());
    expect(node.code).toBeNull();
    return node;
  }

  it('serve without each other, find each other, and find each other again after a kill', async () => {
    const first = await start(0, 1);
    const second = await start(1, 1);
    await exchange.until(1, { node: 2, state: 'connected', code: null });
    await exchange.until(2, { node: 1, state: 'connected', code: null });
    // Of the documents nothing is to be read on the way.
    const onTheWay = Buffer.concat(exchange.seen).toString('latin1');
    expect(onTheWay.length).toBeGreaterThan(5_000);
    for (const word of ['holdfast-peer', 'user_data', 'cabundle', 'aws.nitro'])
      expect(onTheWay).not.toContain(word);
    await second.enclave.terminate();
    exchange.states.clear();
    await second.stop();
    await start(1, 2);
    await exchange.until(2, { node: 1, state: 'connected' });
    // The next configuration of the first one accepts another image of the second.
    await first.stop();
    await start(0, 2, new Uint8Array(48).fill(9));
    await exchange.until(1, { node: 2, state: 'refused', code: 'PEER_IMAGE_REFUSED' });
  });
});
