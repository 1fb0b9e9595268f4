import { BerError, type BerElement, parseBer } from '../../shared/asn1/index.ts';
import { UnlockError } from './errors.ts';

/** Largest CiphertextForRecipient, in bytes: KMS documents 6,144 for the whole field. */
export const MAX_CMS_BYTES = 6144;

const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const CONTEXT_0 = 0x80;
const CONTEXT_0_CONSTRUCTED = 0xa0;

const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
/** OIDs id-envelopedData and id-data, 1.2.840.113549.1.7.3 and .1 (RFC 5652). */
const OID_ENVELOPED_DATA = hex('2a864886f70d010703');
const OID_DATA = hex('2a864886f70d010701');
/** OID aes256-CBC, 2.16.840.1.101.3.4.1.42 (RFC 3565). */
const OID_AES_256_CBC = hex('60864801650304012a');
/** The content of AlgorithmIdentifier id-RSAES-OAEP, SHA-256, MGF1 with SHA-256 (RFC 4055), in DER. */
const RSAES_OAEP_SHA_256 = hex(
  '06092a864886f70d010107302fa00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d06096086480165030402010500',
);
const VERSION_2 = hex('02');

/** The parts of a CMS EnvelopedData that KMS makes for one enclave. */
export interface EnvelopedData {
  /** SHA-256 of the recipient's SubjectPublicKeyInfo. */
  readonly recipientId: Uint8Array;
  /** The content key under RSAES-OAEP, SHA-256. */
  readonly encryptedKey: Uint8Array;
  /** Initialization vector of AES-CBC, 16 bytes. */
  readonly iv: Uint8Array;
  /** AES-256-CBC with PKCS #7 padding, without a MAC: integrity comes from TLS alone. */
  readonly ciphertext: Uint8Array;
}

/**
 * Parses CiphertextForRecipient: RFC 5652 section 6.1 in the very shape that AWS KMS sends, in BER with definite or
 * indefinite lengths, and nothing else. No general CMS parser is used, because whatever
 * else that accepted would be the attacker's choice.
 *
 * @throws UnlockError CMS_MALFORMED
 */
export function parseEnvelopedData(bytes: Uint8Array): EnvelopedData {
  if (bytes.length > MAX_CMS_BYTES)
    throw malformed(`expected at most ${MAX_CMS_BYTES} bytes, found ${bytes.length}`);
  const [contentType, explicit] = expect(parse(bytes), SEQUENCE, 2, 'ContentInfo');
  assertPrimitive(contentType, OBJECT_IDENTIFIER, OID_ENVELOPED_DATA, 'contentType');
  const [envelopedData] = expect(explicit, CONTEXT_0_CONSTRUCTED, 1, 'content');
  const [version, recipientInfos, contentInfo] = expect(envelopedData, SEQUENCE, 3, 'EnvelopedData');
  assertPrimitive(version, INTEGER, VERSION_2, 'version');
  const [recipientInfo] = expect(recipientInfos, SET, 1, 'recipientInfos');
  return { ...parseRecipient(recipientInfo), ...parseContent(contentInfo) };
}

function parse(bytes: Uint8Array): BerElement {
  try {
    return parseBer(bytes);
  } catch (error) {
    if (!(error instanceof BerError)) throw error;
    throw new UnlockError('CMS_MALFORMED', error.message, error.details, error);
  }
}

/** Parses KeyTransRecipientInfo, RFC 5652 section 6.2.1. */
function parseRecipient(
  element: BerElement | undefined,
): Pick<EnvelopedData, 'recipientId' | 'encryptedKey'> {
  const [version, recipientId, algorithm, encryptedKey] = expect(
    element,
    SEQUENCE,
    4,
    'KeyTransRecipientInfo',
  );
  assertPrimitive(version, INTEGER, VERSION_2, 'KeyTransRecipientInfo version');
  expect(algorithm, SEQUENCE, 2, 'keyEncryptionAlgorithm');
  if (!equal(algorithm?.content, RSAES_OAEP_SHA_256))
    throw malformed('expected keyEncryptionAlgorithm RSAES-OAEP with SHA-256, found another');
  return {
    recipientId: primitive(recipientId, CONTEXT_0, 'subjectKeyIdentifier'),
    encryptedKey: primitive(encryptedKey, OCTET_STRING, 'encryptedKey'),
  };
}

/** Parses EncryptedContentInfo, RFC 5652 section 6.1, with its content in one piece or as constructed octet strings. */
function parseContent(element: BerElement | undefined): Pick<EnvelopedData, 'iv' | 'ciphertext'> {
  const [contentType, algorithm, content] = expect(element, SEQUENCE, 3, 'encryptedContentInfo');
  assertPrimitive(contentType, OBJECT_IDENTIFIER, OID_DATA, 'encryptedContentInfo contentType');
  const [cipher, parameter] = expect(algorithm, SEQUENCE, 2, 'contentEncryptionAlgorithm');
  assertPrimitive(cipher, OBJECT_IDENTIFIER, OID_AES_256_CBC, 'contentEncryptionAlgorithm');
  const iv = primitive(parameter, OCTET_STRING, 'initialization vector');
  if (iv.length !== 16) throw malformed(`expected an initialization vector of 16 bytes, found ${iv.length}`);
  const ciphertext = Buffer.concat(
    content?.tag === CONTEXT_0_CONSTRUCTED
      ? content.children.map((part) => primitive(part, OCTET_STRING, 'encryptedContent part'))
      : [primitive(content, CONTEXT_0, 'encryptedContent')],
  );
  if (ciphertext.length === 0 || ciphertext.length % 16 !== 0)
    throw malformed(
      `expected encryptedContent of whole blocks of 16 bytes, found ${ciphertext.length} bytes`,
    );
  return { iv, ciphertext: new Uint8Array(ciphertext) };
}

function expect(
  element: BerElement | undefined,
  tag: number,
  children: number,
  name: string,
): readonly BerElement[] {
  if (element?.tag !== tag || element.children.length !== children) {
    throw malformed(
      `expected ${name}, ${children} elements in ${formatTag(tag)}, found ${describe(element)}`,
    );
  }
  return element.children;
}

function primitive(element: BerElement | undefined, tag: number, name: string): Uint8Array {
  if (element?.tag !== tag) {
    throw malformed(`expected ${name}, ${formatTag(tag)}, found ${describe(element)}`);
  }
  return element.content;
}

function assertPrimitive(
  element: BerElement | undefined,
  tag: number,
  expected: Uint8Array,
  name: string,
): void {
  const found = primitive(element, tag, name);
  if (!equal(found, expected)) throw malformed(`expected ${name} ${toHex(expected)}, found ${toHex(found)}`);
}

function equal(actual: Uint8Array | undefined, expected: Uint8Array): boolean {
  return actual !== undefined && Buffer.compare(actual, expected) === 0;
}

const formatTag = (tag: number) => `tag 0x${tag.toString(16)}`;

/** Formats the first bytes of a value that is public in every CMS: a version or an OID. */
const toHex = (bytes: Uint8Array) => Buffer.from(bytes.subarray(0, 16)).toString('hex');

function describe(element: BerElement | undefined): string {
  if (element === undefined) return 'nothing';
  return `${element.children.length} elements in ${formatTag(element.tag)}`;
}

function malformed(problem: string): UnlockError {
  return new UnlockError('CMS_MALFORMED', `CMS: ${problem}`);
}
