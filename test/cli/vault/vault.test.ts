import { createPublicKey } from 'node:crypto';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseVault } from '../../../admin/vault/index.ts';
import { encodeVault, makeSampleVault, sampleKey } from '../../admin/vault/sample-vault.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { refusalIn, runHoldfast } from '../in-process.ts';

let folder: string;
const at = (name: string) => join(folder, name);
beforeEach(() => {
  folder = temporaryFolder();
});

const INIT = ['--namespace', 'acme', '--region', 'eu-central-1'];
const init = (...more: string[]) =>
  runHoldfast(['vault', 'init', '--vault', at('vault.yaml'), ...INIT, ...more, '--json']);
const joinAs = (role: string, account: string, ...more: string[]) =>
  runHoldfast([
    'vault',
    'join',
    '--role',
    role,
    '--account',
    account,
    '--admin',
    `arn:aws:iam::${account}:role/a`,
    '--admin',
    `arn:aws:iam::${account}:role/b`,
    '--keys',
    at('keys'),
    '--output',
    at(`${role}.join.json`),
    ...more,
    '--json',
  ]);
const refusalOrText = ({ out, err }: Awaited<ReturnType<typeof runHoldfast>>): string => out + err;
/** Content of a sample vault in the file of that name. */
function save(change?: Parameters<typeof makeSampleVault>[0]): string {
  writeFileSync(at('vault.yaml'), encodeVault(makeSampleVault(change)));
  return at('vault.yaml');
}

