import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  collectCosignatures,
  parseSignatureLines,
  parseVerifierKey,
  verifyCosignatures,
  WITNESS_KEY_TYPES,
} from '../../../audit/log/index.ts';
import { verifyByNode } from '../../../audit/log/node-signatures.ts';
import {
  type ClockWitness,
  findLogPeers,
  type RunningWitness,
  startClockWitness,
  startLitewitness,
  startOmniwitness,
} from '../../support/witnesses.ts';
import { SampleLog, submit, witnessRequest } from './sample-log.ts';

const PEERS = findLogPeers('checkpoints were not shown to litewitness and omniwitness');

const cosign = async (witness: RunningWitness, log: SampleLog, older: number) => {
  const { status, body } = await submit(witness.url, await log.request(older));
  expect(status).toBe(200);
  const keys = witness.vkeys.map((vkey) => parseVerifierKey(vkey, WITNESS_KEY_TYPES));
  return verifyCosignatures(
    log.checkpoint().text,
    parseSignatureLines(body),
    { keys, threshold: keys.length },
    verifyByNode,
  );
};

describe.skipIf(PEERS === undefined)('a log’s checkpoints', () => {
  const log = new SampleLog();
  const witnesses: RunningWitness[] = [];
  beforeAll(async () => {
    witnesses.push(
      await startLitewitness(PEERS ?? '', log),
      await startOmniwitness(PEERS ?? '', log, { mlDsa: true }),
      await startClockWitness(PEERS ?? '', log),
    );
  });
  afterAll(async () => {
    await Promise.all(witnesses.map((witness) => witness.stop()));
  });

  it('are cosigned as the log grows, and the cosignatures verify over its own text', async () => {
    let older = 0;
    for (const count of [1, 1, 2, 253, 300]) {
      log.append(count);
      for (const witness of witnesses) {
        const cosignatures = await cosign(witness, log, older);
        expect(cosignatures.map(({ witness: key }) => key.type)).toEqual(
          witness.program === 'omniwitness'
            ? ['cosignature-ed25519', 'cosignature-ml-dsa-44']
            : ['cosignature-ed25519'],
        );
        for (const { time } of cosignatures) expect(Math.abs(time - Date.now() / 1000)).toBeLessThan(60);
      }
      older = log.size;
    }
  });

  it('are not cosigned for a fork, nor for an older tree, and the size that a witness has is said', async () => {
    const fork = new SampleLog();
    fork.append(1);
    fork.append(log.size - 1, 'another');
    for (const { url } of witnesses) {
      expect((await submit(url, await fork.request(log.size))).status).toBe(422);
      fork.append(1, 'another');
      const proof = await fork.proveConsistency(log.size);
      expect((await submit(url, witnessRequest(log.size, proof, fork.checkpoint().note))).status).toBe(422);
      const behind = new SampleLog();
      behind.append(5);
      expect(await submit(url, await behind.request(5))).toMatchObject({
        status: 409,
        body: `${log.size}\n`,
        type: 'text/x.tlog.size',
      });
    }
  });

  it('are remembered over kill -9 and a start', async () => {
    for (const witness of witnesses.filter(({ program }) => program !== 'clock')) {
      await witness.restart();
      expect(await cosign(witness, log, log.size)).toHaveLength(witness.vkeys.length);
    }
  });

  it('have a cosignature that another text does not', async () => {
    for (const witness of witnesses.filter(({ program }) => program !== 'clock')) {
      const { body } = await submit(witness.url, await log.request(log.size));
      const keys = witness.vkeys.map((vkey) => parseVerifierKey(vkey, WITNESS_KEY_TYPES));
      const other = new SampleLog();
      other.append(log.size, 'another');
      const found = collectCosignatures(
        other.checkpoint().text,
        parseSignatureLines(body),
        keys,
        verifyByNode,
      );
      expect(found.cosignatures).toEqual([]);
      expect(found.invalid).toHaveLength(keys.length);
    }
  });

  it('are cosigned at whatever time the witness says, but 0', async () => {
    const [witness] = witnesses.filter((one): one is ClockWitness => 'setClock' in one);
    if (witness === undefined) throw new Error('no witness with a clock');
    await witness.setClock(4_000_000_000);
    expect((await cosign(witness, log, log.size))[0]?.time).toBe(4_000_000_000);
    await witness.setClock(0);
    const { body } = await submit(witness.url, await log.request(log.size));
    const keys = witness.vkeys.map((vkey) => parseVerifierKey(vkey, WITNESS_KEY_TYPES));
    const found = collectCosignatures(log.checkpoint().text, parseSignatureLines(body), keys, verifyByNode);
    expect(found.cosignatures).toEqual([]);
    await witness.setClock(-1);
  });
});
