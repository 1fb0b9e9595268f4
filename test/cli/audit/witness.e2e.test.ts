import { createHash, randomBytes } from 'node:crypto';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  openCheckpoint,
  parseSignatureLines,
  parseVerifierKey,
  verifyCosignatures,
  WITNESS_KEY_TYPES,
} from '../../../audit/log/index.ts';
import { verifyByNode } from '../../../audit/log/node-signatures.ts';
import { askPeers } from '../../../local/testbed/log-peers.ts';
import { SampleLog, submit, witnessRequest } from '../../audit/log/sample-log.ts';
import { KNOWN_SIZE, makeWitnessTable } from '../../audit/witness/witness-table.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import {
  findLogPeers,
  type RunningWitness,
  startLitewitness,
  startOmniwitness,
} from '../../support/witnesses.ts';
import { refusalIn, runHoldfast } from '../in-process.ts';
import { makeWitness, startWitness, type WitnessProcess, writeLogsFile } from './witness-process.ts';

const PEERS = findLogPeers(
  'our witness was not compared with litewitness and omniwitness, nor shown to tessera',
);
const NAME = 'witness.example/w1';

/** A folder with a new witness, and a list with these logs. */
async function prepare(...logs: readonly SampleLog[]): Promise<{ folder: string; logsFile: string }> {
  const folder = temporaryFolder();
  await makeWitness(folder, NAME);
  return { folder, logsFile: writeLogsFile(join(folder, 'logs.yaml'), logs) };
}

describe('a witness', () => {
  const log = new SampleLog();
  let prepared: { folder: string; logsFile: string };
  let witness: WitnessProcess;
  beforeAll(async () => {
    prepared = await prepare(log);
    witness = await startWitness(prepared.folder, prepared.logsFile);
  });
  afterAll(async () => {
    await witness[Symbol.asyncDispose]();
  });

  it('cosigns with both of its keys, and shows the newest checkpoint with its lines and the log’s', async () => {
    const place = `${witness.url}/${createHash('sha256').update(log.origin).digest('hex')}/checkpoint`;
    expect((await fetch(place)).status).toBe(404);
    log.append(3);
    const { status, body } = await submit(witness.url, await log.request(0));
    expect(status).toBe(200);
    const keys = witness.vkeys.map((vkey) => parseVerifierKey(vkey, WITNESS_KEY_TYPES));
    const { text, note } = log.checkpoint();
    expect(
      verifyCosignatures(text, parseSignatureLines(body), { keys, threshold: 2 }, verifyByNode),
    ).toHaveLength(2);
    const shown = await (await fetch(place)).text();
    expect(shown).toBe(note + body);
    openCheckpoint(Buffer.from(shown), { origin: log.origin, keys: [log.signingKey.key] }, verifyByNode);
  });

  it('gives two requests at a time one tree after the other', async () => {
    const size = log.size;
    const branch = (word: string) => {
      const copy = new SampleLog(log.origin);
      for (const entry of log.entries) copy.append(1, entry.toString().split(' ')[0]);
      copy.append(2, word);
      return copy;
    };
    const bodies = await Promise.all(
      Array.from({ length: 8 }, (_, index) => branch(`branch-${index}`).request(size)),
    );
    const results = await Promise.all(bodies.map((body) => submit(witness.url, body)));
    expect(results.map(({ status }) => status).sort((left, right) => left - right)).toEqual([
      200,
      ...Array.from({ length: 7 }, () => 409),
    ]);
    for (const { body } of results.filter(({ status }) => status === 409)) expect(body).toBe(`${size + 2}\n`);
  });

  it('refuses bodies that no request needs, without a length, or too many bytes', async () => {
    const large = await submit(witness.url, Buffer.alloc(200_000, 0x20));
    expect(large.status).toBe(413);
    const socket = connect(Number(new URL(witness.url).port), '127.0.0.1');
    socket.write(
      'POST /add-checkpoint HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nold 0\r\n',
    );
    const [head] = (await new Promise((resolve) =>
      socket.once('data', (data) => resolve([data.toString()])),
    )) as [string];
    socket.destroy();
    expect(head).toMatch(/^HTTP\/1\.1 411 /);
  });

  it.each([
    ['GET', '/add-checkpoint', 405],
    ['POST', '/sign-subtree', 404],
    ['GET', '/', 404],
    ['GET', `/${'ab'.repeat(32)}/checkpoint`, 404],
  ])('has nothing else: %s %s', async (method, path, status) => {
    expect((await fetch(`${witness.url}${path}`, { method })).status).toBe(status);
  });

  it('refuses hostile bytes, and goes on', async () => {
    for (let round = 0; round < 50; round += 1) {
      const { status } = await submit(witness.url, randomBytes(round * 7));
      expect(status).toBe(400);
    }
  });
});

