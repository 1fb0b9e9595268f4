import { parseArgs, styleText } from 'node:util';
import { AttestationError, isUnreadable } from '../attestation/index.ts';
import { errorCode, HoldfastError } from '../shared/errors.ts';
import {
  type Command,
  type CommandInput,
  type Io,
  type Nouns,
  type Outcome,
  UsageError,
} from './common/command.ts';
import { optionsOf, usesSettings } from './common/command-options.ts';
import { fileOf } from './common/in-file.ts';
import { printable } from './common/printable.ts';
import { type ResolvedProfile, resolveProfile } from './common/resolved-profile.ts';
import { type SettingName, SETTINGS } from './common/settings.ts';
import { systemCode, wordsFor } from './common/system-error.ts';

/**
 * Runs `holdfast` with these arguments. Exit codes: 0 done or verified, 1 refused or failed, 2 usage. A noun whose one
 * command has the noun's own name takes no verb; a verb may have a second word (`transcript get`).
 */
export async function runCli(args: readonly string[], io: Io, nouns: Nouns): Promise<number> {
  const [first, ...others] = args;
  const noun = first === '--version' ? 'version' : first;
  const json = asksForJson(args);
  if (noun === undefined || isHelp(noun) || noun === 'help') {
    if (noun === undefined) return usage(io, json, 'a noun is missing', helpAll(nouns));
    write(io.stdout, helpAll(nouns));
    return 0;
  }
  const entry = Object.hasOwn(nouns, noun) ? nouns[noun] : undefined;
  if (entry === undefined) return usage(io, json, `unknown noun "${noun}"`, helpAll(nouns));
  const commands = await entry.load();
  const own = commands.find(({ name }) => name === noun);
  if (own !== undefined) return runCommand(own, others, io);
  const [verb, ...rest] = others;
  const help = helpNoun(noun, entry.summary, commands);
  if (verb !== undefined && isHelp(verb)) {
    write(io.stdout, help);
    return 0;
  }
  if (verb === undefined) return usage(io, json, `a verb of "${noun}" is missing`, help);
  const [second, ...afterSecond] = rest;
  const longer = commands.find(({ name }) => name === `${noun} ${verb} ${second}`);
  if (longer !== undefined) return runCommand(longer, afterSecond, io);
  const command = commands.find(({ name }) => name === `${noun} ${verb}`);
  if (command !== undefined) return runCommand(command, rest, io);
  const group = commands.filter(({ name }) => name.startsWith(`${noun} ${verb} `));
  if (group.length === 0) return usage(io, json, `unknown verb "${verb}"`, help);
  const groupHelp = helpNoun(`${noun} ${verb}`, entry.summary, group);
  if (second !== undefined && isHelp(second)) {
    write(io.stdout, groupHelp);
    return 0;
  }
  return usage(io, json, `one of ${group.map(({ name }) => name).join(', ')} is needed`, groupHelp);
}

async function runCommand(command: Command, args: readonly string[], io: Io): Promise<number> {
  if (untilTerminator(args).some(isHelp)) {
    write(io.stdout, helpCommand(command));
    return 0;
  }
  const json = asksForJson(args);
  try {
    const outcome = await command.run(await readInputOf(command, args, io));
    report(outcome, json, io, command.isStream);
    return outcome.ok ? 0 : 1;
  } catch (error) {
    if (error instanceof UsageError) return usage(io, json, error.message, hint(command));
    report(await describeError(error), json, io, command.isStream);
    return 1;
  }
}

function asksForJson(args: readonly string[]): boolean {
  return untilTerminator(args).includes('--json');
}

const isHelp = (word: string): boolean => word === '--help' || word === '-h';

/** Arguments that may be options: everything before `--`. */
function untilTerminator(args: readonly string[]): readonly string[] {
  const end = args.indexOf('--');
  return args.slice(0, end === -1 ? args.length : end);
}

/** Reads the words of a command, and the settings of holdfast.yaml and the environment where there are none. */
async function readInputOf(command: Command, args: readonly string[], io: Io): Promise<CommandInput> {
  if (!usesSettings(command)) return parseInput(command, args, io);
  const { values } = parseOrUsage(command, args);
  const named = typeof values['profile'] === 'string' ? values['profile'] : undefined;
  const { env = process.env, folder = process.cwd() } = io;
  const profile = await resolveProfile({ named, env, folder });
  const root = command.options['root']?.setting === undefined ? undefined : profile.settings.get('root');
  if (root !== undefined && values['root'] === undefined && values['json'] !== true)
    write(io.stderr, `root from ${printable(root.origin)}: ${printable(root.values.join())}`);
  return parseInput(command, args, io, profile);
}

