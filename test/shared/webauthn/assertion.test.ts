import { randomBytes } from 'node:crypto';
import { verifyAuthenticationResponse } from '@simplewebauthn/server';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Assertion, verifyAssertion, WebAuthnError } from '../../../shared/webauthn/index.ts';
import { AT, BE, BS, type Behaviour, ED, SoftwareAuthenticator, UP, UV } from './authenticator.ts';

const SITE = { origin: 'https://approve.example', relyingParty: 'approve.example' };
const CHALLENGE = new Uint8Array(randomBytes(32));
const P256_ORDER = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');

function expectation(authenticator: SoftwareAuthenticator, lastCounter = 0) {
  return {
    challenge: CHALLENGE,
    origins: [SITE.origin],
    relyingParty: SITE.relyingParty,
    key: { algorithm: authenticator.algorithm, publicKey: authenticator.publicKey },
    lastCounter,
  };
}

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof WebAuthnError) return error.code;
    throw error;
  }
  return 'accepted';
}

/** Verdict of a library that is not ours, on the same assertion. */
async function oracle(
  authenticator: SoftwareAuthenticator,
  assertion: Assertion,
  lastCounter = 0,
): Promise<boolean> {
  const id = Buffer.from(authenticator.credentialId).toString('base64url');
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
  try {
    const { verified } = await verifyAuthenticationResponse({
      response: {
        id,
        rawId: id,
        type: 'public-key',
        clientExtensionResults: {},
        response: {
          clientDataJSON: text(assertion.clientDataJSON),
          authenticatorData: text(assertion.authenticatorData),
          signature: text(assertion.signature),
        },
      },
      expectedChallenge: text(CHALLENGE),
      expectedOrigin: SITE.origin,
      expectedRPID: SITE.relyingParty,
      credential: { id, publicKey: new Uint8Array(authenticator.coseKey), counter: lastCounter },
      requireUserVerification: true,
    });
    return verified;
  } catch {
    return false;
  }
}

