import { CborError, decodeCbor } from '../cbor/index.ts';
import { WebAuthnError } from './errors.ts';
import { type PasskeyPublicKey, readCoseKey } from './public-key.ts';

/** Longest authenticator data, in bytes: 37, a credential of up to 1,023 bytes with its key, and extensions. */
export const MAX_AUTHENTICATOR_DATA_BYTES = 4 * 1024;
const MAX_EXTENSION_DEPTH = 4;
const HASH_BYTES = 32;
const HEADER_BYTES = HASH_BYTES + 1 + 4;
const AAGUID_BYTES = 16;
/** Longest credential id, in bytes (WebAuthn Level 3, section 7.1, step 25). */
const MAX_CREDENTIAL_ID_BYTES = 1023;

/** Bits of the flags octet: WebAuthn Level 3, section 6.1. Bits 1 and 5 are reserved, and say nothing yet. */
const FLAG = Object.freeze({ UP: 0x01, UV: 0x04, BE: 0x08, BS: 0x10, AT: 0x40, ED: 0x80 });

/** A credential that an authenticator has just made. */
export interface AttestedCredential {
  readonly aaguid: Uint8Array;
  readonly credentialId: Uint8Array;
  readonly key: PasskeyPublicKey;
}

/** Authenticator data, parsed: WebAuthn Level 3, section 6.1. */
export interface AuthenticatorData {
  readonly relyingPartyHash: Uint8Array;
  readonly isUserPresent: boolean;
  readonly isUserVerified: boolean;
  readonly isBackupEligible: boolean;
  readonly isBackedUp: boolean;
  /** Signature counter, from 0 to 2^32 − 1; always 0 where the authenticator keeps none. */
  readonly counter: number;
  /** Present in a registration alone. */
  readonly credential: AttestedCredential | undefined;
}

/**
 * Parses authenticator data that fill `bytes` to the end. Extension data are checked to be one CBOR map and ignored.
 *
 * @throws WebAuthnError WEBAUTHN_AUTHENTICATOR_DATA, WEBAUTHN_PUBLIC_KEY
 */
export function parseAuthenticatorData(bytes: Uint8Array): AuthenticatorData {
  if (bytes.length < HEADER_BYTES || bytes.length > MAX_AUTHENTICATOR_DATA_BYTES) {
    throw malformed(
      `expected ${HEADER_BYTES} to ${MAX_AUTHENTICATOR_DATA_BYTES} bytes of authenticator data`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint8(HASH_BYTES);
  const has = (flag: number) => (flags & flag) !== 0;
  let rest = bytes.subarray(HEADER_BYTES);
  let credential: AttestedCredential | undefined;
  if (has(FLAG.AT)) {
    const read = readCredential(rest);
    credential = read.credential;
    rest = rest.subarray(read.length);
  }
  if (has(FLAG.ED)) assertExtensions(rest);
  else if (rest.length > 0) throw malformed('bytes after the end of the authenticator data');
  return {
    relyingPartyHash: bytes.slice(0, HASH_BYTES),
    isUserPresent: has(FLAG.UP),
    isUserVerified: has(FLAG.UV),
    isBackupEligible: has(FLAG.BE),
    isBackedUp: has(FLAG.BS),
    counter: view.getUint32(HASH_BYTES + 1),
    credential,
  };
}

/** Reads attested credential data: WebAuthn Level 3, section 6.5.1. */
function readCredential(bytes: Uint8Array): { credential: AttestedCredential; length: number } {
  const idStart = AAGUID_BYTES + 2;
  if (bytes.length < idStart) throw malformed('the attested credential data end');
  const idLength = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint16(AAGUID_BYTES);
  const keyStart = idStart + idLength;
  if (idLength === 0 || idLength > MAX_CREDENTIAL_ID_BYTES || bytes.length < keyStart) {
    throw malformed(`expected a credential id of 1 to ${MAX_CREDENTIAL_ID_BYTES} bytes`);
  }
  const { key, length } = readCoseKey(bytes.subarray(keyStart));
  return {
    credential: {
      aaguid: bytes.slice(0, AAGUID_BYTES),
      credentialId: bytes.slice(idStart, keyStart),
      key,
    },
    length: keyStart + length,
  };
}

function assertExtensions(bytes: Uint8Array): void {
  try {
    const value = decodeCbor(bytes, {
      maxBytes: MAX_AUTHENTICATOR_DATA_BYTES,
      maxDepth: MAX_EXTENSION_DEPTH,
    });
    if (value instanceof Map) return;
  } catch (error) {
    if (!(error instanceof CborError)) throw error;
    throw malformed('the extension data are not one CBOR map', error);
  }
  throw malformed('the extension data are not a CBOR map');
}

function malformed(message: string, cause?: unknown): WebAuthnError {
  return new WebAuthnError('WEBAUTHN_AUTHENTICATOR_DATA', message, {}, cause);
}
