import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { appendBootEntry, awaitWitnesses, TransparencyLog } from '../../enclave/log/index.ts';
import type { MeasuredManifest } from '../../enclave/node/manifest.ts';
import { deriveNodeKeys } from '../../enclave/node/node-keys.ts';
import { deriveStoreKey, type RecordStorage, SealedStore } from '../../enclave/store/index.ts';
import { createMemoryStore, type MemoryStore } from '../../local/hostile-parent/index.ts';
import { silentLog } from '../../parent/common/log.ts';
import { AuditLog } from '../../parent/log/audit-log.ts';
import type { RecordSession } from '../../parent/index.ts';
import { RecordStoreError } from '../../parent/index.ts';
import type { SignedConfiguration } from '../../shared/documents/configuration.ts';
import { ControlError, LogLinkError } from '../../shared/protocol/errors.ts';
import type { WitnessRefusal } from '../../shared/protocol/log.ts';
import type { PublishedCheckpoint, WitnessResponses } from '../../shared/protocol/log-client.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import {
  type ClockWitness,
  findLogPeers,
  type RunningWitness,
  startClockWitness,
  startLitewitness,
  startOmniwitness,
} from '../support/witnesses.ts';

const peers = findLogPeers('a store rolled back, a paused clone and lost replies before real witnesses');

const PASSWORD = new Uint8Array(32).fill(3);
/** How long a start and an entry wait for cosignatures that will come. */
const PATIENT = { startMs: 60_000, cosignedWithinMs: 60_000 };
/** How long they wait where it is to be seen that none come. */
const BRIEF = { startMs: 3_000, cosignedWithinMs: 1_500 };

/** A node of its own for each test: what its witnesses remember is no other test's. */
let place: { namespace: string; environment: string; node: number };
let number = 0;
const originOf = () => `node-1.${place.environment}.demo.holdfast.internal/log`;
const nodeKeys = () => deriveNodeKeys(PASSWORD, place);

let witnesses: { lite: RunningWitness; omni: RunningWitness; clock: ClockWitness };
let store: MemoryStore;

/** An instance of the node, from the opening of its store on, behind a parent of its own. */
interface Instance extends AsyncDisposable {
  readonly log: TransparencyLog;
  readonly audit: AuditLog;
  readonly directory: string;
  /** Appends one entry and says what came of it: `released`, or the code. */
  sign(text?: string): Promise<string>;
}

interface InstanceOptions {
  readonly by?: MemoryStore;
  readonly threshold?: number;
  readonly witnesses?: readonly RunningWitness[];
  readonly isNew?: boolean;
  readonly startMs?: number;
  readonly cosignedWithinMs?: number;
  /** Stands between the enclave's log and the parent's. */
  readonly publish?: (
    checkpoint: PublishedCheckpoint,
    honest: (checkpoint: PublishedCheckpoint) => Promise<WitnessResponses>,
  ) => Promise<WitnessResponses>;
  readonly commit?: (honest: () => Promise<void>) => Promise<void>;
}

const codeOf = (error: unknown) => (error as { code?: string }).code ?? String(error);
const outcomeOf = (promise: Promise<unknown>) => promise.then(() => 'released', codeOf);

function storageOf(session: RecordSession, audit: AuditLog, options: InstanceOptions): RecordStorage {
  const { commit = (honest) => honest() } = options;
  return {
    readRecord: (key) => session.read(key),
    listRecords: () => session.list(),
    commit: (writes, log) =>
      commit(async () => {
        try {
          await session.commit(writes, log);
        } catch (error) {
          if (!(error instanceof RecordStoreError)) throw error;
          throw new ControlError(`CONTROL_${error.code as 'STORE_CONFLICT'}`, 'refused', {}, error);
        }
        if (log !== undefined) audit.accept(log);
      }),
  };
}