describe.each(['ES256', 'EdDSA'] as const)('an assertion by %s', (algorithm) => {
  const authenticator = new SoftwareAuthenticator(algorithm);
  const attempt = (behaviour: Behaviour, lastCounter = 0) =>
    codeOf(() =>
      verifyAssertion(
        authenticator.assert(CHALLENGE, SITE, behaviour),
        expectation(authenticator, lastCounter),
      ),
    );

  test('verifies here and in a library that is not ours', async () => {
    const assertion = authenticator.assert(CHALLENGE, SITE, { counter: 7 });
    expect(verifyAssertion(assertion, expectation(authenticator))).toEqual({
      origin: SITE.origin,
      counter: 7,
      isBackedUp: false,
    });
    expect(await oracle(authenticator, assertion)).toBe(true);
  });

  test.each<[string, Behaviour, string]>([
    ['step 10: a registration', { type: 'webauthn.create' }, 'WEBAUTHN_TYPE'],
    ['step 10: a payment', { type: 'payment.get' }, 'WEBAUTHN_TYPE'],
    ['step 11: another challenge', { challenge: 'AAAA' }, 'WEBAUTHN_CHALLENGE'],
    [
      'step 11: the challenge with padding',
      { challenge: `${Buffer.from(CHALLENGE).toString('base64url')}=` },
      'WEBAUTHN_CHALLENGE',
    ],
    ['step 12: another origin', { origin: 'https://evil.example' }, 'WEBAUTHN_ORIGIN'],
    ['step 12: a subdomain', { origin: 'https://a.approve.example' }, 'WEBAUTHN_ORIGIN'],
    ['step 12: the origin with a slash', { origin: `${SITE.origin}/` }, 'WEBAUTHN_ORIGIN'],
    ['step 12: another port', { origin: `${SITE.origin}:8443` }, 'WEBAUTHN_ORIGIN'],
    ['step 12: another scheme', { origin: 'http://approve.example' }, 'WEBAUTHN_ORIGIN'],
    ['step 12: no origin', { members: { origin: undefined } }, 'WEBAUTHN_ORIGIN'],
    ['step 12: origins in a list', { members: { origin: [SITE.origin] } }, 'WEBAUTHN_ORIGIN'],
    ['step 13: a framed page', { members: { crossOrigin: true } }, 'WEBAUTHN_CROSS_ORIGIN'],
    ['step 13: crossOrigin as text', { members: { crossOrigin: 'false' } }, 'WEBAUTHN_CROSS_ORIGIN'],
    ['step 13: crossOrigin null', { members: { crossOrigin: null } }, 'WEBAUTHN_CROSS_ORIGIN'],
    ['step 14: a top origin', { members: { topOrigin: 'https://evil.example' } }, 'WEBAUTHN_CROSS_ORIGIN'],
    ['step 15: another relying party', { relyingParty: 'evil.example' }, 'WEBAUTHN_RELYING_PARTY'],
    ['step 15: a parent domain', { relyingParty: 'example' }, 'WEBAUTHN_RELYING_PARTY'],
    ['step 16: no user present', { flags: UV }, 'WEBAUTHN_USER_PRESENCE'],
    ['step 17: no user verified', { flags: UP }, 'WEBAUTHN_USER_VERIFICATION'],
    ['step 18: backed up, and not eligible', { flags: UP | UV | BS }, 'WEBAUTHN_BACKUP_STATE'],
    ['section 6.1: bytes at the end', { tail: Uint8Array.of(0xa0) }, 'WEBAUTHN_AUTHENTICATOR_DATA'],
    ['section 6.1: no extensions after ED', { flags: UP | UV | ED }, 'WEBAUTHN_AUTHENTICATOR_DATA'],
    [
      'section 6.1: extensions that are no map',
      { flags: UP | UV | ED, tail: Uint8Array.of(0x80) },
      'WEBAUTHN_AUTHENTICATOR_DATA',
    ],
    [
      'section 6.1: bytes after the extensions',
      { flags: UP | UV | ED, tail: Uint8Array.of(0xa0, 0xa0) },
      'WEBAUTHN_AUTHENTICATOR_DATA',
    ],
    [
      'section 6.1: a new credential in an assertion',
      { flags: UP | UV | AT, tail: authenticator.attestedCredentialData() },
      'WEBAUTHN_AUTHENTICATOR_DATA',
    ],
    ['section 6.5.1: a credential cut off', { flags: UP | UV | AT }, 'WEBAUTHN_AUTHENTICATOR_DATA'],
  ])('is refused for %s', (_, behaviour, code) => {
    expect(attempt(behaviour)).toBe(code);
  });

  test.each<[string, Behaviour]>([
    ['members that nobody knows yet', { members: { other_keys_can_be_added_here: { a: [1] } } }],
    ['no crossOrigin', { members: { crossOrigin: undefined } }],
    ['a passkey that may be backed up', { flags: UP | UV | BE }],
    ['a passkey that is backed up', { flags: UP | UV | BE | BS }],
    ['reserved flags', { flags: UP | UV | 0x02 | 0x20 }],
    ['extension data', { flags: UP | UV | ED, tail: Uint8Array.of(0xa1, 0x61, 0x61, 0xf5) }],
  ])('is taken with %s', (_, behaviour) => {
    expect(attempt(behaviour)).toBe('accepted');
  });

  test('step 22: is refused where the counter does not grow, and taken where there is none', () => {
    expect(attempt({ counter: 5 }, 5)).toBe('WEBAUTHN_COUNTER');
    expect(attempt({ counter: 4 }, 5)).toBe('WEBAUTHN_COUNTER');
    expect(attempt({ counter: 0 }, 5)).toBe('WEBAUTHN_COUNTER');
    expect(attempt({ counter: 6 }, 5)).toBe('accepted');
    expect(attempt({ counter: 0 }, 0)).toBe('accepted');
    expect(attempt({ counter: 0xffffffff }, 0xfffffffe)).toBe('accepted');
  });

  test('step 21: is refused with the key of another credential', () => {
    const other = new SoftwareAuthenticator(algorithm);
    const assertion = authenticator.assert(CHALLENGE, SITE);
    expect(codeOf(() => verifyAssertion(assertion, expectation(other)))).toBe('WEBAUTHN_SIGNATURE');
  });

  test('step 21: is refused with any bit flipped, in whatever part', () => {
    const assertion = authenticator.assert(CHALLENGE, SITE);
    for (const part of ['clientDataJSON', 'authenticatorData', 'signature'] as const) {
      for (let bit = 0; bit < assertion[part].length * 8; bit += 13) {
        const changed = new Uint8Array(assertion[part]);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(
          codeOf(() => verifyAssertion({ ...assertion, [part]: changed }, expectation(authenticator))),
        ).not.toBe('accepted');
      }
    }
  });

  test('is refused with any part cut off or longer', () => {
    const assertion = authenticator.assert(CHALLENGE, SITE);
    for (const part of ['clientDataJSON', 'authenticatorData', 'signature'] as const) {
      for (let length = 0; length <= assertion[part].length + 1; length += 1) {
        if (length === assertion[part].length) continue;
        const changed = new Uint8Array(length);
        changed.set(assertion[part].subarray(0, length));
        expect(
          codeOf(() => verifyAssertion({ ...assertion, [part]: changed }, expectation(authenticator))),
        ).not.toBe('accepted');
      }
    }
  });

  test('is never taken where a library that is not ours refuses the same', async () => {
    const flags = [UP | UV, UP | UV | BE, UP | UV | BE | BS, UP, UV, 0, UP | UV | ED, UP | UV | AT];
    const behaviours = fc.record({
      type: fc.constantFrom('webauthn.get', 'webauthn.create'),
      origin: fc.constantFrom(SITE.origin, 'https://evil.example'),
      relyingParty: fc.constantFrom(SITE.relyingParty, 'evil.example'),
      flags: fc.constantFrom(...flags),
      counter: fc.integer({ min: 0, max: 9 }),
    });
    const isTakenByUsAlone = async (behaviour: Behaviour, lastCounter: number) => {
      const assertion = authenticator.assert(CHALLENGE, SITE, behaviour);
      const ours = codeOf(() => verifyAssertion(assertion, expectation(authenticator, lastCounter)));
      return ours === 'accepted' && !(await oracle(authenticator, assertion, lastCounter));
    };
    const details = await fc.check(
      fc.asyncProperty(behaviours, fc.integer({ min: 0, max: 9 }), async (behaviour, lastCounter) => {
        return !(await isTakenByUsAlone(behaviour, lastCounter));
      }),
      { numRuns: 100 },
    );
    expect(details).toMatchObject({ failed: false });
  });
});

