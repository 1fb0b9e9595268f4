import { MAX_RECORD_BYTES } from '../../shared/protocol/control.ts';
import type { RecordChange, SealedStore } from '../store/index.ts';

/** The table of the transcripts of ceremonies. */
export const TRANSCRIPTS = 'transcripts';
/** Bytes of one record of a transcript: the seal adds some. */
const PART_BYTES = MAX_RECORD_BYTES - 1024;
/** The most records of one transcript. */
const MAX_PARTS = 32;

const place = (id: string, part: number) => ({ table: TRANSCRIPTS, id: `${id}.${part}` });

/**
 * Lists the changes that make a transcript these bytes: a record holds fewer bytes than a transcript of many nodes has.
 *
 * @param bytes null deletes it
 */
export function listTranscriptChanges(
  store: Pick<SealedStore, 'list'>,
  id: string,
  bytes: Uint8Array | null,
): RecordChange[] {
  const count = Math.ceil((bytes?.length ?? 0) / PART_BYTES);
  if (count > MAX_PARTS)
    throw new RangeError(`expected a transcript of at most ${MAX_PARTS * PART_BYTES} bytes`);
  const changes: RecordChange[] = Array.from({ length: count }, (_, part) => ({
    ...place(id, part),
    plaintext: bytes?.slice(part * PART_BYTES, (part + 1) * PART_BYTES) ?? null,
  }));
  const kept = new Set([...store.list()].filter(({ table }) => table === TRANSCRIPTS).map((one) => one.id));
  for (let part = count; part < MAX_PARTS; part += 1) {
    const { id: name } = place(id, part);
    if (kept.has(name)) changes.push({ ...place(id, part), plaintext: null });
  }
  return changes;
}

/** Reads a transcript; null where there is none. @throws StoreError */
export async function readTranscript(
  store: Pick<SealedStore, 'readParts'>,
  id: string,
): Promise<Uint8Array | null> {
  const parts = await store.readParts(Array.from({ length: MAX_PARTS }, (_, part) => place(id, part)));
  return parts.length === 0 ? null : new Uint8Array(Buffer.concat(parts));
}
