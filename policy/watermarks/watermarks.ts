import { bytesToHex } from '@noble/hashes/utils.js';
import { decodeBase58 } from '../transactions/tezos/base58.ts';
import type { ConsensusPosition } from '../transactions/tezos/index.ts';
import { WatermarkError } from './errors.ts';
import { readWatermark, unreadable, writeWatermark } from './record.ts';
import { judge, move, type Watermark, type WatermarkVerdict } from './watermark.ts';

/** Most watermarks of one node: one for each key and chain. */
export const MAX_WATERMARKS = 4096;
const ID = /^tz[1-4]\.[0-9a-f]{40}\.[0-9a-f]{8}$/;

/** A watermark as the sealed store has it. */
export interface WatermarkRecord {
  /** `tz1.HASH.CHAIN`: the account and the chain in hex. */
  readonly id: string;
  readonly bytes: Uint8Array;
}

/**
 * The watermarks of a node: true state, in memory first. A signature may leave once a commit that began after its
 * `advance` is durable, for a repeat as well; if a commit fails, nothing leaves any more.
 */
export class Watermarks {
  readonly #watermarks: Map<string, Watermark>;
  readonly #dirty = new Set<string>();

  private constructor(watermarks: Map<string, Watermark>) {
    this.#watermarks = watermarks;
  }

  /**
   * Restores what a node has sealed; nothing of a new store.
   *
   * @throws WatermarkError WATERMARK_UNREADABLE, WATERMARK_LIMIT
   */
  static restore(records: Iterable<WatermarkRecord>): Watermarks {
    const watermarks = new Map<string, Watermark>();
    for (const { id, bytes } of records) {
      if (!ID.test(id) || watermarks.has(id)) throw unreadable('a watermark has no name of its own', { id });
      if (watermarks.size === MAX_WATERMARKS) throw limit();
      watermarks.set(id, readWatermark(bytes));
    }
    return new Watermarks(watermarks);
  }

  /**
   * Judges a position, and changes nothing.
   *
   * @param source the signing account, `tz1…` to `tz4…`: `Transaction.source`
   */
  check(source: string, position: ConsensusPosition): WatermarkVerdict {
    const id = nameWatermark(source, position.chain);
    const watermark = this.#watermarks.get(id);
    if (watermark === undefined && this.#watermarks.size >= MAX_WATERMARKS) return 'WATERMARK_LIMIT';
    return judge(watermark, position);
  }

  /**
   * Moves a watermark to a position, or finds the same bytes there.
   *
   * @throws WatermarkError WATERMARK_TOO_LOW, WATERMARK_CONFLICT, WATERMARK_LIMIT; the watermark has not moved then
   */
  advance(source: string, position: ConsensusPosition): 'advance' | 'repeat' {
    const verdict = this.check(source, position);
    if (verdict === 'repeat') return verdict;
    if (verdict !== 'advance') {
      const { chain, kind, level, round } = position;
      throw new WatermarkError(verdict, 'the watermark of this key and chain forbids it', {
        chain,
        kind,
        level,
        round,
      });
    }
    const id = nameWatermark(source, position.chain);
    this.#watermarks.set(id, move(this.#watermarks.get(id), position));
    this.#dirty.add(id);
    return verdict;
  }

  /** Takes the records that have changed since it was last asked, for the commit that is being made. */
  collectDirty(): readonly WatermarkRecord[] {
    const records: WatermarkRecord[] = [];
    for (const id of this.#dirty) {
      const watermark = this.#watermarks.get(id);
      if (watermark !== undefined) records.push({ id, bytes: writeWatermark(watermark) });
    }
    this.#dirty.clear();
    return records;
  }
}

function nameWatermark(source: string, chain: string): string {
  const account = decodeBase58(source, ['tz1', 'tz2', 'tz3', 'tz4']);
  const chainId = decodeBase58(chain, ['chain']);
  if (account === undefined || chainId === undefined) throw new TypeError('source or chain is none of Tezos');
  return `${account.prefix}.${bytesToHex(account.value)}.${bytesToHex(chainId.value)}`;
}

function limit(): WatermarkError {
  return new WatermarkError('WATERMARK_LIMIT', 'there are too many watermarks', { maximum: MAX_WATERMARKS });
}
