import { createPublicKey, verify } from 'node:crypto';
import { ristretto255_FROST } from '@noble/curves/ed25519.js';
import { p256_FROST } from '@noble/curves/nist.js';
import { schnorr } from '@noble/curves/secp256k1.js';
import { describe, expect, it } from 'vitest';
import {
  FORMS,
  MAINNET,
  makePsbt,
  makeTransaction,
  SECRET,
} from '../../../policy/transactions/bitcoin/support.ts';
import { condition } from '../../../shared/documents/sample-rules.ts';
import { readReceipt, refusalOf, watchCalls } from './calls.ts';
import {
  encodeReceiptPae,
  parseEntry,
  type Receipt,
  unsafeParseReceipt,
} from '../../../../audit/receipt/index.ts';
import { QuorumTestbed } from './quorum-testbed.ts';

function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const key = createPublicKey({
    key: Buffer.from(publicKey),
    format: 'raw-public',
    asymmetricKeyType: 'ed25519',
  });
  return verify(null, message, key, signature);
}

function openReceipt(receipt: Receipt | undefined) {
  if (receipt === undefined) throw new RangeError('expected a receipt');
  const { entry, signer } = unsafeParseReceipt(Buffer.from(JSON.stringify(receipt)));
  return { entry, signer, predicate: parseEntry(entry).predicate };
}