describe('holdfast vault init', () => {
  it('writes a vault.yaml in which everything is said or open, and a second time changes nothing', async () => {
    expect(JSON.parse((await init()).out)).toMatchObject({ ok: true, changed: true });
    const content = readFileSync(at('vault.yaml'));
    const { mtimeMs, ino } = statSync(at('vault.yaml'));
    expect(parseVault(content)).toMatchObject({ namespace: 'acme', threshold: 2 });
    expect(JSON.parse((await init()).out)).toMatchObject({ ok: true, changed: false });
    expect(readFileSync(at('vault.yaml'))).toEqual(content);
    expect(statSync(at('vault.yaml'))).toMatchObject({ mtimeMs, ino });
  });

  it('names keys that are to be recovered by their public keys, which the check knows', async () => {
    const lost = sampleKey('lost');
    expect((await init('--recover', `treasury:frost-ed25519:${lost}`)).exit).toBe(0);
    expect(parseVault(readFileSync(at('vault.yaml'))).tenant.keys).toEqual([
      { id: 'treasury', type: 'frost-ed25519', networks: [], publicKey: lost },
    ]);
    const { out, err } = await runHoldfast(['vault', 'check', '--vault', at('vault.yaml')]);
    expect(out + err).toContain('KEY_TO_RECOVER');
    for (const wrong of [
      'treasury',
      `treasury:ed25519:${lost}`,
      `treasury:frost-ed25519:${lost.slice(2)}`,
      `:frost-ed25519:${lost}`,
    ])
      expect((await init('--recover', wrong)).exit).toBe(2);
  });

  it('never overwrites a vault.yaml that says something else', async () => {
    writeFileSync(at('vault.yaml'), 'mine');
    expect(refusalIn(await init())).toMatchObject({ exit: 1, code: 'VAULT_EXISTS' });
    expect(readFileSync(at('vault.yaml'), 'utf8')).toBe('mine');
  });

  it('puts together what the roles have written', async () => {
    const accounts = { infrastructure: '444455556666', 'node-1': '111111111111', 'node-2': '222222222222' };
    for (const [role, account] of Object.entries(accounts)) await joinAs(role, account);
    const joins = Object.keys(accounts).flatMap((role) => ['--join', at(`${role}.join.json`)]);
    expect((await init(...joins, '--nodes', '2')).exit).toBe(0);
    const document = parseVault(readFileSync(at('vault.yaml')));
    expect(document.nodes.map(({ account }) => account)).toEqual(['111111111111', '222222222222']);
    const own = JSON.parse(readFileSync(at('node-2.join.json'), 'utf8')) as {
      statementKey: string;
      authorityKey: string;
    };
    expect(document.nodes[1]).toMatchObject({
      statementKey: own.statementKey,
      configurationAuthority: { keys: [own.authorityKey] },
    });
  });

  it('says who has told nothing yet, and how theirs comes in', async () => {
    for (const [role, account] of [
      ['infrastructure', '444455556666'],
      ['node-2', '222222222222'],
    ] as const)
      await joinAs(role, account);
    const joins = ['infrastructure', 'node-2'].flatMap((role) => ['--join', at(`${role}.join.json`)]);
    const words = ['vault', 'init', '--vault', at('vault.yaml'), ...INIT, ...joins];
    const { out } = await runHoldfast(words);
    expect(out).toContain('NOT TOLD YET: node-1, node-3;');
    expect(out).toContain('--join node-1.join.json --join node-3.join.json');
    expect(JSON.parse((await runHoldfast([...words, '--json'])).out)).toMatchObject({
      missing: ['node-1', 'node-3'],
    });
  });

  it('refuses two files of one role, and files of other things', async () => {
    await joinAs('node-1', '111111111111');
    const twice = ['--join', at('node-1.join.json'), '--join', at('node-1.join.json')];
    expect(refusalIn(await init(...twice))).toMatchObject({ exit: 1, code: 'VAULT_JOIN_REPEATED' });
    writeFileSync(at('odd.json'), '{"format":"holdfast-vault-join/1","role":"node-99"}');
    expect(refusalIn(await init('--join', at('odd.json')))).toMatchObject({
      exit: 1,
      code: 'VAULT_JOIN_MALFORMED',
    });
    expect(existsSync(at('vault.yaml'))).toBe(false);
  });

  it('asks at a terminal for what no option says', async () => {
    const stdin = new PassThrough();
    const asked = Promise.withResolvers<void>();
    const running = runHoldfast(
      [
        'vault',
        'init',
        '--vault',
        at('vault.yaml'),
        '--environment',
        'staging',
        '--region',
        'eu-west-1',
        '--threshold',
        '3',
        '--release',
        '2.0.0',
        '--from',
        './r',
      ],
      {
        stdin,
        isTerminal: true,
        onStderr: (text) => {
          if (text.includes('How many')) asked.resolve();
        },
      },
    );
    stdin.write('acme\n');
    await asked.promise;
    stdin.write('4\n');
    const { exit, err } = await running;
    expect([exit, err.includes('How many policy nodes? [3]')]).toEqual([0, true]);
    expect(parseVault(readFileSync(at('vault.yaml'))).nodes).toHaveLength(4);
  });

  it.each([
    [['--nodes', '0']],
    [['--nodes', '33']],
    [['--threshold', '4']],
    [['--namespace', 'Acme']],
    [['--region', 'Frankfurt']],
    [['--release', 'latest']],
    [['--namespace', 'a\nformat: x']],
    [['--from', 's3://b/\nx: y']],
  ])('takes no %j, and says what it takes', async (options) => {
    const { exit, out, err } = await init(...options);
    expect([exit, out + err]).toEqual([2, expect.stringContaining(`${options[0]} is `)]);
    expect(existsSync(at('vault.yaml'))).toBe(false);
  });
});