/**
 * Parses the words of a command by its table of options.
 * @param profile settings that hold where an option was not given
 * @throws UsageError
 */
export function parseInput(
  command: Command,
  args: readonly string[],
  io: Io,
  profile: ResolvedProfile = NO_PROFILE,
): CommandInput {
  const { positionals, values: given } = parseOrUsage(command, args);
  const values: Record<string, unknown> = { ...given };
  for (const [name, { setting, settingUnless, multiple }] of Object.entries(command.options)) {
    const found = setting === undefined ? undefined : profile.settings.get(setting);
    if (found === undefined || given[name] !== undefined) continue;
    if (settingUnless !== undefined && given[settingUnless] !== undefined) continue;
    values[name] = multiple === true ? found.values : found.values[0];
  }
  for (const [name, spec] of Object.entries(command.options)) {
    if (spec.required === true && values[name] === undefined)
      throw new UsageError(
        `--${name} is required${spec.setting === undefined ? '' : describeSetting(spec.setting)}`,
      );
  }
  const texts = (option: string) => {
    const value = values[option];
    return (Array.isArray(value) ? value : [value]).filter((item) => typeof item === 'string');
  };
  return {
    positionals,
    text: (option) => texts(option)[0],
    texts,
    flag: (option) => values[option] === true,
    setting: (name) => profile.settings.get(name)?.values[0],
    profile,
    json: values['json'] === true,
    io,
  };
}

const NO_PROFILE: ResolvedProfile = { path: null, settings: new Map() };

function describeSetting(name: SettingName): string {
  return `: here, as ${SETTINGS[name].variable}, or as ${name} in holdfast.yaml`;
}

function parseOrUsage(command: Command, args: readonly string[]) {
  const options: Record<string, { type: 'string' | 'boolean'; multiple?: boolean }> = {};
  for (const [name, { type, multiple }] of Object.entries(optionsOf(command))) {
    options[name] = multiple === undefined ? { type } : { type, multiple };
  }
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true, tokens: true });
  } catch (error) {
    throw new UsageError(describeParseError(error, Object.keys(options)));
  }
  assertPositionals(command, parsed.positionals);
  assertOnce(parsed.tokens, options);
  return parsed;
}

/** Describes a parse error. Node's own words for an unknown option are about positionals, which nobody meant. */
function describeParseError(error: unknown, options: readonly string[]): string {
  const message = error instanceof Error ? error.message : String(error);
  const unknown = /^Unknown option '([^']*)'/.exec(message)?.[1];
  if (unknown === undefined) return message;
  return `unknown option ${printable(unknown)}; there are ${options.map((name) => `--${name}`).join(', ')}`;
}

/** Asserts that each option is given once: parseArgs would silently take the last. */
function assertOnce(
  tokens: readonly { kind: string; name?: string }[],
  options: Readonly<Record<string, { multiple?: boolean }>>,
): void {
  const seen = new Set<string>();
  for (const { kind, name } of tokens) {
    if (kind !== 'option' || name === undefined || options[name]?.multiple === true) continue;
    if (seen.has(name)) throw new UsageError(`--${name} is given twice`);
    seen.add(name);
  }
}

/** Asserts the count of positionals: `A B` wants two, `A [B]` one or two, `A...` one or more. */
function assertPositionals(command: Command, given: readonly string[]): void {
  const wanted = command.positionals.split(' ').filter((word) => word !== '');
  const required = wanted.filter((word) => !word.startsWith('[')).length;
  const maximum = wanted.some((word) => word.includes('...')) ? Number.POSITIVE_INFINITY : wanted.length;
  if (given.length < required) throw new UsageError(`missing ${wanted.slice(given.length).join(' ')}`);
  if (given.length > maximum) throw new UsageError(`unexpected argument "${given[wanted.length]}"`);
}

