import { generateKeyPairSync, sign } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  HttpSignatureError,
  type ReceivedRequest,
  ReplayCache,
  type RequestToSign,
  signRequest,
  type SignatureVerifier,
  verifyRequestSignature,
} from '../../../shared/http-signature/index.ts';

const NOW = 1_767_225_600_000;
const SESSION = '5e'.repeat(16);
const backend = generateKeyPairSync('ed25519');
const stranger = generateKeyPairSync('ed25519');

const post: RequestToSign = {
  method: 'POST',
  target: '/v1/sign',
  body: { bytes: Buffer.from('{"key":"hot"}'), contentType: 'application/json' },
};
const get: RequestToSign = { method: 'GET', target: '/v1/keys' };

function makeVerifier(change: Partial<SignatureVerifier> = {}): SignatureVerifier {
  return {
    findKey: (id) => (id === 'backend' ? backend.publicKey : undefined),
    session: SESSION,
    now: NOW,
    replay: new ReplayCache(),
    ...change,
  };
}

type Fields = Record<string, string | undefined>;

function receive(
  request: RequestToSign,
  signer: object = {},
  edit: (fields: Fields) => Fields = (fields) => fields,
) {
  const signed = signRequest(request, {
    clientId: 'backend',
    privateKey: backend.privateKey,
    session: SESSION,
    now: NOW,
    ...signer,
  });
  const fields = edit({ host: 'node.example:443', ...signed });
  return {
    method: request.method,
    target: request.target,
    rawHeaders: Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [name, value])),
    body: request.body?.bytes ?? new Uint8Array(0),
  } satisfies ReceivedRequest;
}

function verifyCode(request: ReceivedRequest, verifier: SignatureVerifier = makeVerifier()): string {
  try {
    return verifyRequestSignature(request, verifier).clientId;
  } catch (error) {
    expect(error).toBeInstanceOf(HttpSignatureError);
    return (error as HttpSignatureError).code;
  }
}

describe('a signed request', () => {
  it.each([
    ['with a body', post],
    ['without a body', get],
    ['with a query', { ...get, target: '/v1/keys?type=ed25519&page=2' }],
    ['with an empty body', { ...post, body: { bytes: new Uint8Array(0), contentType: 'application/json' } }],
  ])('%s names its client', (_name, request) => {
    expect(verifyCode(receive(request))).toBe('backend');
  });

  it('is taken with header names in any case and with other headers around', () => {
    const request = receive(post);
    const rawHeaders = ['X-Forwarded-For', '::1', ...request.rawHeaders].map((entry, index) =>
      index % 2 === 0 ? entry.toUpperCase() : entry,
    );
    expect(verifyCode({ ...request, rawHeaders })).toBe('backend');
  });

  it('is taken with its parameters in another order, under another label', () => {
    const parameters =
      '("@method" "@path" "@query" "holdfast-session");tag="holdfast";alg="ed25519";keyid="backend";nonce="AAAAAAAAAAAAAAAAAAAAAA";created=1767225600';
    const base = `"@method": GET\n"@path": /v1/keys\n"@query": ?\n"holdfast-session": ${SESSION}\n"@signature-params": ${parameters}`;
    const signature = sign(null, Buffer.from(base), backend.privateKey).toString('base64');
    const request = receive(get, {}, (fields) => ({
      ...fields,
      'signature-input': `mine=${parameters}`,
      signature: `mine=:${signature}:`,
    }));
    expect(verifyCode(request)).toBe('backend');
  });

  it('is taken at both edges of the window and refused outside', () => {
    const at = (seconds: number) => verifyCode(receive(get), makeVerifier({ now: NOW + seconds * 1000 }));
    expect([at(60), at(-60)]).toEqual(['backend', 'backend']);
    expect([at(60.001), at(-60.001)]).toEqual(['SIGNATURE_EXPIRED', 'SIGNATURE_PREMATURE']);
    expect(at(Number.NaN)).toBe('SIGNATURE_EXPIRED');
  });

  it('is taken once', () => {
    const verifier = makeVerifier();
    const request = receive(post);
    expect(verifyCode(request, verifier)).toBe('backend');
    expect(verifyCode(request, verifier)).toBe('SIGNATURE_REPLAYED');
    expect(verifyCode(receive(post), verifier)).toBe('backend');
  });

  it('is refused when no more can be remembered', () => {
    const verifier = makeVerifier({ replay: new ReplayCache({ capacity: 1 }) });
    expect(verifyCode(receive(get), verifier)).toBe('backend');
    expect(verifyCode(receive(get), verifier)).toBe('REPLAY_CACHE_FULL');
  });

  it('fills no memory with requests that do not verify', () => {
    const verifier = makeVerifier({ replay: new ReplayCache({ capacity: 1 }) });
    expect(verifyCode(receive(get, { privateKey: stranger.privateKey }), verifier)).toBe('SIGNATURE_INVALID');
    expect(verifyCode({ ...receive(post), body: Buffer.from('{}') }, verifier)).toBe('DIGEST_MISMATCH');
    expect(verifyCode(receive(get), verifier)).toBe('backend');
  });
});