describe('holdfast vault join', () => {
  it('makes keys once, for their owner alone, and never another one', async () => {
    await joinAs('node-1', '111111111111');
    const key = readFileSync(at('keys/node-1.statement.pem'), 'utf8');
    for (const name of ['node-1.statement.pem', 'node-1.authority.pem'])
      expect(statSync(at(`keys/${name}`)).mode & 0o777).toBe(0o600);
    expect(statSync(at('keys')).mode & 0o777).toBe(0o700);
    const first = readFileSync(at('node-1.join.json'), 'utf8');
    await joinAs('node-1', '111111111111');
    expect(readFileSync(at('keys/node-1.statement.pem'), 'utf8')).toBe(key);
    expect(readFileSync(at('node-1.join.json'), 'utf8')).toBe(first);
  });

  it('says a second time that all is the same, and never tells something else in its place', async () => {
    expect(JSON.parse((await joinAs('node-1', '111111111111')).out)).toMatchObject({ changed: true });
    const first = readFileSync(at('node-1.join.json'), 'utf8');
    expect(JSON.parse((await joinAs('node-1', '111111111111')).out)).toMatchObject({ changed: false });
    const other = await joinAs('node-1', '222222222222');
    expect(refusalIn(other)).toMatchObject({ exit: 1, code: 'VAULT_JOIN_EXISTS' });
    rmSync(at('keys'), { recursive: true });
    const gone = await joinAs('node-1', '111111111111');
    expect(refusalIn(gone)).toMatchObject({ exit: 1, code: 'VAULT_JOIN_EXISTS' });
    expect(existsSync(at('keys/node-1.statement.pem'))).toBe(false);
    expect(readFileSync(at('node-1.join.json'), 'utf8')).toBe(first);
  });

  it('says what it told otherwise before', async () => {
    await joinAs('node-1', '111111111111');
    const other = await joinAs('node-1', '222222222222');
    expect((JSON.parse(other.out) as { error: { details: object } }).error.details).toMatchObject({
      differs: 'account, admins',
    });
    writeFileSync(at('node-1.join.json'), 'x');
    expect(refusalIn(await joinAs('node-1', '111111111111'))).toMatchObject({ code: 'VAULT_JOIN_EXISTS' });
  });

  it('takes no admin of another account, from an option or in a file that somebody has written', async () => {
    const elsewhere = await joinAs('node-1', '111111111111', '--admin', 'arn:aws:iam::999999999999:role/x');
    expect([elsewhere.exit, elsewhere.out + elsewhere.err]).toEqual([
      2,
      expect.stringContaining('role/x is of account 999999999999, and the role has account 111111111111'),
    ]);
    expect(existsSync(at('keys'))).toBe(false);
    await joinAs('node-1', '111111111111');
    const file = readFileSync(at('node-1.join.json'), 'utf8').replace('"111111111111"', '"121111111111"');
    writeFileSync(at('node-1.join.json'), file);
    expect(refusalIn(await init('--join', at('node-1.join.json')))).toMatchObject({
      exit: 1,
      code: 'VAULT_JOIN_MALFORMED',
    });
  });

  it('writes and prints no private key', async () => {
    const { out, err } = await joinAs('node-1', '111111111111');
    const secret = readFileSync(at('keys/node-1.statement.pem'), 'utf8').split('\n')[1] ?? '';
    for (const text of [out, err, readFileSync(at('node-1.join.json'), 'utf8')])
      expect(text).not.toContain(secret);
  });

  it('refuses what no vault.yaml could have before it makes a key', async () => {
    for (const [finished, option] of [
      [await joinAs('node-0', '111111111111'), '--role: '],
      [await joinAs('node-1', '1'), '--account: expected an account'],
      [await joinAs('boss', '111111111111'), '--role: expected infrastructure or node-1'],
      [await joinAs('node-1', '111111111111', '--admin', 'somebody'), '--admin: expected the ARN'],
      [
        await joinAs('node-1', '111111111111', '--recovery-key', 'zz'),
        '--recovery-key: expected 64 hex digits',
      ],
    ] as const) {
      expect([finished.exit, finished.out + finished.err]).toEqual([2, expect.stringContaining(option)]);
    }
    expect(existsSync(at('keys'))).toBe(false);
  });

  it('reads no key that others may read, and replaces none that is damaged', async () => {
    await joinAs('node-1', '111111111111');
    writeFileSync(at('keys/node-1.statement.pem'), 'damaged');
    expect(refusalIn(await joinAs('node-1', '111111111111'))).toMatchObject({
      exit: 1,
      code: 'KEY_FILE_MALFORMED',
    });
    expect(readFileSync(at('keys/node-1.statement.pem'), 'utf8')).toBe('damaged');
  });
});

