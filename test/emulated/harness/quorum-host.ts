import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectNode, type NodeClient } from '../../../client/index.ts';
import { copyProgram } from '../../../local/nitro-host/index.ts';
import {
  openTestbed,
  openTestNode,
  runNode,
  type StartedNode,
  type Testbed,
  type TestNode,
} from '../../../local/testbed/index.ts';
import {
  makeQuorumMember,
  makeQuorumRules,
  QUORUM_KEYS,
} from '../../../local/testbed/quorum-configuration.ts';
import { type Binaries, compileBinaries } from '../../../scripts/image/compile.ts';
import { prepareInputs } from '../../../scripts/image/inputs.ts';
import { CONFIGURATION_FORMAT_1, CONFIGURATION_FORMAT_2 } from '../../../shared/documents/configuration.ts';
import { upgradeConfiguration } from '../../../shared/documents/configuration/upgrade.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { GUEST_PORT, type QuorumParentFile } from '../programs/quorum-files.ts';
import { EmulatedHost, PARENT } from './host.ts';
import { HostWays } from './host-ways.ts';
import type { HostProcess } from './processes.ts';
import { buildQuorumImage, writeQuorumRamdisk } from './quorum-images.ts';

/** Number of the node that runs in the emulated host. */
export const EMULATED = 1;
/** Numbers of the nodes that run as processes of this machine. */
const PROCESSES = [2, 3] as const;
const QUORUM = { size: 3, threshold: 2 };
const CLIENT = 'treasurer';
const CID = 16;
const MODULE_ID = 'i-0123456789abcdef0-enc0123456789abcdef';
/** Ports of CID 2 that the parent in guest 3 connects to. */
const AWS_PORT = 20_000;
const peerPortOf = (node: number) => AWS_PORT + node;

const READY_TIMEOUT_MS = 180_000;
const HEARTBEAT_TIMEOUT_MS = 120_000;
const SERVING_TIMEOUT_MS = 150_000;
const HOUR_MS = 3_600_000;
/** Milliseconds for one response: an emulated machine takes its time. */
const ANSWER_TIMEOUT_MS = 60_000;

/**
 * Quorum of three: node 1 from an image in the emulated host, behind the real parent in guest 3; nodes 2 and 3 as processes
 * of this machine, on stand-ins and with measurements of their own. `start`, then `close` in any case.
 */
export class QuorumHost {
  readonly #emulator: string;
  readonly #closing: (() => unknown)[] = [];
  readonly #processes = new Map<number, StartedNode>();
  readonly #testNodes = new Map<number, TestNode>();
  readonly #urls = new Map<number, string>();
  readonly #pcrs = new Map<number, ReadonlyMap<number, Uint8Array>>();
  #machines: HostProcess[] = [];
  #root = new Uint8Array();

  constructor(emulator: string) {
    this.#emulator = emulator;
  }

