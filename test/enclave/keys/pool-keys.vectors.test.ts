import { createCipheriv } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { restoreKey, restorePoolKey } from '../../../enclave/keys/index.ts';
import { deriveMessageKey } from '../../../enclave/keys/xaes.ts';
import { verifySignature } from '../../../shared/signatures/verification.ts';
import { listCurves } from './every-curves.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const unhex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
const message = (text: string) => ({ kind: 'message', message: Buffer.from(text) }) as const;

const ORDER_P384 = BigInt(
  '0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
);
// RFC 6979, A.2.6, with SHA-384: message, r, s.
const P384_SECRET =
  '6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5';
const RFC_6979 = [
  [
    'sample',
    '94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46',
    '99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8',
  ],
  [
    'test',
    '8203b63d3c853e8d77227fb377bcf7b7b772e97892a80f36ab775d509d7a5feb0542a7f0812998da8f1dd3ca3cf023db',
    'ddd0760448d42d8a43af45af836fce4de8be06b485e9b61b827c2f13173923e06a739f040649a667bf3b828246baa5a5',
  ],
] as const;

// RFC 8032, 7.3.
const ED25519PH = {
  secret: '833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42',
  publicKey: 'ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf',
  signature:
    '98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae4131f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406',
};

describe.each(listCurves())('by $name,', ({ curves }) => {
  it.each(RFC_6979)('P-384 signs %s as RFC 6979 does, with the lower s', (text, r, s) => {
    const key = restoreKey(curves, 'p384', unhex(`0104${P384_SECRET}`));
    const lower = BigInt(`0x${s}`) > ORDER_P384 / 2n ? ORDER_P384 - BigInt(`0x${s}`) : BigInt(`0x${s}`);
    const { signature, publicKey } = key.sign({ algorithm: 'ecdsa-p384-sha384', payload: message(text) });
    expect(hex(signature)).toBe(r + lower.toString(16).padStart(96, '0'));
    const payload = { kind: 'message', bytes: Buffer.from(text) } as const;
    // Both s verify: signatures of others have either.
    for (const each of [signature, unhex(r + s)])
      expect(verifySignature('ecdsa-p384-sha384', publicKey, payload, each)).toBe(true);
  });

  it('Ed25519ph signs abc as RFC 8032 does', () => {
    const key = restorePoolKey(curves, 'ed25519', 'sign', unhex(`020101${ED25519PH.secret}`));
    expect(hex(key.publicKey ?? new Uint8Array(0))).toBe(ED25519PH.publicKey);
    const { signature } = key.sign({ algorithm: 'ed25519ph', payload: message('abc') });
    expect(hex(signature)).toBe(ED25519PH.signature);
  });
});

// C2SP, XAES-256-GCM, test vectors: key bytes, associated data, derived key, ciphertext.
const XAES = [
  [
    1,
    '',
    'c8612c9ed53fe43e8e005b828a1631a0bbcb6ab2f46514ec4f439fcfd0fa969b',
    'ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271',
  ],
  [
    3,
    'c2sp.org/XAES-256-GCM',
    'e9c621d4cdd9b11b00a6427ad7e559aeedd66b3857646677748f8ca796cb3fd8',
    '986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d',
  ],
] as const;

describe('XAES-256-GCM', () => {
  it.each(XAES)('derives what C2SP derives of bytes %i', (fill, associated, derived, sealed) => {
    const { key, nonce } = deriveMessageKey(
      new Uint8Array(32).fill(fill),
      Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWX'),
    );
    const cipher = createCipheriv('aes-256-gcm', key, nonce);
    cipher.setAAD(Buffer.from(associated));
    expect(hex(key)).toBe(derived);
    expect(
      Buffer.concat([cipher.update('XAES-256-GCM'), cipher.final(), cipher.getAuthTag()]).toString('hex'),
    ).toBe(sealed);
  });

  it('decrypts such a ciphertext with its header', () => {
    const key = restorePoolKey(
      listCurves()[0]?.curves as never,
      'aes-256',
      'encrypt',
      unhex(`020902${'01'.repeat(32)}`),
    );
    const ciphertext = unhex(`01${hex(Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWX'))}${XAES[0][3]}`);
    expect(Buffer.from(key.decrypt({ algorithm: 'aes-256-gcm', ciphertext })).toString()).toBe(
      'XAES-256-GCM',
    );
  });
});
