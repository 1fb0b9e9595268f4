import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { DescribeKeyCommand, KMSClient, ListKeysCommand } from '@aws-sdk/client-kms';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { describe, expect, it, onTestFinished } from 'vitest';
import { nouns } from '../../cli/nouns.ts';
import { runCli } from '../../cli/run.ts';
import { findClient } from '../local/kms/clients.ts';
import { freePort } from '../support/free-ports.ts';
import { refusalIn, runHoldfast } from './in-process.ts';
import { makeFolder } from './node-files.ts';

interface Event {
  readonly event: string;
  readonly status?: string;
  readonly url?: string;
  readonly profile?: string;
  readonly trial?: {
    readonly transfer: string;
    readonly largeTransfer: string;
    readonly approvers: Readonly<Record<string, string>>;
  };
  readonly nodes?: readonly (Event & { readonly node: number; readonly pid: number })[];
  readonly node?: number;
  readonly aws?: {
    readonly endpoint: string;
    readonly region: string;
    readonly keyArn: string;
    readonly profiles: { readonly account: string; readonly nodeAdmin: string };
    readonly files: { readonly config: string; readonly credentials: string; readonly caBundle: string };
  };
}

/** Ends a process, and waits until it is gone and its parent has had the time to notice. */
async function kill(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 10_000 }).toBe(false);
  await sleep(500);
}

/** Runs `local up` until it has printed what is waited for, does something with all it printed, and stops it. */
async function whileUp(args: readonly string[], awaited: string, act: (printed: string) => Promise<void>) {
  const stop = new AbortController();
  let text = '';
  let acted: Promise<void> | undefined;
  const stdout = new Writable({
    write: (chunk: Buffer, _, done) => {
      text += chunk.toString();
      if (text.includes(awaited)) acted ??= act(text).finally(() => stop.abort());
      done();
    },
  });
  const io = { stdin: Readable.from([]), stdout, stderr: new Writable(), signal: stop.signal };
  const exit = await runCli(['local', 'up', ...args, '--port', '0'], io, nouns);
  await acted;
  return { exit, text };
}

/** Runs `local up --json` until its node serves, does something with it, and stops it. */
async function whileServing(
  state: string,
  act: (serving: Event) => Promise<void>,
  more: readonly string[] = [],
) {
  const { exit, text } = await whileUp(['--json', '--state', state, ...more], '\n', (printed) =>
    act(JSON.parse(printed.split('\n')[0] ?? '') as Event),
  );
  return {
    exit,
    events: text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Event),
  };
}