  /** Builds the image, has each authority sign its node's configuration, and starts all three nodes. */
  async start(): Promise<void> {
    const testbed = await openTestbed({ stateDirectory: temporaryFolder() });
    this.#closing.push(() => testbed.close());
    this.#root = new Uint8Array(testbed.host.rootCertificate);
    const program = await copyProgram();
    this.#closing.push(() => program.remove());
    const binaries = compileBinaries(prepareInputs());
    const image = join(temporaryFolder(), 'node.eif');
    const trust = { kmsRoots: [testbed.aws.caPem], chain: await testbed.host.issueChain(MODULE_ID) };
    this.#pcrs.set(EMULATED, await buildQuorumImage(image, binaries, trust));
    for (const node of PROCESSES) this.#pcrs.set(node, await testbed.host.measure(program.folder));
    for (const node of this.#pcrs.keys())
      this.#testNodes.set(node, await openTestNode(testbed, { node, quorum: QUORUM }));
    for (const node of this.#pcrs.keys()) await this.#configure(node);
    for (const node of PROCESSES) await this.#startProcess(testbed, node, program.folder);
    await this.#boot(testbed, binaries, image).catch(async (error: unknown) => {
      if (this.#hasBooted()) throw error;
      process.stderr.write('\nRETRIED: the emulator hung before the heartbeat of the enclave\n');
      await this.#boot(testbed, binaries, image);
    });
  }

  /** Has the admin let the node's image use its key, and the authority sign its configuration. */
  async #configure(node: number): Promise<void> {
    const testNode = this.testNode(node);
    await testNode.allow(this.#pcrs.get(node) ?? new Map(), { initialise: true });
    const { manifest: _, ...body } = upgradeConfiguration({
      format: CONFIGURATION_FORMAT_1,
      manifest: '00'.repeat(48),
      version: 1,
      initialise: {
        id: 'first-start',
        notAfter: new Date(Date.now() + HOUR_MS).toISOString(),
        password: 'generated',
      },
      clients: [{ id: CLIENT, publicKey: testNode.client.publicKey }],
      keys: [...QUORUM_KEYS],
      rules: makeQuorumRules(CLIENT),
    });
    const peers = [...this.#pcrs]
      .filter(([other]) => other !== node)
      .flatMap(([other, pcrs]) => {
        const named = { node: other, manifestBytes: this.testNode(other).manifestBytes };
        return makeQuorumMember([named], [{ pcrs, notAfter: null }], []).peers;
      });
    await testNode.configure({
      ...body,
      format: CONFIGURATION_FORMAT_2,
      quorum: { peers, servesAlone: [], refreshHours: null },
    });
  }

  async #startProcess(testbed: Testbed, node: number, program: string): Promise<void> {
    const host = await testbed.addHost();
    const nodes = [...this.#pcrs.keys()].filter((other) => other !== node).map((other) => ({ node: other }));
    const started = await runNode(testbed, this.testNode(node), {
      host,
      launch: { program },
      parent: (honest) => ({ ...honest, peers: { node, nodes, listen: { port: 0 } } }),
    });
    this.#closing.push(() => this.kill(node));
    this.#processes.set(node, started);
    this.#urls.set(node, started.url);
    if (started.code !== null) throw new Error(`node ${node} does not serve: ${started.code}`);
  }

  /** Boots the machines of node 1 on a switch of their own, and waits until it serves. */
  async #boot(testbed: Testbed, binaries: Binaries, image: string): Promise<void> {
    const host = new EmulatedHost(this.#emulator, [PARENT, CID]);
    this.#closing.push(() => host.close());
    const ways = new HostWays(host.unixPathOf(PARENT));
    this.#closing.push(() => ways.close());
    await ways.openOut(AWS_PORT, testbed.aws.port);
    for (const [node, { parent }] of this.#processes)
      await ways.openOut(peerPortOf(node), parent.peers?.port ?? 0);
    const initrd = join(host.folder, 'initrd');
    const testNode = this.testNode(EMULATED);
    await writeQuorumRamdisk(initrd, this.#emulator, binaries, {
      parent: this.#describeParent(testNode),
      manifest: testNode.manifestBytes,
      configuration: readFileSync(testNode.configurationPath),
    });
    const guest = await host.startGuest('parent', initrd, PARENT, 1024);
    this.#machines = [guest];
    await guest.waitForReport('ready', READY_TIMEOUT_MS);
    this.#announce(await ways.openIn(GUEST_PORT.peers));
    this.#urls.set(EMULATED, `https://127.0.0.1:${await ways.openIn(GUEST_PORT.api)}`);
    this.#machines.push(await host.startEnclave({ cid: CID, eif: image, id: MODULE_ID }));
    await guest.waitForReport('heartbeat', HEARTBEAT_TIMEOUT_MS);
    const { outcome } = await guest.waitForReport('outcome', SERVING_TIMEOUT_MS);
    if (outcome !== 'serving') throw new Error(`node ${EMULATED} does not serve: ${String(outcome)}`);
  }

  #describeParent({ manifest, infrastructure }: TestNode): QuorumParentFile {
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = infrastructure.parentCredentials();
    if (expiration === undefined) throw new TypeError('expected credentials that expire');
    return {
      cid: CID,
      node: EMULATED,
      manifest,
      credentials: {
        accessKeyId,
        secretAccessKey,
        sessionToken: sessionToken ?? '',
        expiration: expiration.toISOString(),
      },
      aws: AWS_PORT,
      others: PROCESSES.map((node) => ({ node, port: peerPortOf(node) })),
    };
  }

  /** Tells the parents of the other nodes where that of node 1 is, and where each other is. */
  #announce(port: number): void {
    const host = '127.0.0.1';
    for (const [node, { parent }] of this.#processes) {
      const others = [...this.#processes]
        .filter(([other]) => other !== node)
        .map(
          ([
            other,
            {
              parent: { peers },
            },
          ]) => ({
            node: other,
            ...(peers === undefined ? {} : { address: peers }),
          }),
        );
      parent.reloadPeers([{ node: EMULATED, address: { host, port } }, ...others]);
    }
  }

  #hasBooted(): boolean {
    return this.#machines.some((machine) => machine.reports().some(({ report }) => report === 'heartbeat'));
  }

  /** PCR0, PCR1 and PCR2 of a node's image, 48 bytes each. */
  pcrsOf(node: number): ReadonlyMap<number, Uint8Array> {
    return this.#pcrs.get(node) ?? new Map();
  }

  testNode(node: number): TestNode {
    const testNode = this.#testNodes.get(node);
    if (testNode === undefined) throw new RangeError(`no node ${node}`);
    return testNode;
  }

  /** Root under which the documents of all three nodes are signed, a certificate in DER. */
  get root(): Uint8Array {
    return this.#root;
  }

  /** Connects to a node by the project's own client, which verifies the node's document. */
  async connect(node: number): Promise<NodeClient> {
    const { manifestBytes, client } = this.testNode(node);
    const connected = await connectNode({
      url: this.#urls.get(node) ?? '',
      trust: { root: this.#root, pcrs: this.pcrsOf(node), manifest: manifestBytes },
      clientId: CLIENT,
      privateKey: client.privateKey,
      timeoutMs: ANSWER_TIMEOUT_MS,
    });
    this.#closing.push(() => connected.close());
    return connected;
  }

  /** Ends a node that is a process, and its parent; nothing where it does not run. */
  async kill(node: number): Promise<void> {
    const started = this.#processes.get(node);
    this.#processes.delete(node);
    await started?.stop();
  }

  /** Events of one name in the log of node 1's parent. */
  eventsOf(name: string): unknown[] {
    return this.#machines
      .flatMap((machine) => machine.reports())
      .filter(({ report, event }) => report === 'parent' && event === name);
  }

  /** Describes the last lines that each machine of node 1 has printed. */
  describeConsoles(): string {
    return this.#machines.map(({ name, lines }) => `${name}:\n${lines.slice(-60).join('\n')}`).join('\n\n');
  }

  /** Ends all that runs. */
  async close(): Promise<void> {
    for (const close of this.#closing.splice(0).toReversed()) await close();
  }
}
