import {
  type Certificate,
  decodeTranscript,
  encodeCertificate,
  encodeTranscript,
  extractCertificate,
  type Plan,
  type Transcript,
} from '../../../audit/transcript/index.ts';
import { epochOf, type ShareRecord } from '../../frost/index.ts';
import type { ShareKeeper, TranscriptChange } from './share-keeper.ts';

/** Bytes of certificates in one answer. */
const MAX_NEWS_BYTES = 384 * 1024;
const MAX_NEWS = 8;

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** What a node asks others for of one key: certificates of epochs after its own, and of ceremonies that it waits for. */
interface AskedNews {
  readonly key: string;
  /** Epoch in force at the node that asks; null: none. */
  readonly epoch: number | null;
  /** Ids of ceremonies that it has confirmed without learning how they ended. */
  readonly unresolved: readonly Uint8Array[];
}

/** Transcripts of the ceremonies that this node has confirmed, as its store keeps them, by the hex id of the ceremony. */
export class KeptTranscripts {
  readonly #keeper: ShareKeeper;

  constructor(keeper: ShareKeeper) {
    this.#keeper = keeper;
  }

  /** Reads the certificate of a ceremony whose transcript is kept; undefined where it has none. */
  async readCertificate(id: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const transcript = await this.read(id);
    return transcript === undefined || transcript.confirmations.length === 0
      ? undefined
      : encodeCertificate(extractCertificate(transcript));
  }

  /** Reads the transcript of a ceremony; undefined where none is kept. @throws StoreError */
  async read(id: string): Promise<Transcript | undefined> {
    const kept = await this.#keeper.readTranscript(id);
    return kept === null ? undefined : decodeTranscript(kept);
  }

  /** Adds the confirmations to the transcript that was kept when this node confirmed. */
  async complete({ confirmations }: Certificate, { id }: Plan): Promise<TranscriptChange[]> {
    const kept = await this.#keeper.readTranscript(hex(id));
    if (kept === null) return [];
    return [{ id: hex(id), bytes: encodeTranscript({ ...decodeTranscript(kept), confirmations }) }];
  }

  /** Finds transcripts that no record names once these have changed. */
  findUnused(changed: ReadonlyMap<string, ShareRecord>): TranscriptChange[] {
    const before = new Set(
      [...changed.keys()].flatMap((key) => listCeremonies(this.#keeper.shareRecord(key))),
    );
    for (const record of changed.values()) for (const id of listCeremonies(record)) before.delete(id);
    if (before.size === 0) return [];
    for (const key of this.#keeper.shareIds()) {
      if (!changed.has(key))
        for (const id of listCeremonies(this.#keeper.shareRecord(key))) before.delete(id);
    }
    return [...before].map((id) => ({ id, bytes: null }));
  }

  /** Lists certificates that a node lacks, at most {@link MAX_NEWS} of them. @throws StoreError */
  async listNews(asked: readonly AskedNews[]): Promise<Uint8Array[]> {
    const wanted = new Set<string>();
    for (const { key, epoch, unresolved } of asked) {
      if (wanted.size >= MAX_NEWS) break;
      const record = this.#keeper.shareRecord(key);
      const known = record && epochOf(record);
      if (record === undefined || known === undefined) continue;
      const waited = record.history.find(({ ceremony }) =>
        unresolved.some((id) => hex(id) === hex(ceremony)),
      );
      const newest = epoch === null || known > epoch ? record.history.at(-1) : undefined;
      const chosen = waited ?? newest;
      if (chosen !== undefined) wanted.add(hex(chosen.ceremony));
    }
    const certificates: Uint8Array[] = [];
    let length = 0;
    for (const id of wanted) {
      const certificate = await this.readCertificate(id);
      if (certificate === undefined) continue;
      length += certificate.length;
      if (certificates.length > 0 && length > MAX_NEWS_BYTES) break;
      certificates.push(certificate);
    }
    return certificates;
  }
}

function listCeremonies(record: ShareRecord | undefined): string[] {
  if (record === undefined) return [];
  return [...record.history, ...record.pending].map(({ ceremony }) => hex(ceremony));
}
