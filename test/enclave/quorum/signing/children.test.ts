import { schnorr } from '@noble/curves/secp256k1.js';
import { HDKey } from '@scure/bip32';
import * as scure from '@scure/btc-signer';
import { describe, expect, it } from 'vitest';
import { digestRequest } from '../../../../shared/api/request-digest.ts';
import type { SignRequest } from '../../../../shared/api/bodies.ts';
import { FORMS, MAINNET } from '../../../policy/transactions/bitcoin/support.ts';
import { condition } from '../../../shared/documents/sample-rules.ts';
import { readReceipt, refusalOf } from './calls.ts';
import { KEY, QuorumTestbed, type TestbedOptions } from './quorum-testbed.ts';

const TYPE = 'frost-secp256k1-taproot' as const;
const SECRET = new Uint8Array(32).fill(0x2b);
/** As BIP-328 prints it. */
const BIP328 = '868087ca02a6f974c4598924c36b57762d32cb45717167e300622c7167e38965';
const DIGEST = 'ab'.repeat(32);
const BLIND = { kind: 'digest', digest: DIGEST } as const;

/** The whole key, as a wallet would hold it. */
function wallet(path: string | undefined, chainCode = BIP328): { publicKey: Uint8Array; address: string } {
  const root = new HDKey({ privateKey: SECRET, chainCode: Buffer.from(chainCode, 'hex') });
  const { publicKey } = path === undefined ? root : root.derive(`m/${path}`);
  if (publicKey === null) throw new RangeError('expected a key');
  const { address } = scure.p2tr(new Uint8Array(publicKey.subarray(1)));
  if (address === undefined) throw new RangeError('expected an address');
  return { publicKey, address };
}

async function start(options: TestbedOptions = {}) {
  return await QuorumTestbed.start({
    type: TYPE,
    secret: SECRET.slice(),
    networks: [MAINNET],
    rule: () => ({ payloads: ['digest'] }),
    ...options,
  });
}

/** A transaction that spends an output to the address, and returns half of it there. */
function spend(address: string) {
  const script = scure.OutScript.encode(scure.Address().decode(address));
  const transaction = new scure.Transaction();
  transaction.addInput({
    txid: '11'.repeat(32),
    index: 1,
    witnessUtxo: { script, amount: 100_000n },
  });
  transaction.addOutput({ script: FORMS['foreign-p2tr'].script, amount: 40_000n });
  transaction.addOutput({ script, amount: 50_000n });
  const psbt = Buffer.from(transaction.toPSBT()).toString('base64');
  return {
    payload: { kind: 'bitcoin-transaction', psbt } as const,
    hash: transaction.preimageWitnessV1(0, [script], 0, [100_000n]),
    outputKey: script.subarray(2),
  };
}

async function signatureOf(testbed: QuorumTestbed, node: number, request: Partial<SignRequest>) {
  const signed = await testbed.node(node).sign(request);
  if (signed.outcome === 'pending') throw new TypeError('expected a signature');
  const [signature] = signed.result;
  if (signature === undefined) throw new RangeError('expected a signature');
  return { ...signature, receipts: [signed.receipt, ...signed.receipts].map(readReceipt) };
}

