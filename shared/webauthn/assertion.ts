import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { type AuthenticatorData, parseAuthenticatorData } from './authenticator-data.ts';
import { verifyClientData } from './client-data.ts';
import { WebAuthnError } from './errors.ts';
import { assertPublicKey, type PasskeyPublicKey } from './public-key.ts';
import { assertSignature } from './signature.ts';

/** The parts of an AuthenticatorAssertionResponse that are verified. */
export interface Assertion {
  readonly clientDataJSON: Uint8Array;
  readonly authenticatorData: Uint8Array;
  /** DER for ES256, 64 bytes for EdDSA. */
  readonly signature: Uint8Array;
}

/** What a relying party expects of an assertion. */
export interface ExpectedAssertion {
  readonly challenge: Uint8Array;
  readonly origins: readonly string[];
  /** RP id: a domain. */
  readonly relyingParty: string;
  readonly key: PasskeyPublicKey;
  /** Highest signature counter that was seen of the credential; 0 before the first assertion. */
  readonly lastCounter: number;
}

/** An assertion that verified. */
export interface VerifiedAssertion {
  readonly origin: string;
  /** Counter to keep as the credential's last one. */
  readonly counter: number;
  readonly isBackedUp: boolean;
}

/**
 * Verifies an assertion by the steps of WebAuthn Level 3, section 7.2, from step 7 on. User presence and user
 * verification are required; an assertion from a framed page is refused; a counter that does not grow is refused, but
 * where it is 0 and was never anything else. The caller has found the credential (steps 5 and 6), and keeps the counter
 * (step 24). Extensions are ignored (step 23). `userHandle` is not looked at: the credential names its owner.
 *
 * @throws WebAuthnError
 */
export function verifyAssertion(assertion: Assertion, expected: ExpectedAssertion): VerifiedAssertion {
  const { clientDataJSON, authenticatorData, signature } = assertion;
  const { challenge, origins, relyingParty, key, lastCounter } = expected;
  const origin = verifyClientData(clientDataJSON, { type: 'webauthn.get', challenge, origins });
  const data = parseAuthenticatorData(authenticatorData);
  if (data.credential !== undefined) {
    throw new WebAuthnError('WEBAUTHN_AUTHENTICATOR_DATA', 'an assertion with the data of a new credential');
  }
  assertUse(data, relyingParty);
  assertPublicKey(key);
  assertSignature(signature, concatBytes(authenticatorData, sha256(clientDataJSON)), key);
  if ((data.counter !== 0 || lastCounter !== 0) && data.counter <= lastCounter) {
    throw new WebAuthnError('WEBAUTHN_COUNTER', 'the counter of the credential did not grow', {
      expected: lastCounter + 1,
      actual: data.counter,
    });
  }
  return { origin, counter: data.counter, isBackedUp: data.isBackedUp };
}

/**
 * Asserts that a credential was used for a relying party by a person who was verified: section 7.2, steps 15 to 18.
 *
 * @throws WebAuthnError WEBAUTHN_RELYING_PARTY, WEBAUTHN_USER_PRESENCE, WEBAUTHN_USER_VERIFICATION,
 *   WEBAUTHN_BACKUP_STATE
 */
export function assertUse(data: AuthenticatorData, relyingParty: string): void {
  const expected = sha256(utf8ToBytes(relyingParty));
  if (!data.relyingPartyHash.every((byte, index) => byte === expected[index])) {
    throw new WebAuthnError('WEBAUTHN_RELYING_PARTY', 'the credential was used for another relying party', {
      expected: relyingParty,
    });
  }
  if (!data.isUserPresent)
    throw new WebAuthnError('WEBAUTHN_USER_PRESENCE', 'nobody touched the authenticator');
  if (!data.isUserVerified) {
    throw new WebAuthnError('WEBAUTHN_USER_VERIFICATION', 'the authenticator did not verify its user');
  }
  if (data.isBackedUp && !data.isBackupEligible) {
    throw new WebAuthnError('WEBAUTHN_BACKUP_STATE', 'backed up, and not eligible for it');
  }
}
