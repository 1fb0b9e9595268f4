import {
  computeChallenge,
  type ApproverCredential,
  type ApproverEntry,
} from '../../policy/approvals/index.ts';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { VoteRequest } from '../../shared/api/requests.ts';
import { encodeBase64 } from '../../shared/base64.ts';
import { decodeBase64Url, encodeBase64Url, verifyRegistration } from '../../shared/webauthn/index.ts';
import { PageError } from './trust.ts';

/** Milliseconds that a person has for their PIN or finger. */
const TIMEOUT_MS = 120_000;
const CHALLENGE_BYTES = 32;
const ES256 = -7;
const EDDSA = -8;

type Passkey = Extract<ApproverCredential, { type: 'passkey' }>;

/** Lists the passkeys of an approver that this page may ask for: those that name its origin. */
export function listPasskeys({ credentials }: ApproverEntry): Passkey[] {
  return credentials.filter(
    (credential): credential is Passkey =>
      credential.type === 'passkey' && credential.origins.includes(location.origin),
  );
}

/** Asks a passkey of an approver to sign a statement. @throws PageError where the person or browser refuses */
export async function signStatement(statement: Uint8Array, approver: ApproverEntry): Promise<VoteRequest> {
  const passkeys = listPasskeys(approver);
  const [first] = passkeys;
  if (first === undefined) {
    throw new PageError(`The configuration names no passkey of ${approver.id} for ${location.origin}.`);
  }
  const credential = await ask(() =>
    navigator.credentials.get({
      publicKey: {
        challenge: computeChallenge(statement),
        rpId: first.relyingParty,
        allowCredentials: passkeys
          .filter(({ relyingParty }) => relyingParty === first.relyingParty)
          .map(({ credentialId }) => ({
            type: 'public-key',
            id: new Uint8Array(decodeBase64Url(credentialId) ?? []),
          })),
        userVerification: 'required',
        timeout: TIMEOUT_MS,
      },
    }),
  );
  const { response, rawId } = credential;
  if (!(response instanceof AuthenticatorAssertionResponse))
    throw new PageError('The browser gave something else than an assertion.');
  const text = (buffer: ArrayBuffer) => encodeBase64(new Uint8Array(buffer));
  return {
    statement: encodeBase64(statement),
    proof: {
      type: 'passkey',
      credentialId: encodeBase64Url(new Uint8Array(rawId)),
      authenticatorData: text(response.authenticatorData),
      clientDataJSON: text(response.clientDataJSON),
      signature: text(response.signature),
    },
  };
}

/** Makes a passkey for this page, and the approver's entry for a configuration. @throws PageError, WebAuthnError */
export async function registerPasskey(approver: string): Promise<ApproverEntry> {
  const challenge = crypto.getRandomValues(new Uint8Array(CHALLENGE_BYTES));
  const relyingParty = location.hostname;
  const credential = await ask(() =>
    navigator.credentials.create({
      publicKey: {
        challenge,
        rp: { id: relyingParty, name: 'Holdfast' },
        user: { id: new TextEncoder().encode(approver), name: approver, displayName: approver },
        pubKeyCredParams: [ES256, EDDSA].map((alg) => ({ type: 'public-key', alg })),
        authenticatorSelection: { userVerification: 'required', residentKey: 'preferred' },
        attestation: 'none',
        timeout: TIMEOUT_MS,
      },
    }),
  );
  const { response } = credential;
  if (!(response instanceof AuthenticatorAttestationResponse))
    throw new PageError('The browser gave something else than a registration.');
  const { credentialId, key } = verifyRegistration(
    {
      clientDataJSON: new Uint8Array(response.clientDataJSON),
      attestationObject: new Uint8Array(response.attestationObject),
    },
    { challenge, origins: [location.origin], relyingParty },
  );
  return {
    id: approver,
    credentials: [
      {
        type: 'passkey',
        algorithm: key.algorithm,
        credentialId: encodeBase64Url(credentialId),
        publicKey: bytesToHex(key.publicKey),
        relyingParty,
        origins: [location.origin],
      },
    ],
  };
}

async function ask(act: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  if (!window.isSecureContext || navigator.credentials === undefined) {
    throw new PageError('Passkeys work on pages of https:// and of localhost alone: open this page there.');
  }
  let credential: Credential | null;
  try {
    credential = await act();
  } catch {
    throw new PageError('The passkey was not used: you or the browser have declined, or time ran out.');
  }
  if (!(credential instanceof PublicKeyCredential)) throw new PageError('The browser gave no passkey.');
  return credential;
}
