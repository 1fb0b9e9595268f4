import { randomBytes } from 'node:crypto';
import { verifyRegistrationResponse } from '@simplewebauthn/server';
import { Encoder } from 'cbor-x';
import { describe, expect, test } from 'vitest';
import { verifyRegistration } from '../../../shared/webauthn/index.ts';
import { AT, type Behaviour, SoftwareAuthenticator, UP, UV } from './authenticator.ts';

const cbor = new Encoder({ mapsAsObjects: false, useRecords: false, tagUint8Array: false });
const SITE = { origin: 'http://localhost:8080', relyingParty: 'localhost' };
const CHALLENGE = new Uint8Array(randomBytes(32));
const EXPECTED = { challenge: CHALLENGE, origins: [SITE.origin], relyingParty: SITE.relyingParty };

describe.each(['ES256', 'EdDSA'] as const)('a registration of %s', (algorithm) => {
  const authenticator = new SoftwareAuthenticator(algorithm);

  test('gives the credential and its key, as a library that is not ours does', async () => {
    const registration = authenticator.register(CHALLENGE, SITE);
    const { credentialId, key } = verifyRegistration(registration, EXPECTED);
    expect(key).toEqual({ algorithm, publicKey: authenticator.publicKey });
    expect(credentialId).toEqual(authenticator.credentialId);
    const id = Buffer.from(credentialId).toString('base64url');
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: {
        id,
        rawId: id,
        type: 'public-key',
        clientExtensionResults: {},
        response: {
          clientDataJSON: Buffer.from(registration.clientDataJSON).toString('base64url'),
          attestationObject: Buffer.from(registration.attestationObject).toString('base64url'),
        },
      },
      expectedChallenge: Buffer.from(CHALLENGE).toString('base64url'),
      expectedOrigin: SITE.origin,
      expectedRPID: SITE.relyingParty,
    });
    expect(verified).toBe(true);
    expect(registrationInfo?.credential.id).toBe(id);
  });

  test.each<[string, Behaviour, string]>([
    ['an assertion', { type: 'webauthn.get' }, 'WEBAUTHN_TYPE'],
    ['another challenge', { challenge: 'AAAA' }, 'WEBAUTHN_CHALLENGE'],
    ['another origin', { origin: 'https://evil.example' }, 'WEBAUTHN_ORIGIN'],
    ['another relying party', { relyingParty: 'evil.example' }, 'WEBAUTHN_RELYING_PARTY'],
    ['no user verified', { flags: UP | AT }, 'WEBAUTHN_USER_VERIFICATION'],
    ['no credential', { flags: UP | UV, tail: new Uint8Array() }, 'WEBAUTHN_AUTHENTICATOR_DATA'],
    [
      'a COSE key of another algorithm',
      {
        tail: Buffer.concat([
          authenticator.attestedCredentialData().subarray(0, 50),
          cbor.encode(new Map([[1, 3]])),
        ]),
      },
      'WEBAUTHN_PUBLIC_KEY',
    ],
    [
      'a COSE key cut off',
      { tail: authenticator.attestedCredentialData().subarray(0, -1) },
      'WEBAUTHN_PUBLIC_KEY',
    ],
    [
      'bytes after the COSE key',
      { tail: Buffer.concat([authenticator.attestedCredentialData(), Uint8Array.of(0)]) },
      'WEBAUTHN_AUTHENTICATOR_DATA',
    ],
  ])('is refused with %s', (_, behaviour, code) => {
    const registration = authenticator.register(CHALLENGE, SITE, behaviour);
    expect(() => verifyRegistration(registration, EXPECTED)).toThrow(expect.objectContaining({ code }));
  });

  test('is refused with an attestation object that is cut off, or has another member', () => {
    const { clientDataJSON, attestationObject } = authenticator.register(CHALLENGE, SITE);
    const other = cbor.encode(new Map<string, unknown>([['fmt', 'none']]));
    for (const bytes of [attestationObject.subarray(1), attestationObject.subarray(0, -1), other]) {
      expect(() =>
        verifyRegistration({ clientDataJSON, attestationObject: new Uint8Array(bytes) }, EXPECTED),
      ).toThrow(expect.objectContaining({ code: 'WEBAUTHN_ATTESTATION_OBJECT' }));
    }
  });
});
