import { HoldfastError } from '../errors.ts';

/** Why an assertion or a registration is refused; each code is one step of WebAuthn Level 3, sections 7.1 and 7.2. */
export type WebAuthnErrorCode =
  /** clientDataJSON is no strict JSON object with the members of CollectedClientData (steps 8 and 9). */
  | 'WEBAUTHN_CLIENT_DATA'
  /** `type` is not that of the ceremony (step 10). */
  | 'WEBAUTHN_TYPE'
  /** The challenge is not the one that was expected: something else was signed (step 11). */
  | 'WEBAUTHN_CHALLENGE'
  /** The page that asked is not of an origin that the credential's owner trusts (step 12). */
  | 'WEBAUTHN_ORIGIN'
  /** The page that asked was framed by another one (steps 13 and 14). */
  | 'WEBAUTHN_CROSS_ORIGIN'
  /** Authenticator data that is not of the form of section 6.1. */
  | 'WEBAUTHN_AUTHENTICATOR_DATA'
  /** The credential was used for another relying party (step 15). */
  | 'WEBAUTHN_RELYING_PARTY'
  /** Nobody touched the authenticator (step 16). */
  | 'WEBAUTHN_USER_PRESENCE'
  /** The authenticator did not check a PIN or a biometric (step 17). */
  | 'WEBAUTHN_USER_VERIFICATION'
  /** A credential that is backed up and cannot be: the flags contradict each other (step 18). */
  | 'WEBAUTHN_BACKUP_STATE'
  /** A public key that is no point of its curve, or no COSE key of an algorithm that is taken. */
  | 'WEBAUTHN_PUBLIC_KEY'
  /** The signature does not verify, or is not of the one form of its algorithm (step 21). */
  | 'WEBAUTHN_SIGNATURE'
  /** The signature counter did not grow: the credential may exist twice (step 22). */
  | 'WEBAUTHN_COUNTER'
  /** An attestation object that is not of the form of section 6.5. */
  | 'WEBAUTHN_ATTESTATION_OBJECT';

/** A refusal of a WebAuthn response; `details` never hold a signature or a credential id. */
export class WebAuthnError extends HoldfastError<WebAuthnErrorCode> {}
