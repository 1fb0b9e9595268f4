import {
  constants,
  createCipheriv,
  createHash,
  publicEncrypt,
  randomBytes,
  type KeyObject,
} from 'node:crypto';
import {
  encodeExplicit,
  encodeIndefinite,
  encodeInteger,
  encodeNull,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  encodeSet,
  encodeTlv,
} from '../../../shared/asn1/index.ts';

/**
 * Encoding of the encrypted content; AWS has sent both. `constructed`: `[0]` of indefinite length around octet strings;
 * `primitive`: `[0]` that holds the bytes themselves.
 */
export type CmsShape = 'constructed' | 'primitive';

const OID = {
  envelopedData: '1.2.840.113549.1.7.3',
  data: '1.2.840.113549.1.7.1',
  rsaesOaep: '1.2.840.113549.1.1.7',
  mgf1: '1.2.840.113549.1.1.8',
  sha256: '2.16.840.1.101.3.4.2.1',
  aes256Cbc: '2.16.840.1.101.3.4.1.42',
};
const VERSION_2 = Uint8Array.of(2);
/** Bytes of the longest octet string inside a constructed content. */
const SEGMENT = 1000;

/**
 * Encodes CiphertextForRecipient: the plaintext for the key that an attestation document carries, as CMS EnvelopedData
 * (RFC 5652) in BER. Key transport is RSAES-OAEP with SHA-256 and MGF1-SHA-256 (RFC 4055), the recipient is named by
 * the SHA-256 of its SubjectPublicKeyInfo, the content is AES-256-CBC.
 */
export function encodeEnvelopedData(
  plaintext: Uint8Array,
  recipient: KeyObject,
  shape: CmsShape,
): Uint8Array {
  const key = randomBytes(32);
  const iv = randomBytes(16);
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  const content = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const encryptedKey = publicEncrypt(
    { key: recipient, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
    key,
  );
  key.fill(0);
  return encodeIndefinite(
    0x30,
    encodeOid(OID.envelopedData),
    encodeIndefinite(
      0xa0,
      encodeIndefinite(
        0x30,
        encodeInteger(VERSION_2),
        encodeSet(encodeKeyTransport(recipient, encryptedKey)),
        encodeIndefinite(
          0x30,
          encodeOid(OID.data),
          encodeSequence(encodeOid(OID.aes256Cbc), encodeOctetString(iv)),
          encodeContent(content, shape),
        ),
      ),
    ),
  );
}

function encodeKeyTransport(recipient: KeyObject, encryptedKey: Uint8Array): Uint8Array {
  const spki = recipient.export({ format: 'der', type: 'spki' });
  const sha256 = encodeSequence(encodeOid(OID.sha256), encodeNull());
  const oaepParameters = encodeSequence(
    encodeExplicit(0, sha256),
    encodeExplicit(1, encodeSequence(encodeOid(OID.mgf1), sha256)),
  );
  return encodeSequence(
    encodeInteger(VERSION_2),
    encodeTlv(0x80, createHash('sha256').update(spki).digest()),
    encodeSequence(encodeOid(OID.rsaesOaep), oaepParameters),
    encodeOctetString(encryptedKey),
  );
}

function encodeContent(content: Uint8Array, shape: CmsShape): Uint8Array {
  if (shape === 'primitive') return encodeTlv(0x80, content);
  const segments: Uint8Array[] = [];
  for (let at = 0; at < content.length; at += SEGMENT) {
    segments.push(encodeOctetString(content.subarray(at, at + SEGMENT)));
  }
  return encodeIndefinite(0xa0, ...segments);
}
