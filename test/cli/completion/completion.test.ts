import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readGrammar } from '../../../cli/completion/grammar.ts';
import { nouns } from '../../../cli/nouns.ts';
import { runHoldfast } from '../in-process.ts';
import { makeFolder } from '../node-files.ts';

const has = (program: string, flag = '--version') => spawnSync(program, [flag]).status === 0;
const [hasBash, hasZsh, hasFish] = [has('bash'), has('zsh'), has('fish')];
for (const [shell, isThere] of Object.entries({ bash: hasBash, zsh: hasZsh, fish: hasFish })) {
  if (!isThere)
    process.stderr.write(`skipped: there is no ${shell} on this machine, its completion is not run\n`);
}
const grammar = await readGrammar(nouns);
const commands = grammar.flatMap((noun) => noun.commands);
const scripts = new Map<string, string>();
const folder = makeFolder();

beforeAll(async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { out } = await runHoldfast(['completion', shell]);
    scripts.set(shell, folder.write(`completion.${shell}`, out));
  }
  mkdirSync(folder.at('work/a folder'), { recursive: true });
  folder.write('work/policy one.json', '{}');
  folder.write('work/pcr.json', '{}');
});

type Complete = (line: string) => string[];
const lines = (text: string) =>
  text
    .split('\n')
    .map((one) => one.trimEnd())
    .filter((one) => one !== '');

/** Runs the function that bash would call for these words. */
const inBash: Complete = (line) => {
  const words = line.split(' ');
  const code = `
    source "$1"; shift
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _holdfast
    ((\${#COMPREPLY[@]} == 0)) || printf '%s\\n' "\${COMPREPLY[@]}"`;
  const args = ['--norc', '--noprofile', '-c', code, 'bash', scripts.get('bash') ?? '', ...words];
  const { stdout, stderr } = spawnSync('bash', args, { cwd: folder.at('work'), encoding: 'utf8' });
  expect(stderr).toBe('');
  return lines(stdout);
};

/** Asks fish what it would offer at the end of this line. */
const inFish: Complete = (line) => {
  const code = `source $argv[1]; complete -C $argv[2]`;
  const env = { ...process.env, HOME: folder.path, XDG_CONFIG_HOME: folder.path, XDG_DATA_HOME: folder.path };
  const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', code, scripts.get('fish') ?? '', line], {
    cwd: folder.at('work'),
    env,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return lines(stdout).map((one) => one.split('\t')[0] ?? '');
};