async function describeError(error: unknown): Promise<Outcome> {
  const code = errorCode(error);
  const [file, next] = [fileOf(error), await nextStepFor(code)];
  const message = error instanceof Error ? error.message : String(error);
  const details = error instanceof HoldfastError ? error.details : {};
  const cause = error instanceof HoldfastError ? describeCause(error.cause) : undefined;
  const lines = Object.entries({ ...(file === undefined ? {} : { file }), ...details }).map(
    ([name, value]) => `\n  ${name}:${formatDetail(value)}`,
  );
  const because =
    cause === undefined
      ? ''
      : `\n  because ${cause.code}${cause.message === cause.code ? '' : `: ${printable(cause.message)}`}`;
  return {
    ok: false,
    text: `${isNoVerdict(error) ? 'cannot be read,' : 'refused'} ${code}: ${printable(message)}${lines.join('')}${because}\n  next: ${next}`,
    data: {
      error: {
        code,
        message,
        ...(file === undefined ? {} : { file }),
        details,
        ...(cause === undefined ? {} : { cause }),
        next,
      },
    },
  };
}

/** Tells whether an error is about how a file is written, which says nothing of what the file holds. */
function isNoVerdict(error: unknown): boolean {
  return error instanceof AttestationError && isUnreadable(error.code);
}

/** Next step for a code; the explanations are loaded only where something was refused. */
async function nextStepFor(code: string): Promise<string> {
  const { nextStep } = await import('./explain/explain-code.ts');
  return nextStep(code);
}

/** Describes a coded cause, one of ours or of the system's: any other error may quote its input. */
function describeCause(cause: unknown): { code: string; message: string } | undefined {
  if (cause instanceof HoldfastError) return { code: cause.code, message: cause.message };
  const code = systemCode(cause);
  return code === undefined ? undefined : { code, message: wordsFor(code) };
}

/** Formats a detail for the end of a line. Details may quote a hostile file. */
function formatDetail(value: unknown): string {
  if (value instanceof Uint8Array) return ` ${Buffer.from(value).toString('hex')}`;
  if (Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string')) {
    return value.map((one) => `\n    ${printable(one)}`).join('');
  }
  const text = typeof value === 'string' ? value : (JSON.stringify(value, replaceForJson) ?? 'absent');
  return ` ${printable(text)}`;
}

function replaceForJson(_: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (value instanceof Map) return Object.fromEntries(value);
  return typeof value === 'bigint' ? value.toString() : value;
}

function report({ ok, text, data }: Outcome, json: boolean, io: Io, isStream = false): void {
  if (json) {
    const fields =
      typeof data === 'object' && data !== null && !Array.isArray(data) ? data : { result: data };
    write(io.stdout, JSON.stringify({ ok, ...fields }, replaceForJson, isStream ? undefined : 2));
  } else if (text !== '') {
    // Colours depend on the stream itself: standard output may go to a file while errors go to a terminal.
    write(ok ? io.stdout : io.stderr, ok ? text : styleText('red', text, { stream: io.stderr }));
  }
}

/** Prints a usage error and where to read on: a person gets both, a program the first. */
function usage(io: Io, json: boolean, message: string, help: string): number {
  if (json)
    report({ ok: false, text: '', data: { error: { code: 'USAGE', message, details: {} } } }, json, io);
  else write(io.stderr, `holdfast: ${message}\n\n${help}`);
  return 2;
}

function write(stream: NodeJS.WritableStream, text: string): void {
  stream.write(text.endsWith('\n') ? text : `${text}\n`);
}

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n');
}

function helpAll(nouns: Nouns): string {
  const rows = Object.entries(nouns).map(([noun, { summary }]) => [noun, summary] as const);
  return `usage: holdfast NOUN VERB [OPTIONS]\n\n${table(rows)}\n\n"holdfast NOUN --help" lists a noun's verbs. Exit status: 0 done or verified, 1 refused, 2 usage.`;
}

function helpNoun(noun: string, summary: string, commands: readonly Command[]): string {
  const rows = commands.map(({ name, summary }) => [name, summary] as const);
  return `holdfast ${noun}: ${summary}\n\n${table(rows)}\n\n"holdfast ${noun} VERB --help" explains a verb.`;
}

function hint(command: Command): string {
  return `usage: ${usageLine(command)}\n"holdfast ${command.name} --help" explains it.`;
}

function usageLine({ name, positionals }: Command): string {
  return `holdfast ${name}${positionals === '' ? '' : ` ${positionals}`} [OPTIONS]`;
}

function helpCommand(command: Command): string {
  const rows = Object.entries(optionsOf(command)).map(
    ([name, { value, description, required }]) =>
      [
        `--${name}${value === undefined ? '' : ` ${value}`}`,
        required === true ? `${description} (required)` : description,
      ] as const,
  );
  const examples = command.examples.map((example) => `  ${example}`).join('\n');
  return `usage: ${usageLine(command)}\n\n${command.summary}\n\n${table(rows)}\n\nexamples:\n${examples}`;
}
