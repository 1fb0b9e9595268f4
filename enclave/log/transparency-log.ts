import { sign } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Append,
  createVerifierKey,
  formatVerifierKey,
  frontierRoot,
  signCheckpoint,
  type SigningKey,
} from '../../audit/log/index.ts';
import type { Witnesses } from '../../shared/documents/configuration.ts';
import type { WitnessRefusal } from '../../shared/protocol/log.ts';
import type { LogClient } from '../../shared/protocol/log-client.ts';
import type { NodeKey } from '../node/node-keys.ts';
import { type RecordChange, type SealedStore, StoreError } from '../store/index.ts';
import {
  type Appended,
  type EntryNeeds,
  type Sealed,
  isLong,
  takeBatch,
  takePart,
  type Waiting,
} from './batch.ts';
import { AppendError } from './errors.ts';
import { type Extension, PendingTree } from './pending-tree.ts';
import {
  type Attempt,
  handOut,
  type PeerWitnesses,
  type Selection,
  type SignedTree,
  WitnessGroup,
} from './witness-group.ts';

/** The most entries that wait to be sealed or cosigned; further ones are refused at once. */
const MAX_WAITING_ENTRIES = 4096;
/** Milliseconds that an entry waits for witnesses: clients wait ten seconds for a response. */
const COSIGNED_WITHIN_MS = 8_000;
/** Milliseconds between two attempts, the first and the longest: a new batch ends a pause longer than the first. */
const FIRST_PAUSE_MS = 20;
const MAX_PAUSE_MS = 2_000;

/** State that must be durable together with the entries that tell of it. */
export interface StateSource {
  /** Returns what changed since the last call. Whatever is returned is in the next commit that succeeds. */
  collectChanges(): readonly RecordChange[];
  /**
   * True where no change may be sealed before the entry that tells of it: changes of the batch then end it as its bytes
   * do, and none is written in a commit of its own.
   */
  readonly isBound?: boolean;
  /** Changes that wait, of a source that is bound. */
  readonly waiting?: { readonly count: number; readonly bytes: number };
}

/** Changes of one commit: those that may be sealed before its entries, and those that may not. */
interface Changes {
  readonly early: readonly RecordChange[];
  readonly bound: readonly RecordChange[];
}
const NO_CHANGES: Changes = { early: [], bound: [] };

/** Milliseconds between two checkpoints that nobody waits for: each costs the parent several files. */
const PUBLICATION_PAUSE_MS = 50;

export interface TransparencyLogOptions {
  readonly store: Pick<SealedStore, 'commit' | 'state'>;
  /** Name of the log, and of its key. */
  readonly origin: string;
  readonly key: NodeKey;
  readonly client: Pick<LogClient, 'publish'>;
  /** Outside witnesses that the configuration names; null for none. */
  readonly witnesses: Witnesses | null;
  /** Nodes of the quorum that cosign too; none when left out. */
  readonly peers?: PeerWitnesses;
  /** A connection of its own for questions to peers: outside witnesses are asked while a peer's response is awaited. */
  readonly peerClient?: Pick<LogClient, 'publish'>;
  /** Milliseconds of a monotonic clock. */
  readonly monotonic?: () => number;
  readonly cosignedWithinMs?: number;
}

/** A tree that the outside witnesses have cosigned, with their lines; or one that needs none of theirs. */
interface PassedTree {
  readonly tree: SignedTree;
  readonly lines: readonly string[];
}

/**
 * A node's log: the one way by which anything leaves it. Entries that wait at the same time become one commit and one
 * checkpoint. While a batch is written or cosigned, the next one forms; and whoever waits for a cosigned tree is served
 * by any later one.
 */
