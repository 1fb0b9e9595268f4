import { createPublicKey, verify } from 'node:crypto';
import { dsse } from '@sigstore/core';
import { Envelope } from '@sigstore/protobuf-specs';
import { describe, expect, it } from 'vitest';
import { makeReceipt, manifestDigest, receiptKey, requestDigest } from './sample-node.ts';

const { envelope } = makeReceipt();

/** What sigstore's libraries, of npm's own provenance, make of the envelope of a receipt. */
describe('the envelope of a receipt, read by sigstore', () => {
  const read = Envelope.fromJSON(JSON.parse(JSON.stringify(envelope)));
  const [signature] = read.signatures;

  it('is a DSSE envelope whose signature verifies over sigstore’s encoding', () => {
    const key = createPublicKey({
      key: Buffer.from(signature?.keyid ?? '', 'hex'),
      format: 'raw-public',
      asymmetricKeyType: 'ed25519',
    });
    const message = dsse.preAuthEncoding(read.payloadType, read.payload);
    expect(signature?.keyid).toBe(receiptKey);
    expect(verify(null, message, key, signature?.sig ?? Buffer.alloc(0))).toBe(true);
    const altered = Buffer.concat([read.payload, Buffer.from(' ')]);
    const other = dsse.preAuthEncoding(read.payloadType, altered);
    expect(verify(null, other, key, signature?.sig ?? Buffer.alloc(0))).toBe(false);
  });

  it('holds an in-toto statement about the request', () => {
    expect(read.payloadType).toBe('application/vnd.in-toto+json');
    expect(JSON.parse(read.payload.toString())).toMatchObject({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'request', digest: { sha256: requestDigest } }],
      predicate: { node: { manifest: manifestDigest }, outcome: 'permitted' },
    });
  });

  it('is written by sigstore as it was', () => {
    expect(Envelope.toJSON(read)).toEqual(envelope);
  });
});
