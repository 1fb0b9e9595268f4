import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Command, CommandInput, OptionSpec } from '../../../cli/common/command.ts';
import type { Nouns } from '../../../cli/common/command.ts';
import { SETTING_NAMES, SETTINGS } from '../../../cli/common/settings.ts';
import { nouns as allNouns } from '../../../cli/nouns.ts';
import { refusalIn, runHoldfast, type RunOptions } from '../in-process.ts';
import { makeFolder } from '../node-files.ts';

const OPTIONS: Record<string, OptionSpec> = {
  root: { type: 'string', value: 'FILE', setting: 'root', description: 'a root' },
  url: { type: 'string', value: 'URL', setting: 'url', required: true, description: 'a url' },
  admin: { type: 'string', value: 'ARN', multiple: true, setting: 'admins', description: 'admins' },
  manifest: { type: 'string', setting: 'manifest', settingUnless: 'arn', description: 'a manifest' },
  arn: { type: 'string', description: 'instead of the manifest' },
};

/** Runs a command with these options, and gives what it got. */
async function read(args: readonly string[], options: RunOptions) {
  let seen: CommandInput | undefined;
  const command: Command = {
    name: 'thing do',
    summary: 'Does it.',
    positionals: '',
    options: OPTIONS,
    settings: ['status'],
    examples: ['holdfast thing do'],
    run: (input) => {
      seen = input;
      return Promise.resolve({ ok: true, text: '', data: {} });
    },
  };
  const nouns: Nouns = { thing: { summary: 'things', load: () => Promise.resolve([command]) } };
  const finished = await runHoldfast(['thing', 'do', ...args], { nouns, ...options });
  return {
    ...finished,
    text: (name: string) => seen?.text(name),
    texts: (name: string) => seen?.texts(name),
    seen,
  };
}

const YAML = 'url: https://file:1\nroot: root.pem\nadmins: [a, b]\nmanifest: m.json\nstatus: http://file:2\n';

describe('a profile', () => {
  it('fills in what was not typed, from holdfast.yaml in the folder of the call', async () => {
    const folder = makeFolder();
    folder.write('holdfast.yaml', YAML);
    const { exit, text, texts, seen } = await read([], { folder: folder.path });
    expect(exit).toBe(0);
    expect([text('url'), text('root'), text('manifest')]).toEqual([
      'https://file:1',
      folder.at('root.pem'),
      folder.at('m.json'),
    ]);
    expect(texts('admin')).toEqual(['a', 'b']);
    expect(seen?.setting('status')).toBe('http://file:2');
  });

  it('yields to the environment, and both to what was typed', async () => {
    const folder = makeFolder();
    folder.write('holdfast.yaml', YAML);
    const env = { HOLDFAST_URL: 'https://env:1', HOLDFAST_ADMINS: 'c, d', HOLDFAST_ROOT: '' };
    const fromEnv = await read([], { folder: folder.path, env });
    expect([fromEnv.text('url'), fromEnv.texts('admin')]).toEqual(['https://env:1', ['c', 'd']]);
    // A variable that is empty is not set.
    expect(fromEnv.text('root')).toBe(folder.at('root.pem'));
    const typed = await read(['--url', 'https://typed:1', '--admin', 'e'], { folder: folder.path, env });
    expect([typed.text('url'), typed.texts('admin')]).toEqual(['https://typed:1', ['e']]);
  });

  it('lies where --profile, then HOLDFAST_PROFILE says, with its files beside it', async () => {
    const folder = makeFolder();
    mkdirSync(folder.at('other'));
    folder.write('holdfast.yaml', YAML);
    folder.write('other/staging.yaml', 'url: https://staging:1\nroot: ../root.der');
    const named = await read(['--profile', 'other/staging.yaml'], { folder: folder.path });
    expect([named.text('url'), named.text('root')]).toEqual(['https://staging:1', folder.at('root.der')]);
    const env = { HOLDFAST_PROFILE: folder.at('other/staging.yaml') };
    expect((await read([], { folder: folder.path, env })).text('url')).toBe('https://staging:1');
    const none = await read(['--profile', 'none', '--url', 'x'], { folder: folder.path, env });
    expect([none.text('url'), none.text('root')]).toEqual(['x', undefined]);
  });

  it('is not looked for anywhere else', async () => {
    const folder = makeFolder();
    mkdirSync(folder.at('below'));
    folder.write('holdfast.yaml', YAML);
    expect((await read([], { folder: folder.at('below') })).exit).toBe(2);
  });

  it('a setting does not hold beside what excludes it', async () => {
    const folder = makeFolder();
    folder.write('holdfast.yaml', YAML);
    expect((await read(['--arn', 'x'], { folder: folder.path })).text('manifest')).toBeUndefined();
  });

  it('says of a missing option how else it may be given', async () => {
    const { exit, err } = await read([], { folder: makeFolder().path });
    expect(exit).toBe(2);
    expect(err).toContain('--url is required: here, as HOLDFAST_URL, or as url in holdfast.yaml');
  });

  it('says which root it brings in, since verdicts rest on it', async () => {
    const folder = makeFolder();
    folder.write('holdfast.yaml', YAML);
    expect((await read([], { folder: folder.path })).err).toBe(
      `root from ${folder.at('holdfast.yaml')}: ${folder.at('root.pem')}\n`,
    );
    expect((await read(['--root', 'x'], { folder: folder.path })).err).toBe('');
    expect((await read(['--json'], { folder: folder.path })).err).toBe('');
  });
});