describe('what holdfast vault join prints as the next command', () => {
  it('is one that makes the description, as printed but for the names that people agree on', async () => {
    for (const [role, account] of [
      ['infrastructure', '444455556666'],
      ['node-1', '111111111111'],
    ] as const)
      await joinAs(role, account);
    const [role, account, name] = ['infrastructure', '444455556666', 'infrastructure.join.json'];
    const words = ['vault', 'join', '--role', role, '--account', account, '--output', at(name)];
    const admins = ['a', 'b'].flatMap((one) => ['--admin', `arn:aws:iam::${account}:role/${one}`]);
    const { out } = await runHoldfast([...words, ...admins, '--keys', at('keys')]);
    const [, next = ''] = /holdfast (vault init .*?) and so on/.exec(out) ?? [];
    const typed = next
      .replace('NAME', 'acme')
      .replace('REGION', 'eu-central-1')
      .replace(' node-1.join.json', ` ${at('node-1.join.json')}`)
      .split(' ');
    expect((await runHoldfast([...typed, '--vault', at('vault.yaml')])).exit).toBe(0);
    expect(parseVault(readFileSync(at('vault.yaml'))).infrastructure.account).toBe(account);
  });

  it('is of a node one that "vault fetch" takes', async () => {
    const said = await runHoldfast(
      `vault join --role node-1 --account 111111111111 --admin arn:aws:iam::111111111111:role/a --keys ${at('keys')} --output ${at('node-1.join.json')}`.split(
        ' ',
      ),
    );
    const [, next = ''] = /holdfast (vault fetch .*)$/m.exec(said.out) ?? [];
    const typed = next.split(' ').map((word) => (word === 'vault.yaml' ? save() : word));
    // Another key than the one that vault.yaml names: the check that it begins with says so.
    expect(refusalOrText(await runHoldfast([...typed]))).toContain('STATEMENT_KEY_NOT_YOURS');
  });
});

describe('holdfast vault key', () => {
  it('makes a key once, for its owner alone, and prints its public half and nothing of the private one', async () => {
    const make = () => runHoldfast(['vault', 'key', 'operations', '--keys', at('keys'), '--json']);
    const first = await make();
    const { publicKey } = JSON.parse(first.out) as { publicKey: string };
    expect(JSON.parse(first.out)).toMatchObject({ changed: true, path: at('keys/operations.pem') });
    const pem = readFileSync(at('keys/operations.pem'), 'utf8');
    expect(statSync(at('keys/operations.pem')).mode & 0o777).toBe(0o600);
    expect(first.out + first.err).not.toContain(pem.split('\n')[1]);
    const { x } = createPublicKey(pem).export({ format: 'jwk' });
    expect(Buffer.from(x ?? '', 'base64url').toString('hex')).toBe(publicKey);
    expect(JSON.parse((await make()).out)).toMatchObject({ changed: false, publicKey });
    expect(readFileSync(at('keys/operations.pem'), 'utf8')).toBe(pem);
  });

  it.each(['', '../operations', 'a/b', 'Operations', '-', 'a b'])(
    'makes none of the name %j',
    async (name) => {
      expect((await runHoldfast(['vault', 'key', '--keys', at('keys'), '--', name])).exit).toBe(2);
      expect(existsSync(at('keys'))).toBe(false);
    },
  );
});

describe('holdfast vault fetch of somebody of the vault', () => {
  it('checks first, and fetches and writes nothing for a vault that is not sound', async () => {
    const path = save((vault) => {
      vault.threshold = 4;
    });
    const fetch = ['vault', 'fetch', '--vault', path, '--out', at('releases'), '--sheets', at('sheets')];
    for (const role of [[], ['--role', 'node-1']]) {
      const finished = await runHoldfast([...fetch, ...role]);
      expect([finished.exit, finished.out + finished.err]).toEqual([
        1,
        expect.stringContaining('THRESHOLD_ABOVE_NODES'),
      ]);
    }
    expect(existsSync(at('sheets')) || existsSync(at('releases'))).toBe(false);
  });

  it('needs a vault.yaml', async () => {
    const from = ['vault', 'fetch', '1.4.0', '--from', at('release'), '--key', at('cosign.pub')];
    for (const more of [['--sheets', at('sheets')], ['--role', 'node-1'], ['--offline']])
      expect((await runHoldfast([...from, ...more])).exit).toBe(2);
  });
});

