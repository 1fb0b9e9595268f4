import { open } from 'node:fs/promises';
import { join } from 'node:path';
import {
  decodeEntryBundle,
  HASH_BYTES,
  MAX_ENTRY_BYTES,
  MAX_NOTE_BYTES,
  type ReadEntries,
  type ReadTile,
  TILE_WIDTH,
  type TileAddress,
  tilePath,
  tileWidth,
} from '../../audit/log/index.ts';
import { ByteCollector } from '../../shared/byte-collector.ts';
import { CliError } from '../common/errors.ts';
import { UsageError } from '../common/usage-error.ts';

const MAX_TILE_BYTES = TILE_WIDTH * HASH_BYTES;
const MAX_BUNDLE_BYTES = TILE_WIDTH * (2 + MAX_ENTRY_BYTES);
const REQUEST_TIMEOUT_MS = 30_000;
/** Bundles that are asked for ahead of the one that is verified. */
const READ_AHEAD = 4;

/** Place where the resources of a log lie, C2SP tlog-tiles. */
export interface LogSource {
  /** Reads the newest checkpoint, a signed note. */
  readCheckpoint(): Promise<Uint8Array>;
  readonly readTile: ReadTile;
  /** Reads bundles of a tree of this size; the next ones are asked for ahead. */
  openEntries(size: number): ReadEntries;
}

/** Reads a resource by its path; undefined where there is none. */
type ReadResource = (path: string, maxBytes: number) => Promise<Uint8Array | undefined>;

/**
 * Opens a log: a folder, or a URL that its paths follow.
 *
 * @throws UsageError for a URL that is none; its readers throw CliError LOG_INCOMPLETE, LOG_UNREACHABLE
 */
export function openLogSource(location: string, signal: AbortSignal): LogSource {
  const read = /^https?:\/\//.test(location) ? readByHttp(location, signal) : readByFolder(location);
  const need = async (path: string, maxBytes: number): Promise<Uint8Array> => {
    const bytes = await read(path, maxBytes);
    if (bytes === undefined) throw new CliError('LOG_INCOMPLETE', 'the log lacks a part of itself', { path });
    return bytes;
  };
  /** A partial resource may be gone once the full one is there. */
  const needEither = async (address: TileAddress, maxBytes: number) => {
    const partial = address.width === TILE_WIDTH ? undefined : await read(tilePath(address), maxBytes);
    if (partial !== undefined) return { bytes: partial, width: address.width };
    return { bytes: await need(tilePath({ ...address, width: TILE_WIDTH }), maxBytes), width: TILE_WIDTH };
  };
  const readEntries: ReadEntries = async (index, width) => {
    const found = await needEither({ level: 'entries', index, width }, MAX_BUNDLE_BYTES);
    return decodeEntryBundle(found.bytes, found.width).slice(0, width);
  };
  return {
    readCheckpoint: () => need('checkpoint', MAX_NOTE_BYTES),
    readTile: async (address) => {
      const { bytes, width } = await needEither(address, MAX_TILE_BYTES);
      return width === address.width ? bytes : bytes.subarray(0, address.width * HASH_BYTES);
    },
    openEntries: (size) => readAhead(readEntries, size),
  };
}

function readAhead(readEntries: ReadEntries, size: number): ReadEntries {
  const asked = new Map<number, Promise<readonly Uint8Array[]>>();
  return (index, width) => {
    for (let next = index; next <= index + READ_AHEAD; next += 1) {
      const nextWidth = tileWidth('entries', next, size);
      if (nextWidth === 0 || asked.has(next)) continue;
      const bundle = readEntries(next, nextWidth);
      // Its error is told when its turn comes.
      bundle.catch(() => {});
      asked.set(next, bundle);
    }
    const bundle = asked.get(index) ?? readEntries(index, width);
    asked.delete(index);
    return bundle;
  };
}

function readByFolder(folder: string): ReadResource {
  return async (path, maxBytes) => {
    try {
      await using file = await open(join(folder, path), 'r');
      if ((await file.stat()).size > maxBytes) throw tooLarge(path, maxBytes);
      return await file.readFile();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
      if (error instanceof CliError) throw error;
      throw new CliError('LOG_UNREACHABLE', 'a part of the log cannot be read', { path }, error);
    }
  };
}

function readByHttp(location: string, signal: AbortSignal): ReadResource {
  if (!URL.canParse(location)) throw new UsageError('the URL of the log is none');
  const prefix = location.endsWith('/') ? location : `${location}/`;
  return async (path, maxBytes) => {
    try {
      const response = await fetch(prefix + path, {
        redirect: 'error',
        signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
      });
      if (response.status === 404) {
        await response.body?.cancel();
        return undefined;
      }
      if (!response.ok || response.body === null)
        throw new CliError('LOG_UNREACHABLE', 'the log refuses a part of itself', {
          path,
          status: response.status,
        });
      const collected = new ByteCollector(maxBytes);
      for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
        if (!collected.add(Buffer.from(chunk))) throw tooLarge(path, maxBytes);
      }
      return collected.bytes();
    } catch (error) {
      if (error instanceof CliError) throw error;
      if (signal.aborted) throw new CliError('INTERRUPTED', 'interrupted');
      throw new CliError('LOG_UNREACHABLE', 'the log cannot be reached', { path }, error);
    }
  };
}

function tooLarge(path: string, maximum: number): CliError {
  return new CliError('INPUT_TOO_LARGE', 'a part of the log is longer than its maximum', { path, maximum });
}
