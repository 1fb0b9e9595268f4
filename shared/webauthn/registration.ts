import { CborError, decodeCbor } from '../cbor/index.ts';
import { assertUse } from './assertion.ts';
import { parseAuthenticatorData } from './authenticator-data.ts';
import { verifyClientData } from './client-data.ts';
import { WebAuthnError } from './errors.ts';
import type { PasskeyPublicKey } from './public-key.ts';

/** Longest attestation object, in bytes: statements of some authenticators carry certificates. */
export const MAX_ATTESTATION_OBJECT_BYTES = 32 * 1024;
const MAX_ATTESTATION_DEPTH = 6;

/** The parts of an AuthenticatorAttestationResponse that are verified. */
export interface Registration {
  readonly clientDataJSON: Uint8Array;
  readonly attestationObject: Uint8Array;
}

/** A new passkey, as it goes into an approver's entry. */
export interface RegisteredCredential {
  readonly credentialId: Uint8Array;
  readonly key: PasskeyPublicKey;
  readonly counter: number;
  readonly isBackedUp: boolean;
}

/**
 * Verifies the response of a registration (WebAuthn Level 3, section 7.1) and takes the public key out. **The
 * attestation statement is ignored**: nothing is known of the authenticator's make. The authorities who sign the
 * configuration vouch for whose key it is.
 *
 * @throws WebAuthnError
 */
export function verifyRegistration(
  { clientDataJSON, attestationObject }: Registration,
  expected: {
    readonly challenge: Uint8Array;
    readonly origins: readonly string[];
    readonly relyingParty: string;
  },
): RegisteredCredential {
  const { challenge, origins, relyingParty } = expected;
  verifyClientData(clientDataJSON, { type: 'webauthn.create', challenge, origins });
  const data = parseAuthenticatorData(readAuthenticatorData(attestationObject));
  assertUse(data, relyingParty);
  if (data.credential === undefined) {
    throw new WebAuthnError('WEBAUTHN_AUTHENTICATOR_DATA', 'a registration without a credential');
  }
  const { credentialId, key } = data.credential;
  return { credentialId, key, counter: data.counter, isBackedUp: data.isBackedUp };
}

/** Reads authData of an attestation object: WebAuthn Level 3, section 6.5.4. */
function readAuthenticatorData(bytes: Uint8Array): Uint8Array {
  try {
    const object = decodeCbor(bytes, {
      maxBytes: MAX_ATTESTATION_OBJECT_BYTES,
      maxDepth: MAX_ATTESTATION_DEPTH,
    });
    if (object instanceof Map && object.size === 3) {
      const data = object.get('authData');
      const hasRest = typeof object.get('fmt') === 'string' && object.get('attStmt') instanceof Map;
      if (hasRest && data instanceof Uint8Array) return data;
    }
  } catch (error) {
    if (!(error instanceof CborError)) throw error;
    throw malformed(error);
  }
  throw malformed();
}

function malformed(cause?: unknown): WebAuthnError {
  return new WebAuthnError(
    'WEBAUTHN_ATTESTATION_OBJECT',
    'expected a CBOR map of fmt, attStmt and authData',
    {},
    cause,
  );
}