export class TransparencyLog {
  /** Verifier key of the log (C2SP signed-note). */
  readonly vkey: string;
  readonly origin: string;
  readonly #store: TransparencyLogOptions['store'];
  readonly #signingKey: SigningKey;
  readonly #client: TransparencyLogOptions['client'];
  readonly #peerNames: readonly string[];
  readonly #outside: WitnessGroup | undefined;
  readonly #peers: WitnessGroup | undefined;
  readonly #monotonic: () => number;
  readonly #cosignedWithinMs: number;
  readonly #sources: StateSource[] = [];
  readonly #tree: PendingTree;
  /** Changes of sources that a commit without room has not written. */
  #unwritten: Changes = NO_CHANGES;
  #waiting: Waiting[] = [];
  /** Who waits for a commit of what sources have changed. */
  #sealing: PromiseWithResolvers<void>[] = [];
  #sealed: Sealed[] = [];
  #newest: SignedTree;
  /** Resolves when the next batch is sealed. */
  #nextBatch = Promise.withResolvers<void>();
  /** Resolves when peers may be asked for another tree. */
  #nextPassed = Promise.withResolvers<void>();
  #isFlushing = false;
  #isReleasing = false;
  #isAskingPeers = false;
  /** True where the newest tree tells of more than cosignatures for peers, and was not shown yet to all who may see it. */
  #isNews = true;
  #isPublishing = false;
  /** The newest tree that peers may be asked for. */
  #passed: PassedTree | undefined;
  #failure: unknown;
  readonly #failed = Promise.withResolvers<never>();

