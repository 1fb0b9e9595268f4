import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exportPublicKey, HpkeError, openWith, sealTo } from '../../../shared/hpke/index.ts';

const hex = (text: string) => Buffer.from(text, 'hex');

function readPair(secret: string) {
  const privateKey = createPrivateKey({
    key: hex(secret),
    format: 'raw-private',
    asymmetricKeyType: 'x25519',
  });
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(HpkeError);
    return (error as HpkeError).code;
  }
  return 'none';
}

describe('HPKE', () => {
  const ephemeral = readPair('f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600');
  const recipient = readPair('8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb');
  const binding = { info: hex('4f6465206f6e2061204772656369616e2055726e'), aad: hex('436f756e742d30') };
  const plaintext = hex('4265617574792069732074727574682c20747275746820626561757479');
  const published = {
    encapsulatedKey: hex('1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a'),
    ciphertext: hex(
      '1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28',
    ),
  };

  it('seals RFC 9180 A.2.1, sequence number 0', () => {
    expect(exportPublicKey(recipient.publicKey)).toEqual(
      hex('4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a'),
    );
    expect(sealTo(exportPublicKey(recipient.publicKey), plaintext, binding, ephemeral)).toEqual(published);
  });

  it('opens RFC 9180 A.2.1, sequence number 0', () => {
    expect(openWith(recipient.privateKey, published, binding)).toEqual(new Uint8Array(plaintext));
  });

  it('opens what it seals, each time under another ephemeral key', () => {
    const bytes = () => fc.uint8Array({ maxLength: 100 });
    fc.assert(
      fc.property(bytes(), bytes(), bytes(), (message, info, aad) => {
        const pair = generateKeyPairSync('x25519');
        const first = sealTo(exportPublicKey(pair.publicKey), message, { info, aad });
        const second = sealTo(exportPublicKey(pair.publicKey), message, { info, aad });
        expect(openWith(pair.privateKey, first, { info, aad })).toEqual(message);
        expect(Buffer.from(first.encapsulatedKey).equals(second.encapsulatedKey)).toBe(false);
      }),
      { numRuns: 30 },
    );
  });

  it('opens nothing for another key, info, associated data or ciphertext', () => {
    const open = (change: object, bind: object = {}, key = recipient.privateKey) =>
      codeOf(() => openWith(key, { ...published, ...change }, { ...binding, ...bind }));
    expect(open({})).toBe('none');
    expect(open({}, { info: hex('00') })).toBe('HPKE_OPEN_FAILED');
    expect(open({}, { aad: hex('00') })).toBe('HPKE_OPEN_FAILED');
    expect(open({}, {}, ephemeral.privateKey)).toBe('HPKE_OPEN_FAILED');
    for (let bit = 0; bit < published.ciphertext.length * 8; bit += 1) {
      const ciphertext = Buffer.from(published.ciphertext);
      ciphertext[bit >> 3] = (ciphertext[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(open({ ciphertext })).toBe('HPKE_OPEN_FAILED');
    }
    for (let length = 0; length < published.ciphertext.length; length += 1) {
      expect(open({ ciphertext: published.ciphertext.subarray(0, length) })).toBe('HPKE_OPEN_FAILED');
    }
  });

  // The points of order 1, 2 and 8 that RFC 7748 warns of, and lengths that are no key's.
  it.each([
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
    '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    '',
    '00'.repeat(31),
    '09'.repeat(33),
  ])('takes no public key %s', (key) => {
    expect(codeOf(() => sealTo(hex(key), plaintext, binding))).toBe('HPKE_KEY_INVALID');
    expect(
      codeOf(() => openWith(recipient.privateKey, { ...published, encapsulatedKey: hex(key) }, binding)),
    ).toBe('HPKE_KEY_INVALID');
  });
});
