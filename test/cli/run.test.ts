import { Readable, Writable } from 'node:stream';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  type Command,
  type CommandInput,
  MAX_INPUT_BYTES,
  type Outcome,
  readInput,
  UsageError,
} from '../../cli/common/command.ts';
import { CliError } from '../../cli/common/errors.ts';
import { nouns as allNouns } from '../../cli/nouns.ts';
import type { Nouns } from '../../cli/common/command.ts';
import { refusalIn, runHoldfast, type RunOptions } from './in-process.ts';
import { makeFolder } from './node-files.ts';

const DONE: Outcome = { ok: true, text: 'done', data: { count: 1 } };

/** A noun with one verb, `thing do`, that does this. */
function nounsWith(
  run: (input: CommandInput) => Promise<Outcome> | Outcome,
  changes: Partial<Command> = {},
): Nouns {
  const command: Command = {
    name: 'thing do',
    summary: 'Does it.',
    positionals: '',
    options: {
      level: { type: 'string', value: 'N', description: 'how much' },
      tag: { type: 'string', multiple: true, value: 'TEXT', description: 'any number of' },
      loud: { type: 'boolean', description: 'with noise' },
    },
    examples: ['holdfast thing do --level 3'],
    run: async (input) => await run(input),
    ...changes,
  };
  return { thing: { summary: 'things', load: () => Promise.resolve([command]) } };
}

const runThing = (args: readonly string[], run: Parameters<typeof nounsWith>[0], options: RunOptions = {}) =>
  runHoldfast(['thing', 'do', ...args], { nouns: nounsWith(run), ...options });

describe('the exit code', () => {
  it('is 0 for what was done or verified, with the text on standard output', async () => {
    expect(await runThing([], () => DONE)).toEqual({ exit: 0, out: 'done\n', err: '' });
  });

  it('is 1 for a refusal, with the text on standard error', async () => {
    const finished = await runThing([], () => ({ ok: false, text: 'no', data: {} }));
    expect(finished).toEqual({ exit: 1, out: '', err: 'no\n' });
  });

  it('is 1 for an error with a code, and shows it', async () => {
    const { exit, err } = await runThing([], () => {
      throw new CliError('SECRET_EXISTS', 'there is one', { path: 'x', bytes: Uint8Array.of(1, 255) });
    });
    expect(exit).toBe(1);
    expect(err).toContain('SECRET_EXISTS');
    expect(err).toContain('path: x');
    expect(err).toContain('bytes: 01ff');
  });

  it('is 1 for what nobody expected, as INTERNAL', async () => {
    const finished = await runThing(['--json'], () => {
      throw new TypeError('broken');
    });
    expect(refusalIn(finished)).toMatchObject({ exit: 1, code: 'INTERNAL' });
  });

  it.each([
    ['no noun', []],
    ['an unknown noun', ['nothing']],
    ['a noun that every object has', ['constructor']],
    ['no verb', ['thing']],
    ['an unknown verb', ['thing', 'undo']],
    ['an unknown option', ['thing', 'do', '--force']],
    ['an option without its value', ['thing', 'do', '--level']],
    ['a value where none belongs', ['thing', 'do', '--loud=very']],
    ['an option that is given twice', ['thing', 'do', '--level', '1', '--level', '2']],
    ['an argument too many', ['thing', 'do', 'it']],
  ])('is 2 for %s, with help on standard error', async (_, args) => {
    const { exit, out, err } = await runHoldfast(args, { nouns: nounsWith(() => DONE) });
    expect([exit, out]).toEqual([2, '']);
    expect(err).toContain('thing');
    const asJson = await runHoldfast([...args, '--json'], { nouns: nounsWith(() => DONE) });
    // Where a value is missing, --json would be that value.
    if (args.at(-1) !== '--level') expect(refusalIn(asJson)).toMatchObject({ exit: 2, code: 'USAGE' });
  });

  it('is 2 with two lines of help, not with all of it, where a command finds no file', async () => {
    const run = async ({ io }: CommandInput) => ({ ...DONE, data: await readInput('/nowhere/file', io) });
    const { exit, out, err } = await runThing([], run);
    expect([exit, out]).toEqual([2, '']);
    expect(err).toContain('/nowhere/file');
    expect(err).toContain('holdfast thing do --help');
    expect(err).not.toContain('--loud');
    const asJson = await runThing(['--json'], run);
    expect(asJson.err).toBe('');
    expect(refusalIn(asJson)).toMatchObject({ exit: 2, code: 'USAGE' });
  });

  it('is 2 with the same JSON for every kind of misuse, on standard output alone', async () => {
    for (const args of [
      [],
      ['nothing'],
      ['thing'],
      ['thing', 'undo'],
      ['thing', 'do', '--force'],
      ['thing', 'do', 'x'],
    ]) {
      const { exit, out, err } = await runHoldfast([...args, '--json'], { nouns: nounsWith(() => DONE) });
      expect([exit, err]).toEqual([2, '']);
      expect(JSON.parse(out)).toEqual({
        ok: false,
        error: { code: 'USAGE', message: expect.any(String), details: {} },
      });
    }
  });

  it('is 2 when a command finds fault with the words', async () => {
    const { exit, err } = await runThing([], () => {
      throw new UsageError('--level is a number');
    });
    expect(exit).toBe(2);
    expect(err).toContain('--level is a number');
  });

  it('is 2 when a required option is missing', async () => {
    const options = { key: { type: 'string', required: true, description: 'the key' } } as const;
    const nouns = nounsWith(() => DONE, { options });
    expect((await runHoldfast(['thing', 'do'], { nouns })).exit).toBe(2);
    expect((await runHoldfast(['thing', 'do', '--key', 'x'], { nouns })).exit).toBe(0);
  });
});

