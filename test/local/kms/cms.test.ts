import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fromBER } from 'asn1js';
import { ContentInfo, EnvelopedData, KeyTransRecipientInfo } from 'pkijs';
import { beforeAll, describe, expect, it } from 'vitest';
import { DecryptCommand, CreateKeyCommand, EncryptCommand } from '@aws-sdk/client-kms';
import { decryptEnvelopedData } from '../../../enclave/unlock/recipient.ts';
import { encodeEnvelopedData, type CmsShape } from '../../../local/kms/model/cms.ts';
import { attested, attestedPolicy, CONTEXT, open, recipient, startStack } from './stack.ts';

const SAMPLES = fileURLToPath(new URL('../../../../shared/cms/', import.meta.url));
const SHAPES: readonly CmsShape[] = ['constructed', 'primitive'];

/** The tags of a BER encoding in their order, with how each length is written, and nothing of the contents. */
function skeleton(ber: Uint8Array): string[] {
  const lines: string[] = [];
  const walk = (at: number, end: number, depth: number): number => {
    while (at < end) {
      const tag = ber[at] ?? 0;
      const first = ber[at + 1] ?? 0;
      if (tag === 0 && first === 0) return at + 2;
      const indefinite = first === 0x80;
      const bytes = first > 0x80 ? first & 0x7f : 0;
      const length =
        bytes === 0
          ? first
          : Number(`0x${Buffer.from(ber.subarray(at + 2, at + 2 + bytes)).toString('hex')}`);
      const start = at + 2 + bytes;
      lines.push(`${' '.repeat(depth)}${tag.toString(16)} ${indefinite ? 'indefinite' : 'definite'}`);
      const constructed = (tag & 0x20) !== 0;
      if (indefinite) at = walk(start, end, depth + 1);
      else {
        if (constructed) walk(start, start + length, depth + 1);
        at = start + length;
      }
    }
    return at;
  };
  walk(0, ber.length, 0);
  return lines;
}

let publicKey: KeyObject;
beforeAll(async () => {
  publicKey = createPublicKey({
    key: Buffer.from((await recipient()).publicKey),
    format: 'der',
    type: 'spki',
  });
});

describe.skipIf(!existsSync(SAMPLES))('against answers of the real KMS', () => {
  it('writes the constructed shape tag by tag as AWS does', () => {
    const real = readFileSync(`${SAMPLES}edgebit.ber`);
    const ours = encodeEnvelopedData(readFileSync(`${SAMPLES}edgebit.plain`), publicKey, 'constructed');
    expect(skeleton(ours)).toEqual(skeleton(real));
    expect(ours).toHaveLength(real.length);
  });

  it('writes the primitive shape tag by tag as AWS does', () => {
    const real = readFileSync(`${SAMPLES}awssdkc-input_ber_w_ctx.ber`);
    const ours = encodeEnvelopedData(Buffer.from('secret'), publicKey, 'primitive');
    expect(skeleton(ours)).toEqual(skeleton(real));
    expect(ours).toHaveLength(real.length);
  });

  it('names the recipient as AWS does: by the SHA-256 of its SubjectPublicKeyInfo', () => {
    const key = createPublicKey(createPrivateKey(readFileSync(`${SAMPLES}edgebit.key.pem`)));
    const id = createHash('sha256')
      .update(key.export({ format: 'der', type: 'spki' }))
      .digest('hex');
    expect(readFileSync(`${SAMPLES}edgebit.ber`).toString('hex')).toContain(`8020${id}`);
    const ours = encodeEnvelopedData(Buffer.from('secret'), key, 'constructed');
    expect(Buffer.from(ours).toString('hex')).toContain(`8020${id}`);
  });
});

describe.each(SHAPES)('an EnvelopedData of the %s shape', (shape) => {
  it.each([0, 1, 15, 16, 32, 999, 1000, 1001, 4096])('gives back %i bytes', async (length) => {
    const plaintext = Buffer.alloc(length, 7);
    expect(await open(encodeEnvelopedData(plaintext, publicKey, shape))).toEqual(plaintext);
  });

  it('is read and opened by another CMS library', async () => {
    const plaintext = Buffer.alloc(2000, 7);
    const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const { result } = fromBER(Uint8Array.from(encodeEnvelopedData(plaintext, pair.publicKey, shape)).buffer);
    const content = new ContentInfo({ schema: result });
    const enveloped = new EnvelopedData({ schema: content.content });
    expect(content.contentType).toBe('1.2.840.113549.1.7.3');
    expect(enveloped.version).toBe(2);
    expect(enveloped.recipientInfos[0]?.value).toBeInstanceOf(KeyTransRecipientInfo);
    const recipientPrivateKey = Uint8Array.from(
      pair.privateKey.export({ format: 'der', type: 'pkcs8' }),
    ).buffer;
    const opened = await enveloped.decrypt(0, { recipientPrivateKey });
    expect(Buffer.from(opened)).toEqual(plaintext);
  });

  it('never uses a content key or an IV twice', () => {
    const made = Array.from({ length: 3 }, () =>
      Buffer.from(encodeEnvelopedData(Buffer.alloc(32), publicKey, shape)).toString('hex'),
    );
    expect(new Set(made.map((hex) => hex.slice(-200))).size).toBe(3);
  });

  it('is what Decrypt answers with', async () => {
    const stack = await startStack({ cmsShape: shape });
    const { KeyMetadata } = await stack.admin.send(new CreateKeyCommand({ Policy: attestedPolicy() }));
    const KeyId = KeyMetadata?.Arn;
    const Plaintext = Buffer.alloc(1500, 3);
    const { CiphertextBlob } = await stack.admin.send(
      new EncryptCommand({ KeyId, Plaintext, EncryptionContext: CONTEXT }),
    );
    const { CiphertextForRecipient } = await stack.node.send(
      new DecryptCommand({ KeyId, CiphertextBlob, EncryptionContext: CONTEXT, Recipient: await attested() }),
    );
    expect(await open(CiphertextForRecipient)).toEqual(Plaintext);
    const tags = skeleton(CiphertextForRecipient ?? new Uint8Array()).map(
      (line) => line.trim().split(' ')[0],
    );
    expect(tags.at(-1)).toBe(shape === 'primitive' ? '80' : '4');
  });
});

describe('a real answer', () => {
  it.skipIf(!existsSync(SAMPLES))('opens with the same code that opens ours', () => {
    const key = createPrivateKey(readFileSync(`${SAMPLES}edgebit.key.pem`));
    const spki = new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }));
    const plaintext = decryptEnvelopedData(readFileSync(`${SAMPLES}edgebit.ber`), spki, key);
    expect(Buffer.from(plaintext)).toEqual(readFileSync(`${SAMPLES}edgebit.plain`));
  });
});
