import { ClientError, NodeRefusal } from '../../../../client/index.ts';
import {
  createTezosProtocol,
  type TezosNodes,
  type TezosSection,
} from '../../../../client/gateway/tezos/index.ts';
import type { GatewayResponse } from '../../../../client/gateway/index.ts';
import { describeRefusal } from '../../../../enclave/api/status.ts';
import { Keyring } from '../../../../enclave/keyring/index.ts';
import { TransparencyLog } from '../../../../enclave/log/index.ts';
import { admitConfiguration } from '../../../../enclave/node/configuration.ts';
import {
  createDecisionLog,
  createSigningPipeline,
  RefusedRequest,
  restoreDecisionState,
  type SigningPipeline,
} from '../../../../enclave/signing/index.ts';
import { SealedStore } from '../../../../enclave/store/index.ts';
import { deriveStoreKey } from '../../../../enclave/store/record-cipher.ts';
import { openLocalCurves } from '../../../../local/noble-curves.ts';
import type { SignRequest } from '../../../../shared/api/bodies.ts';
import {
  type ConfigurationDocument2,
  type PermitRule,
  readConfiguration,
} from '../../../../shared/documents/configuration.ts';
import type { Manifest } from '../../../../shared/documents/manifest.ts';
import { makeKey, ORIGIN } from '../../../enclave/log/fixtures.ts';
import { MemoryRecordStorage } from '../../../enclave/store/memory-record-storage.ts';
import { condition, makeConfiguration2, permit } from '../../../shared/documents/sample-rules.ts';

export const CHAIN = 'NetXdQprcVkpaWU';
export const NETWORK = `tezos:${CHAIN}`;
const NOON = Date.UTC(2026, 11, 2, 12);
const PLACE = { namespace: 'demo', environment: 'test', node: 1 };
const STORE_KEY = deriveStoreKey(new Uint8Array(32), PLACE);
const MANIFEST = { ...PLACE, quorum: { size: 1, threshold: 1 } } as Manifest;

const KEYS = [
  { id: 'tz1', type: 'ed25519', networks: [NETWORK] },
  { id: 'tz2', type: 'secp256k1', networks: [NETWORK] },
  { id: 'tz3', type: 'p256', networks: [NETWORK] },
  { id: 'tz4', type: 'bls12-381', networks: [NETWORK] },
  { id: 'elsewhere', type: 'ed25519', networks: ['solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp'] },
] as const satisfies ConfigurationDocument2['keys'];
export type KeyId = (typeof KEYS)[number]['id'];
const ALGORITHMS = ['ed25519', 'ecdsa-secp256k1', 'ecdsa-p256-sha256', 'bls12-381-pop'] as const;
const KEY_IDS = ['tz1', 'tz2', 'tz3', 'tz4'];

/** Makes a permit of all keys of Tezos. */
export const permitTezos = (changes: Partial<PermitRule>): PermitRule =>
  permit({ id: 'tezos', keys: KEY_IDS, algorithms: [...ALGORITHMS], networks: null, ...changes });

/** Rules of a baker whose keys transfer, too. */
export const BAKING = permitTezos({
  id: 'baking',
  payloads: ['tezos-consensus'],
  effects: [condition({ type: 'consensus' })],
});
export const TRANSFERS = permitTezos({ id: 'transfers', payloads: ['tezos-operation'] });

/** The decisions of a node in this process, over a store that outlives them; nothing but HTTP and attestation is left out. */
export class NodeInProcess implements TezosNodes {
  storage = new MemoryRecordStorage();
  readonly #configuration;
  #pipeline: SigningPipeline | undefined;
  /** Called when a signature has left the node: an error thrown here loses the response. */
  onDecided: (request: SignRequest) => void = () => undefined;
  /** Requests that reached the node. */
  readonly asked: SignRequest[] = [];

  /** @param ids the keys that the configuration names; all when left out */
  constructor(rules: readonly PermitRule[], ids: readonly KeyId[] = KEYS.map(({ id }) => id)) {
    const keys = KEYS.filter(({ id }) => ids.includes(id));
    this.#configuration = readConfiguration(makeConfiguration2({ keys, rules: [...rules] }));
  }

