import type { ShareType } from '../../../shared/algorithms.ts';
import type { KeyEntry } from '../../../shared/documents/configuration.ts';
import type { ShareRecord } from '../../frost/index.ts';

/** The transcript of a ceremony as it is to be kept; null deletes it. */
export interface TranscriptChange {
  /** Id of the ceremony in hex. */
  readonly id: string;
  readonly bytes: Uint8Array | null;
}

/** The shares of a node and the transcripts of their ceremonies, sealed. */
export interface ShareKeeper {
  /** Ids of all keys of the configuration that are shared. */
  shareIds(): readonly string[];
  /** The configuration's entry of a key that is shared; undefined for others. */
  shareEntry(id: string): (KeyEntry & { readonly type: ShareType }) | undefined;
  /** What the node holds of a key; undefined where it holds nothing. */
  shareRecord(id: string): ShareRecord | undefined;
  /**
   * Seals records and transcripts in one commit, and then holds what they say: a share that is no longer in a record is
   * cleared.
   *
   * @throws StoreError: nothing has changed in memory
   */
  updateShares(
    records: ReadonlyMap<string, ShareRecord>,
    transcripts: readonly TranscriptChange[],
  ): Promise<void>;
  /** Reads a transcript; null where it is not kept. */
  readTranscript(id: string): Promise<Uint8Array | null>;
}
