import type { LogRequest, WitnessRefusal } from '../../shared/protocol/log.ts';
import type { LogClient } from '../../shared/protocol/log-client.ts';
import type { Configuration } from '../../shared/documents/configuration.ts';
import { errorCode } from '../../shared/errors.ts';
import { WitnessSet } from './witness-set.ts';

/** Milliseconds for one attempt to get cosignatures; the parent gives witnesses less. */
const ATTEMPT_MS = 5_000;

/** Witnesses of one kind, as the configuration names them: `threshold` of `keys` must cosign. */
export interface WitnessGroupOptions {
  readonly threshold: number;
  readonly keys: readonly string[];
  readonly maxUncosignedSeconds: number;
}

/** A tree that the log has signed. */
export interface SignedTree {
  readonly size: number;
  readonly text: string;
  readonly note: string;
}

/** Outcome of one attempt; lines are undefined where too few witnesses have cosigned the tree. */
export interface Attempt {
  readonly lines: readonly string[] | undefined;
  readonly refusals: readonly WitnessRefusal[];
}

/** The witnesses of the parent that a checkpoint is shown to. */
export type Selection = LogRequest['witnesses'];

/** The other nodes of the quorum as witnesses of a log. */
export interface PeerWitnesses {
  /** Names of all that cosign; a checkpoint that nobody waits for is not shown to them. */
  readonly names: readonly string[];
  /** How many must cosign; null where none has to. */
  readonly group: WitnessGroupOptions | null;
}

/** Reads the peers that cosign out of a configuration. */
export function readPeerWitnesses({ quorum }: Pick<Configuration, 'quorum'>): PeerWitnesses {
  const keys = (quorum?.peers ?? []).flatMap(({ witness }) => (witness === undefined ? [] : [witness]));
  const witnesses = quorum?.witnesses;
  if (witnesses === undefined) return { names: keys.map(readName), group: null };
  const { threshold, maxUncosignedSeconds } = witnesses;
  return { names: keys.map(readName), group: { threshold, keys, maxUncosignedSeconds } };
}

const readName = (key: string) => key.slice(0, key.indexOf('+'));

/** Asks one group of witnesses for cosignatures, and remembers whether it gave them. */
export class WitnessGroup {
  /** Names of the witnesses. */
  readonly names: readonly string[];
  readonly #name: LogRequest['group'];
  readonly #set: WitnessSet;
  readonly #client: Pick<LogClient, 'publish'>;
  readonly #vkey: string;
  readonly #maxUncosignedMs: number;
  readonly #monotonic: () => number;
  /** Outcome of the last attempt. */
  #isCosigned = true;
  /** Time of the last cosigned tree, by the monotonic clock. */
  #lastCosigned = -Infinity;

  /**
   * @param vkey verifier key of the log
   * @throws LogError VERIFIER_KEY_MALFORMED; RangeError for a threshold out of range
   */
  constructor(
    name: LogRequest['group'],
    options: WitnessGroupOptions,
    parts: {
      readonly client: Pick<LogClient, 'publish'>;
      readonly vkey: string;
      readonly monotonic: () => number;
    },
  ) {
    this.#name = name;
    this.#set = new WitnessSet(options);
    this.names = options.keys.map(readName);
    this.#client = parts.client;
    this.#vkey = parts.vkey;
    this.#monotonic = parts.monotonic;
    this.#maxUncosignedMs = options.maxUncosignedSeconds * 1_000;
  }

  get isCosigned(): boolean {
    return this.#isCosigned;
  }

  /** Threshold and number of the witnesses. */
  get size(): { readonly threshold: number; readonly of: number } {
    return { threshold: this.#set.threshold, of: this.#set.size };
  }

  /** True while the configuration lets the node go on although the last attempt brought too few cosignatures. */
  get mayGoOnUncosigned(): boolean {
    return !this.#isCosigned && this.#monotonic() - this.#lastCosigned < this.#maxUncosignedMs;
  }

  /** Hands out a tree, and gives the valid cosignatures of the group. */
  async ask({ text, note }: SignedTree, witnesses: Selection = { only: this.names }): Promise<Attempt> {
    const { threshold } = this.#set;
    const { lines, refusals } = await handOut(this.#client, {
      bytes: Buffer.from(note),
      key: this.#vkey,
      wanted: threshold,
      group: this.#name,
      witnesses,
    });
    const verified = this.#set.verify(text, lines);
    this.#isCosigned = verified.length >= threshold;
    if (this.#isCosigned) this.#lastCosigned = this.#monotonic();
    return { lines: this.#isCosigned ? verified : undefined, refusals };
  }
}

/** Hands a checkpoint to the parent. Whatever the parent does, its tree is not cosigned: the caller tries again. */
export async function handOut(
  client: Pick<LogClient, 'publish'>,
  checkpoint: Parameters<LogClient['publish']>[0],
): Promise<{ readonly lines: readonly string[]; readonly refusals: readonly WitnessRefusal[] }> {
  try {
    return await client.publish(checkpoint, ATTEMPT_MS);
  } catch (error) {
    if (errorCode(error) === 'INTERNAL') throw error;
    return { lines: [], refusals: [] };
  }
}
