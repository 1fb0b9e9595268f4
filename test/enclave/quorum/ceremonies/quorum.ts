import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import type { CeremonyMember } from '../../../../audit/transcript/index.ts';
import { Keyring } from '../../../../enclave/keyring/index.ts';
import type { NodeKey } from '../../../../enclave/node/node-keys.ts';
import type { PeerIdentity, PeerNetwork } from '../../../../enclave/peers/peer-network.ts';
import {
  type AskedCeremony,
  type Ceremonies,
  type LedOrder,
  type CeremonyOutcome,
  startCeremonies,
} from '../../../../enclave/quorum/ceremonies/index.ts';
import { deriveStoreKey, type RecordStorage, SealedStore } from '../../../../enclave/store/index.ts';
import { createNobleCurves } from '../../../../local/noble-curves.ts';
import type { KeyEntry } from '../../../../shared/documents/configuration.ts';
import {
  aggregate,
  commit,
  createSuites,
  signShare,
  type Suites,
  verifySignature,
} from '../../../../shared/frost/index.ts';
import { toyGroups } from '../toy-groups.ts';
import { ControlError } from '../../../../shared/protocol/errors.ts';
import { makeIdentity } from '../../peers/identities.ts';
import { MemoryNetwork, type MemoryNetworkOptions } from '../../peers/memory-network.ts';
import { VirtualTimeline } from '../../peers/timeline.ts';
import { MemoryRecordStorage } from '../../store/memory-record-storage.ts';

const ENTRIES: readonly KeyEntry[] = [
  { id: 'shared', type: 'frost-ed25519' },
  { id: 'bitcoin', type: 'frost-secp256k1-taproot' },
];

export interface QuorumOptions extends Omit<MemoryNetworkOptions, 'timeline'> {
  readonly nodes?: readonly number[];
  readonly threshold?: number;
  readonly entries?: readonly KeyEntry[];
  /** Attests to a nonce for a node with that session; by default nothing is attested. */
  readonly attest?: (node: QuorumNode, session: string, nonce: Uint8Array) => Promise<Uint8Array>;
  /** Digest of the manifest of a node. */
  readonly manifestOf?: (node: number) => Uint8Array;
  /** Arithmetic of shares: without security and quick when left out. */
  readonly suites?: Suites;
}

export const toySuites = createSuites(toyGroups);

/** One node of a quorum in memory, over all its boots. */
export class QuorumNode {
  readonly node: number;
  readonly storage = new MemoryRecordStorage();
  readonly receiptKey: NodeKey;
  readonly decided: AskedCeremony[] = [];
  readonly recorded: { readonly plan: AskedCeremony['plan']; readonly transcript: Uint8Array }[] = [];
  readonly errors: unknown[] = [];
  /** Decides as the node's rules would; throws where they do not permit. */
  authorise: (asked: AskedCeremony) => Promise<void> = async () => undefined;
  /** Writes into the node's log; throws where nothing may leave the node. */
  record: () => Promise<void> = async () => undefined;
  boots = 0;
  keyring: Keyring | undefined;
  ceremonies: Ceremonies | undefined;
  network: PeerNetwork | undefined;
  /** Called before and after each commit. */
  beforeCommit: () => void = () => undefined;
  afterCommit: () => void = () => undefined;
  /** Ends the access of the present boot to the store. */
  closeStorage: () => void = () => undefined;

  constructor(node: number) {
    this.node = node;
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    this.receiptKey = {
      publicKey: new Uint8Array(publicKey.export({ format: 'raw-public' })),
      privateKey,
    };
  }

  get held(): Keyring {
    if (this.keyring === undefined) throw new RangeError(`node ${this.node} is down`);
    return this.keyring;
  }

  lead(order: LedOrder): Promise<CeremonyOutcome> {
    if (this.ceremonies === undefined) throw new RangeError(`node ${this.node} is down`);
    return this.ceremonies.lead(order);
  }
}

/** A quorum in memory: nodes with sealed stores of their own, over a network that a seed drives. */
export class MemoryQuorum {
  readonly timeline = new VirtualTimeline();
  readonly network: MemoryNetwork;
  readonly nodes: ReadonlyMap<number, QuorumNode>;
  readonly #options: Required<
    Pick<QuorumOptions, 'threshold' | 'entries' | 'suites' | 'attest' | 'manifestOf'>
  >;

  private constructor({
    nodes = [1, 2, 3],
    threshold = 2,
    entries = ENTRIES,
    suites = toySuites,
    attest = async (_node, _session, nonce) => nonce,
    manifestOf = (node) => new Uint8Array(48).fill(node),
    ...network
  }: QuorumOptions) {
    this.network = new MemoryNetwork({ ...network, timeline: this.timeline });
    this.nodes = new Map(nodes.map((node) => [node, new QuorumNode(node)]));
    this.#options = { threshold, entries, suites, attest, manifestOf };
  }

  static async start(options: QuorumOptions = {}): Promise<MemoryQuorum> {
    const quorum = new MemoryQuorum(options);
    for (const node of quorum.nodes.keys()) await quorum.boot(node);
    await quorum.run(quorum.timeline.sleep(1));
    return quorum;
  }

  run<Result>(promise: Promise<Result>): Promise<Result> {
    return this.timeline.run(promise);
  }

  /** Lets time pass, so that whatever is under way ends. */
  async settle(milliseconds = 200_000): Promise<void> {
    await this.run(this.timeline.sleep(milliseconds));
  }

