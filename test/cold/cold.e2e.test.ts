import { execFile } from 'node:child_process';
import { access, chmod, cp, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { splitIntoParts } from '../../shared/cold/index.ts';
import { makeTransfer } from '../../local/testbed/ethereum-transfer.ts';
import { HOLDFAST } from '../support/holdfast-command.ts';
import { coldConfiguration, MANIFEST, PASSPHRASE, people, signCold, SUPPLIER, WEI } from './cold-files.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const NODE_PACKAGE = `node-linux-${process.arch}`;
const MINUTES = 60_000;

/** Whether this user may give a process a network of its own, which has no device. */
const canUnshare = await run('unshare', ['--net', 'true']).then(
  () => true,
  () => false,
);

/** Whether `npm ci` could compile the addon here. */
const hasCompiler = await run('cc', ['--version']).then(
  () => true,
  () => false,
);

let folder: string;
let machine: string;
const at = (name: string) => join(folder, name);

interface Answer {
  readonly code: number;
  readonly data: Record<string, unknown>;
}

async function answerOf(running: Promise<{ stdout: string }>): Promise<Answer> {
  const result = await running.then(
    ({ stdout }) => ({ code: 0, stdout }),
    (error: { code: number; stdout: string }) => error,
  );
  return { code: result.code, data: JSON.parse(result.stdout) as Record<string, unknown> };
}
/** Runs a command at the desk. */
const desk = (...args: string[]) => {
  const [program, ...before] = HOLDFAST;
  return answerOf(run(program, [...before, ...args, '--json'], { cwd: folder }));
};
/** Runs a command on the cold machine: what was unpacked there, without a network, with an empty environment. */
const cold = (...args: string[]) => {
  const command = [machine, ...args, '--json'];
  const [file = '', ...rest] = canUnshare ? ['unshare', '--net', ...command] : command;
  return answerOf(run(file, rest, { cwd: folder, env: { PATH: '/usr/bin:/bin' } }));
};

const NODE = [
  '--manifest',
  'cold.json',
  '--configuration',
  'configuration.json',
  '--passphrase-file',
  'passphrase',
];
const CLIENT = ['--identity', 'identity.json', '--client', 'treasury', '--client-key', 'client.pem'];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cold-e2e-'));
  await writeFile(at('cold.json'), MANIFEST);
  await writeFile(at('configuration.json'), signCold(coldConfiguration(1)));
  const secrets = {
    'client.pem': people.client.pem,
    'alice.pem': people.alice.pem,
    'bob.pem': people.bob.pem,
  };
  for (const [name, text] of Object.entries({ ...secrets, passphrase: `${PASSPHRASE}\n` }))
    await writeFile(at(name), text, { mode: 0o600 });
  await desk('cold', 'bundle', '--output', 'cold.tar');
  await run('tar', ['-xf', 'cold.tar'], { cwd: folder });
  machine = at('holdfast-cold/holdfast');
}, 3 * MINUTES);