describe('a profile is refused', () => {
  it.each([
    ['an unknown field', 'urls: https://x:1', { field: 'urls' }],
    ['a field of an option, not of a setting', 'node-role: arn', { field: 'node-role' }],
    ['__proto__', '__proto__: {}', { field: '__proto__' }],
    ['a number', 'client: 17', { field: 'client' }],
    ['nothing for a value', 'client:', { field: 'client' }],
    ['an empty value', 'client: ""', { field: 'client' }],
    ['an empty list', 'admins: []', { field: 'admins' }],
    ['a list where one belongs', 'client: [a]', { field: 'client' }],
    ['a list in a list', 'admins: [[a]]', { field: 'admins' }],
    ['a control character', 'client: "a\\u001bb"', { field: 'client' }],
    ['a value without end', `client: ${'a'.repeat(5000)}`, { field: 'client' }],
    ['a list for the whole', '- a', {}],
    ['text for the whole', 'abc', {}],
    ['a field twice', 'client: a\nclient: b', { line: expect.any(Number) }],
    ['an alias', 'client: &a x\nkey: *a', {}],
    ['no YAML', 'client: [', { line: expect.any(Number) }],
    ['too much', `# ${'a'.repeat(70_000)}`, { maximum: 65_536 }],
  ])('for %s', async (_, yaml, details) => {
    const folder = makeFolder();
    folder.write('holdfast.yaml', yaml);
    const finished = await read(['--json', '--url', 'x'], { folder: folder.path });
    expect(refusalIn(finished)).toMatchObject({ exit: 1, code: 'PROFILE_MALFORMED', details });
  });

  it('when a key stands in it, and never prints it', async () => {
    const folder = makeFolder();
    folder.write('holdfast.yaml', 'key: |\n  -----BEGIN PRIVATE KEY-----\n  c2VjcmV0\n');
    const finished = await read(['--url', 'x'], { folder: folder.path });
    expect(finished.exit).toBe(1);
    expect(finished.out + finished.err).toContain('PROFILE_MALFORMED');
    expect(finished.out + finished.err).not.toContain('c2VjcmV0');
  });

  it('when others may write it', async () => {
    const folder = makeFolder();
    const path = folder.write('holdfast.yaml', YAML);
    for (const mode of [0o664, 0o646]) {
      chmodSync(path, mode);
      const finished = await read(['--json'], { folder: folder.path });
      expect(refusalIn(finished)).toMatchObject({ exit: 1, code: 'PROFILE_EXPOSED' });
    }
    chmodSync(path, 0o644);
    expect((await read([], { folder: folder.path })).exit).toBe(0);
  });

  it('when it is a link: whoever owns the folder would choose which file is read, and what lies beside it', async () => {
    const folder = makeFolder();
    mkdirSync(folder.at('lab'));
    folder.write('lab/holdfast.yaml', YAML);
    symlinkSync('lab/holdfast.yaml', folder.at('holdfast.yaml'));
    const finished = await read(['--json'], { folder: folder.path });
    expect(refusalIn(finished)).toMatchObject({ exit: 1, code: 'PROFILE_EXPOSED' });
    // Who names it means it.
    const named = await read(['--profile', 'holdfast.yaml'], { folder: folder.path });
    expect(named.text('url')).toBe('https://file:1');
  });

  it('when it is a pipe that nobody writes to, and is not waited for', async () => {
    const folder = makeFolder();
    execFileSync('mkfifo', ['-m', '666', folder.at('holdfast.yaml')]);
    const finished = await read(['--json'], { folder: folder.path });
    expect(refusalIn(finished)).toMatchObject({ exit: 1, code: 'PROFILE_EXPOSED' });
  });

  it('as a usage error when it is named and not there', async () => {
    const folder = makeFolder();
    expect((await read(['--profile', 'no.yaml', '--url', 'x'], { folder: folder.path })).exit).toBe(2);
    const env = { HOLDFAST_PROFILE: '/nowhere.yaml' };
    expect((await read(['--url', 'x'], { folder: folder.path, env })).exit).toBe(2);
  });

  it('only by commands that use it', async () => {
    const folder = makeFolder();
    folder.write('holdfast.yaml', '- broken');
    expect((await runHoldfast(['version'], { folder: folder.path })).exit).toBe(0);
    expect((await runHoldfast(['version', '--profile', 'x'], { folder: folder.path })).exit).toBe(2);
  });
});

