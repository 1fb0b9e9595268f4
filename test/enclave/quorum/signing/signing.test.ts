import { createPublicKey, verify } from 'node:crypto';
import { schnorr } from '@noble/curves/secp256k1.js';
import { describe, expect, it } from 'vitest';
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

function readReceipt(receipt: Receipt | undefined) {
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
      const { entry, signer, predicate } = readReceipt(receipt);
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
});
