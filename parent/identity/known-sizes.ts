import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  isTreeSize,
  LogError,
  MAX_NOTE_BYTES,
  parseCheckpointText,
  parseSignedNote,
  parseVerifierKey,
  WITNESS_KEY_TYPES,
} from '../../audit/log/index.ts';
import type { ArtifactSource } from '../artifacts/source.ts';
import type { ParentConfig } from '../config/schema.ts';
import { WitnessHttp } from '../log/witness-http.ts';
import { IdentityError } from './errors.ts';

const REQUEST_MS = 5_000;
const SIZE_TYPE = 'text/x.tlog.size';
const CHECKPOINT = 'checkpoint';

/** What one place knows of how far a log has come. */
export interface KnownSize {
  /** The place, in words. */
  readonly source: string;
  readonly size: number;
}

/** Places that know of a log, and those that could not be asked. */
export interface KnownSizes {
  readonly known: readonly KnownSize[];
  readonly unreached: readonly string[];
}

/** Checkpoint whose signature nobody has verified here: whoever compares sizes with it is kept from a mistake, not from an attack. */
interface UnverifiedCheckpoint {
  readonly size: number;
  /** The note with the line of the log alone, as a witness takes it. */
  readonly note: string;
}

/**
 * Asks those who know how far a node's log has come: the checkpoint in the folder of the log, the one in its bucket, and the
 * witnesses, other nodes among them. A witness is shown the newest checkpoint that is at hand; where it knows a larger tree it
 * says how large.
 * @param openBucket makes the source of an object of the log's bucket
 */
export async function findKnownSizes(
  { auditLog }: Pick<ParentConfig, 'auditLog'>,
  openBucket: (bucket: string, key: string, maxBytes: number) => Promise<ArtifactSource>,
): Promise<KnownSizes> {
  if (auditLog === undefined) return { known: [], unreached: [] };
  const known: KnownSize[] = [];
  const unreached: string[] = [];
  const found: UnverifiedCheckpoint[] = [];
  const take = (source: string, bytes: Uint8Array | null) => {
    const checkpoint = bytes === null ? undefined : unsafeReadCheckpoint(bytes);
    if (checkpoint === undefined) {
      unreached.push(source);
      return;
    }
    known.push({ source, size: checkpoint.size });
    found.push(checkpoint);
  };
  take('the folder of the log', await readFile(join(auditLog.directory, CHECKPOINT)).catch(() => null));
  if (auditLog.s3 !== undefined) {
    const { bucket, prefix } = auditLog.s3;
    const read = await openBucket(bucket, `${prefix}${CHECKPOINT}`, MAX_NOTE_BYTES);
    take(`the bucket ${bucket}`, await read(AbortSignal.timeout(REQUEST_MS)).catch(() => null));
  }
  const newest = found.toSorted((left, right) => right.size - left.size)[0];
  for (const { url, key } of auditLog.witnesses) {
    const source = `the witness ${parseVerifierKey(key, WITNESS_KEY_TYPES).name}`;
    const size = newest === undefined ? undefined : await askWitness(url, newest);
    if (size === undefined) unreached.push(source);
    else known.push({ source, size });
  }
  return { known, unreached };
}

/**
 * Asserts that a backup of a log is no earlier state than others know.
 * @throws IdentityError RESTORE_ROLLS_BACK
 */
export function assertNoRollback(size: number, known: readonly KnownSize[]): void {
  const [largest] = known.toSorted((left, right) => right.size - left.size);
  if (largest === undefined || largest.size <= size) return;
  throw new IdentityError(
    'RESTORE_ROLLS_BACK',
    'the backup is an earlier state than others know: the node would start with old shares, allowances and watermarks, or not at all',
    { entries: size, known: largest.size, by: largest.source },
  );
}

/** Reads a checkpoint; undefined for bytes that are none. */
function unsafeReadCheckpoint(bytes: Uint8Array): UnverifiedCheckpoint | undefined {
  try {
    const { text } = parseSignedNote(bytes);
    const [line = ''] = Buffer.from(bytes)
      .toString('utf8')
      .slice(text.length + 1)
      .split('\n');
    return { size: parseCheckpointText(text).size, note: `${text}\n${line}\n` };
  } catch (error) {
    if (error instanceof LogError) return undefined;
    throw error;
  }
}

/**
 * Asks a witness how large a tree it knows, by showing a checkpoint as if it were the one that it cosigned last: C2SP
 * tlog-witness has it answer 409 with the size of its own where that is another one. Undefined where it does not say.
 */
async function askWitness(url: string, { size, note }: UnverifiedCheckpoint): Promise<number | undefined> {
  const http = new WitnessHttp(`${url.replace(/\/$/, '')}/add-checkpoint`);
  try {
    const response = await http.post(`old ${size}\n\n${note}`, AbortSignal.timeout(REQUEST_MS));
    if (response.status === 200) return size;
    const text = response.body.trimEnd();
    return response.status === 409 && response.type === SIZE_TYPE && isTreeSize(text)
      ? Number(text)
      : undefined;
  } catch {
    return undefined;
  } finally {
    http.close();
  }
}