  /** Starts on the store as it is, as an enclave does after a crash. */
  async boot(): Promise<this> {
    const configuration = this.#configuration;
    const signed = { configuration, digest: new Uint8Array(48), signers: [] };
    const measured = { manifest: MANIFEST, digest: new Uint8Array(48) };
    const sealed = { order: 'first', configuration: { version: 0, digest: new Uint8Array(48) }, boots: 0 };
    const isNew = this.storage.records.size === 0;
    const store = isNew
      ? SealedStore.create(this.storage, STORE_KEY, sealed, undefined)
      : await SealedStore.open(this.storage, STORE_KEY);
    const admitted = admitConfiguration(store.state, signed);
    const keyring = await Keyring.open(store, openLocalCurves(), configuration.keys, admitted);
    const common = { signed, measured, session: '00'.repeat(16), now: () => NOON };
    const state = await restoreDecisionState(store, common);
    const log = new TransparencyLog({
      store,
      origin: ORIGIN,
      key: makeKey(),
      client: { publish: () => Promise.resolve({ lines: [], refusals: [] }) },
      witnesses: null,
    });
    for (const source of state.sources) log.addSource(source);
    this.#pipeline = createSigningPipeline({
      ...common,
      keyring,
      clocks: { now: common.now, monotonic: () => 0 },
      log: createDecisionLog({ ...common, log, receiptKey: makeKey() }),
      state,
    });
    return this;
  }

  /** Ends the node without a word; what it has not committed is gone, and what it still writes goes nowhere. */
  crash(): void {
    this.#pipeline = undefined;
    const { records, entries } = this.storage;
    this.storage = new MemoryRecordStorage();
    this.storage.records = records;
    this.storage.entries = [...entries];
  }

  keys() {
    return Promise.resolve(this.#require().listKeys());
  }

  async sign(request: SignRequest) {
    this.asked.push(request);
    const pipeline = this.#require();
    const carriedOut = await pipeline.sign('backend', request).catch(refuse);
    if (carriedOut.outcome === 'pending')
      throw new ClientError('APPROVALS_NEEDED', 'the request waits', {
        id: carriedOut.id,
        rule: carriedOut.rule,
      });
    // A node that has died meanwhile responds to nobody.
    if (this.#pipeline !== pipeline) throw new ClientError('ANSWER_LOST', 'the node is gone');
    this.onDecided(request);
    const [first] = carriedOut.result;
    if (first === undefined) throw new Error('expected a signature');
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
    return {
      signature: hex(first.signature),
      publicKey: hex(first.publicKey),
      rule: carriedOut.rule,
      configuration: 1,
    };
  }

  resume(): Promise<never> {
    return Promise.reject(new NodeRefusal('REQUEST_UNKNOWN', 'nothing waits', { status: 404 }));
  }

  #require(): SigningPipeline {
    if (this.#pipeline === undefined) throw new ClientError('NODE_UNREACHABLE', 'the node is down');
    return this.#pipeline;
  }
}

/** Puts an error of the pipeline into what a client throws of the node's response. */
function refuse(error: unknown): never {
  const { status, code } = describeRefusal(error);
  const receipt = error instanceof RefusedRequest ? error.receipt : undefined;
  throw new NodeRefusal(code, `HTTP ${status}`, { status }, { receipt });
}

/** Response of a door, as a client reads it. */
export interface DoorResponse {
  readonly status: number;
  readonly type: string | undefined;
  readonly body: string;
  readonly code: string;
}

/** A door in front of a node, asked without HTTP. */
export function openDoor(nodes: TezosNodes, section: Partial<Omit<TezosSection, 'listen'>> = {}) {
  const protocol = createTezosProtocol({
    nodes,
    section: { client: 'backend', proofOfPossession: false, ...section },
  });
  const ask = async (
    method: string,
    target: string,
    body: string | Uint8Array = '',
  ): Promise<DoorResponse> => {
    const response: GatewayResponse = await protocol.handle({
      id: 'test',
      method,
      target,
      rawHeaders: [],
      body: Buffer.from(body),
      signal: new AbortController().signal,
      isClientGone: () => false,
    });
    return {
      status: response.status,
      type: response.headers['content-type'],
      body: Buffer.from(response.body).toString(),
      code: response.record.code,
    };
  };
  return {
    protocol,
    get: (target: string) => ask('GET', target),
    ask,
    /** Asks for a signature, as clients do: the body is a JSON string of hex. */
    post: (hash: string, hex: string, query = '') =>
      ask('POST', `/keys/${hash}${query}`, JSON.stringify(hex)),
  };
}
export type Door = ReturnType<typeof openDoor>;
