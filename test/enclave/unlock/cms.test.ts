import 'reflect-metadata';
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as asn1js from 'asn1js';
import fc from 'fast-check';
import * as pkijs from 'pkijs';
import { describe, expect, it } from 'vitest';
import { parseEnvelopedData } from '../../../enclave/unlock/cms.ts';
import { UnlockError } from '../../../enclave/unlock/errors.ts';
import { createRecipient, decryptEnvelopedData } from '../../../enclave/unlock/recipient.ts';
import { encryptForRecipient } from '../../support/cms.ts';

const samples = resolve(import.meta.dirname, '../../../../shared/cms');
const read = (name: string) => readFileSync(resolve(samples, name));
const malformed = expect.objectContaining({ code: 'CMS_MALFORMED' });

describe.skipIf(!existsSync(samples))('real CiphertextForRecipient of AWS KMS', () => {
  it('opens with its key to its plaintext', () => {
    const privateKey = createPrivateKey(read('edgebit.key.pem'));
    const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
    expect(decryptEnvelopedData(read('edgebit.ber'), publicKey, privateKey)).toEqual(
      new Uint8Array(read('edgebit.plain')),
    );
  });

  it.each(['', '_w_ctx'])('parses to the parts that AWS’s own SDK finds%s', (suffix) => {
    const parsed = parseEnvelopedData(read(`awssdkc-input_ber${suffix}.ber`));
    expect(Buffer.from(parsed.encryptedKey)).toEqual(read(`awssdkc-encrypted_key_out${suffix}.bin`));
    expect(Buffer.from(parsed.iv)).toEqual(read(`awssdkc-iv_out${suffix}.bin`));
    expect(Buffer.from(parsed.ciphertext)).toEqual(read(`awssdkc-ciphertext_out${suffix}.bin`));
  });

  it('agrees with PKI.js on every sample', () => {
    for (const name of ['edgebit.ber', 'awssdkc-input_ber.ber', 'awssdkc-input_ber_w_ctx.ber']) {
      const content = new pkijs.ContentInfo({ schema: asn1js.fromBER(new Uint8Array(read(name))).result });
      const enveloped = new pkijs.EnvelopedData({ schema: content.content });
      const recipient = enveloped.recipientInfos[0]?.value as pkijs.KeyTransRecipientInfo;
      const ours = parseEnvelopedData(read(name));
      expect(Buffer.from(ours.encryptedKey)).toEqual(
        Buffer.from(recipient.encryptedKey.valueBlock.valueHexView),
      );
      expect(Buffer.from(ours.ciphertext)).toEqual(
        Buffer.from(enveloped.encryptedContentInfo.getEncryptedContent()),
      );
    }
  });

  it('refuses trailing bytes, every truncation, and a cut inside a length', () => {
    for (const name of ['edgebit.ber', 'awssdkc-input_ber_w_ctx.ber']) {
      const bytes = read(name);
      expect(() => parseEnvelopedData(Buffer.concat([bytes, Buffer.of(0)]))).toThrow(malformed);
      expect(() => parseEnvelopedData(Buffer.concat([bytes, bytes]))).toThrow(malformed);
      for (let length = 0; length < bytes.length; length += 1) {
        expect(() => parseEnvelopedData(bytes.subarray(0, length))).toThrow(malformed);
      }
    }
  });
});

describe('CiphertextForRecipient', () => {
  const plaintext = Buffer.from('a password of thirty-two bytes!!');

  it.each(['indefinite', 'definite'] as const)('opens in its %s shape', async (shape) => {
    const recipient = await createRecipient();
    expect(
      Buffer.from(recipient.open(encryptForRecipient(recipient.publicKey, plaintext, { shape }))),
    ).toEqual(plaintext);
  });

  it('is refused when it is for another key', async () => {
    const [ours, other] = [await createRecipient(), await createRecipient()];
    const bytes = encryptForRecipient(other.publicKey, plaintext);
    expect(() => ours.open(bytes)).toThrow(expect.objectContaining({ code: 'CMS_WRONG_RECIPIENT' }));
  });

  it('is refused when it claims our key and was encrypted to another', async () => {
    const [ours, other] = [await createRecipient(), await createRecipient()];
    const recipientId = createHash('sha256').update(ours.publicKey).digest();
    const bytes = encryptForRecipient(other.publicKey, plaintext, { recipientId });
    expect(() => ours.open(bytes)).toThrow(expect.objectContaining({ code: 'CMS_DECRYPT_FAILED' }));
  });

  it('is refused with PKCS #1 v1.5 or another cipher', async () => {
    const recipient = await createRecipient();
    for (const change of [{ rsaPkcs1: true }, { cipherOid: '60864801650304012e' }] as const) {
      const bytes = encryptForRecipient(recipient.publicKey, plaintext, change);
      expect(() => recipient.open(bytes)).toThrow(malformed);
    }
  });

  it('never throws anything but its own error, whatever the bytes', () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const spki = publicKey.export({ type: 'spki', format: 'der' });
    const good = encryptForRecipient(spki, plaintext);
    const attempt = (bytes: Uint8Array) => {
      try {
        decryptEnvelopedData(bytes, spki, privateKey);
      } catch (error) {
        expect(error).toBeInstanceOf(UnlockError);
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), attempt));
    fc.assert(
      fc.property(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 }), (index, value) => {
        const altered = new Uint8Array(good);
        altered[index] = value;
        attempt(altered);
      }),
    );
    expect(() => parseEnvelopedData(Buffer.alloc(40, 0x30))).toThrow(malformed);
    expect(() => parseEnvelopedData(Buffer.from('30808030803080'.repeat(50), 'hex'))).toThrow(malformed);
  });
});
