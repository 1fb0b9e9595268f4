import { describe, expect, it } from 'vitest';
import { decodeCertificate, encodeCertificate } from '../../../../audit/transcript/index.ts';
import { CALLS } from '../../../../enclave/quorum/ceremonies/wire.ts';
import { digestShareGroup } from '../../../../shared/frost/index.ts';
import type { CeremonyOrder } from '../../../../enclave/quorum/index.ts';
import type { SignEntry } from '../../../../enclave/quorum/signing/messages.ts';
import { callOnce, captureEntry, readReceipt, refusalOf } from './calls.ts';
import { KEY, QuorumTestbed, type TestbedOptions } from './quorum-testbed.ts';

const OTHER = 'reserve';

/** Starts nodes whose rules permit ceremonies, on two keys. */
function start(options: TestbedOptions = {}) {
  return QuorumTestbed.start({
    hasCeremonies: true,
    rule: () => ({
      keys: [KEY, OTHER],
      operations: ['sign', 'generate', 'refresh', 'reshare'],
    }),
    configuration: () => ({
      keys: [
        { id: KEY, type: 'frost-ed25519', networks: [] },
        { id: OTHER, type: 'frost-ed25519', networks: [] },
      ],
    }),
    ...options,
  });
}

/** Spoils calls to a node, so that it refuses them at once, and loses the answers to what it asks about ceremonies. */
function keepInTheDark(
  testbed: QuorumTestbed,
  node: number,
  spoiled: readonly string[] = [CALLS.activate],
): void {
  const asked: readonly string[] = [CALLS.news, CALLS.resolve];
  testbed.network.onDelivery = ({ to, kind, body }) => {
    if (to === node && spoiled.includes(kind)) body.fill(0);
    return true;
  };
  testbed.network.onAnswer = ({ from, kind }) => from !== node || !asked.includes(kind);
}

/** Refreshes the key while one node, which has confirmed, does not learn of the certificate. */
async function refreshWithout(testbed: QuorumTestbed, laggard: number, leader: number): Promise<void> {
  keepInTheDark(testbed, laggard);
  expect(
    await testbed.node(leader).order(`/v1/quorum/keys/${KEY}/refresh`, { kind: 'refresh', key: KEY }),
  ).toBe('done');
  expect(testbed.node(laggard).epoch).toBe(Number(testbed.node(leader).epoch) - 1);
}

async function sign(testbed: QuorumTestbed, node: number) {
  const signed = await testbed.node(node).sign();
  if (signed.outcome === 'pending') throw new TypeError('expected a signature');
  const predicate = readReceipt(signed.receipt);
  return 'quorum' in predicate ? predicate.quorum : undefined;
}

async function certificateOf(testbed: QuorumTestbed, node: number, key = KEY): Promise<Uint8Array> {
  const certificate = await testbed.node(node).running.certificates.certificate(key);
  if (certificate === null) throw new RangeError('expected a certificate');
  return certificate;
}

describe('a node that has confirmed an epoch and missed its certificate', () => {
  it('gets it with a request to sign, puts the epoch into force and signs', async () => {
    const testbed = await start();
    await refreshWithout(testbed, 2, 1);
    testbed.node(3).crash();
    expect(await sign(testbed, 1)).toMatchObject({ participants: [1, 2], epoch: 1, excluded: [] });
    expect(testbed.node(2).epoch).toBe(1);
  });

  it('gets it from those that it asks to sign', async () => {
    const testbed = await start();
    await refreshWithout(testbed, 2, 1);
    testbed.node(3).crash();
    expect(await sign(testbed, 2)).toMatchObject({ coordinator: 2, participants: [1, 2], epoch: 1 });
    expect(testbed.node(2).epoch).toBe(1);
  });

  it('gets it where nonces of the former epoch were at hand on both sides', async () => {
    const testbed = await start();
    testbed.node(3).crash();
    await sign(testbed, 1);
    await sign(testbed, 2);
    await testbed.node(3).start();
    await testbed.settle();
    await refreshWithout(testbed, 2, 1);
    testbed.node(3).crash();
    expect(await sign(testbed, 2)).toMatchObject({ participants: [1, 2], epoch: 1 });
    expect(await sign(testbed, 1)).toMatchObject({ participants: [1, 2], epoch: 1, excluded: [] });
  });
});