async function start(options: InstanceOptions = {}): Promise<Instance> {
  const { by = store, threshold = 2, witnesses: asked = Object.values(witnesses) } = options;
  const { startMs, cosignedWithinMs } = { ...PATIENT, ...options };
  const keys = asked.map(({ vkeys: [key = ''], url }) => ({ key, url }));
  const directory = temporaryFolder();
  const audit = new AuditLog({ directory, witnesses: keys }, silentLog);
  const session = await by.open();
  audit.attach(session);
  const storage = storageOf(session, audit, options);
  const storeKey = deriveStoreKey(PASSWORD, place);
  const isNew = options.isNew ?? (await session.read({ table: 'store', id: 'root' })) === null;
  const none = { version: 0, digest: new Uint8Array(48) };
  const sealed = isNew
    ? SealedStore.create(storage, storeKey, { order: 'first', configuration: none, boots: 0 }, undefined)
    : await SealedStore.open(storage, storeKey);
  const configuration = { version: 1 };
  const signed = { configuration, digest: new Uint8Array(48) } as unknown as SignedConfiguration;
  const measured = { manifest: place, digest: new Uint8Array(48) } as unknown as MeasuredManifest;
  const service = audit.openSession();
  const honest = async (checkpoint: PublishedCheckpoint): Promise<WitnessResponses> => {
    const response = await service.handle({ type: 'checkpoint', ...checkpoint });
    if (response.type === 'error') throw new LogLinkError('LOG_LINK_UNAVAILABLE', 'refused');
    return response;
  };
  const { publish = (checkpoint, pass) => pass(checkpoint) } = options;
  const close = async (log?: TransparencyLog) => {
    log?.close();
    await audit.close();
    audit.detach();
    await session.close();
  };
  let log: TransparencyLog | undefined;
  try {
    const leaf = appendBootEntry({
      store: sealed,
      measured,
      signed,
      session: randomBytes(16).toString('hex'),
      now: Date.now(),
      entropy: new Uint8Array(randomBytes(32)),
    });
    const state = {
      log: leaf.log,
      boots: sealed.state.boots + 1,
      configuration: { version: 1, digest: new Uint8Array(48) },
    };
    await sealed.commit([], state, [leaf.entry]);
    log = new TransparencyLog({
      store: sealed,
      origin: originOf(),
      key: nodeKeys().log,
      client: { publish: (checkpoint) => publish(checkpoint, honest) },
      witnesses: { threshold, keys: keys.map(({ key }) => key), maxUncosignedSeconds: 0 },
      cosignedWithinMs,
    });
    await awaitWitnesses(log, { timeoutMs: startMs });
  } catch (error) {
    await close(log);
    throw error;
  }
  const running = log;
  return {
    log: running,
    audit,
    directory,
    sign: (text = 'a decision') => outcomeOf(running.append(() => new Uint8Array(Buffer.from(text)))),
    [Symbol.asyncDispose]: () => close(running),
  };
}

/** Waits until an instance releases what it signs: one that waits but briefly may do so at another try. */
async function releases(instance: Instance): Promise<void> {
  const end = performance.now() + PATIENT.cosignedWithinMs;
  let result = await instance.sign();
  while (result !== 'released' && performance.now() < end) {
    expect(result).toBe('LOG_NOT_COSIGNED');
    result = await instance.sign();
  }
  expect(result).toBe('released');
}

/** Starts an instance, lets it sign some entries, and stops it. */
async function live(count: number, options: InstanceOptions = {}): Promise<void> {
  await using instance = await start(options);
  for (let index = 0; index < count; index += 1) expect(await instance.sign(`${index}`)).toBe('released');
}

const refusal = (options: InstanceOptions = {}) =>
  start(options).then(
    async (instance) => {
      await instance[Symbol.asyncDispose]();
      return 'SERVING';
    },
    (error: unknown) => codeOf(error),
  );

/** Another copy of the store as it is now. */
function copyStore(): MemoryStore {
  const copy = createMemoryStore();
  copy.restore(store.snapshot());
  return copy;
}

