import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';
import { DescribeKeyCommand, KMSClient, ListKeysCommand } from '@aws-sdk/client-kms';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { describe, expect, it, onTestFinished } from 'vitest';
import { nouns } from '../../cli/nouns.ts';
import { runCli } from '../../cli/run.ts';
import { findClient } from '../local/kms/clients.ts';
import { refusalIn, runHoldfast } from './in-process.ts';
import { makeFolder } from './node-files.ts';

interface Event {
  readonly event: string;
  readonly status?: string;
  readonly aws?: {
    readonly endpoint: string;
    readonly region: string;
    readonly keyArn: string;
    readonly profiles: { readonly account: string; readonly nodeAdmin: string };
    readonly files: { readonly config: string; readonly credentials: string; readonly caBundle: string };
  };
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
async function whileServing(state: string, act: (serving: Event) => Promise<void>) {
  const { exit, text } = await whileUp(['--json', '--state', state], '\n', (printed) =>
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
  it(
    'tells programs an event a line, and has a status page that both commands read',
    { timeout: 60_000 },
    async () => {
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
    },
  );

  it('lets clients of AWS in by profiles of its own', { timeout: 60_000 }, async () => {
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
    { timeout: 120_000 },
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

  it.each([
    ['nitro/nitro-root.json', 'STATE_DAMAGED'],
    ['keys/authority.pem', 'STATE_DAMAGED'],
    ['node-1/manifest.json', 'STATE_DAMAGED'],
    ['aws/aws.sqlite', 'STATE_UNREADABLE'],
  ])('says that its state is damaged, without quoting it: %s', { timeout: 60_000 }, async (name, code) => {
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
