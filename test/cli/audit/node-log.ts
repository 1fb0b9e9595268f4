import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { encodeBundledEntry, tilePath, tileWidth } from '../../../audit/log/index.ts';
import {
  createBootEntry,
  createDecisionEntry,
  createVoteEntry,
  encodeEntry,
  type Entry,
} from '../../../audit/receipt/index.ts';
import type { SampleLog } from '../../audit/log/sample-log.ts';
import { BOOT, DECISION, DENIAL, REQUEST_DIGEST, VOTE } from '../../audit/receipt/samples.ts';

/** Appends statements as a node writes them: a start, then decisions and votes. */
export function appendStatements(log: SampleLog, count: number): void {
  const from = log.size;
  const entries = Array.from({ length: count }, (_, offset) =>
    Buffer.from(encodeEntry(statementAt(from + offset, log))),
  );
  log.appendEntries(entries);
}

function statementAt(sequence: number, log: SampleLog): Entry {
  if (sequence === 0) return createBootEntry({ ...BOOT, sequence, previousSize: 0, origin: log.origin });
  if (sequence % 5 === 4) return createVoteEntry(REQUEST_DIGEST, { ...VOTE, sequence });
  return createDecisionEntry(REQUEST_DIGEST, { ...(sequence % 2 === 0 ? DENIAL : DECISION), sequence });
}

/** Writes a log into a folder, as C2SP tlog-tiles lays it out; `note` in place of its own checkpoint. */
export function writeLog(log: SampleLog, folder: string, note = log.checkpoint().note): void {
  const write = (path: string, bytes: Uint8Array | string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  };
  for (const [key, tile] of log.tiles) {
    const [level = 0, index = 0] = key.split('/').map(Number);
    write(tilePath({ level, index, width: tile.length / 32 }), tile);
  }
  for (let index = 0; tileWidth('entries', index, log.size) > 0; index += 1) {
    const width = tileWidth('entries', index, log.size);
    const bundle = log.entries.slice(index * 256, index * 256 + width).map(encodeBundledEntry);
    write(tilePath({ level: 'entries', index, width }), Buffer.concat(bundle));
  }
  write('checkpoint', note);
}
