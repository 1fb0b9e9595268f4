import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  cosignCheckpoint,
  formatTlogProof,
  formatVerifierKey,
  hashLeaf,
  proveInclusion,
  verifyConsistency,
  verifyInclusion,
  verifyTlogProof,
  parseTlogProof,
} from '../../../audit/log/index.ts';
import { signingKeyFromSeed, verifyByNode } from '../../../audit/log/node-signatures.ts';
import { findLogPeers } from '../../support/witnesses.ts';
import { askPeers } from '../../../local/testbed/log-peers.ts';
import { SampleLog } from './sample-log.ts';
import { serveLog } from './served-log.ts';

const PEERS = findLogPeers('checkpoints, proofs and tiles were not shown to Go’s libraries');
const seedOf = (text: string) => createHash('sha256').update(text).digest();
const witness = signingKeyFromSeed('witness.example/w1', 'cosignature-ed25519', seedOf('w1'));
const pqWitness = signingKeyFromSeed('witness.example/pq', 'cosignature-ml-dsa-44', seedOf('pq'));

interface CheckResult {
  readonly refusals: Readonly<Record<string, string>>;
  readonly signers: readonly string[] | null;
  readonly size: number;
  readonly root: string | null;
  readonly times: Readonly<Record<string, number>>;
}
const check = (cases: readonly object[]) =>
  askPeers(PEERS ?? '', 'check', cases) as Promise<readonly CheckResult[]>;
const accepted = (result: CheckResult | undefined) =>
  result !== undefined && Object.values(result.refusals).every((refusal) => refusal === '');

