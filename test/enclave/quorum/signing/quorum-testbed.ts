import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { type Entry, parseEntry } from '../../../../audit/receipt/index.ts';
import { holdShare } from '../../../../enclave/frost/held-share.ts';
import { Keyring } from '../../../../enclave/keyring/index.ts';
import type { TransparencyLog } from '../../../../enclave/log/index.ts';
import { admitConfiguration } from '../../../../enclave/node/configuration.ts';
import type { PeerIdentity } from '../../../../enclave/peers/peer-network.ts';
import {
  createDecisionLog,
  createSigningPipeline,
  type ForwardedRequest,
  forwardRequest,
  restoreDecisionState,
} from '../../../../enclave/signing/index.ts';
import type { RequestStatus } from '../../../../enclave/approvals/index.ts';
import { type CeremonyOrder, CertificateRelay, startNodeQuorum } from '../../../../enclave/quorum/index.ts';
import {
  createCoordinator,
  type ForwardedConsent,
  type Timer,
  toQuorumShare,
} from '../../../../enclave/quorum/signing/index.ts';
import { decodePayload } from '../../../../policy/transactions/index.ts';
import { encodeTransaction } from '../../../../policy/transactions/json.ts';
import { deriveStoreKey, SealedStore } from '../../../../enclave/store/index.ts';
import { openLocalCurves } from '../../../../local/noble-curves.ts';
import type { Ceremony } from '../../../../shared/api/quorum.ts';
import type { SignRequest } from '../../../../shared/api/bodies.ts';
import { parseConfiguration } from '../../../../shared/documents/configuration.ts';
import type { Manifest } from '../../../../shared/documents/manifest.ts';
import { signRequest } from '../../../../shared/http-signature/index.ts';
import { condition, makeConfiguration2, permit } from '../../../shared/documents/sample-rules.ts';
import { statementOf, toBody } from '../../approvals/circumstances.ts';
import { MemoryRecordStorage } from '../../store/memory-record-storage.ts';
import { dealGroup, type DealtShares, nobleSuites, type Suites } from '../../../../shared/frost/index.ts';
import type { ShareType } from '../../../../shared/algorithms.ts';
import { KeyHolder } from '../../../policy/approvals/people.ts';
import { MemoryNetwork, type MemoryNetworkOptions } from '../../peers/memory-network.ts';

export const START = Date.UTC(2030, 0);

/** Members of the rule, or of the configuration, that a test changes. */
export type Change = Readonly<Record<string, unknown>>;

export interface TestbedOptions {
  readonly type?: ShareType;
  readonly threshold?: number;
  readonly size?: number;
  /** The whole key, where a test knows it: 32 bytes. */
  readonly secret?: Uint8Array;
  /** Networks of the key. */
  readonly networks?: readonly string[];
  /** Other members of the key's entry, by node. */
  readonly entry?: (node: number) => Change;
  /** Members of the rule, by node. */
  readonly rule?: (node: number) => Change;
  /** Other members of the configuration, by node. */
  readonly configuration?: (node: number) => Change;
  readonly network?: MemoryNetworkOptions;
  readonly suites?: Suites;
  /** Clock by which coordinators find nodes slow. */
  readonly timer?: Timer;
  /** Whether the nodes carry out ceremonies too. */
  readonly hasCeremonies?: boolean;
}

/** A quorum of nodes in one process: real pipelines, stores and shares; their network is in memory. */
export class QuorumTestbed {
  readonly client = generateKeyPairSync('ed25519');
  readonly stranger = generateKeyPairSync('ed25519');
  readonly alice = new KeyHolder('alice');
  readonly bob = new KeyHolder('bob');
  readonly network: MemoryNetwork;
  readonly nodes: readonly QuorumNode[];
  readonly dealt: DealtShares;
  readonly suites: Suites;
  readonly options: Required<Pick<TestbedOptions, 'type' | 'threshold' | 'size'>> & TestbedOptions;
  now = START;
  /** Milliseconds by which the nodes' monotonic clocks are ahead of the process's: rates fill meanwhile. */
  ahead = 0;

