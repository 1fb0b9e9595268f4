import { createPublicKey, type KeyObject } from 'node:crypto';
import { AttestationError } from '../../attestation/index.ts';
import { asText, decodeHexOrBase64, findByteOrderMark } from '../../attestation/file-encoding.ts';
import { UsageError } from '../common/command.ts';

const PEM = '-----BEGIN PUBLIC KEY-----';

/**
 * Decodes the public key that a document is checked for: a file in PEM gives its SubjectPublicKeyInfo in DER, any other
 * file its bytes, since an enclave may put any bytes there.
 * @throws UsageError for PEM that is no public key
 */
export function decodePublicKeyFile(file: Uint8Array, path: string): Uint8Array {
  if (!Buffer.from(file).toString('latin1').startsWith(PEM)) return file;
  const key = parseKey({ key: Buffer.from(file), format: 'pem' });
  if (key === undefined) throw new UsageError(`${path} is no public key in PEM`);
  return key.export({ format: 'der', type: 'spki' });
}

/**
 * Explains the refusal of a public key, with a hint where the key is only another encoding of the one in the document,
 * or where the file is text and was compared as such.
 */
export function explainKeyMismatch(
  error: AttestationError,
  file: Uint8Array,
  actual: Uint8Array | null,
): AttestationError {
  const [wanted, found] = [describeForms(file), describeForms(actual ?? new Uint8Array())];
  for (const [form, name] of wanted) {
    const other = found.get(form);
    if (actual === null || other === undefined) continue;
    const message = `the key is the same, and only the encoding differs: the file has ${name}, the document ${other}`;
    return new AttestationError(error.code, message, error.details, error.cause);
  }
  const mark = findByteOrderMark(file);
  if (mark !== undefined) {
    return new AttestationError(error.code, `the file is ${mark}, and was compared as such`, error.details);
  }
  if (asText(file) === undefined || Buffer.from(file).toString('latin1').startsWith(PEM)) return error;
  const message =
    'the file is text, which was compared as such: bytes of a key are expected, or PEM ("xxd -r -p" makes bytes of hex, "base64 -d" of base64)';
  return new AttestationError(error.code, message, error.details, error.cause);
}

/** Maps each encoding of a key, in hex, to its description. */
function describeForms(bytes: Uint8Array): ReadonlyMap<string, string> {
  const forms = new Map<string, string>();
  const add = (form: Uint8Array | undefined, name: string) => {
    const hex = Buffer.from(form ?? []).toString('hex');
    if (hex !== '' && !forms.has(hex)) forms.set(hex, name);
  };
  add(bytes, 'its bytes');
  const text = asText(bytes);
  const decoded =
    text === undefined ? undefined : decodeHexOrBase64(text.replaceAll(/\s/g, '').replace(/^0x/i, ''));
  add(decoded, 'its bytes as text, in hex or base64');
  const pem =
    text?.startsWith(PEM) === true ? parseKey({ key: Buffer.from(bytes), format: 'pem' }) : undefined;
  for (const one of [bytes, decoded ?? bytes]) {
    const key = pem ?? parseKey({ key: Buffer.from(one), format: 'der', type: 'spki' });
    if (key === undefined) continue;
    const name = pem === undefined ? 'a SubjectPublicKeyInfo in DER' : 'a SubjectPublicKeyInfo in PEM';
    add(key.export({ format: 'der', type: 'spki' }), name);
    for (const raw of rawForms(key)) add(raw, name);
  }
  return forms;
}

/**
 * Encodings of the key without its SubjectPublicKeyInfo: RFC 7748 and 8032 bytes, or a point of SEC 1 in both forms.
 */
function rawForms(key: KeyObject): readonly Uint8Array[] {
  const { kty, x, y } = key.export({ format: 'jwk' });
  if (x === undefined) return [];
  const first = Buffer.from(x, 'base64url');
  if (kty === 'OKP') return [first];
  const second = Buffer.from(y ?? '', 'base64url');
  const sign = 2 + ((second.at(-1) ?? 0) & 1);
  return [Buffer.concat([Buffer.of(4), first, second]), Buffer.concat([Buffer.of(sign), first])];
}

function parseKey(input: Parameters<typeof createPublicKey>[0]): KeyObject | undefined {
  try {
    return createPublicKey(input);
  } catch {
    return undefined;
  }
}
