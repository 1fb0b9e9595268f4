import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeRecoveryKey } from '../../admin/recovery/index.ts';
import { makeTransfer } from '../../local/testbed/ethereum-transfer.ts';
import { splitIntoParts } from '../../shared/cold/index.ts';
import { digestManifest } from '../../shared/documents/manifest.ts';
import { runHoldfast } from '../cli/in-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { makePair, PASSPHRASE } from './cold-files.ts';

/** The page about cold nodes, of which this test does what it says, with keys of its own in place of the examples. */
const PAGE = readFileSync(join(import.meta.dirname, '../../docs/cold.md'), 'utf8');
const [MANIFEST = '', CONFIGURATION = ''] = [...PAGE.matchAll(/^```json\n([\s\S]*?)^```$/gm)].map(
  ([, text = '']) => text,
);
const SUPPLIER = /"address": "(0x[0-9a-fA-F]{40})"/.exec(CONFIGURATION)?.[1] ?? '';
const WEI = 10n ** 18n;

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const pairs = { authority: makePair(), client: makePair(), alice: makePair(), keeper: makePair() };
const leader = makePair();
const custodians = makeRecoveryKey([{ name: 'alice' }, { name: 'bob' }], 2, {
  random: randomBytes,
  now: Date.now(),
});

/** Lines of shell of the page that call a verb; names of files are paths of the test, what is typed comes from files. */
function lineOf(verb: string, ...others: readonly string[]): string[] {
  const line = PAGE.split('\n').find(
    (one) => one.startsWith(`holdfast ${verb} `) && others.every((other) => one.includes(other)),
  );
  if (line === undefined) throw new Error(`the page has no line with ${verb} ${others.join(' ')}`);
  const words = line.split(' ').slice(1);
  const shares = custodians.shares.flatMap((_, index) => ['--share', at(`${index}.words`)]);
  return (
    words
      .filter((word, index) => word !== '--ask' && words[index - 1] !== '--ask')
      .map((word) =>
        /\.(?:json|pem|hex|html|vote|acknowledgement)$/.test(word) || word === 'node' ? at(word) : word,
      )
      .concat(words.includes('--ask') ? shares : [])
      // The page is for a person at a terminal, who is asked.
      .concat(verb === 'config sign' ? ['--yes'] : [])
      .concat(/^cold (?:init|sign) /.test(`${verb} `) ? ['--passphrase-file', at('passphrase')] : [])
  );
}

async function say(verb: string, ...others: readonly string[]): Promise<Record<string, unknown>> {
  const { exit, out, err } = await runHoldfast([...lineOf(verb, ...others), '--json']);
  if (exit !== 0) throw new Error(`${verb}: ${exit} ${out}${err}`);
  return JSON.parse(out) as Record<string, unknown>;
}

beforeAll(() => {
  const save = (name: string, text: string) => writeFileSync(at(name), text, { mode: 0o600 });
  const fill = (text: string) =>
    text
      .replaceAll('a0'.repeat(32), pairs.authority.publicKey)
      .replaceAll('c0'.repeat(32), pairs.client.publicKey)
      .replaceAll('a1'.repeat(32), pairs.alice.publicKey)
      .replaceAll('b1'.repeat(32), pairs.keeper.publicKey)
      .replaceAll('e0'.repeat(32), custodians.custodians.publicKey);
  const manifest = fill(MANIFEST);
  save('cold.json', manifest);
  const digest = Buffer.from(digestManifest(Buffer.from(manifest))).toString('hex');
  save('draft.json', fill(CONFIGURATION).replaceAll('d0'.repeat(48), digest));
  for (const [name, { pem }] of Object.entries({ ...pairs, leader })) save(`${name}.pem`, pem);
  for (const [index, { words }] of custodians.shares.entries()) save(`${index}.words`, words ?? '');
  save('custodians.json', JSON.stringify(custodians.custodians));
  save('passphrase', PASSPHRASE);
  const transfer = makeTransfer('treasury', SUPPLIER, WEI, 0n).request.payload as { transaction: string };
  save('unsigned.hex', transfer.transaction);
});

describe('the page about cold nodes', () => {
  it('leads by its own configuration from nothing to a node', async () => {
    await say('config sign');
    expect(await say('cold init')).toMatchObject({ keys: [{ id: 'treasury', type: 'secp256k1' }] });
  });

  it('leads to a backup, a drill, and a keeper’s word', async () => {
    await say('cold request', '--backup');
    await say('cold sign', 'backup-request.json');
    await say('cold open', 'backup-response.json');
    await say('ers verify', '--cold-identity');
    expect(await say('ers drill', '--cold-identity')).toMatchObject({ proven: [{ key: 'treasury' }] });
    await say('ers acknowledge');
    await say('cold request', '--acknowledge');
    expect(await say('cold sign', 'kept-request.json')).toMatchObject({ outcome: { state: 'acknowledged' } });
  });

  it('leads to a request that waits for the board, since the backup is kept now', async () => {
    writeFileSync(at('response.json'), readFileSync(at('kept-response.json')));
    await say('cold request', '--transaction');
    expect(await say('cold sign', 'request.json')).toMatchObject({
      outcome: { state: 'waiting', rule: 'pay-suppliers' },
    });
  });

  it('leads back by codes: what a scanner reads of them is taken in place of the response', async () => {
    const response = readFileSync(at('response.json'));
    expect(readFileSync(at('response.html'), 'utf8').match(/<svg/g)).toHaveLength(
      splitIntoParts(response).length,
    );
    writeFileSync(at('response.json'), splitIntoParts(response).join('\n'));
    expect(await say('cold open', 'receipt.json')).toMatchObject({ outcome: { state: 'waiting' } });
    writeFileSync(at('response.json'), response);
  });

  it('builds no archive under the name of something else', async () => {
    const { exit, err } = await runHoldfast(['cold', 'bundle', '--output', 'x.txt']);
    expect([exit, err]).toEqual([2, expect.stringContaining('.tar')]);
  });
});
