import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createRouter } from '../../../../enclave/api/router.ts';
import { serveHttps } from '../../../../enclave/api/http-server.ts';
import { createTlsIdentity } from '../../../../enclave/api/tls-identity.ts';
import { createWitnessRoute } from '../../../../enclave/api/witness-route.ts';
import {
  appendBootEntry,
  awaitWitnesses,
  readPeerWitnesses,
  TransparencyLog,
} from '../../../../enclave/log/index.ts';
import type { MeasuredManifest } from '../../../../enclave/node/manifest.ts';
import { deriveNodeKeys } from '../../../../enclave/node/node-keys.ts';
import { isPeerlessRestart, NodeWitness, WitnessedTrees } from '../../../../enclave/quorum/witness/index.ts';
import { deriveStoreKey, type RecordStorage, SealedStore } from '../../../../enclave/store/index.ts';
import { createWitnessServer } from '../../../../cli/audit/witness/server.ts';
import { generateKeys } from '../../../../cli/audit/witness/keys.ts';
import { createState, openState } from '../../../../cli/audit/witness/state.ts';
import { verifyByNode } from '../../../../audit/log/node-signatures.ts';
import {
  formatVerifierKey,
  frontierRoot,
  LOG_KEY_TYPES,
  parseVerifierKey,
} from '../../../../audit/log/index.ts';
import { createMemoryStore, type MemoryStore } from '../../../../local/hostile-parent/index.ts';
import { silentLog } from '../../../../parent/common/log.ts';
import type { RecordSession } from '../../../../parent/index.ts';
import { RecordStoreError } from '../../../../parent/index.ts';
import { AuditLog } from '../../../../parent/log/audit-log.ts';
import type { WitnessOptions } from '../../../../parent/log/witness-client.ts';
import type { Door } from '../../../../parent/common/door.ts';
import { openWitnessDoor } from '../../../../parent/witness/door.ts';
import type { SignedConfiguration } from '../../../../shared/documents/configuration.ts';
import { ControlError, LogLinkError } from '../../../../shared/protocol/errors.ts';
import type { PublishedCheckpoint } from '../../../../shared/protocol/log-client.ts';
import { PARENT_CID } from '../../../../shared/transport/ports.ts';
import { createUnixTransport } from '../../../../shared/transport/unix-transport.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { vkeyOfType } from '../../log/fixtures.ts';

const ENCLAVE_CID = 16;
/** How long a start and an entry wait for cosignatures, where a test does not say it: longer than any machine takes. */
const PATIENT_MS = 60_000;
const codeOf = (error: unknown) => (error as { code?: string }).code ?? String(error);

/** Options of one start of a node. */
export interface StartOptions {
  /** How many of the peers must cosign; undefined: none has to. */
  readonly peers?: number;
  readonly maxUncosignedSeconds?: number;
  readonly restart?: { readonly size: number; readonly root: string; readonly notAfter: string };
  /** Outside witnesses, all of which must cosign. */
  readonly outside?: readonly WitnessOptions[];
  readonly startMs?: number;
  readonly cosignedWithinMs?: number;
  /** Verifier keys of further logs that the configuration has cosigned. */
  readonly follows?: readonly string[];
  /** True where the configuration does not name the keys by which peers cosign, although the parent asks them. */
  readonly isUnnamed?: boolean;
}

/** A witness that is no node of the quorum. */
export interface OutsideWitness extends WitnessOptions, AsyncDisposable {
  isDown: boolean;
}

/** Starts `holdfast audit witness` in this process, for the logs of nodes. */
export async function startOutside(nodes: readonly TestNode[]): Promise<OutsideWitness> {
  const folder = temporaryFolder();
  const keys = await generateKeys(folder, 'witness.example/outside');
  createState(
    folder,
    keys.map(({ key }) => key),
  );
  const state = openState(
    folder,
    keys.map(({ key }) => key),
  );
  const logs = new Map(
    nodes.map(({ logKey }) => parseVerifierKey(logKey, LOG_KEY_TYPES)).map((key) => [key.name, [key]]),
  );
  const server = createWitnessServer({
    keys: keys.slice(0, 1),
    logs,
    state,
    verify: verifyByNode,
    now: () => Date.now(),
    onOutcome: () => undefined,
  });
  const [first] = keys;
  if (first === undefined) throw new Error('expected a key');
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const witness = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    key: formatVerifierKey(first.key),
    isDown: false,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
      state[Symbol.dispose]();
    },
  };
  server.prependListener('request', (_, response) => {
    if (witness.isDown) response.destroy();
  });
  return witness;
}

