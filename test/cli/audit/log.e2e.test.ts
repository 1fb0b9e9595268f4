import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { cosignCheckpoint, formatVerifierKey } from '../../../audit/log/index.ts';
import { signingKeyFromSeed } from '../../../audit/log/node-signatures.ts';
import { createBootEntry, encodeEntry } from '../../../audit/receipt/index.ts';
import { askPeers } from '../../../local/testbed/log-peers.ts';
import { SampleLog } from '../../audit/log/sample-log.ts';
import { serveLog } from '../../audit/log/served-log.ts';
import { BOOT } from '../../audit/receipt/samples.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { findLogPeers, startLitewitness } from '../../support/witnesses.ts';
import { refusalIn, runHoldfast } from '../in-process.ts';
import { appendStatements, writeLog } from './node-log.ts';

const PEERS = findLogPeers('`audit verify` was not shown a log that tessera wrote');
const witnesses = ['w1', 'w2', 'w3'].map((name) =>
  signingKeyFromSeed(
    `witness.example/${name}`,
    name === 'w3' ? 'cosignature-ml-dsa-44' : 'cosignature-ed25519',
    createHash('sha256').update(name).digest(),
  ),
);
const witnessArgs = [
  ...witnesses.flatMap(({ key }) => ['--witness', formatVerifierKey(key)]),
  '--threshold',
  '2',
];
const SIZE = 300;

let log: SampleLog;
let folder: string;
let trust: readonly string[];
beforeEach(() => {
  log = new SampleLog();
  appendStatements(log, SIZE);
  folder = temporaryFolder();
  trust = ['--origin', log.origin, '--key', log.vkey];
  writeLog(log, folder, cosigned(2));
});

/** The newest checkpoint with the cosignatures of the last `count` witnesses. */
function cosigned(count: number): string {
  const { text, note } = log.checkpoint();
  return (
    note +
    witnesses
      .slice(3 - count)
      .map((key) => cosignCheckpoint(key, text, 1_700_000_000))
      .join('')
  );
}

const verify = (...more: readonly string[]) =>
  runHoldfast(['audit', 'verify', folder, ...trust, ...more, '--json']);
const at = (path: string) => join(folder, path);