describe('holdfast local up', () => {
  it('tells programs an event a line, and has a status page that both commands read', async () => {
    const folder = makeFolder();
    let parent: unknown;
    let node: unknown;
    const { exit, events } = await whileServing(folder.at('state'), async ({ status = '' }) => {
      parent = JSON.parse((await runHoldfast(['parent', 'status', '--url', status, '--json'])).out);
      node = JSON.parse((await runHoldfast(['node', 'status', status, '--json'])).out);
    });
    expect(exit).toBe(0);
    expect(events.map(({ event }) => event)).toEqual(['serving', 'stopped']);
    expect(parent).toMatchObject({
      ok: true,
      node: { phase: 'serving' },
      enclave: { cid: expect.any(Number) },
    });
    expect(node).toMatchObject({ ok: true, node: { phase: 'serving' } });
  });

  it('lets clients of AWS in by profiles of its own', async () => {
    const folder = makeFolder();
    await whileServing(folder.at('state'), async ({ aws }) => {
      if (aws === undefined) throw new Error('nothing of AWS is said');
      expect(statSync(aws.files.credentials).mode & 0o077).toBe(0);
      const client = (profile: string) => {
        const kms = new KMSClient({
          region: aws.region,
          endpoint: aws.endpoint,
          credentials: defaultProvider({
            profile,
            filepath: aws.files.credentials,
            configFilepath: aws.files.config,
          }),
          requestHandler: { httpsAgent: { ca: readFileSync(aws.files.caBundle) } },
        });
        onTestFinished(() => kms.destroy());
        return kms;
      };
      const describeKey = new DescribeKeyCommand({ KeyId: aws.keyArn });
      const account = client(aws.profiles.account);
      const { Keys } = await account.send(new ListKeysCommand({}));
      expect(Keys?.map(({ KeyArn }) => KeyArn)).toEqual([aws.keyArn]);
      // The node's key is its own admin's: the account's administrator has no part in it.
      await expect(account.send(describeKey)).rejects.toMatchObject({ name: 'AccessDeniedException' });
      const { KeyMetadata } = await client(aws.profiles.nodeAdmin).send(describeKey);
      expect(KeyMetadata?.Arn).toBe(aws.keyArn);
    });
  });

  const python = findClient('python');

  it.skipIf(python === undefined)(
    'prints lines that the AWS CLI takes as they are, in a folder with a blank, and that leave ~/.aws alone',
    async () => {
      const folder = makeFolder();
      mkdirSync(folder.at('.aws'));
      const own = '[default]\naws_access_key_id = AKIAOWN\naws_secret_access_key = own\n';
      const ownFile = folder.write('.aws/credentials', own);
      const answers: string[] = [];
      await whileUp(['--state', folder.at('a state')], 'Ctrl-C stops it', async (printed) => {
        const lines = printed.split('\n').filter((line) => /^ {2}(?:unset|export|aws) /.test(line));
        const { stdout } = await promisify(execFile)('sh', ['-euc', lines.join('\n')], {
          env: {
            PATH: `${python}/bin:${process.env['PATH']}`,
            HOME: folder.path,
            AWS_ACCESS_KEY_ID: 'AKIAOTHER',
          },
        });
        answers.push(stdout);
      });
      expect(answers.join('')).toMatch(/"KeyArn": "arn:aws:kms:/);
      expect(answers.join('')).toContain('kms:RecipientAttestation:PCR16');
      expect(readFileSync(ownFile, 'utf8')).toBe(own);
      expect(readdirSync(folder.at('.aws')).filter((name) => name !== 'cli')).toEqual(['credentials']);
    },
  );

  it('keeps its status port, and leaves a profile that saves typing everything else', async () => {
    const folder = makeFolder();
    const port = await freePort();
    for (const _ of ['first', 'second']) {
      let seen: unknown[] = [];
      const { exit } = await whileServing(
        folder.at('state'),
        async ({ status, profile = '' }) => {
          const options = { env: { HOLDFAST_PROFILE: profile } };
          const run = async (...args: string[]) =>
            JSON.parse((await runHoldfast([...args, '--json'], options)).out) as { ok: boolean };
          seen = [
            status,
            (await run('node', 'status')).ok,
            (await run('parent', 'status')).ok,
            (await run('node', 'attest')).ok,
            (await run('node', 'keys')).ok,
            (await run('node', 'sign', 'audit-log', '--digest', '11'.repeat(32))).ok,
          ];
        },
        ['--status-port', String(port)],
      );
      expect(exit).toBe(0);
      expect(seen).toEqual([`http://127.0.0.1:${port}`, true, true, true, true, true]);
    }
  });

  it('has rules that read transactions, and people who approve', async () => {
    const folder = makeFolder();
    await whileServing(folder.at('state'), async ({ profile = '', trial }) => {
      if (trial === undefined) throw new Error('nothing is said of transfers');
      const run = async (...args: string[]) =>
        JSON.parse(
          (await runHoldfast([...args, '--json'], { env: { HOLDFAST_PROFILE: profile } })).out,
        ) as Record<string, unknown> & { error?: { code: string; details: { id: string; digest: string } } };
      const sign = (file: string) =>
        run('node', 'sign', 'ethereum-hot', '--kind', 'ethereum-transaction', '--transaction', file);
      expect(await sign(trial.transfer)).toMatchObject({ ok: true, rule: 'pay-suppliers' });
      const waiting = await sign(trial.largeTransfer);
      expect(waiting).toMatchObject({ ok: false, error: { code: 'APPROVALS_NEEDED' } });
      const { id = '', digest = '' } = waiting.error?.details ?? {};
      for (const [approver, key] of Object.entries(trial.approvers)) {
        const vote = ['--approver', approver, '--key', key, '--yes-digest', digest];
        expect(await run('approve', 'sign', id, ...vote)).toMatchObject({ ok: true });
      }
      expect(await run('node', 'resume', id)).toMatchObject({ ok: true, rule: 'pay-suppliers' });
      // No digest of that key is signed blind.
      expect(await run('node', 'sign', 'ethereum-hot', '--digest', '11'.repeat(32))).toMatchObject({
        ok: false,
        error: { code: 'POLICY_DENIED' },
      });
    });
  });

  it(
    'runs a quorum of nodes with accounts of their own, goes on without one, and finds their keys again',
    { timeout: 240_000 },
    async () => {
      const folder = makeFolder();
      const state = folder.at('state');
      const publicKeys: unknown[] = [];
      for (const isFirst of [true, false]) {
        const act = async ({ nodes = [] }: Event) => {
          expect(nodes.map(({ node }) => node)).toEqual([1, 2, 3]);
          const accounts = nodes.map(({ aws }) => aws?.keyArn.split(':')[4]);
          expect(accounts).toEqual(['111111111111', '222222222222', '333333333333']);
          const keys = [];
          for (const { profile = '' } of nodes) {
            const options = { env: { HOLDFAST_PROFILE: profile } };
            const attested = JSON.parse((await runHoldfast(['node', 'attest', '--json'], options)).out);
            expect(attested).toMatchObject({ ok: true });
            keys.push(JSON.parse((await runHoldfast(['node', 'keys', '--json'], options)).out));
          }
          publicKeys.push(keys.map(({ keys: held }) => held as unknown));
          // A profile is not another node's: each has its own manifest.
          const [first, second] = nodes;
          const crossed = ['node', 'attest', '--json', '--url', second?.url ?? ''];
          const options = { env: { HOLDFAST_PROFILE: first?.profile ?? '' } };
          expect(refusalIn(await runHoldfast(crossed, options))).toMatchObject({
            exit: 1,
            code: 'PCR_MISMATCH',
          });
          if (!isFirst) await kill(nodes[2]?.pid ?? 0);
        };
        const { exit, events } = await whileServing(state, act, ['--nodes', '3']);
        expect(exit).toBe(0);
        const ended = isFirst ? [] : [{ event: 'node-ended', node: 3 }];
        expect(events.slice(1)).toMatchObject([...ended, { event: 'stopped' }]);
      }
      expect(publicKeys[0]).toEqual(publicKeys[1]);
      const alone = await runHoldfast(['local', 'up', '--json', '--state', state, '--port', '0']);
      expect(refusalIn(alone)).toMatchObject({ exit: 1, code: 'STATE_OTHER_SIZE' });
    },
  );

  it('takes ports that are ports, and a number of nodes', async () => {
    for (const args of [
      ['--nodes', '0'],
      ['--nodes', '10'],
      ['--nodes', 'three'],
      ['--nodes', '3', '--port', '9462', '--status-port', '9464'],
      ['--nodes', '3', '--port', '65534'],
      ['--port', '8443', '--status-port', '8443'],
      ['--status-port', '65536'],
      ['--port', '1e3'],
    ]) {
      const finished = await runHoldfast(['local', 'up', '--json', '--state', '/nowhere', ...args]);
      expect(refusalIn(finished)).toMatchObject({ exit: 2, code: 'USAGE' });
    }
  });

  it.each([
    ['nitro/nitro-root.json', 'STATE_DAMAGED'],
    ['keys/authority.pem', 'STATE_DAMAGED'],
    ['node-1/manifest.json', 'STATE_DAMAGED'],
    ['aws/aws.sqlite', 'STATE_UNREADABLE'],
  ])('says that its state is damaged, without quoting it: %s', async (name, code) => {
    const folder = makeFolder();
    const path = join(folder.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '-----BEGIN SECRET-----');
    const finished = await runHoldfast(['local', 'up', '--json', '--state', folder.path, '--port', '0']);
    expect(refusalIn(finished)).toMatchObject({ exit: 1, code });
    expect(finished.out).not.toContain('BEGIN');
    expect(readFileSync(path, 'utf8')).toContain('BEGIN');
  });

  it('takes no empty folder name for this folder', async () => {
    const finished = await runHoldfast(['local', 'up', '--json', '--state', '']);
    expect(refusalIn(finished)).toMatchObject({ exit: 2, code: 'USAGE' });
  });
});