describe('holdfast vault upgrade status', () => {
  it('says of a vault in which nothing was started that no node serves, and not what nodes run', async () => {
    const { exit, out } = await runHoldfast(['vault', 'upgrade', 'status', '--vault', save()]);
    expect([exit, out]).toEqual([0, expect.stringContaining('no node serves yet')]);
    expect(out).not.toContain('the nodes run release');
  });
});

describe('holdfast vault check', () => {
  it('takes a vault in order, says its digest, and that nothing was looked at in accounts', async () => {
    const { exit, out } = await runHoldfast(['vault', 'check', '--vault', save()]);
    expect(exit).toBe(0);
    expect(out).toContain('offline: nothing of its account was looked at');
    expect(out).toMatch(/^0 errors, \d warnings?, \d notes?; vault [0-9a-f]{16}…$/m);
  });

  it('reads vault.yaml of the folder that it is called in', async () => {
    save();
    expect((await runHoldfast(['vault', 'check'], { folder })).exit).toBe(0);
  });

  it('shows findings with line and advice, for one role those that concern it', async () => {
    const path = save((vault) => {
      const [first, second] = vault.nodes;
      if (first !== undefined && second !== undefined) second.statementKey = first.statementKey;
    });
    const all = await runHoldfast(['vault', 'check', '--vault', path]);
    expect([all.exit, all.out + all.err]).toEqual([
      1,
      expect.stringMatching(/STATEMENT_KEY_SHARED \(line \d+, nodes\.1\.statementKey; node-1, node-2\)/),
    ]);
    expect((await runHoldfast(['vault', 'check', '--vault', path, '--role', 'node-2'])).exit).toBe(1);
    expect((await runHoldfast(['vault', 'check', '--vault', path, '--role', 'node-3'])).exit).toBe(0);
    expect(
      refusalIn(await runHoldfast(['vault', 'check', '--vault', path, '--role', 'node-4', '--json'])),
    ).toMatchObject({ exit: 1, code: 'VAULT_ROLE_UNKNOWN' });
  });

  it('shows a role its own findings, then those of nobody once, and how many others have', async () => {
    const open = save((vault) => {
      const [first, second] = vault.nodes;
      if (first !== undefined) first.account = '000000000000';
      if (second !== undefined) second.statementKey = '00'.repeat(32);
      vault.infrastructure['statementKey'] = '00'.repeat(32);
    });
    const check = async (...words: string[]) => {
      const said = await runHoldfast(['vault', 'check', '--vault', open, ...words]);
      const out = said.out + said.err;
      return { out, codes: [...out.matchAll(/^(?:error|warning|note) +([A-Z_]+) \((.*?)\):/gm)].map(String) };
    };
    const json = async (...words: string[]) =>
      JSON.parse((await runHoldfast(['vault', 'check', '--vault', open, '--json', ...words])).out) as {
        findings: { roles: string[]; path: string }[];
        others: { role: string; errors: number }[];
      };
    const own = await json('--role', 'node-2');
    const pathsOf = (role: string) => own.findings.filter(({ roles }) => roles.includes(role));
    expect(pathsOf('node-2').map(({ path }) => path)).toContain('nodes.1.statementKey');
    expect(own.findings.every(({ roles }) => roles.length === 0 || roles.includes('node-2'))).toBe(true);
    expect(
      own.findings.some(({ path }) => path.startsWith('infrastructure') || path.startsWith('nodes.0')),
    ).toBe(false);
    expect(own.others).toMatchObject([
      { role: 'infrastructure', errors: 1 },
      { role: 'node-1', errors: expect.any(Number) as number },
    ]);
    const { out } = await check('--role', 'node-2');
    const [mine = '', rest = ''] = out.split('of the vault as a whole:\n');
    expect(mine).toContain('nodes.1.statementKey');
    expect(rest).toContain('others have: infrastructure 1 error');
    const everybody = await check();
    expect(everybody.codes.length).toBe(new Set(everybody.codes).size);
    expect((await json()).others).toEqual([]);
  });

  it('tells a role that somebody has put another statement key in the place of theirs', async () => {
    await joinAs('node-1', '111111111111');
    const args = [
      'vault',
      'check',
      '--vault',
      save(),
      '--role',
      'node-1',
      '--statement-key',
      at('keys/node-1.statement.pem'),
      '--json',
    ];
    const other = await runHoldfast(args);
    expect([other.exit, other.out]).toEqual([1, expect.stringContaining('STATEMENT_KEY_NOT_YOURS')]);
    const { statementKey } = JSON.parse(readFileSync(at('node-1.join.json'), 'utf8')) as {
      statementKey: string;
    };
    save((vault) => {
      const [first] = vault.nodes;
      if (first !== undefined) first.statementKey = statementKey;
    });
    expect((await runHoldfast(args)).exit).toBe(0);
  });

  it('knows another key of the vault that was given as the statement key', async () => {
    await joinAs('node-1', '111111111111');
    const own = JSON.parse(readFileSync(at('node-1.join.json'), 'utf8')) as Record<string, string>;
    const path = save((vault) => {
      const [first] = vault.nodes;
      if (first === undefined) return;
      first.statementKey = own['statementKey'] ?? '';
      first.configurationAuthority.keys = [own['authorityKey'] ?? ''];
    });
    const check = async (role: string, key: string) => {
      const words = ['vault', 'check', '--vault', path, '--role', role, '--statement-key', at(key)];
      const { exit, out, err } = await runHoldfast(words);
      return [exit, out + err];
    };
    const authority = await check('node-1', 'keys/node-1.authority.pem');
    expect(authority).toEqual([1, expect.stringContaining('is the authority key of node 1')]);
    expect(authority[1]).toContain('--statement-key keys/node-1.statement.pem');
    expect(authority[1]).not.toContain('STATEMENT_KEY_NOT_YOURS');
    expect(await check('node-2', 'keys/node-1.statement.pem')).toEqual([
      1,
      expect.stringContaining('is the statement key of node 1'),
    ]);
    expect(await check('node-1', 'keys/node-1.statement.pem')).toEqual([0, expect.any(String)]);
  });
});