  private constructor(options: TestbedOptions) {
    this.options = { type: 'frost-ed25519', threshold: 2, size: 3, ...options };
    this.network = new MemoryNetwork(options.network);
    const { type, threshold, size, suites = nobleSuites } = this.options;
    this.suites = suites;
    const signers = Array.from({ length: size }, (_, index) => index + 1);
    this.dealt = dealGroup(suites[type], { epoch: 0, threshold, signers }, randomBytes, options.secret);
    this.nodes = signers.map((node) => new QuorumNode(this, node));
  }

  static async start(options: TestbedOptions = {}): Promise<QuorumTestbed> {
    const testbed = new QuorumTestbed(options);
    for (const node of testbed.nodes) await node.start();
    await testbed.settle();
    return testbed;
  }

  /** Lets happen what is scheduled for now. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
  }

  node(number: number): QuorumNode {
    const node = this.nodes[number - 1];
    if (node === undefined) throw new RangeError(`no node ${number}`);
    return node;
  }
}

export const KEY = 'treasury';
export const MESSAGE = { kind: 'message', message: Buffer.from('a transfer').toString('hex') } as const;

const YEAR_MS = 365 * 86_400_000;
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const rawKey = (key: KeyObject) => new Uint8Array(key.export({ format: 'raw-public' }));
export const manifestOf = (node: number) => new Uint8Array(48).fill(node);

/** One node: its store outlives its boots. */
export class QuorumNode {
  readonly number: number;
  readonly #appended: Uint8Array[] = [];
  readonly receiptKeys = generateKeyPairSync('ed25519');
  readonly storage = new MemoryRecordStorage();
  session = '';
  /** Holds back what entries allow. */
  gate: () => Promise<void> = () => Promise.resolve();
  readonly #testbed: QuorumTestbed;
  #running: Awaited<ReturnType<QuorumNode['boot']>> | undefined;

  constructor(testbed: QuorumTestbed, number: number) {
    this.#testbed = testbed;
    this.number = number;
  }

  /** What the node has appended to its log, over all its boots. */
  get entries(): Entry[] {
    return this.#appended.map(parseEntry);
  }