describe('a request is refused', () => {
  it.each([
    ['without a signature', { signature: undefined }],
    ['without its input', { 'signature-input': undefined }],
    ['without a session', { 'holdfast-session': undefined }],
    ['without a digest', { 'content-digest': undefined }],
    ['without a content type', { 'content-type': undefined }],
  ])('%s', (_name, change) => {
    expect(verifyCode(receive(post, {}, (fields) => ({ ...fields, ...change })))).toBe('SIGNATURE_MISSING');
  });

  it('with a signature of somebody else', () => {
    expect(verifyCode(receive(post, { privateKey: stranger.privateKey }))).toBe('SIGNATURE_INVALID');
  });

  it('of a client that is not configured', () => {
    expect(verifyCode(receive(post, { clientId: 'stranger' }))).toBe('CLIENT_UNKNOWN');
  });

  it('for another node or an earlier boot', () => {
    expect(verifyCode(receive(post, { session: '00'.repeat(16) }))).toBe('SESSION_MISMATCH');
  });

  it('for another node, made to look as if it were for this one', () => {
    const elsewhere = receive(post, { session: '00'.repeat(16) }, (fields) => ({
      ...fields,
      'holdfast-session': SESSION,
    }));
    expect(verifyCode(elsewhere)).toBe('SIGNATURE_INVALID');
  });

  it('when its method, path, query, content type or body was altered', () => {
    const request = receive(post);
    expect(verifyCode({ ...request, method: 'PUT' })).toBe('SIGNATURE_INVALID');
    expect(verifyCode({ ...request, target: '/v1/frost/round2' })).toBe('SIGNATURE_INVALID');
    expect(verifyCode({ ...request, target: '/v1/sign?x=1' })).toBe('SIGNATURE_INVALID');
    expect(verifyCode({ ...request, body: Buffer.from('{"key":"cold"}') })).toBe('DIGEST_MISMATCH');
    const retyped = receive(post, {}, (fields) => ({ ...fields, 'content-type': 'text/plain' }));
    expect(verifyCode(retyped)).toBe('SIGNATURE_INVALID');
  });

  it('when it has no body by its method and brings one all the same', () => {
    expect(verifyCode({ ...receive(get), body: Buffer.from('{}') })).toBe('SIGNATURE_MALFORMED');
  });

  it('when it is a POST whose signature leaves the body uncovered', () => {
    const request = receive({ method: 'POST', target: '/v1/sign' }, {}, (fields) => ({
      ...fields,
      'content-type': 'application/json',
      'content-digest': 'sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:',
    }));
    expect(verifyCode(request)).toBe('SIGNATURE_MALFORMED');
  });

  it.each(['signature', 'signature-input', 'holdfast-session', 'content-digest', 'content-type'])(
    'when its %s is there twice',
    (name) => {
      const request = receive(post);
      const value = request.rawHeaders[request.rawHeaders.indexOf(name) + 1] ?? '';
      for (const second of [value, 'other']) {
        expect(verifyCode({ ...request, rawHeaders: [...request.rawHeaders, name, second] })).toBe(
          'SIGNATURE_MALFORMED',
        );
      }
    },
  );

  it.each([
    '',
    'v1/sign',
    'https://node/v1/sign',
    '/',
    '//v1/sign',
    '/v1//sign',
    '/v1/./sign',
    '/v1/../sign',
    '/v1/sign/',
    '/v1/%73ign',
    '/v1/sign?',
    '/v1/sign?a?b',
    '/v1/sign?a b',
    '/v1/sign#x',
    '/v1\\sign',
    `/${'a'.repeat(1024)}`,
  ])('for the unusual target %j', (target) => {
    expect(verifyCode({ ...receive(post), target })).toBe('SIGNATURE_MALFORMED');
    expect(() =>
      signRequest(
        { ...post, target },
        { clientId: 'backend', privateKey: backend.privateKey, session: SESSION, now: NOW },
      ),
    ).toThrow(HttpSignatureError);
  });
});

