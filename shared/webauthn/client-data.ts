import { JsonError, type JsonObject, parseJson } from '../json/index.ts';
import { encodeBase64Url } from './base64url.ts';
import { WebAuthnError } from './errors.ts';

/** Longest clientDataJSON, in bytes: browsers write some 150, and may add members. */
export const MAX_CLIENT_DATA_BYTES = 4 * 1024;
/** Deepest nesting of a member that a later specification may add. */
const MAX_CLIENT_DATA_DEPTH = 6;

/** What a page and a browser must have put into clientDataJSON. */
export interface ExpectedClientData {
  readonly type: 'webauthn.get' | 'webauthn.create';
  readonly challenge: Uint8Array;
  /** Origins (scheme, host, port) that are taken, compared as whole strings. */
  readonly origins: readonly string[];
}

/**
 * Verifies clientDataJSON (WebAuthn Level 3, section 7.2, steps 8 to 14; 5.8.1). Members that this version does not know
 * are tolerated, as section 5.8.1 demands; a member twice, a byte order mark or other faults of the JSON are not. A
 * response from a page within a frame of another origin is refused.
 *
 * @returns the origin of the page
 * @throws WebAuthnError WEBAUTHN_CLIENT_DATA, WEBAUTHN_TYPE, WEBAUTHN_CHALLENGE, WEBAUTHN_ORIGIN, WEBAUTHN_CROSS_ORIGIN
 */
export function verifyClientData(
  bytes: Uint8Array,
  { type, challenge, origins }: ExpectedClientData,
): string {
  const data = parseClientData(bytes);
  if (data['type'] !== type) {
    throw new WebAuthnError('WEBAUTHN_TYPE', `expected the type ${type}, found another`);
  }
  if (data['challenge'] !== encodeBase64Url(challenge)) {
    throw new WebAuthnError('WEBAUTHN_CHALLENGE', 'the challenge is not the one that was expected');
  }
  const origin = data['origin'];
  if (typeof origin !== 'string' || !origins.includes(origin)) {
    throw new WebAuthnError(
      'WEBAUTHN_ORIGIN',
      'the page is not of an origin that the credential may be used on',
      {
        expected: origins,
        actual: origin,
      },
    );
  }
  const isFramed = data['crossOrigin'] !== undefined && data['crossOrigin'] !== false;
  if (isFramed || data['topOrigin'] !== undefined) {
    throw new WebAuthnError('WEBAUTHN_CROSS_ORIGIN', 'the page was framed by another one');
  }
  return origin;
}

function parseClientData(bytes: Uint8Array): JsonObject {
  try {
    const value = parseJson(bytes, { maxBytes: MAX_CLIENT_DATA_BYTES, maxDepth: MAX_CLIENT_DATA_DEPTH });
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new WebAuthnError('WEBAUTHN_CLIENT_DATA', 'clientDataJSON is not strict JSON', {}, error);
  }
  throw new WebAuthnError('WEBAUTHN_CLIENT_DATA', 'expected an object in clientDataJSON');
}
