import { LogError, openCheckpoint, parseVerifierKey } from '../../audit/log/index.ts';
import { verifyByNode } from '../../audit/log/node-signatures.ts';
import { errorCode } from '../../shared/errors.ts';
import type { LogAddition } from '../../shared/protocol/control.ts';
import type { LogRequest, LogResponse, WitnessRefusal } from '../../shared/protocol/log.ts';
import type { Log } from '../common/log.ts';
import type { RequestSession } from '../common/request-server.ts';
import type { RecordSession } from '../store/record-store.ts';
import { LogWriter } from './log-writer.ts';
import { type ArchiveOptions, LogArchive } from './log-archive.ts';
import { TileFolder } from './tile-folder.ts';
import {
  WitnessClient,
  type WitnessOptions,
  type WitnessOutcome,
  type WitnessStatus,
} from './witness-client.ts';

/** Milliseconds within which witnesses have to answer; the enclave waits a little longer. */
const WITNESSES_MS = 3_000;
/** Milliseconds that the tree may take to reach a checkpoint's size. */
const REACH_MS = 1_500;

/** Where a node's log lies, and who is asked to witness it. */
export interface AuditLogOptions {
  /** Folder of static files, C2SP tlog-tiles. */
  readonly directory: string;
  readonly witnesses: readonly WitnessOptions[];
  /** Bucket with Object Lock that gets a copy. */
  readonly archive?: ArchiveOptions;
}

/** What an operator sees of the log. */
export interface AuditLogStatus {
  /** What to register with witnesses; null before the enclave has shown a checkpoint. */
  readonly origin: string | null;
  readonly key: string | null;
  /** Number of entries, and those under the checkpoint in the folder. */
  readonly size: number;
  readonly published: number;
  /** True where the store has dropped entries that the folder lacks: put the folder back. */
  readonly hasGap: boolean;
  /** How many witnesses the enclave wants; 0 where it waits for none. */
  readonly wanted: number;
  /** How many have cosigned the newest checkpoint. */
  readonly cosigned: number;
  readonly witnesses: readonly WitnessStatus[];
  readonly archived: number | null;
}

/** The log of one node on its parent: entries become tiles, checkpoints become cosigned ones. */
export class AuditLog {
  readonly #folder: TileFolder | undefined;
  readonly #writer: LogWriter | undefined;
  readonly #witnesses: readonly WitnessClient[];
  readonly #archive: LogArchive | undefined;
  readonly #log: Log;
  #origin: string | null = null;
  #key: string | null = null;
  /** What the last checkpoint that was shown to each group got. */
  readonly #groups = { outside: { wanted: 0, cosigned: 0 }, peers: { wanted: 0, cosigned: 0 } };
  /** Text of the newest checkpoint, and its lines by the name in each: its witnesses may be asked in several calls. */
  #newest = { text: '', lines: new Map<string, string>() };
  /** Called with the outcome of each submission: `ok` or a code, and its seconds. */
  onWitness: (witness: string, outcome: string, seconds: number) => void = () => undefined;

