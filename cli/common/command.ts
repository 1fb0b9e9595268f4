import { createReadStream } from 'node:fs';
import { addAbortSignal, type Readable, type Writable } from 'node:stream';
import { ByteCollector } from '../../shared/byte-collector.ts';
import { CliError } from './errors.ts';
import type { ResolvedProfile } from './resolved-profile.ts';
import type { SettingName } from './settings.ts';
import { describeSystemError } from './system-error.ts';
import { UsageError } from './usage-error.ts';

export { UsageError };

/** Streams and surroundings of the process, handed in. */
export interface Io {
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  /** Signal that aborts at the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  /** Environment; that of the process when left out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Folder in which the command is called; the working directory of the process when left out. */
  readonly folder?: string;
}

export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  readonly multiple?: boolean;
  /** Name of the value in the help: FILE, HEX, SECONDS. */
  readonly value?: string;
  readonly description: string;
  readonly required?: boolean;
  /** Setting of holdfast.yaml or the environment that holds where the option is not given. */
  readonly setting?: SettingName;
  /** Option in whose presence the setting does not hold. */
  readonly settingUnless?: string;
}

export interface CommandInput {
  readonly positionals: readonly string[];
  /** Value of a string option, or undefined. */
  readonly text: (option: string) => string | undefined;
  readonly texts: (option: string) => readonly string[];
  readonly flag: (option: string) => boolean;
  /** Setting of a command that names it in `settings`, or undefined. */
  readonly setting: (name: SettingName) => string | undefined;
  /** All settings of holdfast.yaml and the environment. */
  readonly profile: ResolvedProfile;
  readonly json: boolean;
  readonly io: Io;
}

/** Result of a command: `text` for people, `data` for `--json`; `ok: false` is a refusal (exit 1). */
export interface Outcome {
  readonly ok: boolean;
  readonly text: string;
  readonly data: unknown;
}

export interface Command {
  /** Noun and verb: `attestation verify`. */
  readonly name: string;
  readonly summary: string;
  /** Positional arguments as the help shows them: `DOC`, `OLD NEW`, or ''. */
  readonly positionals: string;
  readonly options: Readonly<Record<string, OptionSpec>>;
  readonly examples: readonly string[];
  /** Settings that the command uses beside those of its options. */
  readonly settings?: readonly SettingName[];
  /** True where `--json` prints one object a line: events as they happen, and the outcome last. */
  readonly isStream?: boolean;
  run(input: CommandInput): Promise<Outcome>;
}

/** Largest file that a command reads whole, in bytes. */
export const MAX_INPUT_BYTES = 16 * 1024 * 1024;

/**
 * Reads the bytes of a file that the user named; `-` is standard input. Never reads more than the limit, whatever the
 * file. A caller that clears the returned bytes leaves no copy here.
 * @throws UsageError when the file cannot be read; CliError INPUT_TOO_LARGE, INTERRUPTED
 */
export async function readInput(path: string, io: Io, maxBytes = MAX_INPUT_BYTES): Promise<Uint8Array> {
  const { stdin, signal } = io;
  const source: AsyncIterable<Buffer> =
    path === '-'
      ? addAbortSignal(signal, stdin)
      : // One byte more, which shows that there is more.
        createReadStream(path, { end: maxBytes, signal });
  const collected = new ByteCollector(maxBytes);
  try {
    for await (const chunk of source) {
      if (!collected.add(chunk)) throw tooLarge(path, maxBytes);
    }
  } catch (error) {
    if (error instanceof CliError) throw error;
    if (signal.aborted) throw new CliError('INTERRUPTED', 'interrupted');
    throw new UsageError(`cannot read ${path}: ${describeSystemError(error)}`);
  }
  return collected.bytes();
}

function tooLarge(path: string, maximum: number): CliError {
  return new CliError('INPUT_TOO_LARGE', 'the input is longer than its maximum', { path, maximum });
}

/** Nouns and the modules that hold their verbs; a module is loaded when it is called, so that `--help` is quick. */
export type Nouns = Readonly<Record<string, { summary: string; load: () => Promise<readonly Command[]> }>>;