describe('a witness’s memory', () => {
  it('is on the disk before a cosignature leaves: kill -9 after each response', async () => {
    const log = new SampleLog();
    const { folder, logsFile } = await prepare(log);
    for (let size = 0; size < 3; size += 1) {
      await using witness = await startWitness(folder, logsFile);
      log.append(1);
      expect((await submit(witness.url, await log.request(size))).status).toBe(200);
      await witness.kill();
    }
    await using witness = await startWitness(folder, logsFile);
    const fork = new SampleLog();
    fork.append(3, 'another');
    expect((await submit(witness.url, await fork.request(0))).body).toBe('3\n');
    expect((await submit(witness.url, await fork.request(3))).status).toBe(422);
    expect(await witness.stop()).toBe(0);
  });

  it('outlasts a log that was taken off the list and put on it again', async () => {
    const [log, other] = [new SampleLog(), new SampleLog('other.example/log')];
    const { folder, logsFile } = await prepare(log);
    log.append(4);
    {
      await using witness = await startWitness(folder, logsFile);
      expect((await submit(witness.url, await log.request(0))).status).toBe(200);
    }
    writeLogsFile(logsFile, [other]);
    {
      await using witness = await startWitness(folder, logsFile);
      expect((await submit(witness.url, await log.request(4))).status).toBe(404);
    }
    writeLogsFile(logsFile, [other, log]);
    await using witness = await startWitness(folder, logsFile);
    expect(await submit(witness.url, await log.request(0))).toMatchObject({ status: 409, body: '4\n' });
  });

  it('that is lost, of other keys, damaged or used by another process is not served from', async () => {
    const { folder, logsFile } = await prepare(new SampleLog());
    const start = async (from: string) =>
      refusalIn(await runHoldfast(['audit', 'witness', from, '--logs', logsFile, '--json'])).code;
    const other = temporaryFolder();
    await makeWitness(other, NAME);
    const copy = (file: string) => {
      const target = temporaryFolder();
      cpSync(folder, target, { recursive: true });
      rmSync(join(target, file));
      return target;
    };
    const lost = copy('state.sqlite');
    expect(await start(lost)).toBe('WITNESS_STATE_MISSING');
    expect(existsSync(join(lost, 'state.sqlite'))).toBe(false);
    const remade = await runHoldfast(['audit', 'witness-keygen', lost, '--name', NAME, '--json']);
    expect(refusalIn(remade).code).toBe('WITNESS_STATE_EXISTS');
    const swapped = copy('state.sqlite');
    cpSync(join(other, 'state.sqlite'), join(swapped, 'state.sqlite'));
    expect(await start(swapped)).toBe('WITNESS_STATE_MISMATCH');
    const damaged = copy('state.sqlite');
    writeFileSync(join(damaged, 'state.sqlite'), randomBytes(8_192));
    expect(await start(damaged)).toBe('WITNESS_STATE_DAMAGED');
    const exposed = copy('ed25519.key');
    writeFileSync(join(exposed, 'ed25519.key'), readFileSync(join(folder, 'ed25519.key')), { mode: 0o644 });
    expect(await start(exposed)).toBe('KEY_FILE_EXPOSED');
    await using running = await startWitness(folder, logsFile);
    expect(running.vkeys).toHaveLength(2);
    expect(await start(folder)).toBe('WITNESS_STATE_BUSY');
  });

  it.each([
    ['an unknown member', 'logs: []\nwitness: x\n'],
    [
      'a key of a witness',
      'logs: [{origin: a, keys: ["witness.example/w1+dace1a7f+BFzjW8iz0KEurnwcla0BVc2P4F1oyQjfKO6JP1/BU4cy"]}]\n',
    ],
    [
      'an origin twice',
      `logs: [${[1, 2].map(() => `{origin: a, keys: ["${new SampleLog('a').vkey}"]}`).join()}]\n`,
    ],
    ['no keys', 'logs: [{origin: a, keys: []}]\n'],
    ['no YAML', 'logs: [\n'],
  ])('has no list of logs with %s', async (_, yaml) => {
    const { folder, logsFile } = await prepare(new SampleLog());
    writeFileSync(logsFile, yaml);
    const result = await runHoldfast(['audit', 'witness', folder, '--logs', logsFile, '--json']);
    expect(refusalIn(result).code).toBe('WITNESS_LOGS_MALFORMED');
  });
});