describe.skipIf(PEERS === undefined)('Go’s libraries', () => {
  const log = new SampleLog();
  log.append(200);
  const older = { size: log.size, root: log.root };
  const batch = log.append(400);
  const { text, note } = log.checkpoint();
  const cosigned =
    note + [witness, pqWitness].map((key) => cosignCheckpoint(key, text, 1_700_000_000)).join('');
  const vkeys = [log.vkey, formatVerifierKey(witness.key), formatVerifierKey(pqWitness.key)];

  it('open checkpoints with cosignatures of both types', async () => {
    const [whole, altered, wrongKey] = await check([
      { kind: 'note', note: cosigned, vkeys, origin: log.origin },
      { kind: 'note', note: cosigned.replace('\n600\n', '\n601\n'), vkeys, origin: log.origin },
      { kind: 'note', note: cosigned, vkeys: [new SampleLog('other.example').vkey], origin: log.origin },
    ]);
    expect(accepted(whole)).toBe(true);
    expect(whole).toMatchObject({
      size: 600,
      root: Buffer.from(log.root).toString('base64'),
      signers: [log.origin, 'witness.example/w1', 'witness.example/pq'],
      times: { 'witness.example/w1': 1_700_000_000, 'witness.example/pq': 1_700_000_000 },
    });
    expect(accepted(altered)).toBe(false);
    expect(accepted(wrongKey)).toBe(false);
  });

  it('take inclusion proofs of a batch, from its frontier alone, and consistency proofs over tiles', async () => {
    const inclusion = [200, 255, 256, 511, 599].map((index) => ({
      kind: 'inclusion',
      index,
      leaf: hashLeaf(log.entries[index] ?? Buffer.alloc(0)),
      size: log.size,
      root: log.root,
      proof: batch.proveInclusion(index),
    }));
    const consistency = {
      kind: 'consistency',
      oldSize: older.size,
      oldRoot: older.root,
      size: log.size,
      root: log.root,
      proof: await log.proveConsistency(older.size),
    };
    const wrong = [
      { ...inclusion[0], index: 201 },
      { ...consistency, oldRoot: log.root },
    ];
    const results = await check([...inclusion, consistency, ...wrong]);
    expect(results.map(accepted)).toEqual([...inclusion.map(() => true), true, false, false]);
  });

  it('compute the same roots and proofs', async () => {
    const sizes = [1, 2, 3, 5, 8, 13, 33, 64, 65];
    const entries = log.entries.slice(0, 65);
    const trees = (await askPeers(PEERS ?? '', 'trees', { entries, sizes })) as readonly {
      size: number;
      root: string;
      inclusion: readonly (readonly string[])[];
      consistency: readonly (readonly string[])[];
    }[];
    const bytes = (encoded: string) => Buffer.from(encoded, 'base64');
    const heads = new Map<number, Buffer>(trees.map(({ size, root }) => [size, bytes(root)]));
    expect(trees).toHaveLength(sizes.length);
    for (const { size, root, inclusion, consistency } of trees) {
      const tree = { size, root: bytes(root) };
      for (const [index, proof] of inclusion.entries()) {
        verifyInclusion(hashLeaf(entries[index] ?? Buffer.alloc(0)), index, tree, proof.map(bytes));
        const ours = await proveInclusion(index, size, log.readHash(size));
        expect(ours.map((hash) => Buffer.from(hash).toString('base64'))).toEqual(proof);
      }
      for (const [at, proof] of consistency.entries()) {
        const olderRoot = heads.get(at + 1);
        if (olderRoot !== undefined)
          verifyConsistency({ size: at + 1, root: olderRoot }, tree, proof.map(bytes));
      }
    }
  });

  it('take a tlog-proof under a policy of 2 of 2, and no other entry', async () => {
    // torchwood 0.9.0 knows no ML-DSA-44.
    const second = signingKeyFromSeed('witness.example/w2', 'cosignature-ed25519', seedOf('w2'));
    const lines = [witness, second].map((key) => cosignCheckpoint(key, text, 1_700_000_000));
    const proof = { index: 300, inclusion: batch.proveInclusion(300), checkpoint: note + lines.join('') };
    const policy = [
      `log ${log.vkey}`,
      `witness w1 ${formatVerifierKey(witness.key)}`,
      `witness w2 ${formatVerifierKey(second.key)}`,
      'group both all w1 w2',
      'quorum both\n',
    ].join('\n');
    const ask = (tlogProof: string, entry: Buffer | undefined) => ({
      kind: 'tlog-proof',
      policy,
      tlogProof,
      entry,
    });
    const results = await check([
      ask(formatTlogProof(proof), log.entries[300]),
      ask(formatTlogProof({ ...proof, extra: Buffer.from('beside') }), log.entries[300]),
      ask(formatTlogProof(proof), log.entries[301]),
      ask(formatTlogProof({ ...proof, checkpoint: note + lines[0] }), log.entries[300]),
    ]);
    expect(results.map(({ refusals }) => refusals['torchwood'] === '')).toEqual([true, true, false, false]);
    verifyTlogProof(
      parseTlogProof(Buffer.from(formatTlogProof(proof))),
      hashLeaf(log.entries[300] ?? Buffer.alloc(0)),
      {
        origin: log.origin,
        keys: [log.signingKey.key],
        witnesses: { keys: [witness.key, second.key], threshold: 2 },
      },
      verifyByNode,
    );
  });

  it('read a whole log from its tiles by torchwood’s client and by tessera’s', async () => {
    await using served = await serveLog(log);
    const report = (await askPeers(PEERS ?? '', 'log', {
      url: served.url,
      origin: log.origin,
      vkey: log.vkey,
      oldSize: older.size,
      oldRoot: older.root,
    })) as { refusals: Record<string, string>; size: number; entries: Record<string, string> };
    const digest = createHash('sha256');
    for (const entry of log.entries) digest.update(`${Buffer.from(hashLeaf(entry)).toString('hex')}\n`);
    const expected = digest.digest('hex');
    expect(report).toEqual({
      refusals: { torchwood: '', tessera: '' },
      size: 600,
      entries: { torchwood: expected, tessera: expected },
    });
  });

  it('refuse a log one of whose entries was altered', async () => {
    await using served = await serveLog(log, (path, bytes) => {
      if (path !== 'tile/entries/001' || bytes === undefined) return bytes;
      const altered = Buffer.from(bytes);
      altered[10] = (altered[10] ?? 0) ^ 1;
      return altered;
    });
    const report = (await askPeers(PEERS ?? '', 'log', {
      url: served.url,
      origin: log.origin,
      vkey: log.vkey,
    })) as {
      refusals: Record<string, string>;
    };
    expect(Object.values(report.refusals).map((refusal) => refusal !== '')).toEqual([true, true]);
  });
});
