import {
  constants,
  createCipheriv,
  createHash,
  createPublicKey,
  publicEncrypt,
  randomBytes,
} from 'node:crypto';

const tlv = (tag: number, ...parts: Uint8Array[]) => {
  const content = Buffer.concat(parts);
  const length =
    content.length < 128
      ? Buffer.of(content.length)
      : content.length < 256
        ? Buffer.of(0x81, content.length)
        : Buffer.of(0x82, content.length >> 8, content.length & 0xff);
  return Buffer.concat([Buffer.of(tag), length, content]);
};
const indefinite = (tag: number, ...parts: Uint8Array[]) =>
  Buffer.concat([Buffer.of(tag, 0x80), ...parts, Buffer.of(0, 0)]);
const hex = (text: string) => Buffer.from(text, 'hex');

const OAEP = hex(
  '303c06092a864886f70d010107302fa00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d06096086480165030402010500',
);
const PKCS1 = hex('300d06092a864886f70d0101010500');

/** Encrypts a CiphertextForRecipient by hand, with one part changed where a test wants that. */
export function encryptForRecipient(
  spki: Uint8Array,
  plaintext: Uint8Array,
  change: {
    shape?: 'indefinite' | 'definite';
    recipientId?: Uint8Array;
    rsaPkcs1?: boolean;
    cipherOid?: string;
  } = {},
): Uint8Array {
  const key = randomBytes(32);
  const iv = randomBytes(16);
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const publicKey = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  const encryptedKey = publicEncrypt(
    change.rsaPkcs1 === true
      ? { key: publicKey, padding: constants.RSA_PKCS1_PADDING }
      : { key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
    key,
  );
  const outer = change.shape === 'definite' ? tlv : indefinite;
  const content =
    change.shape === 'definite' ? tlv(0x80, ciphertext) : indefinite(0xa0, tlv(0x04, ciphertext));
  const recipient = tlv(
    0x30,
    hex('020102'),
    tlv(0x80, change.recipientId ?? createHash('sha256').update(spki).digest()),
    change.rsaPkcs1 === true ? PKCS1 : OAEP,
    tlv(0x04, encryptedKey),
  );
  const algorithm = tlv(0x30, tlv(0x06, hex(change.cipherOid ?? '60864801650304012a')), tlv(0x04, iv));
  const contentInfo = outer(0x30, hex('06092a864886f70d010701'), algorithm, content);
  const enveloped = outer(0x30, hex('020102'), tlv(0x31, recipient), contentInfo);
  return new Uint8Array(outer(0x30, hex('06092a864886f70d010703'), outer(0xa0, enveloped)));
}