/** One node: a store that its parent may roll back, an enclave that may run, and a parent with a door for peers. */
export class TestNode implements AsyncDisposable {
  readonly node: number;
  readonly place: { readonly namespace: string; readonly environment: string; readonly node: number };
  readonly logKey: string;
  readonly witnessKey: string;
  readonly store: MemoryStore = createMemoryStore();
  /** All nodes, this one among them. */
  quorum: readonly TestNode[] = [];
  #running: { readonly log: TransparencyLog; readonly stop: () => Promise<void> } | undefined;
  #audit: AuditLog | undefined;
  readonly #password: Uint8Array;
  readonly #directory = temporaryFolder();
  #door: Door | undefined;

  private constructor(node: number) {
    this.node = node;
    this.place = { namespace: 'demo', environment: 'test', node };
    this.#password = new Uint8Array(32).fill(node);
    const keys = deriveNodeKeys(this.#password, this.place);
    const name = `node-${node}.test.demo.holdfast.internal`;
    this.logKey = vkeyOfType(`${name}/log`, 1, keys.log);
    this.witnessKey = vkeyOfType(`${name}/witness`, 4, keys.witness);
  }

  /** Makes the nodes of a quorum, whose parents run and whose enclaves do not. */
  static async make(count: number): Promise<readonly TestNode[]> {
    const nodes = Array.from({ length: count }, (_, index) => new TestNode(index + 1));
    for (const node of nodes) {
      node.quorum = nodes;
      node.#door = await openWitnessDoor({
        port: 0,
        transport: createUnixTransport({ directory: node.#directory, cid: PARENT_CID }),
        to: { cid: ENCLAVE_CID, port: 443 },
        log: silentLog,
      });
    }
    return nodes;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#door?.port ?? 0}`;
  }

  /** The log of the running enclave. */
  get log(): TransparencyLog {
    if (this.#running === undefined) throw new Error('the node does not run');
    return this.#running.log;
  }

  get audit(): AuditLog {
    if (this.#audit === undefined) throw new Error('the node does not run');
    return this.#audit;
  }

  /** All entries, read as JSON. */
  get entries(): { predicateType: string; predicate: Record<string, unknown> }[] {
    return this.store.snapshot().entries.kept.map((bytes) => {
      const text = Buffer.from(bytes).toString();
      return text.startsWith('{') ? JSON.parse(text) : { predicateType: 'test', predicate: {} };
    });
  }

  /** Size and root of the log in the store, as its operator reads them. */
  async tree(): Promise<{ size: number; root: string }> {
    const session = await this.store.open();
    try {
      const sealed = await SealedStore.open(storageOf(session), deriveStoreKey(this.#password, this.place));
      const { size, frontier } = sealed.state.log;
      return { size, root: Buffer.from(frontierRoot({ size, hashes: frontier })).toString('hex') };
    } finally {
      await session.close();
    }
  }

  /** Starts the enclave. Says what came of it: `SERVING`, or the code. */
  async start(options: StartOptions = {}): Promise<string> {
    try {
      await this.#start(options);
      return 'SERVING';
    } catch (error) {
      return codeOf(error);
    }
  }

  async #start(options: StartOptions): Promise<void> {
    const others = this.quorum.filter((one) => one !== this);
    const outside = options.outside ?? [];
    const witnesses = [...outside, ...others.map(({ url, witnessKey: key }) => ({ url, key }))];
    const audit = new AuditLog({ directory: temporaryFolder(), witnesses }, silentLog);
    const session = await this.store.open();
    audit.attach(session);
    const service = audit.openSession();
    const peerService = audit.openSession();
    const publishBy = (by: typeof service) => async (checkpoint: PublishedCheckpoint) => {
      const response = await by.handle({ type: 'checkpoint', ...checkpoint });
      if (response.type === 'error') throw new LogLinkError('LOG_LINK_UNAVAILABLE', 'refused');
      return response;
    };
    const { sealed, signed, measured, bootSession, isPeerless } = await this.#open(
      storageOf(session, audit),
      options,
    );
    const keys = deriveNodeKeys(this.#password, this.place);
    const trees = await WitnessedTrees.restore(sealed);
    const log = new TransparencyLog({
      store: sealed,
      origin: parseVerifierKey(this.logKey, LOG_KEY_TYPES).name,
      key: keys.log,
      client: { publish: publishBy(service) },
      peerClient: { publish: publishBy(peerService) },
      witnesses:
        outside.length === 0
          ? null
          : { threshold: outside.length, keys: outside.map(({ key }) => key), maxUncosignedSeconds: 0 },
      peers: readPeerWitnesses(signed.configuration),
      cosignedWithinMs: options.cosignedWithinMs ?? PATIENT_MS,
    });
    log.addSource(trees);
    let server: { close(): Promise<void> } | undefined;
    const stop = async () => {
      await server?.close();
      log.close();
      await audit.close();
      audit.detach();
      await session.close();
    };
    try {
      await awaitWitnesses(log, { isPeerless, timeoutMs: options.startMs ?? PATIENT_MS });
    } catch (error) {
      await stop();
      throw error;
    }
    const witness = new NodeWitness({
      log,
      key: keys.witness,
      trees,
      measured,
      signed,
      session: bootSession,
      now: () => Date.now(),
    });
    const handler = createRouter([createWitnessRoute(witness)], {
      authenticate: () => {
        throw new Error('no signed route');
      },
      onError: () => undefined,
    });
    const transport = createUnixTransport({ directory: this.#directory, cid: ENCLAVE_CID });
    server = await serveHttps(transport, await createTlsIdentity('node', Date.now()), handler);
    this.#audit = audit;
    this.#running = { log, stop };
  }

  async #open(storage: RecordStorage, options: StartOptions) {
    const storeKey = deriveStoreKey(this.#password, this.place);
    const isNew = (await storage.readRecord({ table: 'store', id: 'root' })) === null;
    const none = { version: 0, digest: new Uint8Array(48) };
    const sealed = isNew
      ? SealedStore.create(storage, storeKey, { order: 'first', configuration: none, boots: 0 }, undefined)
      : await SealedStore.open(storage, storeKey);
    const others = this.quorum.filter((one) => one !== this);
    const { peers: threshold, maxUncosignedSeconds = 0, restart } = options;
    const configuration = {
      version: 1,
      quorum: {
        peers: [
          ...others.map(({ node, logKey: log, witnessKey: witness }) => ({
            node,
            log,
            ...(options.isUnnamed === true ? {} : { witness }),
          })),
          ...(options.follows ?? []).map((log, index) => ({ node: 100 + index, log })),
        ],
        ...(threshold === undefined
          ? {}
          : { witnesses: { threshold, maxUncosignedSeconds, ...(restart && { restart }) } }),
      },
    };
    const signed = { configuration, digest: new Uint8Array(48) } as unknown as SignedConfiguration;
    const measured = { manifest: this.place, digest: new Uint8Array(48) } as unknown as MeasuredManifest;
    const bootSession = randomBytes(16).toString('hex');
    const isPeerless = isPeerlessRestart(signed.configuration, sealed.state.log, Date.now());
    const boot = appendBootEntry({
      store: sealed,
      measured,
      signed,
      session: bootSession,
      now: Date.now(),
      entropy: new Uint8Array(randomBytes(32)),
    });
    const state = {
      log: boot.log,
      boots: sealed.state.boots + 1,
      configuration: { version: 1, digest: new Uint8Array(48) },
    };
    await sealed.commit([], state, [boot.entry]);
    return { sealed, signed, measured, bootSession, isPeerless };
  }

  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = undefined;
  }

  /** Appends one entry and says what came of it: `released`, or the code. */
  sign(text = 'a decision'): Promise<string> {
    return this.log.append(() => new Uint8Array(Buffer.from(text))).then(() => 'released', codeOf);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#door?.close();
  }
}

function storageOf(session: RecordSession, audit?: AuditLog): RecordStorage {
  return {
    readRecord: (key) => session.read(key),
    listRecords: () => session.list(),
    commit: async (writes, log) => {
      try {
        await session.commit(writes, log);
      } catch (error) {
        if (!(error instanceof RecordStoreError)) throw error;
        throw new ControlError(`CONTROL_${error.code as 'STORE_CONFLICT'}`, 'refused', {}, error);
      }
      if (log !== undefined) audit?.accept(log);
    },
  };
}