describe('an archive for a cold machine', () => {
  it(
    'has the same bytes when it is built again, and says by which compiler its addon was made',
    async () => {
      const { data } = await desk('cold', 'bundle', '--output', 'again.tar');
      expect(data['compiler']).toMatch(/^GCC: |clang version /);
      expect(await readFile(at('holdfast-cold/BUILT-WITH'), 'utf8')).toContain(String(data['compiler']));
      expect((await readFile(at('again.tar'))).equals(await readFile(at('cold.tar')))).toBe(true);
    },
    MINUTES,
  );

  it.skipIf(!hasCompiler)(
    'has an addon whose bytes do not depend on the folder that it was compiled in',
    async () => {
      const made: Buffer[] = [];
      for (const name of ['one', 'another-one/below']) {
        const root = at(name);
        for (const part of [
          'scripts/build-addon.sh',
          'shared/native',
          `node_modules/${NODE_PACKAGE}/include`,
        ])
          await cp(join(ROOT, part), join(root, part), { recursive: true });
        await run('sh', [join(root, 'scripts/build-addon.sh')], { cwd: root });
        const addon = await readFile(join(root, 'build/holdfast.node'));
        expect(addon.includes(root)).toBe(false);
        made.push(addon);
      }
      expect(made[0]?.equals(made[1] ?? Buffer.alloc(0))).toBe(true);
    },
    5 * MINUTES,
  );

  it('has sums of all its files, which sha256sum confirms', async () => {
    const { stdout } = await run('sha256sum', ['-c', 'SHA256SUMS'], { cwd: at('holdfast-cold') });
    expect(stdout.match(/: OK$/gm)).toHaveLength(7);
  });

  it(
    'leads from nothing to a signature with two approvals, without a network',
    async () => {
      expect((await cold('cold', 'init', 'node', ...NODE, '--output', 'identity.json')).code).toBe(0);
      const transfer = makeTransfer('ether', SUPPLIER, 3n * WEI, 0n).request.payload as {
        transaction: string;
      };
      await writeFile(at('unsigned.hex'), transfer.transaction);
      const what = ['--kind', 'ethereum-transaction', '--transaction', 'unsigned.hex'];
      const codes = ['--codes', 'codes.html'];
      await desk('cold', 'request', 'ether', ...what, ...CLIENT, ...codes, '--output', 'request.json');
      // What a scanner makes of the codes: a line each, in any order.
      const parts = splitIntoParts(await readFile(at('request.json')));
      await writeFile(at('scanned.txt'), parts.toReversed().join('\n'));
      expect((await readFile(at('codes.html'), 'utf8')).match(/<figure>/g)).toHaveLength(parts.length);

      const waiting = await cold('cold', 'sign', 'node', 'scanned.txt', ...NODE, '--output', 'response.json');
      expect(waiting).toMatchObject({ code: 0, data: { outcome: { state: 'waiting' } } });
      const review = ['--review', 'review.json', '--configuration', 'configuration.json'];
      const opened = await desk(
        'cold',
        'open',
        'response.json',
        '--identity',
        'identity.json',
        '--request',
        'request.json',
        ...review,
      );
      const { outcome } = opened.data as { outcome: { waiting: { id: string } } };

      const read = ['--file', 'review.json', '--cold-identity', 'identity.json', '--manifest', 'cold.json'];
      const { digest } = (await desk('approve', 'show', ...read)).data as { digest: string };
      for (const who of ['alice', 'bob']) {
        const as = [
          '--approver',
          who,
          '--key',
          `${who}.pem`,
          '--yes-digest',
          digest,
          '--output',
          `${who}.vote`,
        ];
        expect((await desk('approve', 'sign', ...read, ...as)).code).toBe(0);
      }
      const votes = ['--vote', 'alice.vote', '--vote', 'bob.vote', '--last', 'response.json'];
      await desk(
        'cold',
        'request',
        '--resume',
        outcome.waiting.id,
        ...votes,
        ...CLIENT,
        '--output',
        'second.json',
      );
      const signed = await cold('cold', 'sign', 'node', 'second.json', ...NODE, '--output', 'signed.json');
      expect(signed).toMatchObject({ code: 0, data: { outcome: { state: 'signed', rule: 'pay' } } });
      const known = ['--identity', 'identity.json', '--request', 'second.json', '--receipt', 'receipt.json'];
      expect((await desk('cold', 'open', 'signed.json', ...known)).code).toBe(0);
      await access(at('receipt.json'));

      const other = ['--identity', 'identity.json', '--request', 'request.json'];
      expect((await desk('cold', 'open', 'signed.json', ...other)).data).toMatchObject({
        error: { code: 'COLD_RESPONSE_OTHER_REQUEST' },
      });
      const repeated = await cold('cold', 'sign', 'node', 'second.json', ...NODE, '--output', 'again.json');
      expect(repeated).toMatchObject({ code: 1, data: { error: { code: 'COLD_REQUEST_REPEATED' } } });
    },
    5 * MINUTES,
  );

  it('refuses a passphrase that others may read', async () => {
    await chmod(at('passphrase'), 0o644);
    const refused = await cold('cold', 'identity', 'node', ...NODE, '--output', 'other.json');
    expect(refused).toMatchObject({ code: 1, data: { error: { code: 'KEY_FILE_EXPOSED' } } });
    await chmod(at('passphrase'), 0o600);
  });
});
