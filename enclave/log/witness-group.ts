import type { WitnessRefusal } from '../../shared/protocol/log.ts';
import type { LogClient } from '../../shared/protocol/log-client.ts';
import type { Configuration, Quorum } from '../../shared/documents/configuration.ts';
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

/** Reads the group of peers out of a configuration; null where no peer has to cosign. */
export function readPeerWitnesses({ quorum }: Pick<Configuration, 'quorum'>): WitnessGroupOptions | null {
  if (quorum?.witnesses === undefined) return null;
  const { threshold, maxUncosignedSeconds } = quorum.witnesses;
  return { threshold, keys: peerKeys(quorum), maxUncosignedSeconds };
}

const peerKeys = ({ peers }: Quorum) =>
  peers.flatMap(({ witness }) => (witness === undefined ? [] : [witness]));

/** Asks one group of witnesses for cosignatures, and remembers whether it gave them. */
export class WitnessGroup {
  readonly #set: WitnessSet;
  readonly #select: { readonly only: readonly string[] } | { readonly except: readonly string[] };
  readonly #client: Pick<LogClient, 'publish'>;
  readonly #vkey: string;
  readonly #maxUncosignedMs: number;
  readonly #monotonic: () => number;
  /** Outcome of the last attempt. */
  #isCosigned = true;
  /** Time of the last cosigned tree, by the monotonic clock. */
  #lastCosigned = -Infinity;

  /** @throws LogError VERIFIER_KEY_MALFORMED; RangeError for a threshold out of range */
  constructor(
    options: WitnessGroupOptions,
    parts: {
      readonly client: Pick<LogClient, 'publish'>;
      /** Verifier key of the log. */
      readonly vkey: string;
      /** Names of witnesses to be asked alone, or not to be asked. */
      readonly select: WitnessGroup['select'];
      readonly monotonic: () => number;
    },
  ) {
    this.#set = new WitnessSet(options);
    this.#select = parts.select;
    this.#client = parts.client;
    this.#vkey = parts.vkey;
    this.#monotonic = parts.monotonic;
    this.#maxUncosignedMs = options.maxUncosignedSeconds * 1_000;
  }

  get select() {
    return this.#select;
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
  async ask({ text, note }: SignedTree): Promise<Attempt> {
    const { threshold } = this.#set;
    const { lines, refusals } = await handOut(this.#client, {
      bytes: Buffer.from(note),
      key: this.#vkey,
      wanted: threshold,
      witnesses: this.#select,
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