  node(number: number): QuorumNode {
    const node = this.nodes.get(number);
    if (node === undefined) throw new RangeError(`no node ${number}`);
    return node;
  }

  /** Starts a node on the store that it has. */
  async boot(number: number): Promise<void> {
    const node = this.node(number);
    node.boots += 1;
    const key = deriveStoreKey(new Uint8Array(32).fill(number), {
      namespace: 'demo',
      environment: 'test',
      node: number,
    });
    const configuration = { version: 1, digest: new Uint8Array(48) };
    const storage = openStorage(node);
    const store =
      node.storage.records.size > 0
        ? await SealedStore.open(storage, key)
        : SealedStore.create(storage, key, { order: 'first', configuration, boots: 1 }, undefined);
    const keyring = await Keyring.open(
      store,
      createNobleCurves(),
      this.#options.entries,
      {
        isNewer: true,
        state: { boots: node.boots, configuration },
      },
      [],
      undefined,
      { suites: this.#options.suites, random: randomBytes },
    );
    const identity = this.#identify(node);
    const others = [...this.nodes.keys()].filter((other) => other !== number);
    const network = this.network.start(identity, others);
    const own: CeremonyMember = {
      node: number,
      manifest: identity.manifest,
      session: identity.session,
      receiptKey: identity.receiptKey,
      configuration: { ...identity.configuration },
    };
    node.keyring = keyring;
    node.network = network;
    node.ceremonies = startCeremonies(
      {
        network,
        keeper: keyring,
        suites: this.#options.suites,
        own,
        receiptKey: node.receiptKey,
        threshold: this.#options.threshold,
        edges: {
          authorise: async (asked) => {
            await node.authorise(asked);
            node.decided.push(asked);
          },
          authoriseOrdered: async (asked) => {
            node.decided.push(asked);
          },
          digestRequest: (request) => new Uint8Array(createHash('sha256').update(request).digest()),
          record: async ({ plan }, { transcript }) => {
            await node.record();
            node.recorded.push({ plan, transcript });
          },
          attest: (nonce) => this.timeline.hold(this.#options.attest(node, identity.session, nonce)),
          now: () => 1_000_000 + Math.floor(this.timeline.now()),
          sleep: (delay) => this.timeline.sleep(delay),
        },
      },
      (error) => node.errors.push(error),
    );
  }

  #identify(node: QuorumNode): PeerIdentity {
    return makeIdentity(node.node, {
      manifest: this.#options.manifestOf(node.node),
      receiptKey: node.receiptKey.publicKey,
      session: `${node.node.toString(16).padStart(16, '0')}${node.boots.toString(16).padStart(16, '0')}`,
    });
  }

  /** Ends a node at once: what it has not written is gone. */
  kill(number: number): void {
    const node = this.node(number);
    this.network.crash(number);
    node.closeStorage();
    node.ceremonies?.stop();
    node.keyring = undefined;
    node.ceremonies = undefined;
  }

  order(operation: LedOrder['operation'], more: Partial<LedOrder> = {}): LedOrder {
    return { operation, keys: ['shared'], request: Buffer.from(`please ${operation}`), ...more };
  }

  /** Signs with the shares of these nodes as they stand; returns the public key, in hex, that has verified it. */
  sign(nodes: readonly number[], key = 'shared'): string {
    const message = new Uint8Array(randomBytes(32));
    const signers = nodes.map((number) => {
      const { held } = this.node(number);
      const { group, participant } = held.share(key);
      const share = held.shareRecord(key)?.current?.share ?? new Uint8Array(32);
      return { group, participant, share, nonces: commit(group.suite, participant, share, randomBytes) };
    });
    const [first] = signers;
    if (first === undefined) throw new RangeError('expected signers');
    const list = signers.map(({ nonces }) => nonces.commitments);
    const made = signers.map(({ nonces, ...holder }) => ({
      participant: holder.participant,
      signatureShare: signShare(holder, nonces, list, message),
    }));
    const signature = aggregate(first.group, list, message, made);
    if (
      !verifySignature(first.group.suite, first.group.commitments[0] ?? new Uint8Array(), message, signature)
    )
      throw new Error('the signature does not verify');
    return Buffer.from(first.group.commitments[0] ?? []).toString('hex');
  }

  /** The epoch that each node signs in; undefined for one that does not. */
  epochs(key = 'shared'): (number | undefined)[] {
    return [...this.nodes.values()].map(({ keyring }) => keyring?.shareRecord(key)?.current?.group.epoch);
  }
}

/** Opens a node's store for one boot: what a killed boot still writes does not arrive. */
function openStorage(node: QuorumNode): RecordStorage {
  let isOpen = true;
  node.closeStorage = () => {
    isOpen = false;
  };
  const assertOpen = () => {
    if (!isOpen) throw new ControlError('CONTROL_STORE_CONFLICT', 'the node was killed');
  };
  return {
    readRecord: async (place) => {
      assertOpen();
      return await node.storage.readRecord(place);
    },
    listRecords: () => node.storage.listRecords(),
    commit: async (writes, log) => {
      assertOpen();
      node.beforeCommit();
      assertOpen();
      await node.storage.commit(writes, log);
      node.afterCommit();
      assertOpen();
    },
  };
}

/** Code of the refusal that a promise ends with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof Error && 'code' in error) return String(error.code);
  throw new TypeError('not refused with a code', { cause: error });
}