it('drops the nonces of an epoch that is over, of others and its own', async () => {
  const testbed = await start();
  const entry = await captureEntry(testbed, 1, 2);
  await testbed.node(3).start();
  await testbed.settle();
  const { pipeline } = testbed.node(1).running;
  expect(pipeline.countCommitments(KEY)).toContainEqual({ node: 2, count: 16 });
  await testbed.node(1).order(`/v1/quorum/keys/${KEY}/refresh`, { kind: 'refresh', key: KEY });
  expect(pipeline.countCommitments(KEY)).toEqual([
    { node: 2, count: 0 },
    { node: 3, count: 0 },
  ]);
  // The package of the former epoch, and the same under the name of the new one.
  expect(await callOnce(testbed, 1, 2, entry)).toMatchObject({
    outcome: 'unable',
    code: 'QUORUM_EPOCH_MISMATCH',
    epoch: 1,
  });
  const group = readGroup(testbed, 1);
  expect(await callOnce(testbed, 1, 2, { ...entry, ...group })).toMatchObject({
    outcome: 'unable',
    code: 'QUORUM_NONCES_UNKNOWN',
  });
});

function readGroup(testbed: QuorumTestbed, node: number): Pick<SignEntry, 'epoch' | 'group'> {
  const share = testbed.node(node).running.keyring.shareRecord(KEY)?.current;
  if (!share) throw new RangeError('expected a share');
  return { epoch: share.group.epoch, group: digestShareGroup(share.group) };
}

describe('a node that has no share of the epoch', () => {
  it('says that its share is superseded, and another takes its place', async () => {
    const testbed = await start();
    keepInTheDark(testbed, 3, [CALLS.activate, CALLS.state]);
    const reshare: CeremonyOrder = { kind: 'reshare', key: KEY, participants: [1, 2], threshold: 2 };
    expect(await testbed.node(1).order(`/v1/quorum/keys/${KEY}/reshare`, reshare)).toBe('done');
    expect(testbed.node(3).epoch).toBe(0);
    const refusal = await refusalOf(testbed.node(3).sign());
    expect(refusal.code).toBe('SHARE_SUPERSEDED');
    expect(testbed.node(3).epoch).toBeUndefined();
    expect(await sign(testbed, 1)).toMatchObject({ participants: [1, 2], epoch: 1 });
  });
});

describe('a certificate that travels with a request', () => {
  it.each<[string, (testbed: QuorumTestbed, genuine: Uint8Array) => Promise<Uint8Array> | Uint8Array]>([
    ['is no certificate', () => new Uint8Array(64).fill(0xa0)],
    [
      'has a confirmation that its sender has not signed',
      (_testbed, genuine) => {
        const certificate = decodeCertificate(genuine);
        const confirmations = certificate.confirmations.map(({ sender, signature }) => ({
          sender,
          signature: sender === 2 ? signature.map((byte) => byte ^ 1) : signature,
        }));
        return encodeCertificate({ ...certificate, confirmations });
      },
    ],
    [
      'lacks a confirmation',
      (_testbed, genuine) => {
        const certificate = decodeCertificate(genuine);
        return encodeCertificate({ ...certificate, confirmations: certificate.confirmations.slice(1) });
      },
    ],
    [
      'is of another key',
      async (testbed) => {
        await testbed.node(1).order('/v1/quorum/keys', { kind: 'generate', key: OTHER });
        return await certificateOf(testbed, 1, OTHER);
      },
    ],
  ])('changes nothing where it %s', async (_what, forge) => {
    const testbed = await start();
    await refreshWithout(testbed, 2, 1);
    const genuine = await certificateOf(testbed, 1);
    const forged = await forge(testbed, genuine);
    const { certificates } = testbed.node(2).running;
    expect(await certificates.accept(KEY, forged)).toBe(false);
    expect(testbed.node(2).epoch).toBe(0);
    expect(await certificates.accept(KEY, genuine)).toBe(true);
    expect(testbed.node(2).epoch).toBe(1);
  });

  it('changes nothing where it is older than the epoch in force', async () => {
    const testbed = await start();
    const refresh = () =>
      testbed.node(1).order(`/v1/quorum/keys/${KEY}/refresh`, { kind: 'refresh', key: KEY });
    await refresh();
    const older = await certificateOf(testbed, 1);
    await refresh();
    await refreshWithout(testbed, 2, 1);
    const { certificates } = testbed.node(2).running;
    expect(await certificates.accept(KEY, older)).toBe(false);
    expect(testbed.node(2).epoch).toBe(2);
  });
});