describe.skipIf(peers === undefined)('before litewitness and omniwitness', () => {
  beforeEach(async () => {
    number += 1;
    place = { namespace: 'demo', environment: `test-${number}`, node: 1 };
    const origin = originOf();
    const log = { origin, vkey: vkeyOf(origin) };
    const folder = peers ?? '';
    const [lite, omni, clock] = await Promise.all([
      startLitewitness(folder, log),
      startOmniwitness(folder, log),
      startClockWitness(folder, log),
    ]);
    witnesses = { lite, omni, clock };
    store = createMemoryStore();
    return async () => {
      await Promise.all(Object.values(witnesses).map((one) => one.stop()));
    };
  });

  it('a node starts, signs, and starts again', async () => {
    await live(3);
    await live(3);
    await using instance = await start({ threshold: 3 });
    expect(await instance.sign()).toBe('released');
    expect(instance.audit.status).toMatchObject({ size: 10, cosigned: 3, wanted: 3 });
    const { checkpoint } = await instance.log.append(() => new Uint8Array(3));
    expect(checkpoint.split('\n— ')).toHaveLength(5);
    await instance.audit.close();
    expect(readFileSync(join(instance.directory, 'checkpoint'), 'utf8').split('\n')[1]).toBe('11');
  });

  it('a store that was rolled back as a whole starts no more, as far back as one entry', async () => {
    await live(2);
    const before = store.snapshot();
    await live(0);
    store.restore(before);
    expect(await refusal()).toBe('STORE_ROLLED_BACK');
    // Neither does it start by growing past what the witnesses know: every start adds a leaf of its own.
    for (let start = 0; start < 3; start += 1) expect(await refusal()).toBe('STORE_ROLLED_BACK');
  });

  it('a store that was deleted and started anew by the same password does not start', async () => {
    await live(2);
    store.restore(createMemoryStore().snapshot());
    expect(await refusal({ isNew: true })).toBe('STORE_ROLLED_BACK');
  });

  it('a paused clone lets nothing out once the other has started', async () => {
    await live(1);
    const copy = copyStore();
    await using older = await start();
    expect(await older.sign()).toBe('released');
    // The clone begins where the older instance was: it is the one that the witnesses refuse.
    expect(await refusal({ by: copy })).toBe('STORE_ROLLED_BACK');
    expect(await older.sign()).toBe('released');
  });

  it('an older instance lets nothing out once a clone of its newest state has started', async () => {
    await live(1);
    await using older = await start({ cosignedWithinMs: BRIEF.cosignedWithinMs });
    await releases(older);
    const copy = copyStore();
    await using newer = await start({ by: copy });
    expect(await newer.sign()).toBe('released');
    expect(await older.sign()).toBe('LOG_NOT_COSIGNED');
    expect(await newer.sign()).toBe('released');
    expect(older.audit.status.witnesses.map(({ refusal: code }) => code)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^(LARGER|OTHER)_TREE$/)]),
    );
  });

  it('kept cosignatures start nothing, and release nothing', async () => {
    const kept: WitnessResponses[] = [];
    const recording: InstanceOptions['publish'] = async (checkpoint, honest) => {
      const response = await honest(checkpoint);
      kept.push(response);
      return response;
    };
    await live(1);
    const before = store.snapshot();
    await live(2, { publish: recording });
    store.restore(before);
    const lines = kept.flatMap((one) => one.lines);
    expect(lines.length).toBeGreaterThan(4);
    const replaying = () => Promise.resolve({ lines: lines.slice(0, 32), refusals: [] as WitnessRefusal[] });
    expect(await refusal({ ...BRIEF, publish: replaying })).toBe('LOG_NOT_COSIGNED');
  });

  it('a reply to the start that is lost blocks nothing: the next start is cosigned', async () => {
    await live(1);
    const losing: InstanceOptions['publish'] = async (checkpoint, honest) => {
      await honest(checkpoint);
      throw new LogLinkError('LOG_LINK_TIMEOUT', 'lost');
    };
    expect(await refusal({ ...BRIEF, publish: losing })).toBe('LOG_NOT_COSIGNED');
    await live(1);
  });

  it('a start that ends between seal and checkpoint blocks nothing', async () => {
    await live(1);
    const never: InstanceOptions['publish'] = () =>
      Promise.reject(new LogLinkError('LOG_LINK_CLOSED', 'killed'));
    expect(await refusal({ ...BRIEF, publish: never })).toBe('LOG_NOT_COSIGNED');
    await live(1);
  });

  it('an entry that was sealed when the node was killed stays, and nothing of it was released', async () => {
    let isKilled = false;
    const publish: InstanceOptions['publish'] = async (checkpoint, honest) =>
      isKilled ? await new Promise<never>(() => undefined) : await honest(checkpoint);
    {
      await using instance = await start({ cosignedWithinMs: BRIEF.cosignedWithinMs, publish });
      isKilled = true;
      expect(await instance.sign('sealed, never released')).toBe('LOG_NOT_COSIGNED');
    }
    await using next = await start();
    expect(next.audit.status.size).toBe(3);
    const { index } = await next.log.append(() => new Uint8Array(1));
    expect(index).toBe(3);
  });

  it('a parent that refuses to write gets no signature, and no checkpoint', async () => {
    let isRefused = false;
    await using instance = await start({
      commit: (honest) =>
        isRefused ? Promise.reject(new ControlError('CONTROL_STORE_FAILED', 'refused')) : honest(),
    });
    expect(await instance.sign()).toBe('released');
    isRefused = true;
    expect(await instance.sign()).toBe('STORE_UNCERTAIN');
    isRefused = false;
    expect(await instance.sign()).toBe('STORE_UNCERTAIN');
  });

  it('a parent that drops entries of the log gets nothing signed any more', async () => {
    await live(2);
    const session = await store.open();
    const { size } = await session.logBounds();
    await session.close();
    const { records, entries } = store.snapshot();
    store.restore({ records, entries: { ...entries, kept: entries.kept.slice(0, -1) } });
    expect(size).toBeGreaterThan(1);
    expect(await refusal()).toBe('STORE_TAKEN');
  });

  it('a parent that hides entries from the witnesses gets nothing signed either', async () => {
    await live(2);
    await using instance = await start({ cosignedWithinMs: BRIEF.cosignedWithinMs });
    // The folder is told of another entry than the one that was sealed.
    instance.audit.accept = ({ start: from }) =>
      AuditLog.prototype.accept.call(instance.audit, { start: from, entries: [new Uint8Array(9)] });
    expect(await instance.sign()).toBe('LOG_NOT_COSIGNED');
  });

  it.each<[string, 'clock' | 'lite' | 'omni']>([
    ['litewitness', 'lite'],
    ['omniwitness', 'omni'],
    ['the third', 'clock'],
  ])('two of three suffice while %s is down, which catches up when it is back', async (_, down) => {
    await using instance = await start();
    await witnesses[down].stop();
    for (let index = 0; index < 3; index += 1) expect(await instance.sign()).toBe('released');
    expect(instance.audit.status.witnesses.find(({ refusal: code }) => code !== null)).toBeDefined();
    // The helper ends litewitness's agent with it, and the third forgets what it signed: only one of them comes back.
    if (down !== 'omni') return;
    await witnesses[down].restart();
    for (let index = 0; index < 2; index += 1) expect(await instance.sign()).toBe('released');
  });

  it('one of three is too few', async () => {
    await using instance = await start({ cosignedWithinMs: BRIEF.cosignedWithinMs });
    await Promise.all([witnesses.omni.stop(), witnesses.clock.stop()]);
    expect(await instance.sign()).toBe('LOG_NOT_COSIGNED');
    await witnesses.omni.restart();
    await releases(instance);
  });

  it('a start with too few witnesses ends by a code, and leaves nothing that blocks the next', async () => {
    await live(1);
    await Promise.all([witnesses.omni.stop(), witnesses.clock.stop()]);
    expect(await refusal(BRIEF)).toBe('LOG_NOT_COSIGNED');
    await witnesses.omni.restart();
    await live(1);
  });

  it('what a witness’s clock says does not matter, but for a time of 0', async () => {
    const clockAndLite = [witnesses.clock, witnesses.lite];
    {
      await using instance = await start({ witnesses: clockAndLite });
      for (const seconds of [2000, 1000, 1, 4_000_000_000]) {
        await witnesses.clock.setClock(seconds);
        expect(await instance.sign()).toBe('released');
      }
    }
    await using brief = await start({
      witnesses: clockAndLite,
      cosignedWithinMs: BRIEF.cosignedWithinMs,
    });
    await witnesses.clock.setClock(0);
    expect(await brief.sign()).toBe('LOG_NOT_COSIGNED');
  });

  it('a log that no witness knows waits for its registration, and says what is to be registered', async () => {
    place = { ...place, environment: 'unregistered' };
    const refused: WitnessRefusal[] = [];
    const publish: InstanceOptions['publish'] = async (checkpoint, honest) => {
      const response = await honest(checkpoint);
      refused.push(...response.refusals);
      return response;
    };
    expect(await refusal({ ...BRIEF, publish })).toBe('LOG_NOT_COSIGNED');
    expect(new Set(refused.map(({ witness, code }) => `${witness} ${code}`))).toContain(
      'witness.example/lite UNKNOWN_LOG',
    );
  });
});

function vkeyOf(origin: string): string {
  return new TransparencyLog({
    store: {
      state: {
        order: '',
        configuration: { version: 1, digest: new Uint8Array() },
        boots: 1,
        log: { size: 0, frontier: [] },
      },
      commit: () => Promise.resolve(),
    },
    origin,
    key: nodeKeys().log,
    client: { publish: () => Promise.resolve({ lines: [], refusals: [] }) },
    witnesses: null,
  }).vkey;
}