describe('clientDataJSON', () => {
  const authenticator = new SoftwareAuthenticator();
  const genuine = JSON.stringify({
    type: 'webauthn.get',
    challenge: Buffer.from(CHALLENGE).toString('base64url'),
    origin: SITE.origin,
    crossOrigin: false,
  });
  test.each([
    ['a member twice', genuine.replace('{', '{"origin":"https://evil.example",')],
    ['a byte order mark', `\uFEFF${genuine}`],
    ['text at the end', `${genuine}{}`],
    ['a list', `[${genuine}]`],
    ['text', '"webauthn.get"'],
    ['nothing', ''],
    ['more than its maximum', genuine.replace('}', `,"pad":"${'x'.repeat(4_096)}"}`)],
    ['deep nesting', genuine.replace('}', `,"deep":${'['.repeat(32)}${']'.repeat(32)}}`)],
    ['a __proto__', genuine.replace('{', '{"__proto__":{},')],
  ])('is refused with %s', (_, text) => {
    const assertion = authenticator.assert(CHALLENGE, SITE, { clientDataJSON: Buffer.from(text) });
    expect(codeOf(() => verifyAssertion(assertion, expectation(authenticator)))).toBe('WEBAUTHN_CLIENT_DATA');
  });
});

describe('a signature of ES256', () => {
  const authenticator = new SoftwareAuthenticator();
  const { signature, ...rest } = authenticator.assert(CHALLENGE, SITE);
  const [r, s] = readDer(signature);
  const attempt = (bytes: Uint8Array) =>
    codeOf(() => verifyAssertion({ ...rest, signature: bytes }, expectation(authenticator)));

  test('is taken with either S: authenticators make both', () => {
    expect(attempt(writeDer(r, s))).toBe('accepted');
    expect(attempt(writeDer(r, P256_ORDER - s))).toBe('accepted');
  });

  test.each([
    ['r of zero', writeDer(0n, s)],
    ['s of zero', writeDer(r, 0n)],
    ['r plus the order', writeDer(r + P256_ORDER, s)],
    ['s plus the order', writeDer(r, s + P256_ORDER)],
    ['s of the order', writeDer(r, P256_ORDER)],
    ['a padded integer', Buffer.concat([Uint8Array.of(0x30, 70, 2, 1, 0), Buffer.alloc(67)])],
    ['BER with an indefinite length', Buffer.concat([Uint8Array.of(0x30, 0x80), writeDer(r, s).subarray(2)])],
    ['a length in two octets', Buffer.concat([Uint8Array.of(0x30, 0x81), writeDer(r, s).subarray(1)])],
    ['bytes at the end', Buffer.concat([writeDer(r, s), Uint8Array.of(0)])],
    [
      'r and s without DER',
      Buffer.from(r.toString(16).padStart(64, '0') + s.toString(16).padStart(64, '0'), 'hex'),
    ],
    ['nothing', new Uint8Array()],
  ])('is refused with %s', (_, bytes) => {
    expect(attempt(bytes)).toBe('WEBAUTHN_SIGNATURE');
  });
});