/** What an interactive zsh shows after TAB: its list of matches, or the line as completed. */
const inZsh: Complete = (line) => {
  const code = `
    zmodload zsh/zpty
    zpty -b z zsh -f -i
    zpty -w z 'PS1=; unsetopt zle_bracketed_paste; autoload -U compinit; compinit -u -D'
    zpty -w z "source $1"
    zpty -w z "zstyle ':completion:*' list-separator '@'; LISTMAX=0; setopt no_list_ambiguous; stty columns 200 rows 1000"
    zpty -w z 'bindkey "^X" list-choices; bindkey "^I" expand-or-complete; print READY'
    zpty -r z out '*READY*READY*'
    zpty -w -n z "$2"$'\\C-x'
    # Until nothing has come for two seconds.
    integer quiet=0
    while ((quiet < 20)); do
      sleep 0.1
      if zpty -r -t z part; then print -rn -- "$part"; quiet=0; else ((quiet += 1)); fi
    done
    zpty -d z`;
  const { stdout } = spawnSync('zsh', ['-f', '-c', code, 'zsh', scripts.get('zsh') ?? '', line], {
    cwd: folder.at('work'),
    encoding: 'utf8',
    timeout: 40_000,
  });
  // oxlint-disable-next-line no-control-regex
  return stdout.replaceAll(/\u001b\[[0-9;?]*[A-Za-z]|\r/g, '').split(/\s+|(?=holdfast)/);
};

describe.each<[string, boolean, Complete]>([
  ['bash', hasBash, inBash],
  ['zsh', hasZsh, inZsh],
  ['fish', hasFish, inFish],
])('completion in %s', (_, isThere, complete) => {
  describe.skipIf(!isThere)('(skipped where it is not there)', () => {
    it('offers every noun', () => {
      expect(complete('holdfast ')).toEqual(expect.arrayContaining(Object.keys(nouns)));
    });

    it('offers the verbs of a noun', () => {
      const verbs = ['render', 'close', 'lint', 'diff', 'gate', 'verify-record'];
      expect(complete('holdfast key-policy ')).toEqual(expect.arrayContaining(verbs));
    });

    it('offers the options of a command, and no others', () => {
      const offered = complete('holdfast attestation verify --');
      expect(offered).toEqual(expect.arrayContaining(['--pcrs', '--nonce', '--json', '--profile', '--help']));
      expect(offered).not.toContain('--digest');
    });

    it('offers files where an option or a command wants one, with blanks in their names', () => {
      const isFile = (offered: string[]) =>
        offered.join(' ').replaceAll('\\', '').includes('policy one.json');
      expect(isFile(complete('holdfast key-policy lint '))).toBe(true);
      expect(isFile(complete('holdfast key-policy lint x --manifest '))).toBe(true);
      expect(isFile(complete('holdfast attestation verify x --nonce '))).toBe(false);
      expect(isFile(complete('holdfast version '))).toBe(false);
    });

    it('offers codes to explain', () => {
      expect(complete('holdfast explain ROOT_')).toEqual(
        expect.arrayContaining(['ROOT_MISMATCH', 'ROOT_MALFORMED']),
      );
    });
  });
});

describe.skipIf(!hasBash)('completion in bash', () => {
  it('knows every command and every option of it', () => {
    for (const { words, options } of commands) {
      const line = ['holdfast', ...words].join(' ');
      expect(inBash(`${line} --`).toSorted()).toEqual(options.map(({ name }) => `--${name}`).toSorted());
    }
  });

  it('begins with what was typed, also after =', () => {
    expect(inBash('holdfast att')).toEqual(['attestation']);
    expect(inBash('holdfast attestation verify --pcrs = pc')).toEqual(['pcr.json']);
    expect(inBash('holdfast nothing ')).toEqual([]);
    expect(inBash('holdfast nothing at all --')).toEqual([]);
    expect(inBash('holdfast key-policy render --admin --')).toEqual([]);
  });

  it('offers folders alone where a folder is wanted', () => {
    expect(inBash('holdfast local up --state ')).toEqual(['a folder']);
  });

  it.skipIf(!has('script'))('works when somebody presses TAB', () => {
    const bin = makeFolder();
    chmodSync(bin.write('holdfast', '#!/bin/sh\nprintf "called:%s\\n" "$@"\n'), 0o755);
    const typed = `source ${scripts.get('bash')}\nholdfast attes\tver\t--pcrs pc\t\nexit\n`;
    const { stdout } = spawnSync('script', ['-qec', 'bash --norc --noprofile -i', '/dev/null'], {
      cwd: folder.at('work'),
      input: typed,
      encoding: 'utf8',
      env: { ...process.env, PATH: `${bin.path}:${process.env['PATH']}`, TERM: 'dumb', PS1: '' },
      timeout: 30_000,
    });
    expect(stdout.replaceAll('\r', '')).toContain(
      'called:attestation\ncalled:verify\ncalled:--pcrs\ncalled:pcr.json\n',
    );
  });
});

describe('the manual', () => {
  it('names every command and every option', async () => {
    const { exit, out } = await runHoldfast(['man']);
    expect(exit).toBe(0);
    const text = out.replaceAll('\\-', '-');
    for (const { words, options } of commands) {
      expect(text).toContain(`.SS "holdfast ${words.join(' ')}`);
      for (const { name } of options) expect(text).toContain(`.B --${name}`);
    }
  });

  it.skipIf(!has('man'))('is formatted without a warning', async () => {
    const page = folder.write('holdfast.1', (await runHoldfast(['man'])).out);
    const { status, stdout, stderr } = spawnSync('man', ['--warnings', '-l', page], {
      encoding: 'utf8',
      env: { ...process.env, MANWIDTH: '80', LC_ALL: 'C.UTF-8', MANPAGER: 'cat' },
    });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain('holdfast attestation verify DOC');
    expect(stdout).toMatch(/^ {7}--max-age SECONDS$/m);
  });

  it('is what the package names', () => {
    const file = readFileSync(resolve(import.meta.dirname, '../../../package.json'), 'utf8');
    expect(JSON.parse(file)).toMatchObject({ man: ['dist/man/holdfast.1'] });
  });
});