describe('the words of a command', () => {
  it('reach it', async () => {
    let seen: CommandInput | undefined;
    const args = ['--level', '3', '--tag', 'a', '--tag', 'b', '--loud'];
    await runThing(args, (input) => {
      seen = input;
      return DONE;
    });
    expect([seen?.text('level'), seen?.texts('tag'), seen?.flag('loud')]).toEqual(['3', ['a', 'b'], true]);
    expect([seen?.text('nothing'), seen?.texts('nothing'), seen?.flag('level')]).toEqual([
      undefined,
      [],
      false,
    ]);
    expect(seen?.json).toBe(false);
  });

  it.each<[string, string[], number]>([
    ['OLD NEW', ['a'], 2],
    ['OLD NEW', ['a', 'b'], 0],
    ['OLD NEW', ['a', 'b', 'c'], 2],
    ['FILE [OTHER]', [], 2],
    ['FILE [OTHER]', ['a'], 0],
    ['FILE [OTHER]', ['a', 'b'], 0],
    ['FILE [OTHER]', ['a', 'b', 'c'], 2],
    ['FILE...', [], 2],
    ['FILE...', ['a', 'b', 'c'], 0],
    ['FILE', ['-'], 0],
    ['FILE', ['--', '--json'], 0],
  ])('%s takes %j: exit %d', async (positionals, args, exit) => {
    const nouns = nounsWith(() => DONE, { positionals });
    expect((await runHoldfast(['thing', 'do', ...args], { nouns })).exit).toBe(exit);
  });
});

describe('--json', () => {
  it('prints one object, with ok in it', async () => {
    const data = { bytes: Uint8Array.of(10), map: new Map([['a', 1n]]) };
    const { out } = await runThing(['--json'], () => ({ ok: true, text: 'done', data }));
    expect(JSON.parse(out)).toEqual({ ok: true, bytes: '0a', map: { a: '1' } });
    const list = await runThing(['--json'], () => ({ ok: true, text: '', data: [1] }));
    expect(JSON.parse(list.out)).toEqual({ ok: true, result: [1] });
  });

  it('prints refusals there too, with code, message, details and cause', async () => {
    const finished = await runThing(['--json'], () => {
      const cause = new CliError('INPUT_TOO_LARGE', 'too long');
      throw Object.assign(new CliError('SECRET_EXISTS', 'no', { n: 1 }), { cause });
    });
    expect(finished.err).toBe('');
    expect(JSON.parse(finished.out)).toEqual({
      ok: false,
      error: {
        code: 'SECRET_EXISTS',
        message: 'no',
        details: { n: 1 },
        cause: { code: 'INPUT_TOO_LARGE', message: 'too long' },
        next: expect.stringContaining('--rotate'),
      },
    });
  });
});

describe('a terminal', () => {
  const refuse = (): never => {
    throw new CliError('SECRET_EXISTS', 'a\u001b[2Jb', { path: '\u202exod\n  forged: line' });
  };

  it('gets refusals in red, and nothing else gets colours', async () => {
    for (const name of ['NO_COLOR', 'NODE_DISABLE_COLORS', 'FORCE_COLOR']) vi.stubEnv(name, undefined);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    expect((await runThing([], refuse, { isTerminal: true })).err).toContain('\u001b[31m');
    expect((await runThing([], refuse)).err).not.toContain('\u001b');
  });

  it('is not moved, cleared or lied to by what an error quotes', async () => {
    const { err } = await runThing([], refuse);
    expect(err).toMatch(/^[\x20-\x7e\n]*$/);
    expect(err).not.toContain('\n  forged');
  });

  it('never shows the cause of an error that is not ours', async () => {
    const finished = await runThing([], () => {
      throw Object.assign(new CliError('KEY_FILE_MALFORMED', 'no'), { cause: new Error('c2VjcmV0') });
    });
    expect(finished.err).not.toContain('c2VjcmV0');
  });
});

describe('a noun without verbs', () => {
  const command = { name: 'thing', positionals: '[FILE]', options: {} };

  it('runs at once, with options and arguments', async () => {
    const nouns = nounsWith(({ positionals }) => ({ ...DONE, text: positionals.join() }), command);
    expect((await runHoldfast(['thing'], { nouns })).exit).toBe(0);
    expect((await runHoldfast(['thing', 'file'], { nouns })).out).toBe('file\n');
    expect((await runHoldfast(['thing', '--force'], { nouns })).exit).toBe(2);
    expect((await runHoldfast(['thing', '--help'], { nouns })).out).toContain('usage: holdfast thing [FILE]');
  });
});