describe('holdfast vault sheets', () => {
  it('writes the files of every role, and the same a second time', async () => {
    const sheets = () =>
      runHoldfast(['vault', 'sheets', '--vault', save(), '--output', at('sheets'), '--json']);
    const { files } = JSON.parse((await sheets()).out) as { files: string[] };
    // The Makefile, stacks, a template for the console a node, and two files a procedure: four roles with an account have four, the others twelve.
    expect(files).toHaveLength(1 + 7 + 3 + 2 * (4 * 4 + 12));
    const consoles = files.filter((path) => path.endsWith('/node-console.yaml'));
    expect(consoles.map((path) => path.split('/').at(-2))).toEqual(['node-1', 'node-2', 'node-3']);
    const contents = files.map((path) => readFileSync(path, 'utf8'));
    await sheets();
    expect(files.map((path) => readFileSync(path, 'utf8'))).toEqual(contents);
  });

  it('writes nothing for a vault that is not sound', async () => {
    const path = save((vault) => {
      vault.threshold = 4;
    });
    const finished = await runHoldfast([
      'vault',
      'sheets',
      '--vault',
      path,
      '--output',
      at('sheets'),
      '--json',
    ]);
    expect(refusalIn(finished)).toMatchObject({ exit: 1, code: 'VAULT_UNSOUND' });
    expect(existsSync(at('sheets'))).toBe(false);
  });
});

describe('verbs that act', () => {
  it.each(['plan', 'apply'])('%s does nothing for a vault that is not sound', async (verb) => {
    const path = save((vault) => {
      vault.infrastructure['account'] = '111111111111';
    });
    await joinAs('node-1', '111111111111');
    const args = [
      'vault',
      verb,
      '--vault',
      path,
      '--role',
      'node-1',
      '--statement-key',
      at('keys/node-1.statement.pem'),
    ];
    expect(refusalIn(await runHoldfast([...args, '--json']))).toMatchObject({
      exit: 1,
      code: 'VAULT_UNSOUND',
    });
    expect(existsSync(at('work'))).toBe(false);
  });
});