  get running() {
    if (this.#running === undefined) throw new Error('the node does not run');
    return this.#running;
  }

  get identity(): PeerIdentity {
    return {
      node: this.number,
      manifest: manifestOf(this.number),
      session: this.session,
      configuration: { version: 1, digest: hex(this.#configurationDigest) },
      receiptKey: rawKey(this.receiptKeys.publicKey),
      document: new Uint8Array(1),
    };
  }

  /** Starts the node, or starts it anew: its store is what it was, its session and memory are new. */
  async start(): Promise<void> {
    this.session = randomBytes(16).toString('hex');
    this.#running = await this.boot();
  }

  crash(): void {
    this.#testbed.network.crash(this.number);
    this.#running = undefined;
  }

  async boot() {
    const testbed = this.#testbed;
    const { threshold, size } = testbed.options;
    const configuration = this.#configure();
    const signed = { configuration, digest: this.#configurationDigest, signers: [] };
    const place = { namespace: 'demo', environment: 'test', node: this.number };
    const storeKey = deriveStoreKey(new Uint8Array(32), place);
    const none = { order: 'first', configuration: { version: 0, digest: new Uint8Array(48) }, boots: 0 };
    const isFirst = this.storage.records.size === 0;
    const store = isFirst
      ? SealedStore.create(this.storage, storeKey, none, undefined)
      : await SealedStore.open(this.storage, storeKey);
    const admission = admitConfiguration(store.state, signed);
    const keyring = await Keyring.open(
      store,
      openLocalCurves(),
      configuration.keys,
      admission,
      [],
      undefined,
      { suites: testbed.suites, random: randomBytes },
    );
    if (isFirst) await keyring.takeShare(KEY, this.#holdDealt());
    const manifest = { ...place, quorum: { size, threshold } } as Manifest;
    const measured = { manifest, digest: manifestOf(this.number) };
    const common = { signed, measured, session: this.session, now: () => testbed.now };
    const state = await restoreDecisionState(store, common);
    const { publicKey, privateKey } = this.receiptKeys;
    const appended = this.#appended;
    const append: TransparencyLog['append'] = async (makeEntry) => {
      const index = appended.length;
      appended.push(makeEntry(index));
      await store.commit(state.sources.flatMap((source) => source.collectChanges()));
      await this.gate();
      return { index, checkpoint: 'checkpoint\n', proof: [] };
    };
    const receiptKey = { privateKey, publicKey: rawKey(publicKey) };
    const log = createDecisionLog({
      ...common,
      log: { append, witnesses: null, peerWitnesses: null },
      receiptKey,
    });
    const network = testbed.network.start(this.identity, this.#others);
    const clocks = { now: () => testbed.now, monotonic: () => performance.now() + testbed.ahead };
    const certificates = new CertificateRelay();
    const pipeline = createSigningPipeline({
      ...common,
      keyring,
      clocks,
      log,
      state,
      quorum: {
        network,
        certificates,
        ...(testbed.options.timer === undefined ? {} : { timer: testbed.options.timer }),
      },
    });
    const quorum =
      testbed.options.hasCeremonies === true
        ? startNodeQuorum({
            ...common,
            network,
            keyring,
            receiptKey,
            pipeline,
            certificates,
            recordCeremony: (transcript, parts) => log.recordCeremony(transcript, parts),
            findClient: () => testbed.client.publicKey,
            attest: (nonce) => Promise.resolve(nonce),
            onError: () => undefined,
          })
        : undefined;
    return { pipeline, network, keyring, state, log, certificates, quorum };
  }

  /** Signs a request as the client does: for this node, or as the test has it. */
  forward(
    target: string,
    body: unknown,
    change: Partial<{ privateKey: KeyObject; session: string; now: number }> = {},
  ): ForwardedRequest {
    const bytes = new Uint8Array(Buffer.from(JSON.stringify(body)));
    const request = { method: 'POST', target };
    const fields = signRequest(
      { ...request, body: { bytes, contentType: 'application/json' } },
      {
        clientId: 'backend',
        privateKey: this.#testbed.client.privateKey,
        session: this.session,
        now: this.#testbed.now,
        ...change,
      },
    );
    const rawHeaders = Object.entries(fields).flat();
    return forwardRequest({ ...request, rawHeaders, contentLength: bytes.length }, bytes);
  }

  /** Asks the node to sign, as its interface does. */
  async sign(request: Partial<SignRequest> = {}, signed?: ForwardedRequest) {
    const whole = { key: KEY, algorithm: this.#testbed.options.type, payload: MESSAGE, ...request };
    return await this.running.pipeline.sign(
      'backend',
      whole,
      () => signed ?? this.forward('/v1/sign', whole),
    );
  }

  /** Orders a ceremony of this node, and waits until it has ended; returns its state. */
  async order(target: string, order: CeremonyOrder): Promise<Ceremony['state']> {
    const { quorum } = this.running;
    if (quorum === undefined) throw new RangeError('expected a testbed with ceremonies');
    const { kind, key, ...members } = order;
    const body = kind === 'generate' ? { key } : members;
    const request = { client: 'backend', forwarded: this.forward(target, body) };
    const { ceremony } = await quorum.begin(request, order);
    while (quorum.ceremony(ceremony.id).state === 'running') await new Promise((turn) => setTimeout(turn, 5));
    return quorum.ceremony(ceremony.id).state;
  }

  /** The epoch of the share that the node signs with; undefined where it has none. */
  get epoch(): number | undefined {
    return this.running.keyring.shareRecord(KEY)?.current?.group.epoch;
  }

  /** Carries out a request that has waited. */
  async resume(id: string) {
    return await this.running.pipeline.resume('backend', id, () => this.forward(`/v1/requests/${id}`, {}));
  }

  /** Has a person vote on a request that waits at this node. */
  async vote(id: string, person: KeyHolder) {
    const { state, log } = this.running;
    const statement = statementOf(state.requests, id, person.id, { manifest: hex(manifestOf(this.number)) });
    return await state.requests.vote(id, toBody(person.sign(statement)), (received) =>
      log.recordVote(received),
    );
  }

  /**
   * Coordinates a request whatever the node itself says to it, as hostile code in its place could. Returns the code of the
   * first other node's denial, or `none`.
   */
  async coordinate(status: RequestStatus, consent: ForwardedConsent): Promise<string> {
    const { key, algorithm, payload } = status.request.request;
    const { network, keyring } = this.running;
    const findShare = (id: string) => toQuorumShare(keyring.share(id), keyring.chainCode(id));
    const coordinator = createCoordinator({ network, findShare });
    const decoded = decodePayload(payload, {
      algorithm,
      publicKey: this.#testbed.dealt.group.commitments[0] as Uint8Array,
      networks: [],
      ownKeys: [],
    });
    if (status.signed === undefined) throw new RangeError('expected the request as it came');
    const job = {
      key,
      request: status.signed,
      consent,
      digest: Buffer.from(status.request.digest, 'hex'),
      transaction: encodeTransaction(decoded.transaction),
      signings: decoded.signings,
    };
    const refusal: unknown = await coordinator.sign(job).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (refusal === undefined) return 'none';
    const { nodes } = (refusal as { details: { nodes: { code: string }[] } }).details;
    return nodes[0]?.code ?? 'none';
  }

  get #others(): number[] {
    const all = Array.from({ length: this.#testbed.options.size }, (_, index) => index + 1);
    return all.filter((node) => node !== this.number);
  }

  get #configurationDigest(): Uint8Array {
    return new Uint8Array(48).fill(0xc0 + this.number);
  }

  #holdDealt() {
    const { dealt, suites } = this.#testbed;
    const share = dealt.shares.get(this.number);
    if (share === undefined) throw new RangeError('expected a share');
    return holdShare(dealt.group, this.number, share, { suites, random: randomBytes });
  }

  #configure() {
    const { client, alice, bob, options } = this.#testbed;
    const { type, networks = [], entry, rule, configuration } = options;
    const { person, ...others } = configuration?.(this.number) ?? {};
    const pcrs = { 0: '00'.repeat(48), 1: '00'.repeat(48), 2: '00'.repeat(48) };
    const document = makeConfiguration2({
      version: 1,
      manifest: hex(manifestOf(this.number)),
      clients: [
        {
          id: 'backend',
          publicKey: hex(rawKey(client.publicKey)),
          person: (person as string | undefined) ?? null,
        },
      ],
      clientGroups: [],
      keys: [{ id: KEY, type, networks: [...networks], ...entry?.(this.number) }],
      notAfter: new Date(START + YEAR_MS).toISOString(),
      approvers: [alice.entry, bob.entry] as never,
      approverGroups: [{ id: 'people', approvers: ['alice', 'bob'] }],
      addressBooks: [],
      quorum: {
        peers: this.#others.map((node) => ({
          node,
          manifest: hex(manifestOf(node)),
          images: [{ pcrs, notAfter: null }],
        })),
        servesAlone: [],
        refreshHours: null,
      },
      rules: [
        permit({
          id: 'payouts',
          keys: [KEY],
          algorithms: [type],
          payloads: ['message'],
          networks: null,
          effects: [condition({ type: 'blind' })],
          ...rule?.(this.number),
        }),
      ],
      ...others,
    });
    return parseConfiguration(Buffer.from(JSON.stringify(document)));
  }
}