const INPUT =
  'sig=("@method" "@path" "@query" "holdfast-session");created=1767225600;nonce="AAAAAAAAAAAAAAAAAAAAAA";keyid="backend";alg="ed25519";tag="holdfast"';

/** Verifies a GET whose fields are these, with a signature that is right for them. */
function verifyFields(
  input: string,
  spell: (signature: string) => string = (text) => `sig=:${text}:`,
): string {
  const request = receive(get, {}, (fields) => {
    const value = input.slice(input.indexOf('=') + 1);
    const base = `"@method": GET\n"@path": /v1/keys\n"@query": ?\n"holdfast-session": ${SESSION}\n"@signature-params": ${value}`;
    const signature = spell(sign(null, Buffer.from(base), backend.privateKey).toString('base64'));
    return { ...fields, 'signature-input': input, signature };
  });
  return verifyCode(request);
}

describe('the fields of a signature', () => {
  it('are taken in their one form', () => {
    expect(verifyFields(INPUT)).toBe('backend');
  });

  it.each([
    ['a second signature', `${INPUT}, other=("@method");created=1`],
    ['no label', INPUT.slice(4)],
    ['an upper-case label', INPUT.replace('sig=', 'Sig=')],
    ['another order of components', INPUT.replace('"@method" "@path"', '"@path" "@method"')],
    ['a missing component', INPUT.replace('"@query" ', '')],
    ['a component twice', INPUT.replace('"@path"', '"@path" "@path"')],
    ['a further component', INPUT.replace('"@path"', '"@path" "date"')],
    ['a component with a parameter', INPUT.replace('"@path"', '"@path";req')],
    ['two spaces', INPUT.replace('"@method" ', '"@method"  ')],
    ['a space before a parameter', INPUT.replace(';nonce', '; nonce')],
    ['a parameter twice', `${INPUT};tag="holdfast"`],
    ['an unknown parameter', `${INPUT};expires=1767225700`],
    ['no created', INPUT.replace(';created=1767225600', '')],
    ['created as a string', INPUT.replace('=1767225600', '="1767225600"')],
    ['created with a leading zero', INPUT.replace('=1767225600', '=01767225600')],
    ['created as a decimal', INPUT.replace('=1767225600', '=1767225600.0')],
    ['a negative created', INPUT.replace('=1767225600', '=-1767225600')],
    ['no nonce', INPUT.replace(/;nonce="[^"]*"/, '')],
    ['a short nonce', INPUT.replace(/nonce="[^"]*"/, 'nonce="AAAAAAAAAAAAAAAAAAAAA"')],
    ['a nonce with dots', INPUT.replace(/nonce="[^"]*"/, 'nonce="AAAAAAAAAAAAAAAAAAAA.."')],
    ['a number for a nonce', INPUT.replace(/nonce="[^"]*"/, 'nonce=123456789012')],
    ['no keyid', INPUT.replace(';keyid="backend"', '')],
    ['no alg', INPUT.replace(';alg="ed25519"', '')],
    ['another alg', INPUT.replace('ed25519', 'hmac-sha256')],
    ['another tag', INPUT.replace('tag="holdfast"', 'tag="other"')],
    ['no tag', INPUT.replace(';tag="holdfast"', '')],
    ['a trailing semicolon', `${INPUT};`],
    ['trailing text', `${INPUT}x`],
    ['an escape', INPUT.replace('backend', 'back\\"end')],
    ['oversize', INPUT.replace('sig=', 'sig=(').padEnd(4_000, 'x')],
  ])('are refused with %s', (_name, input) => {
    expect(verifyFields(input)).toBe('SIGNATURE_MALFORMED');
  });

  it.each<[string, (signature: string) => string]>([
    ['another label', (text) => `other=:${text}:`],
    ['no colons', (text) => `sig=${text}`],
    ['a second member', (text) => `sig=:${text}:, other=:${text}:`],
    ['a parameter', (text) => `sig=:${text}:;x`],
    ['no padding', (text) => `sig=:${text.replaceAll('=', '')}:`],
    ['63 bytes', (text) => `sig=:${Buffer.from(text, 'base64').subarray(1).toString('base64')}:`],
    ['65 bytes', (text) => `sig=:${Buffer.from(`AA${text}`, 'base64').toString('base64')}:`],
    ['base64url', (text) => `sig=:${text.slice(0, 85)}_==:`],
    // The last character before the padding carries four bits that mean nothing.
    ['stray bits', (text) => `sig=:${text.slice(0, 85)}${nextCharacter(text.charAt(85))}==:`],
  ])('are refused with a signature with %s', (_name, spell) => {
    expect(verifyFields(INPUT, spell)).toBe('SIGNATURE_MALFORMED');
  });

  function nextCharacter(character: string): string {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
    return alphabet.charAt(alphabet.indexOf(character) + 1);
  }
});

describe('fuzzing', () => {
  it('answers every field with a code, never with another error', () => {
    const field = fc.oneof(
      fc.string({ maxLength: 700, unit: 'binary' }),
      fc.string({ maxLength: 100 }),
      fc
        .constant(INPUT)
        .chain((text) =>
          fc
            .tuple(fc.nat({ max: text.length }), fc.string({ maxLength: 3 }))
            .map(([at, insert]) => text.slice(0, at) + insert + text.slice(at)),
        ),
    );
    const names = fc.constantFrom('signature', 'signature-input', 'holdfast-session', 'content-digest');
    fc.assert(
      fc.property(names, field, (name, value) => {
        const code = verifyCode(receive(post, {}, (fields) => ({ ...fields, [name]: value })));
        expect(code).toMatch(/^[A-Z_]+$/);
      }),
      { numRuns: 1_000 },
    );
  });

  it('refuses every prefix of both fields', () => {
    const whole = receive(get);
    for (const name of ['signature', 'signature-input']) {
      const value = whole.rawHeaders[whole.rawHeaders.indexOf(name) + 1] ?? '';
      for (let length = 0; length < value.length; length += 1) {
        const request = receive(get, {}, (fields) => ({ ...fields, [name]: value.slice(0, length) }));
        expect(verifyCode(request)).toBe('SIGNATURE_MALFORMED');
      }
    }
  });

  it('refuses every flipped bit of the signature', () => {
    const request = receive(get);
    const at = request.rawHeaders.indexOf('signature') + 1;
    const signature = Buffer.from((request.rawHeaders[at] ?? '').slice(5, -1), 'base64');
    for (let bit = 0; bit < 512; bit += 1) {
      const flipped = Buffer.from(signature);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const rawHeaders = request.rawHeaders.with(at, `sig=:${flipped.toString('base64')}:`);
      expect(verifyCode({ ...request, rawHeaders })).toBe('SIGNATURE_INVALID');
    }
  });
});
