import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decodePayload, toSigningInput } from '../../../policy/transactions/index.ts';
import { blindPayloadSchema } from '../../../shared/api/bodies.ts';

const hex = 'ab'.repeat(32);
const bytes = Uint8Array.from({ length: 32 }, () => 0xab);
const context = { algorithm: 'ed25519', publicKey: new Uint8Array(32), networks: [], ownKeys: [] };

describe('a blind payload', () => {
  it('becomes the bytes that it spells', () => {
    expect(toSigningInput(blindPayloadSchema.parse({ kind: 'message', message: '' }))).toEqual({
      kind: 'message',
      message: new Uint8Array(),
    });
    expect(toSigningInput(blindPayloadSchema.parse({ kind: 'digest', digest: hex }))).toEqual({
      kind: 'digest',
      digest: bytes,
    });
    expect(
      toSigningInput(blindPayloadSchema.parse({ kind: 'taproot-sighash', digest: hex, merkleRoot: '' })),
    ).toEqual({ kind: 'taproot-sighash', digest: bytes, merkleRoot: new Uint8Array() });
  });

  it('is one effect that nobody has read, with nothing that a rule about amounts could match', () => {
    const { transaction, signings } = decodePayload({ kind: 'digest', digest: hex }, context);
    expect(transaction.effects).toEqual([
      {
        type: 'blind',
        to: null,
        asset: null,
        amount: null,
        contract: null,
        selector: null,
        details: { bytes: '32', sha256: createHash('sha256').update(bytes).digest('hex') },
      },
    ]);
    expect(signings).toEqual([{ input: { kind: 'digest', digest: bytes } }]);
  });
});
