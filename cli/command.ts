import { createReadStream } from 'node:fs';
import { addAbortSignal, type Readable, type Writable } from 'node:stream';
import { CliError } from './errors.ts';
import type { ResolvedProfile } from './profile/resolve.ts';
import type { SettingName } from './profile/settings.ts';
import { describeSystemError } from './system-error.ts';
import { UsageError } from './usage-error.ts';

export { UsageError };

/** The streams of the process, so that a test can hand in its own. */
export interface Io {
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  /** Default: that of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Where the command is called. Default: the working directory of the process. */
  readonly folder?: string;
}

export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  readonly multiple?: boolean;
  /** How the help names the value: FILE, HEX, SECONDS. */
  readonly value?: string;
  readonly description: string;
  readonly required?: boolean;
  /** What holds where the option is not given: from holdfast.yaml or the environment. */
  readonly setting?: SettingName;
  /** The setting does not hold where this option is given. */
  readonly settingUnless?: string;
}

export interface CommandInput {
  readonly positionals: readonly string[];
  /** The value of a string option, or undefined. */
  readonly text: (option: string) => string | undefined;
  readonly texts: (option: string) => readonly string[];
  readonly flag: (option: string) => boolean;
  /** The setting of a command that names it in `settings`, or undefined. */
  readonly setting: (name: SettingName) => string | undefined;
  /** Everything that holdfast.yaml and environment say. */
  readonly profile: ResolvedProfile;
  readonly json: boolean;
  readonly io: Io;
}

/** What a command found: `text` for people, `data` for `--json`; `ok: false` is a refusal (exit 1). */
export interface Outcome {
  readonly ok: boolean;
  readonly text: string;
  readonly data: unknown;
}

export interface Command {
  /** Noun and verb: `attestation verify`. */
  readonly name: string;
  readonly summary: string;
  /** As the help shows them: `DOC`, `OLD NEW`, or ''. */
  readonly positionals: string;
  readonly options: Readonly<Record<string, OptionSpec>>;
  readonly examples: readonly string[];
  /** Settings that it uses beside those of its options. */
  readonly settings?: readonly SettingName[];
  /** `--json` prints one object a line: events as they happen, and the outcome last. */
  readonly isStream?: boolean;
  run(input: CommandInput): Promise<Outcome>;
}

/** Largest file that a command reads whole, in bytes. */
export const MAX_INPUT_BYTES = 16 * 1024 * 1024;

/**
 * The bytes of a file that the user named; `-` is standard input. Never reads more than the limit, whatever the file.
 * @throws UsageError when it cannot be read; CliError INPUT_TOO_LARGE, INTERRUPTED
 */
export async function readInput(path: string, io: Io, maxBytes = MAX_INPUT_BYTES): Promise<Uint8Array> {
  const { stdin, signal } = io;
  const source: AsyncIterable<Buffer> =
    path === '-'
      ? addAbortSignal(signal, stdin)
      : // One byte more, which shows that there is more.
        createReadStream(path, { end: maxBytes, signal });
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of source) {
      length += chunk.length;
      if (length > maxBytes) throw tooLarge(path, maxBytes);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof CliError) throw error;
    if (signal.aborted) throw new CliError('INTERRUPTED', 'interrupted');
    throw new UsageError(`cannot read ${path}: ${describeSystemError(error)}`);
  }
  const [only] = chunks;
  // Not copied, so that whoever clears what he got leaves nothing behind.
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
}

function tooLarge(path: string, maximum: number): CliError {
  return new CliError('INPUT_TOO_LARGE', 'more bytes than such a file may have', { path, maximum });
}
