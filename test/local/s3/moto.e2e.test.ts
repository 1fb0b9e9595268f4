import { execFile, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { ADMINISTRATOR_POLICY } from '../../../local/aws/index.ts';
import { startLocalAws } from '../../../local/testbed/local-aws.ts';
import { findMadeOrSay } from '../../support/find-made.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { REGION } from './clients.ts';

const moto = findMadeOrSay('the stand-in for S3 was not held against moto', 'moto.sh');
const PROGRAM = join(import.meta.dirname, 'moto/compare.py');
const run = promisify(execFile);

/**
 * Answers of moto that are not AWS's, by the question: a marker of ListObjects that is a hash instead of a key, a common
 * prefix that does not count as a key, an empty prefix that is left out, and no delete marker for a key that is not there.
 */
const MOTO_IS_WRONG = [
  /^\["list_objects",\{(?:"Delimiter":"\/",)?"MaxKeys":[12]\}/,
  /^\["list_objects",\{(?:"Delimiter":"\/"|"MaxKeys":0)?\}/,
  /^\["delete_objects"/,
];

type Answer = readonly unknown[];

it.skipIf(moto === undefined)('S3 answers what moto does, but where moto differs from AWS', async () => {
  const folder = temporaryFolder();
  const aws = await startLocalAws({ verifyRecipient: () => ({ pcrs: new Map() }) });
  onTestFinished(() => aws.close());
  const credentials = aws.directory.createAccessKey({
    accountId: '111122223333',
    userName: 'person',
    policies: [ADMINISTRATOR_POLICY],
  });
  writeFileSync(join(folder, 'ca.pem'), aws.caPem);
  const ask = async (environment: Readonly<Record<string, string>>): Promise<Answer[]> => {
    const { stdout } = await run(join(moto ?? '', 'bin/python'), [PROGRAM], {
      env: { PATH: process.env['PATH'], HOME: folder, AWS_DEFAULT_REGION: REGION, ...environment },
      maxBuffer: 16 * 1024 * 1024,
    });
    return JSON.parse(stdout) as Answer[];
  };
  const [ours, theirs] = await Promise.all([
    ask({
      AWS_ENDPOINT_URL: `https://127.0.0.1:${aws.port}`,
      AWS_CA_BUNDLE: join(folder, 'ca.pem'),
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    }),
    startMoto(folder).then((port) =>
      ask({
        AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
        AWS_ACCESS_KEY_ID: 'anything',
        AWS_SECRET_ACCESS_KEY: 'anything',
      }),
    ),
  ]);
  expect(ours.length).toBeGreaterThan(50);
  const isJudged = (answer: Answer): boolean =>
    !MOTO_IS_WRONG.some((pattern) => pattern.test(JSON.stringify(answer)));
  expect(ours.filter(isJudged)).toEqual(theirs.filter(isJudged));
  expect(ours.filter(isJudged).length).toBeGreaterThan(45);
});

/** Starts moto's server on a port that is free, and ends it with the test. */
async function startMoto(folder: string): Promise<string> {
  const server = spawn(join(moto ?? '', 'bin/moto_server'), ['-H', '127.0.0.1', '-p', '0'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => {
    server.kill();
  });
  return await new Promise((resolve, reject) => {
    let said = '';
    const listen = (piece: Buffer): void => {
      said += piece.toString();
      const port = /127\.0\.0\.1:([0-9]+)/.exec(said)?.[1];
      if (port !== undefined) resolve(port);
    };
    server.stdout.on('data', listen);
    server.stderr.on('data', listen);
    server.once('exit', () => reject(new Error(`moto has ended: ${said.slice(-300)}`)));
  });
}
