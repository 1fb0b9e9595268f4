import { HttpSignatureError } from './errors.ts';
import { type Component, serialiseComponents, SIGNATURE_TAG } from './signature-base.ts';

/*
 * The two fields of RFC 9421 in the one form that Holdfast takes: one label, the components in their one order, the
 * five parameters once each in any order, all of it as RFC 9651 serialises it. What is taken here has a single
 * spelling, so the text that was received is the text that was signed; a general structured-field parser would
 * accept spellings (spaces, escapes, further members) that must then be serialised anew or argued away.
 */

export interface SignatureParameters {
  /** Seconds since 1970. */
  readonly created: number;
  readonly nonce: string;
  readonly keyId: string;
}

export interface SignatureInput extends SignatureParameters {
  readonly label: string;
  /** The member's value, which stands in the signature base. */
  readonly text: string;
}

const MAX_FIELD_LENGTH = 512;
const LABEL = /^([a-z][a-z0-9_-]{0,31})=/;
const PARAMETER = /;([a-z]+)=(?:([1-9][0-9]{0,11})|"([A-Za-z0-9._-]{1,64})")/y;
const NONCE = /^[A-Za-z0-9_-]{22,64}$/;
const KEY_ID = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const SIGNATURE = /^:([A-Za-z0-9+/]{86}==):$/;

function malformed(message: string): HttpSignatureError {
  return new HttpSignatureError('SIGNATURE_MALFORMED', message);
}

export function serialiseParameters(
  components: readonly Component[],
  { created, nonce, keyId }: SignatureParameters,
): string {
  return (
    serialiseComponents(components) +
    `;created=${created};nonce="${nonce}";keyid="${keyId}";alg="ed25519";tag="${SIGNATURE_TAG}"`
  );
}

/** Splits `label=value`. @throws HttpSignatureError SIGNATURE_MALFORMED */
function splitMember(field: string): { label: string; value: string } {
  const [prefix, label] = LABEL.exec(field.slice(0, MAX_FIELD_LENGTH)) ?? [];
  if (prefix === undefined || label === undefined || field.length > MAX_FIELD_LENGTH) {
    throw malformed('expected one member of the form label=value');
  }
  return { label, value: field.slice(prefix.length) };
}

/** Parses the Signature-Input field. @throws HttpSignatureError SIGNATURE_MALFORMED */
export function parseSignatureInput(field: string, components: readonly Component[]): SignatureInput {
  const { label, value } = splitMember(field);
  const list = serialiseComponents(components);
  if (!value.startsWith(list)) throw malformed(`expected the covered components ${list}`);

  const parameters = new Map<string, string | number>();
  PARAMETER.lastIndex = list.length;
  while (PARAMETER.lastIndex < value.length) {
    const [, name, integer, text] = PARAMETER.exec(value) ?? [];
    if (name === undefined || parameters.has(name))
      throw malformed('expected parameters of the form name=value, each once');
    parameters.set(name, text ?? Number(integer));
  }

  const created = parameters.get('created');
  const nonce = parameters.get('nonce');
  const keyId = parameters.get('keyid');
  if (
    parameters.size !== 5 ||
    parameters.get('alg') !== 'ed25519' ||
    parameters.get('tag') !== SIGNATURE_TAG ||
    typeof created !== 'number' ||
    typeof nonce !== 'string' ||
    !NONCE.test(nonce) ||
    typeof keyId !== 'string' ||
    !KEY_ID.test(keyId)
  ) {
    throw malformed('expected the five parameters created, nonce, keyid, alg and tag');
  }
  return { label, text: value, created, nonce, keyId };
}

/**
 * Parses the Signature field: the 64 bytes of the signature under `label`. @throws HttpSignatureError
 * SIGNATURE_MALFORMED
 */
export function parseSignature(field: string, label: string): Buffer {
  const member = splitMember(field);
  const base64 = SIGNATURE.exec(member.value)?.[1];
  if (member.label !== label || base64 === undefined)
    throw malformed('expected the signature of the same label, 64 bytes in base64');
  const signature = Buffer.from(base64, 'base64');
  if (signature.toString('base64') !== base64) throw malformed('expected canonical base64');
  return signature;
}