describe('a child of a key of the quorum', () => {
  const transfers = () => ({
    payloads: ['bitcoin-transaction'],
    effects: [condition({ type: 'transfer' })],
    limits: [
      { id: 'day', asset: `${MAINNET}/slip44:0`, max: '75000', seconds: 86_400, per: 'key', fees: true },
    ],
  });

  it.each(['0', '0/5', '1/2147483647', '3/1/4/1/5/9/2/6'])(
    'spends from the address that a wallet of the whole key has at %s, and gets its change there',
    async (path) => {
      const testbed = await start({ rule: transfers });
      const { payload, hash, outputKey } = spend(wallet(path).address);
      const { signature, publicKey, receipts } = await signatureOf(testbed, 1, { payload, path });
      expect(Buffer.from(publicKey)).toEqual(Buffer.from(outputKey));
      expect(schnorr.verify(signature, hash, outputKey)).toBe(true);
      expect(receipts).toMatchObject(
        [1, 2].map((index) => ({ node: { index }, request: { path }, charges: [{ amount: '50000' }] })),
      );
    },
  );

  it('shares the limits of its key', async () => {
    const testbed = await start({ rule: transfers });
    await testbed.node(1).sign({ payload: spend(wallet('0/5').address).payload, path: '0/5' });
    const other = { payload: spend(wallet('0/6').address).payload, path: '0/6' };
    expect((await refusalOf(testbed.node(1).sign(other))).code).toBe('LIMIT_EXCEEDED');
  });

  it('signs as a BIP-340 key what nobody can read', async () => {
    const testbed = await start();
    const { signature, publicKey } = await signatureOf(testbed, 3, { payload: BLIND, path: '0/5' });
    expect(Buffer.from(publicKey)).toEqual(Buffer.from(wallet('0/5').publicKey.subarray(1)));
    expect(schnorr.verify(signature, Buffer.from(DIGEST, 'hex'), publicKey)).toBe(true);
  });

  it('is the one of the chain code that the configuration gives the key', async () => {
    const chainCode = 'c4'.repeat(32);
    const testbed = await start({ entry: () => ({ chainCode }), rule: transfers });
    const { payload, hash, outputKey } = spend(wallet('0/5', chainCode).address);
    const { signature } = await signatureOf(testbed, 2, { payload, path: '0/5' });
    expect(schnorr.verify(signature, hash, outputKey)).toBe(true);
  });

  it('does not sign where nodes have different chain codes', async () => {
    const testbed = await start({ entry: (node) => ({ chainCode: `0${node}`.repeat(32) }) });
    const refusal = await refusalOf(testbed.node(1).sign({ payload: BLIND, path: '0/5' }));
    expect(refusal.code).toBe('QUORUM_DENIED');
    expect(readReceipt(refusal.receipts[0])).toMatchObject({ failure: 'QUORUM_DECISION_MISMATCH' });
    // The key itself has no chain code.
    expect((await testbed.node(1).sign({ payload: BLIND })).outcome).toBe('permitted');
  });

  it('is the one that the client has signed for, whatever the coordinator says', async () => {
    const testbed = await start();
    const [node] = testbed.nodes;
    const body = { key: KEY, algorithm: TYPE, payload: BLIND } as const;
    for (const [asked, claimed] of [
      [
        { ...body, path: '0/5' },
        { ...body, path: '0/6' },
      ],
      [{ ...body, path: '0/5' }, body],
      [body, { ...body, path: '0/5' }],
    ] as const) {
      const refusal = await refusalOf(
        node?.sign(claimed, node.forward('/v1/sign', asked)) as Promise<unknown>,
      );
      expect(refusal.code).toBe('QUORUM_DENIED');
      expect(readReceipt(refusal.receipts[0])).toMatchObject({ failure: 'QUORUM_DECISION_MISMATCH' });
    }
  });

  it('has requests of its own: the digest covers the path', () => {
    const request = {
      operation: 'sign',
      client: 'backend',
      key: KEY,
      algorithm: TYPE,
      payload: BLIND,
    } as const;
    const digests = [undefined, '0', '0/5', '5/0'].map((path) =>
      Buffer.from(digestRequest({ ...request, path })).toString('hex'),
    );
    expect(new Set(digests).size).toBe(digests.length);
  });

  it('waits for people, who approve it as what it is', async () => {
    const testbed = await start({
      rule: () => ({
        payloads: ['digest'],
        approvals: { all: [{ group: 'people', count: 1 }], expiresSeconds: 3600 },
      }),
    });
    const waiting = await testbed.node(1).sign({ payload: BLIND, path: '0/5' });
    if (waiting.outcome !== 'pending') throw new TypeError('expected a request that waits');
    const { request } = testbed.node(1).running.state.requests.findOwn('backend', waiting.id);
    expect(testbed.node(1).running.pipeline.review(request).context.publicKey).toBe(
      Buffer.from(wallet('0/5').publicKey).toString('hex'),
    );
    // The sealed form of the request has the path, too.
    await testbed.node(1).vote(waiting.id, testbed.alice);
    await testbed.node(1).start();
    await testbed.settle();
    const signed = await testbed.node(1).resume(waiting.id);
    if (signed.outcome !== 'permitted') throw new TypeError('expected a signature');
    const [{ signature, publicKey } = { signature: SECRET, publicKey: SECRET }] = signed.result;
    expect(Buffer.from(publicKey)).toEqual(Buffer.from(wallet('0/5').publicKey.subarray(1)));
    expect(schnorr.verify(signature, Buffer.from(DIGEST, 'hex'), publicKey)).toBe(true);
    expect(signed.receipts.map(readReceipt)).toMatchObject([{ request: { path: '0/5' } }]);
  });
});

describe('a path is refused', () => {
  it('for a transaction of the key itself', async () => {
    const testbed = await start({ rule: () => ({ payloads: ['bitcoin-transaction'] }) });
    const { payload } = spend(wallet(undefined).address);
    const refusal = await refusalOf(testbed.node(1).sign({ payload, path: '0/5' }));
    expect(refusal.code).toBe('TRANSACTION_KEY_MISMATCH');
  });

  it.each(['frost-ed25519', 'frost-p256', 'frost-ristretto255'] as const)(
    'for a key of %s, and nobody else is asked',
    async (type) => {
      const testbed = await QuorumTestbed.start({ type });
      const refusal = await refusalOf(testbed.node(1).sign({ path: '0/5' }));
      expect(refusal.code).toBe('CHILD_UNSUPPORTED');
      expect(readReceipt(refusal.receipt)).toMatchObject({ outcome: 'denied', code: 'CHILD_UNSUPPORTED' });
      expect(testbed.node(2).entries).toEqual([]);
    },
  );
});