describe.skipIf(PEERS === undefined)('beside litewitness and omniwitness', () => {
  const log = new SampleLog();
  const others: RunningWitness[] = [];
  let ours: WitnessProcess;
  beforeAll(async () => {
    const { folder, logsFile } = await prepare(log);
    ours = await startWitness(folder, logsFile);
    others.push(await startLitewitness(PEERS ?? '', log), await startOmniwitness(PEERS ?? '', log));
  });
  afterAll(async () => {
    await Promise.all([ours[Symbol.asyncDispose](), ...others.map((one) => one.stop())]);
  });

  it('ours says what the specification says, and they what they are known to say', async () => {
    // An old size that a witness with nothing cannot have: the specification wants 409, omniwitness trusts.
    log.append(KNOWN_SIZE);
    const first = witnessRequest(3, await log.proveConsistency(3), log.checkpoint().note);
    expect(await submit(ours.url, first)).toMatchObject({
      status: 409,
      body: '0\n',
      type: 'text/x.tlog.size',
    });
    const firstOfOthers = await Promise.all(others.map(({ url }) => submit(url, first)));
    expect(firstOfOthers.map(({ status }) => status)).toEqual([409, 200]);
    for (const { url } of [ours, ...others]) {
      const { status } = await submit(url, await log.request(0));
      if (status === 409) expect((await submit(url, await log.request(KNOWN_SIZE))).status).toBe(200);
      else expect(status).toBe(200);
    }
    for (const { name, body, status, departures = {} } of await makeWitnessTable(log)) {
      const response = await submit(ours.url, body);
      expect([name, response.status]).toEqual([name, status]);
      if (status === 409) expect(response).toMatchObject({ body: '12\n', type: 'text/x.tlog.size' });
      for (const { program, url } of others) {
        const expected = (program === 'clock' ? undefined : departures[program]) ?? status;
        expect([name, program, (await submit(url, body)).status]).toEqual([name, program, expected]);
      }
    }
  });

  it('tessera’s log takes the cosignatures of ours and of litewitness', async () => {
    const tessera = new SampleLog('tessera.example/log');
    const { folder, logsFile } = await prepare(tessera);
    await using witness = await startWitness(folder, logsFile);
    await using lite = await startLitewitness(PEERS ?? '', tessera, 'witness.example/second');
    const seed = createHash('sha256').update(tessera.origin).digest();
    const [name, id] = tessera.vkey.split('+');
    const signingKey = `PRIVATE+KEY+${name}+${id}+${Buffer.concat([Buffer.of(1), seed]).toString('base64')}`;
    const [vkey = ''] = witness.vkeys;
    const report = (await askPeers(PEERS ?? '', 'tessera', {
      folder: join(folder, 'tessera'),
      signingKey,
      entries: 300,
      witnesses: [
        { vkey, url: witness.url },
        { vkey: lite.vkeys[0], url: lite.url },
      ],
    })) as { refusal: string; checkpoint: string };
    expect(report.refusal).toBe('');
    const opened = openCheckpoint(
      Buffer.from(report.checkpoint),
      { origin: tessera.origin, keys: [tessera.signingKey.key] },
      verifyByNode,
    );
    expect(opened.size).toBe(300);
    const keys = [vkey, ...lite.vkeys].map((one) => parseVerifierKey(one, WITNESS_KEY_TYPES));
    verifyCosignatures(opened.text, opened.signatures, { keys, threshold: 2 }, verifyByNode);
  });
});