  constructor(options: TransparencyLogOptions) {
    const { key, origin, witnesses, monotonic = () => performance.now() } = options;
    const verifierKey = createVerifierKey(origin, 'ed25519', key.publicKey);
    this.origin = origin;
    this.vkey = formatVerifierKey(verifierKey);
    this.#signingKey = { key: verifierKey, sign: (message) => sign(null, message, key.privateKey) };
    this.#store = options.store;
    this.#client = options.client;
    const { names: peerNames, group: peers } = options.peers ?? { names: [], group: null };
    this.#peerNames = peerNames;
    const { client, peerClient = client } = options;
    const common = { vkey: this.vkey, monotonic };
    if (witnesses !== null) this.#outside = new WitnessGroup('outside', witnesses, { ...common, client });
    if (peers !== null) this.#peers = new WitnessGroup('peers', peers, { ...common, client: peerClient });
    this.#monotonic = monotonic;
    this.#cosignedWithinMs = options.cosignedWithinMs ?? COSIGNED_WITHIN_MS;
    const { size, frontier } = options.store.state.log;
    this.#tree = new PendingTree({ size, hashes: frontier });
    this.#newest = this.#sign(size, frontierRoot({ size, hashes: frontier }));
    this.#failed.promise.catch(() => undefined);
    if (this.#outside === undefined) this.#run(() => this.#publish());
  }

  /** Rejects with the error after which the node must stop; never resolves. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** Number of the entries that are sealed or on their way there. */
  get size(): number {
    return this.#tree.size;
  }

  /** The newest tree that is sealed, as a signed note (C2SP tlog-checkpoint). */
  get checkpoint(): string {
    return this.#newest.note;
  }

  /** Threshold and number of the outside witnesses; null where the configuration names none. */
  get witnesses(): { readonly threshold: number; readonly of: number } | null {
    return this.#outside?.size ?? null;
  }

  /** The same of the peers that must cosign; null where none has to. */
  get peerWitnesses(): { readonly threshold: number; readonly of: number } | null {
    return this.#peers?.size ?? null;
  }

  /** Adds a source whose changes go into every commit from the next one on. */
  addSource(source: StateSource): void {
    this.#sources.push(source);
  }

  /**
   * Appends an entry, and resolves once what it allows may leave the enclave.
   *
   * @param makeEntry makes the entry's bytes (at most {@link MAX_LOG_ENTRY_BYTES}) for its index, right before the
   * sources are asked for their changes; an error that it throws refuses that entry alone
   * @param needs who must have cosigned it
   * @throws AppendError LOG_OVERLOADED, LOG_NOT_COSIGNED, LOG_CLOSED; StoreError, after which but for STORE_FULL the
   * node must stop; RangeError for an entry that is too long
   */
  append(makeEntry: (index: number) => Uint8Array, needs: EntryNeeds = 'all'): Promise<Appended> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#waiting.length + this.#sealed.length >= MAX_WAITING_ENTRIES) {
        throw new AppendError('LOG_OVERLOADED', `${MAX_WAITING_ENTRIES} entries wait already`);
      }
      this.#waiting.push({ needs, makeEntry, resolve, reject });
      this.#startFlushing();
    });
  }

  /**
   * Seals what sources have changed without an entry of the log, with the entries that wait.
   *
   * @throws StoreError, after which but for STORE_FULL the node must stop; AppendError LOG_CLOSED
   */
  async seal(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const sealing = Promise.withResolvers<void>();
    this.#sealing.push(sealing);
    this.#startFlushing();
    await sealing.promise;
  }

  #startFlushing(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    // Requests that arrived together are read before the next step of the event loop, and make one batch.
    setImmediate(() => this.#run(() => this.#flushAll()));
  }

  /**
   * Hands out the tree of the start and waits for its cosignatures: until then nothing may leave the enclave.
   *
   * @param onRefusals called with what witnesses of one group are said to have answered, after each attempt that did not
   * suffice
   * @param isPeerless true where the configuration lets this very start do without peers
   * @returns false where the time is over
   */
  async witnessStart(
    timeoutMs: number,
    onRefusals: (refusals: readonly WitnessRefusal[], group: WitnessGroup['size']) => void,
    isPeerless = false,
  ): Promise<boolean> {
    const end = this.#monotonic() + timeoutMs;
    const groups = [this.#outside, isPeerless ? undefined : this.#peers].filter((one) => one !== undefined);
    for (let pause = FIRST_PAUSE_MS; this.#monotonic() < end; pause = Math.min(2 * pause, MAX_PAUSE_MS)) {
      if (this.#failure !== undefined) throw this.#failure;
      const lacking = await this.#findLacking(groups);
      if (lacking === undefined) return true;
      onRefusals(lacking.refusals, lacking.group.size);
      await sleep(pause, undefined, { ref: false });
    }
    return false;
  }

  /** Asks each group in turn for the newest tree; gives the first that has not cosigned it. */
  async #findLacking(
    groups: readonly WitnessGroup[],
  ): Promise<(Pick<Attempt, 'refusals'> & { readonly group: WitnessGroup }) | undefined> {
    const tree = this.#newest;
    for (const group of groups) {
      const selection = group === this.#outside ? this.#selectOutside() : undefined;
      const { lines, refusals } = await group.ask(tree, selection);
      if (lines === undefined) return { group, refusals };
    }
    return undefined;
  }

  /** Refuses all entries that wait, and all that come. */
  close(): void {
    this.#fail(new AppendError('LOG_CLOSED', 'the node is stopping'));
  }

  async #flushAll(): Promise<void> {
    while (this.#waiting.length + this.#sealing.length > 0 && this.#failure === undefined)
      await this.#flush();
    this.#isFlushing = false;
  }

  async #flush(): Promise<void> {
    const isFull = () => this.#sources.some(({ isBound, waiting }) => isBound === true && isLong(waiting));
    const { batch, entries, rest: waiting } = takeBatch(this.#waiting, this.#tree.size, isFull);
    this.#waiting = waiting;
    const sealing = this.#sealing;
    this.#sealing = [];
    const changes = this.#collectChanges();
    this.#unwritten = changes;
    const settle = (error?: unknown) => {
      for (const { resolve, reject } of sealing)
        if (error === undefined) resolve();
        else reject(error);
    };
    if (batch.length === 0 && changes.early.length + changes.bound.length === 0) {
      settle();
      return;
    }
    const extension = this.#tree.extend(entries);
    const { size, hashes } = extension.tree.frontier;
    try {
      const rest = await this.#writeSurplus(changes);
      await this.#store.commit(rest, { log: { size, frontier: [...hashes] } }, entries);
    } catch (error) {
      for (const { reject } of batch) reject(error);
      settle(error);
      if (!(error instanceof StoreError && error.code === 'STORE_FULL')) this.#fail(error);
      return;
    }
    this.#unwritten = NO_CHANGES;
    settle();
    this.#tree.take(extension);
    this.#sealed.push(...batch);
    if (this.#failure !== undefined) this.#fail(this.#failure);
    else if (batch.length > 0) this.#finishSealed(extension, batch);
  }

  /**
   * Seals changes before the entries that tell of them, as far as one commit does not carry all, and returns the rest. A
   * node that ends in between has spent allowance for nothing, and released nothing.
   */
  async #writeSurplus({ early, bound }: Changes): Promise<readonly RecordChange[]> {
    let rest = early;
    for (let part = takePart(rest); part.length < rest.length; part = takePart(rest)) {
      await this.#store.commit(part);
      rest = rest.slice(part.length);
      this.#unwritten = { early: rest, bound };
    }
    return [...rest, ...bound];
  }

  #finishSealed({ tree }: Extension, batch: readonly Sealed[]): void {
    this.#isNews ||= batch.some(({ needs }) => needs === 'all');
    this.#newest = this.#sign(tree.frontier.size, tree.root);
    const outside = this.#outside;
    if (outside === undefined) {
      this.#pass({ tree: this.#newest, lines: [] }, tree);
      this.#run(() => this.#publish());
    } else if (outside.mayGoOnUncosigned) this.#pass({ tree: this.#newest, lines: [] });
    this.#expireLater(batch);
    if (outside === undefined) return;
    this.#nextBatch.resolve();
    this.#nextBatch = Promise.withResolvers<void>();
    this.#run(() => this.#askOutside(outside));
  }

  /**
   * Selects the witnesses beside peers that are shown the newest tree: all that the parent has, or where it only tells of
   * cosignatures for peers, those that the node waits for. So two nodes whose parents take each other for outside
   * witnesses do not answer each cosignature by another, without an end.
   */
  #selectOutside(): Selection {
    const selection = this.#isNews ? { except: this.#peerNames } : { only: this.#outside?.names ?? [] };
    this.#isNews = false;
    return selection;
  }

  /** Takes a tree as one that needs no more outside witnesses: peers may be asked for it. */
  #pass(passed: PassedTree, known?: Append): void {
    const peers = this.#peers;
    if (peers === undefined) {
      this.#release(passed, 'all', known);
      return;
    }
    this.#release(passed, 'outside', known);
    this.#passed = passed;
    if (peers.mayGoOnUncosigned) this.#release(passed, 'all');
    this.#nextPassed.resolve();
    this.#nextPassed = Promise.withResolvers<void>();
    this.#run(() => this.#askPeers(peers));
  }

  #collectChanges(): Changes {
    const name = ({ table, id }: RecordChange) => `${table}/${id}`;
    const early = new Map(this.#unwritten.early.map((change) => [name(change), change]));
    const bound = new Map(this.#unwritten.bound.map((change) => [name(change), change]));
    for (const source of this.#sources) {
      for (const change of source.collectChanges()) {
        // The newest change of a record counts. What is deleted, no entry waits for.
        const isBound = source.isBound === true && change.plaintext !== null;
        early.delete(name(change));
        bound.delete(name(change));
        (isBound ? bound : early).set(name(change), change);
      }
    }
    return { early: [...early.values()], bound: [...bound.values()] };
  }

  #sign(size: number, root: Uint8Array): SignedTree {
    return { size, ...signCheckpoint({ origin: this.origin, size, root }, this.#signingKey) };
  }

  /** Gets cosignatures of outside witnesses for the newest tree, until no entry waits for one. */
  async #askOutside(outside: WitnessGroup): Promise<void> {
    if (this.#isReleasing) return;
    this.#isReleasing = true;
    let pause = FIRST_PAUSE_MS;
    const isWanted = () => (this.#sealed.at(-1)?.index ?? -1) >= (this.#passed?.tree.size ?? 0);
    while (this.#failure === undefined && (isWanted() || !outside.isCosigned)) {
      const { promise: nextBatch } = this.#nextBatch;
      const tree = this.#newest;
      const { lines } = await outside.ask(tree, this.#selectOutside());
      if (lines !== undefined) {
        pause = FIRST_PAUSE_MS;
        this.#pass({ tree, lines });
        continue;
      }
      if (outside.mayGoOnUncosigned) this.#pass({ tree: this.#newest, lines: [] });
      await sleep(FIRST_PAUSE_MS, undefined, { ref: false });
      await Promise.race([sleep(pause, undefined, { ref: false }), nextBatch]);
      pause = Math.min(2 * pause, MAX_PAUSE_MS);
    }
    this.#isReleasing = false;
  }

  /** Gets cosignatures of peers for the newest tree that has those of outside witnesses. */
  async #askPeers(peers: WitnessGroup): Promise<void> {
    if (this.#isAskingPeers) return;
    this.#isAskingPeers = true;
    let pause = FIRST_PAUSE_MS;
    const isWanted = ({ tree }: PassedTree) =>
      this.#sealed.some(({ index, needs }) => needs === 'all' && index < tree.size);
    for (let passed = this.#passed; passed !== undefined; passed = this.#passed) {
      if (this.#failure !== undefined || !(isWanted(passed) || !peers.isCosigned)) break;
      const { promise: nextPassed } = this.#nextPassed;
      const { lines } = await peers.ask(passed.tree);
      if (lines !== undefined) {
        pause = FIRST_PAUSE_MS;
        this.#release({ ...passed, lines: [...passed.lines, ...lines] }, 'all');
        continue;
      }
      if (peers.mayGoOnUncosigned) this.#release(this.#passed ?? passed, 'all');
      await sleep(FIRST_PAUSE_MS, undefined, { ref: false });
      await Promise.race([sleep(pause, undefined, { ref: false }), nextPassed]);
      pause = Math.min(2 * pause, MAX_PAUSE_MS);
    }
    this.#isAskingPeers = false;
  }

  /** Hands out the newest tree where nothing waits for cosignatures, one at a time and a while after the last. */
  async #publish(): Promise<void> {
    if (this.#isPublishing) return;
    this.#isPublishing = true;
    let published: SignedTree | undefined;
    while (this.#newest !== published && this.#failure === undefined) {
      published = this.#newest;
      await handOut(this.#client, {
        bytes: Buffer.from(published.note),
        key: this.vkey,
        wanted: 0,
        group: 'outside',
        witnesses: this.#selectOutside(),
      });
      await sleep(PUBLICATION_PAUSE_MS, undefined, { ref: false });
    }
    this.#isPublishing = false;
  }

  /** Lets the entries of a tree have their effects: all of them, or those that need outside witnesses alone. */
  #release({ tree, lines }: PassedTree, needs: EntryNeeds, known?: Append): void {
    const mayLeave = (one: Sealed) => one.index < tree.size && (needs === 'all' || one.needs === needs);
    const released = this.#sealed.filter(mayLeave);
    if (released.length === 0) return;
    this.#sealed = this.#sealed.filter((one) => !mayLeave(one));
    const provable = known ?? this.#tree.at(tree.size);
    const checkpoint = tree.note + lines.join('');
    for (const { index, resolve } of released) {
      resolve({ index, checkpoint, proof: provable.proveInclusion(index) });
    }
    this.#settle();
  }

  /** Forgets what no entry needs that still waits. */
  #settle(): void {
    this.#tree.settle(this.#sealed[0]?.index ?? this.#tree.size);
  }

  #expireLater(batch: readonly Sealed[]): void {
    const late = new Set(batch);
    if (!this.#sealed.some((one) => late.has(one))) return;
    setTimeout(() => {
      const expired = this.#sealed.filter((one) => late.has(one));
      this.#sealed = this.#sealed.filter((one) => !late.has(one));
      for (const { reject } of expired) {
        reject(new AppendError('LOG_NOT_COSIGNED', 'too few witnesses have cosigned the entry in time'));
      }
      this.#settle();
    }, this.#cosignedWithinMs).unref();
  }

  /** Runs a loop in the background; an error that it does not expect is a defect, and the end of the log. */
  #run(loop: () => Promise<void>): void {
    loop().catch((error: unknown) => this.#fail(error));
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    for (const { reject } of [...this.#sealed, ...this.#waiting, ...this.#sealing]) reject(this.#failure);
    this.#sealing = [];
    this.#sealed = [];
    this.#waiting = [];
    if (!(error instanceof AppendError)) this.#failed.reject(error);
  }
}