  /** @param options undefined where the configuration names no folder: entries stay in the store */
  constructor(options: AuditLogOptions | undefined, log: Log) {
    this.#log = log;
    this.#witnesses = (options?.witnesses ?? []).map((witness) => new WitnessClient(witness));
    if (options === undefined) return;
    this.#folder = new TileFolder(options.directory);
    this.#writer = new LogWriter(this.#folder, log);
    if (options.archive === undefined) return;
    this.#archive = new LogArchive(options.archive, this.#folder, log);
    const { archive, writer } = { archive: this.#archive, writer: this.#writer };
    writer.onWritten = () => archive.offer({ full: writer.full, published: writer.published });
  }

  get folder(): TileFolder | undefined {
    return this.#folder;
  }

  get status(): AuditLogStatus {
    return {
      origin: this.#origin,
      key: this.#key,
      size: this.#writer?.size ?? 0,
      published: this.#writer?.published ?? 0,
      hasGap: this.#writer?.hasGap ?? false,
      wanted: this.#groups.outside.wanted + this.#groups.peers.wanted,
      cosigned: this.#groups.outside.cosigned + this.#groups.peers.cosigned,
      witnesses: this.#witnesses.map(({ status }) => status),
      archived: this.#archive?.archived ?? null,
    };
  }

  /** Takes entries from a store that the enclave has opened. */
  attach(session: RecordSession): void {
    this.#writer?.attach(session);
  }

  detach(): void {
    this.#writer?.detach();
  }

  /** Takes entries that the enclave has committed. */
  accept(addition: LogAddition): void {
    this.#writer?.accept(addition);
  }

  /**
   * Proves that the tree of one size continues that of a smaller one (RFC 6962, 2.1.2); no hashes where the folder has not
   * the tree.
   */
  async proveConsistency(older: number, newer: number): Promise<readonly Uint8Array[]> {
    await this.#writer?.reach(newer, REACH_MS);
    return (await this.#writer?.tree?.proveConsistency(older, newer)) ?? [];
  }

  openSession(): RequestSession<LogRequest, LogResponse> {
    return {
      handle: async (request) => {
        try {
          return await this.#handle(request);
        } catch (error) {
          this.#log('warn', 'audit-log.refused', { code: errorCode(error) });
          return { type: 'error', code: error instanceof LogError ? 'BAD_REQUEST' : 'UNAVAILABLE' };
        }
      },
      close: () => Promise.resolve(),
    };
  }

  async close(): Promise<void> {
    for (const witness of this.#witnesses) witness.close();
    await this.#writer?.close();
    await this.#archive?.close();
  }

  async #handle({ bytes, key, wanted, group, witnesses: select }: LogRequest): Promise<LogResponse> {
    const verifierKey = parseVerifierKey(key, ['ed25519']);
    const { origin, size, text } = openCheckpoint(
      bytes,
      { origin: verifierKey.name, keys: [verifierKey] },
      verifyByNode,
    );
    if (this.#key !== key) this.#log('info', 'audit-log.key', { origin, key });
    this.#origin = origin;
    this.#key = key;
    const note = Buffer.from(bytes).toString('utf8');
    const writer = this.#writer;
    if (writer === undefined) return { type: 'checkpoint', lines: [], refusals: [] };
    if (!(await writer.reach(size, REACH_MS))) return { type: 'error', code: 'UNAVAILABLE' };
    const asked = this.#witnesses.filter(({ name }) => isSelected(name, select));
    const { lines, refusals } = await this.#askWitnesses({ size, text, note }, wanted, asked);
    this.#groups[group] = { wanted, cosigned: lines.length };
    writer.publish({ size, note: note + this.#collectLines(text, lines).join('') });
    return { type: 'checkpoint', lines, refusals };
  }

  /** Adds lines to those that the same checkpoint has got already. */
  #collectLines(text: string, lines: readonly string[]): string[] {
    if (this.#newest.text !== text) this.#newest = { text, lines: new Map() };
    for (const line of lines) this.#newest.lines.set(line.split(' ')[1] ?? '', line);
    return [...this.#newest.lines.values()];
  }

  /** Asks witnesses at once; resolves with as many as are wanted, or once all have answered or had their time. */
  async #askWitnesses(
    tree: { size: number; text: string; note: string },
    wanted: number,
    witnesses: readonly WitnessClient[],
  ) {
    const lines: string[] = [];
    const refusals = new Map<string, WitnessRefusal>();
    const enough = Promise.withResolvers<void>();
    const submitted = {
      ...tree,
      proveConsistency: (older: number) => this.proveConsistency(older, tree.size),
    };
    const take = (witness: string, outcome: WitnessOutcome) => {
      if ('line' in outcome) {
        lines.push(outcome.line);
        refusals.delete(witness);
      } else refusals.set(witness, { witness, code: outcome.code });
      if (wanted > 0 && lines.length >= wanted) enough.resolve();
    };
    for (const { name } of witnesses) refusals.set(name, { witness: name, code: 'UNREACHABLE' });
    const asked = witnesses.map(async (witness) => {
      const startedAt = performance.now();
      const outcome = await witness.cosign(submitted);
      if (outcome === undefined) return;
      this.#observe(witness.name, outcome, (performance.now() - startedAt) / 1_000);
      take(witness.name, outcome);
    });
    const timer = setTimeout(enough.resolve, WITNESSES_MS);
    await Promise.race([Promise.all(asked), enough.promise]).finally(() => clearTimeout(timer));
    return { lines: [...lines], refusals: [...refusals.values()] };
  }

  #observe(witness: string, outcome: WitnessOutcome, seconds: number): void {
    const code = 'code' in outcome ? outcome.code : 'ok';
    this.onWitness(witness, code, seconds);
    if ('code' in outcome)
      this.#log('warn', 'audit-log.not-cosigned', { witness, code, status: outcome.status });
  }
}

function isSelected(name: string, select: LogRequest['witnesses']): boolean {
  return 'only' in select ? select.only.includes(name) : !select.except.includes(name);
}