describe('a public key', () => {
  const es256 = new SoftwareAuthenticator();
  const eddsa = new SoftwareAuthenticator('EdDSA');
  test.each([
    ['no point of P-256', es256, 'ES256', Buffer.from(`02${'ff'.repeat(32)}`, 'hex')],
    ['an uncompressed point', es256, 'ES256', Buffer.alloc(65, 4)],
    ['a short one', es256, 'ES256', Buffer.from(es256.publicKey.subarray(0, 32))],
    ['a point of small order', eddsa, 'EdDSA', Buffer.concat([Uint8Array.of(1), Buffer.alloc(31)])],
    ['no point of Ed25519', eddsa, 'EdDSA', Buffer.from(`02${'00'.repeat(31)}`, 'hex')],
    ['an empty one', eddsa, 'EdDSA', Buffer.alloc(0)],
  ] as const)('is refused that is %s', (_, authenticator, algorithm, publicKey) => {
    const assertion = authenticator.assert(CHALLENGE, SITE);
    const key = { algorithm, publicKey: new Uint8Array(publicKey) };
    expect(codeOf(() => verifyAssertion(assertion, { ...expectation(authenticator), key }))).toBe(
      'WEBAUTHN_PUBLIC_KEY',
    );
  });
});

function readDer(der: Uint8Array): [bigint, bigint] {
  const length = der[3] ?? 0;
  const toInteger = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
  return [toInteger(der.subarray(4, 4 + length)), toInteger(der.subarray(6 + length))];
}

function writeDer(...scalars: readonly bigint[]): Uint8Array {
  const integers = scalars.map((scalar) => {
    const hex = scalar.toString(16);
    const even = hex.length % 2 === 0 ? hex : `0${hex}`;
    const magnitude = Buffer.from(Number.parseInt(even.slice(0, 2), 16) >= 0x80 ? `00${even}` : even, 'hex');
    return Buffer.concat([Uint8Array.of(2, magnitude.length), magnitude]);
  });
  const content = Buffer.concat(integers);
  return new Uint8Array(Buffer.concat([Uint8Array.of(0x30, content.length), content]));
}
