import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Command, Io } from '../../cli/common/command.ts';
import { nouns } from '../../cli/nouns.ts';
import { type ResolvedProfile, resolveProfile } from '../../cli/common/resolved-profile.ts';
import { SETTING_NAMES, SETTINGS } from '../../cli/common/settings.ts';
import { readGatewayFile } from '../../cli/gateway/config-file.ts';
import { parseInput } from '../../cli/run.ts';
import { runHoldfast } from './in-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** The pages that tell people what to type, held against what there is to be typed. */

const ROOT = join(import.meta.dirname, '../..');
const OWN_NAME = 'test/cli/documents.test.ts';
const PAGES = [
  'README.md',
  'ARCHITECTURE.md',
  'SECURITY.md',
  'client/README.md',
  'bench/README.md',
  ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`),
].filter((name) => name.endsWith('.md'));
/** How a page calls the command: in a working copy, on a host, as root. */
const CALL =
  /(?:^|[\s(])(?:\.\/holdfast|npx --no holdfast|\/opt\/holdfast\/bin\/holdfast|holdfast) (?=[a-z])/;
const io: Io = {
  stdin: Readable.from([]),
  stdout: new Writable(),
  stderr: new Writable(),
  signal: new AbortController().signal,
};

/** What is not typed there, the page itself has in a file. */
const PROFILE_PAGE = 'docs/profiles.md';
/** Pages whose commands are called beside a holdfast.yaml. */
const WITH_PROFILE = new Set([PROFILE_PAGE, 'docs/quorum.md']);
let profile: ResolvedProfile;
let commands: ReadonlyMap<string, Command>;
beforeAll(async () => {
  const folder = temporaryFolder();
  const [yaml] = blocksOf(PROFILE_PAGE).filter(({ language }) => language === 'yaml');
  writeFileSync(join(folder, 'holdfast.yaml'), yaml?.text ?? '');
  profile = await resolveProfile({ named: undefined, env: {}, folder });
  const loaded = await Promise.all(Object.values(nouns).map(async ({ load }) => await load()));
  commands = new Map(loaded.flat().map((command) => [command.name, command]));
}, 180_000);

const read = (page: string) => readFileSync(join(ROOT, page), 'utf8');

interface Block {
  readonly language: string;
  readonly text: string;
}

function blocksOf(page: string): Block[] {
  return [...read(page).matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({
    language,
    text,
  }));
}

/** Lines of shell, continued ones put together. */
function linesOf({ text }: Block): string[] {
  return text.replaceAll(/\\\n\s*/g, ' ').split('\n');
}

/** The words of the first simple command in a text: until what a shell takes for its end. */
function wordsOf(text: string): string[] {
  const words: string[] = [];
  let [word, quote, depth]: [string | undefined, string, number] = [undefined, '', 0];
  for (const character of text) {
    if (quote !== '') {
      if (character === quote) quote = '';
      else word = `${word ?? ''}${character}`;
    } else if (depth > 0) {
      depth += character === '(' ? 1 : character === ')' ? -1 : 0;
    } else if (character === '(' && word?.endsWith('$') === true) {
      depth = 1;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= '';
    } else if (/[|;&<>()]/.test(character) || (character === '#' && word === undefined)) {
      break;
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = `${word ?? ''}${character}`;
    }
  }
  return word === undefined ? words : [...words, word];
}

interface Call {
  readonly page: string;
  readonly line: string;
  readonly words: readonly string[];
  /** With brackets or dots for what is left out: only its options can be held against the command. */
  readonly isSynopsis: boolean;
}

function callsOf(page: string): Call[] {
  const shell = blocksOf(page).filter(({ language }) => ['', 'sh', 'bash'].includes(language));
  return shell.flatMap(linesOf).flatMap((line) => {
    const isSynopsis = /\[--|\s\.\.\.|…|\{[a-z]+\}/.test(line);
    const rest = isSynopsis ? line.replaceAll(/[[\]|]|\.\.\.|…/g, ' ') : line;
    const calls: Call[] = [];
    for (let text = rest, at = CALL.exec(text); at !== null; at = CALL.exec(text)) {
      text = text.slice(at.index + at[0].length);
      calls.push({ page, line, words: wordsOf(text), isSynopsis });
    }
    return calls;
  });
}

/** The command that these words begin with, and what is left of them. */
function find(words: readonly string[]): { command: Command | undefined; rest: readonly string[] } {
  const [noun = '', verb = '', second = ''] = words;
  const own = commands.get(noun);
  if (own !== undefined) return { command: own, rest: words.slice(1) };
  const longer = commands.get(`${noun} ${verb} ${second}`);
  if (longer !== undefined) return { command: longer, rest: words.slice(3) };
  return { command: commands.get(`${noun} ${verb}`), rest: words.slice(2) };
}

const calls = PAGES.flatMap(callsOf);

describe('what the pages tell people to type', () => {
  it('is found by this test', () => {
    expect(calls.length).toBeGreaterThan(40);
    expect(calls.filter(({ isSynopsis }) => !isSynopsis).length).toBeGreaterThan(30);
    expect(wordsOf(`sign "a b" --x $(cat f | g) 'c;d' > out`)).toEqual(['sign', 'a b', '--x', '$', 'c;d']);
  });

  it.each(calls.map((call) => [call.page, call.line.trim(), call] as const))(
    '%s: %s',
    (page, _line, { words, isSynopsis }) => {
      const { command, rest } = find(words);
      expect(command, `no command "${words.slice(0, 2).join(' ')}"`).toBeDefined();
      if (command === undefined) return;
      if (!isSynopsis) {
        expect(() =>
          parseInput(command, rest, io, WITH_PROFILE.has(page) ? profile : undefined),
        ).not.toThrow();
        return;
      }
      const known = new Set([...Object.keys(command.options), 'json', 'help']);
      const named = rest.flatMap((word) => /^--([a-z][a-z0-9-]*)/.exec(word)?.[1] ?? []);
      expect(named.filter((name) => !known.has(name))).toEqual([]);
    },
  );

  it('has every setting in its page, and in the file that it shows', () => {
    const page = read(PROFILE_PAGE);
    for (const name of SETTING_NAMES)
      expect(page).toMatch(new RegExp(`\\| \`${name}\` +\\| \`${SETTINGS[name].variable}\``));
    expect([...profile.settings.keys()].toSorted()).toEqual([...SETTING_NAMES].toSorted());
  });

  it('names only commands that there are, in the text too', () => {
    const named = PAGES.flatMap((page) =>
      [...read(page).matchAll(/`(?:\.\/|npx --no )?holdfast ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)?)/g)].map(
        ([, words = '']) => ({ page, words: words.split(' ') }),
      ),
    );
    expect(named.length).toBeGreaterThan(10);
    const wrong = named.filter(({ words: [noun = '', verb] }) => {
      if (!Object.hasOwn(nouns, noun)) return true;
      // A group of verbs is named as well as a verb: `quorum keys`.
      const isGroup = [...commands.keys()].some((name) => name.startsWith(`${noun} ${verb ?? ''} `));
      return verb !== undefined && !commands.has(noun) && !commands.has(`${noun} ${verb}`) && !isGroup;
    });
    expect(wrong).toEqual([]);
  });

  it('never has npx ask a registry: a name that nobody holds is anybody’s', () => {
    const files = globSync(['**/*.{md,ts,js,sh,yaml}', 'Makefile'], {
      cwd: ROOT,
      exclude: ['**/node_modules', 'dist', 'build', 'test/vectors'],
    }).filter((name) => name !== OWN_NAME);
    const asking = files.flatMap((name) =>
      read(name)
        .split('\n')
        .filter((line) => /npx (?!--no )[^\n]*holdfast/.test(line) && !line.includes('without `--no`'))
        .map((line) => `${name}: ${line.trim()}`),
    );
    expect(files.length).toBeGreaterThan(300);
    expect(asking).toEqual([]);
  });

  it('is shell', () => {
    const blocks = PAGES.flatMap((page) =>
      blocksOf(page)
        .filter(({ language }) => language === 'sh')
        .map(({ text }) => ({ page, text })),
    );
    expect(blocks.length).toBeGreaterThan(15);
    const refused = blocks.filter(({ text }) => spawnSync('bash', ['-n'], { input: text }).status !== 0);
    expect(refused).toEqual([]);
  });

  it('calls scripts that there are, with options that they have', () => {
    const scripts = PAGES.flatMap((page) =>
      blocksOf(page)
        .flatMap(linesOf)
        .flatMap((line) => {
          const at = /(?:^|[\s(])(scripts\/[a-z/-]+(?:\.sh)?)(?= |$)/.exec(line);
          return at === null ? [] : [{ page, script: at[1] ?? '', words: wordsOf(line.slice(at.index + 1)) }];
        }),
    );
    expect(scripts.length).toBeGreaterThan(5);
    const wrong = scripts.filter(({ script, words }) => {
      const files = [script, `${script}.ts`].map((name) => join(ROOT, name)).filter(existsSync);
      const source = files.map((name) => readFileSync(name, 'utf8')).join('\n');
      return files.length === 0 || words.some((word) => word.startsWith('--') && !source.includes(word));
    });
    expect(wrong).toEqual([]);
  });

  it('leads to pages that there are', () => {
    const broken = PAGES.flatMap((page) =>
      [...read(page).matchAll(/\]\(([^)#\s]+)(#[^)]*)?\)/g)]
        .map(([, target = '']) => target)
        .filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(ROOT, dirname(page), target)))
        .map((target) => `${page}: ${target}`),
    );
    expect(broken).toEqual([]);
  });
});

describe('the parent.yaml of a page', () => {
  it('is one that the parent takes', async () => {
    const { parseParentConfig } = await import('../../parent/config/parse.ts');
    const files = blocksOf('docs/aws.md').filter(
      ({ language, text }) => language === 'yaml' && text.includes('enclave:'),
    );
    expect(files).toHaveLength(1);
    expect(files.map(({ text }) => parseParentConfig(text).enclave.image)).toEqual([
      '/etc/holdfast/enclave.eif',
    ]);
  });
});

describe('the files of the page about doors', () => {
  const yaml = () =>
    blocksOf('docs/gateways.md')
      .filter(({ language }) => language === 'yaml')
      .map(({ text }) => text);
  const write = (name: string, text: string) => {
    const path = join(temporaryFolder(), name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };

  it('has a gateway.yaml that a door takes', async () => {
    const [text = ''] = yaml().filter((block) => block.includes('\nkms:'));
    const { kms, probes } = await readGatewayFile(write('gateway.yaml', text));
    expect(kms?.credentials.map(({ client }) => client)).toEqual(['backend']);
    expect(probes?.port).toBe(9470);
  });

  it('has profiles that the command takes', async () => {
    const [text = ''] = yaml().filter((block) => block.startsWith('url:'));
    const folder = dirname(write('holdfast.yaml', text));
    const resolved = await resolveProfile({ named: join(folder, 'holdfast.yaml'), env: {}, folder });
    expect(resolved.settings.get('pcrs')).toBeDefined();
  });

  it('has a list of validators that is rendered', async () => {
    const [text = ''] = yaml().filter((block) => block.startsWith('format: holdfast-canton/1'));
    const path = write('canton.yaml', text);
    const output = join(dirname(path), 'rendered');
    const { exit, out } = await runHoldfast(['canton', 'render', path, '--output', output]);
    expect(out).toContain('1 of 1 validators with KMS on');
    expect(exit).toBe(0);
  });
});