describe('the version', () => {
  it.each([[['version']], [['--version']]])('is what %j prints', async (args) => {
    const { exit, out } = await runHoldfast(args);
    expect([exit, out]).toEqual([0, expect.stringMatching(/^holdfast [0-9]+\.[0-9]+\.[0-9]+ \(Node /)]);
    const { out: json } = await runHoldfast([...args, '--json']);
    expect(JSON.parse(json)).toMatchObject({ ok: true, node: process.versions.node });
  });
});

describe('--help', () => {
  it.each([
    [['--help']],
    [['-h']],
    [['help']],
    [['thing', '--help']],
    [['thing', '-h']],
    [['thing', 'do', '--help']],
    [['thing', 'do', '-h']],
  ])('is an answer, not an error: %j', async (args) => {
    const { exit, out, err } = await runHoldfast(args, { nouns: nounsWith(() => DONE) });
    expect([exit, err]).toEqual([0, '']);
    expect(out).toContain('thing');
  });

  it('is no help after --, where words are arguments', async () => {
    const nouns = nounsWith(({ positionals }) => ({ ...DONE, text: positionals.join() }), {
      positionals: 'FILE',
    });
    expect((await runHoldfast(['thing', 'do', '--', '-h'], { nouns })).out).toBe('-h\n');
  });

  it('runs nothing, whatever else is said', async () => {
    let isRun = false;
    const { exit, out } = await runThing(['--force', '--level', '--help'], () => {
      isRun = true;
      return DONE;
    });
    expect([exit, isRun]).toEqual([0, false]);
    expect(out).toContain('holdfast thing do --level 3');
  });
});

describe('every command', async () => {
  const loaded = await Promise.all(
    Object.entries(allNouns).map(async ([noun, { load }]) => ({ noun, commands: await load() })),
  );
  const commands = loaded.flatMap(({ noun, commands: all }) => all.map((command) => ({ noun, command })));

  it.each(commands.map(({ noun, command }) => [command.name, noun, command] as const))(
    '%s explains itself, with examples and every option',
    async (name, noun, command) => {
      expect(name === noun || /^[a-z][a-z-]*( [a-z][a-z-]*)?$/.test(name.slice(noun.length + 1))).toBe(true);
      expect(name.split(' ')[0]).toBe(noun);
      const { exit, out } = await runHoldfast([...name.split(' '), '--help']);
      expect(exit).toBe(0);
      expect(out).toContain(`usage: holdfast ${name}`);
      expect(command.examples.length).toBeGreaterThan(0);
      for (const option of [...Object.keys(command.options), 'json']) expect(out).toContain(`--${option}`);
      for (const { description } of Object.values(command.options)) expect(description).not.toBe('');
    },
  );

  it('has a name of its own', () => {
    const names = commands.map(({ command }) => command.name);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('a file that the user names', () => {
  const io = {
    stdin: Readable.from([]),
    stdout: new Writable(),
    stderr: new Writable(),
    signal: new AbortController().signal,
  };

  it('is read whole, and a longer one not at all', async () => {
    const folder = makeFolder();
    const path = folder.write('file', 'x'.repeat(100));
    expect(await readInput(path, io, 100)).toHaveLength(100);
    await expect(readInput(path, io, 99)).rejects.toMatchObject({ code: 'INPUT_TOO_LARGE' });
  });

  it('may be empty', async () => {
    expect(await readInput(makeFolder().write('file', ''), io, 10)).toHaveLength(0);
  });

  it('may never end', async () => {
    await expect(readInput('/dev/zero', io, MAX_INPUT_BYTES)).rejects.toMatchObject({
      code: 'INPUT_TOO_LARGE',
    });
  });

  it('is a usage error when it is not there, or a folder', async () => {
    await expect(readInput('/nowhere/file', io)).rejects.toBeInstanceOf(UsageError);
    await expect(readInput('/', io)).rejects.toBeInstanceOf(UsageError);
  });

  it('is given up on Ctrl-C', async () => {
    const abort = new AbortController();
    const stdin = new Readable({ read: () => {} });
    const finished = runThing(
      ['--json'],
      async ({ io: streams }) => {
        await readInput('-', streams);
        return DONE;
      },
      { stdin, signal: abort.signal },
    );
    abort.abort();
    expect(refusalIn(await finished)).toMatchObject({ exit: 1, code: 'INTERRUPTED' });
  });

  it('may be standard input, with the same limit', async () => {
    const read = (stdin: string) =>
      runThing(
        ['--json'],
        async ({ io: streams }) => ({
          ok: true,
          text: '',
          data: { length: (await readInput('-', streams, 10)).length },
        }),
        { stdin },
      );
    expect(JSON.parse((await read('0123456789')).out)).toEqual({ ok: true, length: 10 });
    expect(refusalIn(await read('0123456789a'))).toMatchObject({ exit: 1, code: 'INPUT_TOO_LARGE' });
  });
});
