import { createReadStream, statSync } from 'node:fs';
import { type Entry, parseEntry, ReceiptError } from '../../audit/receipt/index.ts';
import { readStatement } from '../audit/entries.ts';
import { openLogSource } from '../audit/log-source.ts';
import { openTrusted, readTrust } from '../audit/trust.ts';
import { readVerifiedEntries } from '../audit/verified-entries.ts';
import { type CommandInput, UsageError } from '../common/command.ts';
import { CliError } from '../common/errors.ts';
import { describeSystemError } from '../common/system-error.ts';

/** Longest line of an export in bytes: an entry with each of its characters escaped, and its index. */
const MAX_LINE_BYTES = 512 * 1024;

/** An entry of a log, with how much of the log is read then. */
export interface LoggedEntry {
  readonly entry: Entry;
  readonly done: number;
  readonly total: number;
}

/**
 * Reads the entries of a log: a folder or a URL, each proven to be in the tree of its checkpoint; or the JSON lines of
 * `audit export`, which were proven then.
 *
 * @throws CliError, LogError, UsageError
 */
export async function* readLogged(location: string, input: CommandInput): AsyncGenerator<LoggedEntry> {
  if (isFile(location)) {
    yield* readLines(location, input.io.signal);
    return;
  }
  if (input.text('origin') === undefined || input.text('key') === undefined)
    throw new UsageError('a log needs --origin and --key; what "audit export" wrote does not');
  const trust = readTrust(input);
  const source = openLogSource(location, input.io.signal);
  const tree = openTrusted(await source.readCheckpoint(), trust);
  for await (const { index, entry } of readVerifiedEntries(source, tree, 0, tree.size)) {
    yield { entry: readStatement(index, entry, trust.origin), done: index + 1, total: tree.size };
  }
}

function isFile(path: string): boolean {
  if (/^https?:\/\//.test(path)) return false;
  try {
    return !statSync(path).isDirectory();
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${describeSystemError(error)}`);
  }
}

async function* readLines(path: string, signal: AbortSignal): AsyncGenerator<LoggedEntry> {
  const total = statSync(path).size;
  let done = 0;
  let number = 0;
  let rest = Buffer.alloc(0);
  const read = (line: Uint8Array) => {
    number += 1;
    return { entry: readLine(line, number), done, total };
  };
  try {
    for await (const chunk of createReadStream(path, { signal }) as AsyncIterable<Buffer>) {
      done += chunk.length;
      rest = Buffer.concat([rest, chunk]);
      for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
        const line = rest.subarray(0, end);
        rest = rest.subarray(end + 1);
        yield read(line);
      }
      if (rest.length > MAX_LINE_BYTES)
        throw new CliError('INPUT_TOO_LARGE', 'a line is longer than its maximum', {
          path,
          maximum: MAX_LINE_BYTES,
        });
    }
  } catch (error) {
    if (signal.aborted) throw new CliError('INTERRUPTED', 'interrupted');
    if (error instanceof Error && 'syscall' in error)
      throw new UsageError(`cannot read ${path}: ${describeSystemError(error)}`);
    throw error;
  }
  if (rest.length > 0) yield read(rest);
}

/** Reads a line of `audit export`: `{"index": …, "entry": …}`. @throws CliError LOG_ENTRY_WRONG */
function readLine(line: Uint8Array, number: number): Entry {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(line);
    const { entry } = Object(JSON.parse(text)) as { entry?: unknown };
    return parseEntry(Buffer.from(JSON.stringify(entry ?? null)));
  } catch (error) {
    const isOdd = error instanceof ReceiptError || error instanceof SyntaxError || error instanceof TypeError;
    if (!isOdd) throw error;
    throw new CliError('LOG_ENTRY_WRONG', 'a line is no statement of a node', { line: number }, error);
  }
}