describe('audit verify', () => {
  it('verifies a node’s log in a folder, and says who has cosigned it', async () => {
    const { exit, out } = await verify(...witnessArgs);
    expect(exit).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      origin: log.origin,
      size: SIZE,
      root: Buffer.from(log.root).toString('hex'),
      entries: { boot: 1, vote: 60, decision: 239 },
      cosignatures: [{ name: 'witness.example/w2' }, { name: 'witness.example/w3' }],
    });
    const words = await runHoldfast(['audit', 'verify', folder, ...trust]);
    expect(words).toMatchObject({ exit: 0, err: '' });
    expect(words.out).toContain('no witness');
  });

  it('verifies a log at a URL, and that it begins with an earlier checkpoint', async () => {
    for (const earlierSize of [0, 1, 255, 256, 257, 299, 300]) {
      const earlier = new SampleLog();
      if (earlierSize > 0) appendStatements(earlier, earlierSize);
      writeFileSync(at('earlier'), earlier.checkpoint().note);
      await using served = await serveLog(log);
      const { exit, out } = await runHoldfast([
        'audit',
        'verify',
        served.url,
        ...trust,
        '--since',
        at('earlier'),
        '--json',
      ]);
      expect([earlierSize, exit]).toEqual([earlierSize, 0]);
      expect(JSON.parse(out)).toMatchObject({ since: earlierSize });
    }
  });

  it('takes a full bundle and tile where the partial ones are gone', async () => {
    const longer = new SampleLog();
    appendStatements(longer, 520);
    await using served = await serveLog(longer, (path, bytes) => {
      if (path === 'checkpoint') return Buffer.from(log.checkpoint().note);
      return path.includes('.p/') ? undefined : bytes;
    });
    // Of the smaller tree only level 1 has a partial tile that is not full in the longer one: it is kept.
    const kept = await serveLog(longer, (path, bytes) => {
      if (path === 'checkpoint') return Buffer.from(log.checkpoint().note);
      return path.startsWith('tile/1/')
        ? longer.tiles.get('1/0')?.subarray(0, 32)
        : path.includes('.p/')
          ? undefined
          : bytes;
    });
    await using _ = kept;
    expect((await runHoldfast(['audit', 'verify', kept.url, ...trust])).exit).toBe(0);
    const result = await runHoldfast(['audit', 'verify', served.url, ...trust, '--json']);
    expect(refusalIn(result).code).toBe('LOG_INCOMPLETE');
  });

  const flip = (path: string, place: number) => {
    const bytes = readFileSync(at(path));
    bytes[place] = (bytes[place] ?? 0) ^ 1;
    writeFileSync(at(path), bytes);
  };
  it.each<[string, () => void, string]>([
    ['an entry altered', () => flip('tile/entries/000', 500), 'TILE_MISMATCH'],
    ['an entry of the last bundle altered', () => flip('tile/entries/001.p/44', 500), 'TILE_MISMATCH'],
    ['a tile altered', () => flip('tile/0/000', 40), 'TILE_MISMATCH'],
    ['a partial tile altered', () => flip('tile/0/001.p/44', 40), 'TILE_MISMATCH'],
    ['a tile of level 1 altered', () => flip('tile/1/000.p/1', 3), 'TILE_MISMATCH'],
    ['a tile missing', () => rmSync(at('tile/0/000')), 'LOG_INCOMPLETE'],
    ['a bundle missing', () => rmSync(at('tile/entries/000')), 'LOG_INCOMPLETE'],
    ['no checkpoint', () => rmSync(at('checkpoint')), 'LOG_INCOMPLETE'],
    [
      'a bundle cut off',
      () => writeFileSync(at('tile/entries/000'), readFileSync(at('tile/entries/000')).subarray(9)),
      'TILE_MALFORMED',
    ],
    [
      'entries and tiles of another log',
      () => {
        const other = new SampleLog();
        other.append(SIZE, 'another');
        writeLog(other, folder, log.checkpoint().note);
      },
      'LOG_ROOT_MISMATCH',
    ],
    [
      'a checkpoint signed by another',
      () => {
        const other = new SampleLog(log.origin, 'another seed');
        other.append(3);
        writeFileSync(at('checkpoint'), other.checkpoint().note);
      },
      'CHECKPOINT_UNSIGNED',
    ],
    [
      'a checkpoint of another log',
      () => {
        writeFileSync(at('checkpoint'), new SampleLog('other.example').checkpoint().note);
      },
      'CHECKPOINT_ORIGIN',
    ],
  ])('refuses a log with %s', async (_, harm, code) => {
    harm();
    const any = code === 'LOG_ROOT_MISMATCH' ? ['--any-entries'] : [];
    expect(refusalIn(await verify(...any))).toMatchObject({ exit: 1, code });
  });

  it('refuses a checkpoint that too few distinct witnesses have cosigned, or one wrongly', async () => {
    writeFileSync(at('checkpoint'), cosigned(1));
    expect(refusalIn(await verify(...witnessArgs)).code).toBe('CHECKPOINT_UNDER_COSIGNED');
    const twice = cosigned(1) + (cosigned(1).split('\n').at(-2) ?? '') + '\n';
    writeFileSync(at('checkpoint'), twice);
    expect(refusalIn(await verify(...witnessArgs)).code).toBe('CHECKPOINT_UNDER_COSIGNED');
    const lines = cosigned(2).split('\n');
    const other = new SampleLog();
    other.append(2);
    lines[lines.length - 2] = cosignCheckpoint(
      witnesses[2] ?? log.signingKey,
      other.checkpoint().text,
      5,
    ).trimEnd();
    writeFileSync(at('checkpoint'), lines.join('\n'));
    expect(refusalIn(await verify(...witnessArgs)).code).toBe('NOTE_SIGNATURE_INVALID');
  });

  it('refuses a log that does not begin with the earlier checkpoint, or is smaller', async () => {
    const fork = new SampleLog();
    fork.append(257, 'another');
    writeFileSync(at('earlier'), fork.checkpoint().note);
    expect(refusalIn(await verify('--since', at('earlier'))).code).toBe('LOG_INCONSISTENT');
    const longer = new SampleLog();
    appendStatements(longer, SIZE + 1);
    writeFileSync(at('earlier'), longer.checkpoint().note);
    expect(refusalIn(await verify('--since', at('earlier'))).code).toBe('LOG_INCONSISTENT');
  });

  it('refuses an entry that is no statement, or says another place, though the log has signed it', async () => {
    const repeated = log.entries[7];
    if (repeated === undefined) throw new Error('no entry');
    const boot = (previousSize: number) =>
      Buffer.from(encodeEntry(createBootEntry({ ...BOOT, sequence: 20, previousSize, origin: log.origin })));
    for (const entry of [repeated, Buffer.from('no statement'), boot(19), boot(21)]) {
      const wrong = new SampleLog();
      appendStatements(wrong, 20);
      wrong.appendEntries([entry]);
      folder = temporaryFolder();
      writeLog(wrong, folder);
      expect(refusalIn(await verify()).code).toBe('LOG_ENTRY_WRONG');
      expect((await verify('--any-entries')).exit).toBe(0);
    }
    const right = new SampleLog();
    appendStatements(right, 20);
    right.appendEntries([boot(20)]);
    folder = temporaryFolder();
    writeLog(right, folder);
    expect((await verify()).exit).toBe(0);
  });

  it.each([
    ['--threshold', '2'],
    ['--witness', new SampleLog('a').vkey, '--threshold', '1'],
    [...witnessArgs.slice(0, -1), '4'],
    [...witnessArgs.slice(0, -1), '0'],
    witnessArgs.slice(0, -2),
  ])('asks for witnesses and a threshold that fit: %j', async (...words) => {
    expect((await verify(...words)).exit).toBe(2);
  });

  it.skipIf(PEERS === undefined)('verifies a log that tessera wrote, and litewitness cosigned', async () => {
    const tessera = new SampleLog('tessera.example/log');
    await using lite = await startLitewitness(PEERS ?? '', tessera);
    const seed = createHash('sha256').update(tessera.origin).digest();
    const [name, id] = tessera.vkey.split('+');
    const [vkey = ''] = lite.vkeys;
    const report = await askPeers(PEERS ?? '', 'tessera', {
      folder: at('tessera'),
      signingKey: `PRIVATE+KEY+${name}+${id}+${Buffer.concat([Buffer.of(1), seed]).toString('base64')}`,
      entries: 600,
      witnesses: [{ vkey, url: lite.url }],
    });
    expect(report).toMatchObject({ refusal: '' });
    const words = ['--origin', tessera.origin, '--key', tessera.vkey, '--witness', vkey, '--threshold', '1'];
    const { exit, out } = await runHoldfast([
      'audit',
      'verify',
      at('tessera'),
      ...words,
      '--any-entries',
      '--json',
    ]);
    expect([exit, JSON.parse(out)]).toMatchObject([0, { size: 600, entries: { entry: 600 } }]);
  });
});

