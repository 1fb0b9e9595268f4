import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DRILL_PAYLOAD_TYPE, encodeDrill } from '../../../audit/recovery/index.ts';
import { createEnvelope, ed25519PublicKeyHex, signEnvelope } from '../../../shared/dsse/index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { refusalIn, runHoldfast } from '../in-process.ts';

const DAY = 86_400_000;
const leader = generateKeyPairSync('ed25519');
const publicKey = ed25519PublicKeyHex(leader.publicKey);

/** Writes the record of a drill that was held some days ago, and returns its path. */
function recordOf(folder: string, daysAgo: number, privateKey = leader.privateKey): string {
  const path = join(folder, `drill-${daysAgo}.json`);
  const record = encodeDrill({
    format: 'holdfast-drill/1',
    time: new Date(Date.now() - daysAgo * DAY).toISOString(),
    vault: { namespace: 'acme', environment: 'production' },
    recoveryKey: '0a'.repeat(32),
    nonce: '0b'.repeat(32),
    custodians: [{ share: 1, name: 'alice' }],
    threshold: 1,
    backups: [{ node: 1, key: 'treasury', statement: '0c'.repeat(48) }],
    // A symmetric key proves itself by nothing, so that the record needs no other key than the leader's.
    proven: [
      {
        kind: 'key',
        key: 'treasury',
        type: 'aes-256',
        epoch: null,
        nodes: [1],
        publicKey: null,
        signature: null,
      },
    ],
  });
  writeFileSync(path, JSON.stringify(signEnvelope(createEnvelope(DRILL_PAYLOAD_TYPE, record), privateKey)));
  return path;
}

const ask = (...records: readonly string[]) =>
  runHoldfast([
    'ers',
    'drill',
    '--due',
    '90',
    '--leader',
    publicKey,
    '--json',
    ...records.flatMap((path) => ['--record', path]),
  ]);

it('says that a drill is due where there was none, or the last one is too long ago', async () => {
  const folder = temporaryFolder();
  expect(refusalIn(await ask())).toMatchObject({ exit: 1, code: 'DRILL_DUE', details: { last: null } });
  expect(refusalIn(await ask(recordOf(folder, 91)))).toMatchObject({ exit: 1, code: 'DRILL_DUE' });
  expect((await ask(recordOf(folder, 91), recordOf(folder, 89))).exit).toBe(0);
});

it('counts no drill of the future, and none that somebody else has led', async () => {
  const folder = temporaryFolder();
  expect(refusalIn(await ask(recordOf(folder, -1)))).toMatchObject({ exit: 1, code: 'DRILL_DUE' });
  const other = recordOf(folder, 1, generateKeyPairSync('ed25519').privateKey);
  expect(refusalIn(await ask(other))).toMatchObject({ exit: 1, code: 'DSSE_UNDER_SIGNED' });
});