describe('holdfast profile show', () => {
  it('prints every setting with its value and origin', async () => {
    const folder = makeFolder();
    folder.write('holdfast.yaml', YAML);
    const options = { folder: folder.path, env: { HOLDFAST_CLIENT: 'wallet' } };
    const { exit, out } = await runHoldfast(['profile', 'show'], options);
    expect(exit).toBe(0);
    for (const name of SETTING_NAMES) expect(out).toContain(name);
    expect(out).toMatch(/client +wallet\n +HOLDFAST_CLIENT\n/);
    expect(out).toMatch(/key +-\n +not set; HOLDFAST_KEY/);
    const { out: json } = await runHoldfast(['profile', 'show', '--json'], options);
    const origin = folder.at('holdfast.yaml');
    expect(JSON.parse(json)).toMatchObject({
      path: origin,
      settings: {
        client: { value: 'wallet', origin: 'HOLDFAST_CLIENT' },
        root: { value: join(folder.path, 'root.pem'), origin },
        admins: { value: ['a', 'b'], origin },
      },
    });
  });

  it('says when there is none', async () => {
    const { exit, out } = await runHoldfast(['profile', 'show'], { folder: makeFolder().path });
    expect([exit, out]).toEqual([0, expect.stringContaining('no holdfast.yaml')]);
  });
});

describe('the settings of the commands', () => {
  it('are those of an option that takes as many values, and each is used', async () => {
    const commands = (await Promise.all(Object.values(allNouns).map(({ load }) => load()))).flat();
    const options = commands.flatMap(({ options: own }) => Object.values(own));
    const wrong = options.filter(
      ({ setting, multiple = false }) => setting !== undefined && SETTINGS[setting].isList && !multiple,
    );
    expect(wrong).toEqual([]);
    const used = new Set([
      ...options.flatMap(({ setting }) => setting ?? []),
      ...commands.filter(({ name }) => name !== 'profile show').flatMap(({ settings = [] }) => settings),
    ]);
    expect([...used].toSorted()).toEqual([...SETTING_NAMES].toSorted());
  });

  it('never take a key that signs for somebody but the client', async () => {
    const commands = (await Promise.all(Object.values(allNouns).map(({ load }) => load()))).flat();
    const users = commands.filter(({ options }) =>
      Object.values(options).some(({ setting }) => setting === 'key'),
    );
    expect(users.map(({ name }) => name).toSorted()).toEqual([
      'ers backup',
      'ers status',
      'ers submit',
      'node explain',
      'node keys',
      'node pools',
      'node requests',
      'node resume',
      'node sign',
      'quorum keys generate',
      'quorum keys import',
      'quorum keys list',
      'quorum refresh',
      'quorum repair',
      'quorum reshare',
      'quorum sign',
      'quorum status',
      'quorum transcript get',
      'quorum wait',
    ]);
  });
});