describe('audit export', () => {
  it('writes a range, each entry proven, and never over a file', async () => {
    const run = (...words: readonly string[]) =>
      runHoldfast(['audit', 'export', folder, ...trust, ...words, '--json']);
    expect(await run('--output', at('all'))).toMatchObject({ exit: 0 });
    const lines = readFileSync(at('all'), 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { index: number }).index)).toEqual(
      Array.from({ length: SIZE }, (_, index) => index),
    );
    expect((await run('--output', at('all'))).exit).toBe(2);
    expect((await run('--output', at('raw'), '--from', '250', '--to', '258', '--format', 'raw')).exit).toBe(
      0,
    );
    expect(readFileSync(at('raw'), 'utf8')).toBe(
      log.entries
        .slice(250, 258)
        .map((entry) => `${entry.toString()}\n`)
        .join(''),
    );
    expect(refusalIn(await run('--output', at('far'), '--to', '301')).code).toBe('LOG_INCONSISTENT');
    const bytes = readFileSync(at('tile/entries/000'));
    bytes[500] = (bytes[500] ?? 0) ^ 1;
    writeFileSync(at('tile/entries/000'), bytes);
    expect(refusalIn(await run('--output', at('altered'))).code).toBe('INCLUSION_PROOF_INVALID');
  });
});

describe('audit tail', () => {
  it('prints the last entries in words, then those that come, and ends when asked', async () => {
    await using served = await serveLog(log);
    const abort = new AbortController();
    const ended = runHoldfast(
      ['audit', 'tail', served.url, ...trust, '--from', '298', '--interval', '0.05'],
      {
        signal: abort.signal,
      },
    );
    while (served.asked.filter((path) => path === 'checkpoint').length < 2) await sleep(10);
    appendStatements(log, 2);
    const before = served.asked.length;
    // Who asks for a checkpoint again has printed what the one before had.
    const looks = () => served.asked.slice(before).filter((path) => path === 'checkpoint').length;
    while (looks() < 2) await sleep(10);
    abort.abort();
    const { exit, out } = await ended;
    expect(exit).toBe(0);
    expect(
      out
        .split('\n')
        .slice(0, 4)
        .map((line) => line.split(' ')[0]),
    ).toEqual(['298', '299', '300', '301']);
    expect(out).toContain('backend asks sign of hot, solana-transaction: permitted by rule transfers');
  });

  it('ends with a refusal when the log forks', async () => {
    let shown = log;
    const fork = new SampleLog();
    fork.append(SIZE + 5, 'another');
    await using served = await serveLog(log, (path, bytes) => {
      if (path === 'checkpoint') return Buffer.from(shown.checkpoint().note);
      const [, level = '', index = ''] = /^tile\/(\d)\/(\d{3})/.exec(path) ?? [];
      const width = Number(/\.p\/(\d+)$/.exec(path)?.[1] ?? 256);
      return shown === fork && level !== ''
        ? fork.tiles.get(`${level}/${Number(index)}`)?.subarray(0, width * 32)
        : bytes;
    });
    const ended = runHoldfast(['audit', 'tail', served.url, ...trust, '--interval', '0.05', '--json']);
    // Who asks for a checkpoint again has verified all of the first tree.
    while (served.asked.filter((path) => path === 'checkpoint').length < 2) await sleep(10);
    shown = fork;
    const { exit, out } = await ended;
    const last = out.trimEnd().split('\n').at(-1) ?? '';
    expect([exit, JSON.parse(last)]).toMatchObject([1, { error: { code: 'CONSISTENCY_PROOF_INVALID' } }]);
  });
});
