import { generateKeyPairSync } from 'node:crypto';
import { parseEntry, PREDICATE_TYPES, type DecisionPredicate } from '../../../audit/receipt/index.ts';
import { Keyring } from '../../../enclave/keyring/index.ts';
import { appendBootEntry, TransparencyLog } from '../../../enclave/log/index.ts';
import { admitConfiguration } from '../../../enclave/node/configuration.ts';
import { PoolKeys } from '../../../enclave/pools/index.ts';
import {
  createDecisionLog,
  createSigningPipeline,
  type PoolOperations,
  restoreDecisionState,
} from '../../../enclave/signing/index.ts';
import { deriveStoreKey, SealedStore } from '../../../enclave/store/index.ts';
import { createNobleCurves } from '../../../local/noble-curves.ts';
import { HoldfastError } from '../../../shared/errors.ts';
import {
  type ConfigurationDocument2,
  type PermitRule,
  type Pool,
  readConfiguration,
  type Rule,
} from '../../../shared/documents/configuration.ts';
import type { Manifest } from '../../../shared/documents/manifest.ts';
import { MemoryRecordStorage } from '../store/memory-record-storage.ts';
import { UNLIMITED } from '../../../shared/documents/configuration/rules.ts';

export const DAY = 86_400_000;
export const YEAR_2030 = Date.UTC(2030, 0);
const MANIFEST = { namespace: 'demo', environment: 'test', node: 1, quorum: { size: 1, threshold: 1 } };
const MEASURED = { manifest: MANIFEST as Manifest, digest: new Uint8Array(48) };
const storeKey = deriveStoreKey(new Uint8Array(32).fill(7), {
  namespace: 'demo',
  environment: 'test',
  node: 1,
});

function makeKey() {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return { privateKey, publicKey: new Uint8Array(publicKey.export({ format: 'raw-public' })) };
}

export const pool = (changes: Partial<Pool> = {}): Pool => ({
  id: 'canton',
  clients: ['participant'],
  types: ['p256', 'ed25519', 'secp256k1', 'aes-256', 'hmac-256'],
  maximum: 8,
  descriptions: ['', 'participant-*'],
  aliases: ['canton/*'],
  deletionDays: 7,
  ...changes,
});

/** A permit of everything with the keys of the pool. */
export const permit = (changes: Partial<PermitRule> = {}): PermitRule => ({
  id: 'all',
  effect: 'permit',
  operations: ['create-key', 'sign', 'encrypt', 'decrypt', 'mac', 'derive-secret', 'administer-key'],
  clients: ['participant'],
  keys: ['canton'],
  algorithms: ['ecdsa-p256-sha256', 'ed25519', 'ecdsa-secp256k1', 'aes-256-gcm', 'hmac-sha256', 'ecdh'],
  payloads: ['message', 'digest'],
  ...UNLIMITED,
  effects: [{ type: 'blind', to: null, assets: null, contracts: null, amount: null }],
  ...changes,
});

export interface PoolNodeOptions {
  readonly storage?: MemoryRecordStorage;
  readonly time?: { now: number; monotonic: number };
  readonly version?: number;
  readonly pools?: readonly Pool[];
  readonly rules?: readonly Rule[];
  readonly parts?: Partial<ConfigurationDocument2>;
}

/** A node in memory with a real store and log, from its keys to its pipeline; starts where `storage` was left. */
export async function startPoolNode({
  storage = new MemoryRecordStorage(),
  time = { now: YEAR_2030, monotonic: 0 },
  version = 1,
  pools = [pool()],
  rules = [permit()],
  parts = {},
}: PoolNodeOptions = {}) {
  const configuration = readConfiguration({
    format: 'holdfast-configuration/2',
    version,
    manifest: '00'.repeat(48),
    clients: [
      { id: 'participant', publicKey: '01'.repeat(32), person: null },
      { id: 'other', publicKey: '02'.repeat(32), person: null },
    ],
    clientGroups: [],
    keys: [{ id: 'hot', type: 'ed25519', networks: [] }],
    approvers: [],
    approverGroups: [],
    addressBooks: [],
    witnesses: null,
    pools,
    rules,
    ...parts,
  });
  const signed = { configuration, digest: new Uint8Array(48).fill(version), signers: [] };
  const none = { version: 0, digest: new Uint8Array(48) };
  const store =
    storage.records.size === 0
      ? SealedStore.create(storage, storeKey, { order: 'first', configuration: none, boots: 0 }, undefined)
      : await SealedStore.open(storage, storeKey);
  const now = () => time.now;
  const admitted = admitConfiguration(store.state, signed);
  const session = '00'.repeat(16);
  const common = { signed, measured: MEASURED, session, now };
  const curves = createNobleCurves();
  const keys = await PoolKeys.restore(store, { configuration, curves, now });
  const boot = appendBootEntry({ store, ...common, now: now(), entropy: new Uint8Array(32) });
  const keyring = await Keyring.open(store, curves, configuration.keys, admitted, [], boot);
  await keys.sealDeletions(store);
  const state = await restoreDecisionState(store, common);
  const log = new TransparencyLog({
    store,
    origin: 'node-1.test.demo.holdfast.internal/log',
    key: makeKey(),
    client: { publish: () => Promise.resolve({ lines: [], refusals: [] }) },
    witnesses: null,
  });
  log.failed.catch(() => undefined);
  for (const source of [...state.sources, keys]) log.addSource(source);
  const pipeline = createSigningPipeline({
    ...common,
    keyring,
    pools: { keys, seal: () => log.seal() },
    clocks: { now, monotonic: () => time.monotonic },
    log: createDecisionLog({ ...common, log, receiptKey: makeKey() }),
    state,
  });
  keys.watch(() => void log.seal().catch(() => undefined));
  const operations = pipeline.pools as PoolOperations;
  return {
    pipeline,
    pools: operations,
    keys,
    store,
    storage,
    time,
    log,
    /** Ends the node as a power failure would, and starts it again on the same storage. */
    restart: (changes: Partial<PoolNodeOptions> = {}) => {
      keys.destroy();
      log.close();
      return startPoolNode({ storage, time, version, pools, rules, parts, ...changes });
    },
    decisions: (): DecisionPredicate[] =>
      storage.entries.flatMap((bytes) => {
        const entry = parseEntry(bytes);
        return entry.predicateType === PREDICATE_TYPES.decision ? [entry.predicate] : [];
      }),
  };
}
export type PoolNode = Awaited<ReturnType<typeof startPoolNode>>;

let drawn = 0;
/** Makes the body of a creation with a token that no other has. */
export const creation = (changes: object = {}) => {
  drawn += 1;
  return {
    type: 'p256' as const,
    usage: 'sign' as const,
    description: '',
    tags: [],
    token: drawn.toString(16).padStart(32, '0'),
    ...changes,
  };
};

/** Returns the code that an act was refused with. */
export async function codeOf(act: Promise<unknown>): Promise<string> {
  const error = await act.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof HoldfastError) return error.code;
  throw new TypeError('not refused with a code', { cause: error });
}