describe('signing among nodes', () => {
  it('makes one signature that node:crypto verifies, with a receipt of each node', async () => {
    const testbed = await QuorumTestbed.start();
    const signed = await testbed.node(1).sign();
    if (signed.outcome === 'pending') throw new TypeError('expected a signature');
    const [signature] = signed.result;
    if (signature === undefined) throw new RangeError('expected a signature');
    expect(verifyEd25519(signature.publicKey, Buffer.from('a transfer'), signature.signature)).toBe(true);
    expect(signed.receipts).toHaveLength(1);
    for (const [receipt, number] of [
      [signed.receipt, 1],
      [signed.receipts[0], 2],
    ] as const) {
      const { entry, signer, predicate } = openReceipt(receipt);
      const { publicKey } = testbed.node(number).receiptKeys;
      expect(verify(null, encodeReceiptPae(entry), publicKey, signer.signature)).toBe(true);
      expect(predicate).toMatchObject({
        node: { index: number },
        outcome: 'permitted',
        failure: null,
        quorum: { coordinator: 1, participants: [1, 2], epoch: 0, excluded: [] },
      });
    }
    expect(testbed.node(3).entries).toEqual([]);
  });

  it('makes taproot signatures of the output key', async () => {
    const rule = () => ({ payloads: ['taproot-sighash'] });
    const testbed = await QuorumTestbed.start({ type: 'frost-secp256k1-taproot', rule });
    const digest = 'ab'.repeat(32);
    const payload = { kind: 'taproot-sighash', digest, merkleRoot: '' } as const;
    const signed = await testbed.node(2).sign({ payload });
    if (signed.outcome === 'pending') throw new TypeError('expected a signature');
    const [signature] = signed.result;
    if (signature === undefined) throw new RangeError('expected a signature');
    const bytes = Buffer.from(digest, 'hex');
    expect(schnorr.verify(signature.signature, bytes, signature.publicKey)).toBe(true);
  });

  it.each([
    ['frost-p256', p256_FROST],
    ['frost-ristretto255', ristretto255_FROST],
  ] as const)('makes signatures of %s that noble verifies', async (type, frost) => {
    const testbed = await QuorumTestbed.start({ type });
    const signed = await testbed.node(3).sign();
    if (signed.outcome === 'pending') throw new TypeError('expected a signature');
    const [signature] = signed.result;
    if (signature === undefined) throw new RangeError('expected a signature');
    const key = new Uint8Array(signature.publicKey);
    expect(frost.verify(new Uint8Array(signature.signature), Buffer.from('a transfer'), key)).toBe(true);
  });

  it('signs every input of a transaction in one call, which bitcoin software hashes alike', async () => {
    const rule = () => ({
      payloads: ['bitcoin-transaction'],
      effects: [condition({ type: 'transfer' })],
      limits: [
        { id: 'day', asset: `${MAINNET}/slip44:0`, max: '200000', seconds: 86_400, per: 'key', fees: true },
      ],
    });
    const testbed = await QuorumTestbed.start({
      type: 'frost-secp256k1-taproot',
      secret: SECRET.slice(),
      networks: [MAINNET],
      rule,
    });
    const inputs = [50_000n, 60_000n, 70_000n].map((amount) => ({ form: 'p2tr', amount }) as const);
    const spec = { inputs, outputs: [{ script: FORMS['foreign-p2tr'].script, amount: 170_000n }] };
    const payload = {
      kind: 'bitcoin-transaction',
      psbt: Buffer.from(makePsbt(spec)).toString('base64'),
    } as const;
    const seen = watchCalls(testbed);
    const signed = await testbed.node(1).sign({ payload });
    if (signed.outcome === 'pending') throw new TypeError('expected signatures');
    expect(seen).toHaveLength(1);
    const transaction = makeTransaction(spec);
    const scripts = inputs.map(({ form }) => FORMS[form].script);
    expect(signed.result.map(({ index }) => index)).toEqual([0, 1, 2]);
    for (const { index = 0, signature } of signed.result) {
      const amounts = inputs.map(({ amount }) => amount);
      const hash = transaction.preimageWitnessV1(index, scripts, 0, amounts);
      expect(schnorr.verify(signature, hash, FORMS.p2tr.script.subarray(2))).toBe(true);
    }
    // Both nodes have charged what the transaction spends, each once.
    for (const number of [1, 2]) {
      expect(testbed.node(number).entries.map(({ predicate }) => predicate)).toMatchObject([
        { charges: [{ limit: 'day', amount: '180000' }] },
      ]);
    }
    const refusal = await refusalOf(testbed.node(2).sign({ payload }));
    expect(refusal.code).toBe('LIMIT_EXCEEDED');
    const third = await refusalOf(testbed.node(3).sign({ payload }));
    expect(third.code).toBe('QUORUM_DENIED');
    expect(readReceipt(third.receipts[0])).toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });

  it('charges once where a node is asked again with another list', async () => {
    const rule = () => ({
      payloads: ['bitcoin-transaction'],
      effects: [condition({ type: 'transfer' })],
      limits: [
        { id: 'day', asset: `${MAINNET}/slip44:0`, max: '100000', seconds: 86_400, per: 'key', fees: true },
      ],
    });
    const testbed = await QuorumTestbed.start({
      type: 'frost-secp256k1-taproot',
      secret: SECRET.slice(),
      networks: [MAINNET],
      threshold: 3,
      size: 4,
      rule,
    });
    let isLost = false;
    testbed.network.onAnswer = ({ to, kind }) => {
      if (kind !== 'sign' || to !== 3 || isLost) return true;
      isLost = true;
      testbed.node(3).crash();
      return false;
    };
    const spec = {
      inputs: [{ form: 'p2tr', amount: 90_000n } as const],
      outputs: [{ script: FORMS['foreign-p2tr'].script, amount: 80_000n }],
    };
    const psbt = Buffer.from(makePsbt(spec)).toString('base64');
    const signed = await testbed.node(1).sign({ payload: { kind: 'bitcoin-transaction', psbt } });
    expect(readReceipt(signed.receipt)).toMatchObject({ quorum: { participants: [1, 2, 4] } });
    // A second charge of 90,000 would be above the limit, and denied.
    expect(testbed.node(2).entries.map(({ predicate }) => predicate)).toMatchObject([
      { outcome: 'permitted', charges: [{ amount: '90000' }] },
      { outcome: 'permitted', charges: [] },
    ]);
  });
});
