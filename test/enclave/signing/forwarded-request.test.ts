import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  type ForwardedRequest,
  type ForwardingVerifier,
  forwardRequest,
  verifyForwardedRequest,
} from '../../../enclave/signing/forwarded-request.ts';
import { HttpSignatureError, signRequest } from '../../../shared/http-signature/index.ts';

const NOW = 1_767_225_600_000;
const SESSION = '5e'.repeat(16);
const backend = generateKeyPairSync('ed25519');
const stranger = generateKeyPairSync('ed25519');
const BODY = new Uint8Array(Buffer.from('{"key":"treasury"}'));

function sign(
  change: Partial<{ session: string; now: number; privateKey: typeof backend.privateKey }> = {},
): ForwardedRequest {
  const request = { method: 'POST', target: '/v1/sign' };
  const fields = signRequest(
    { ...request, body: { bytes: BODY, contentType: 'application/json' } },
    { clientId: 'backend', privateKey: backend.privateKey, session: SESSION, now: NOW, ...change },
  );
  const rawHeaders = Object.entries({ host: 'node.example', ...fields }).flat();
  return forwardRequest({ ...request, rawHeaders, contentLength: BODY.length }, BODY);
}

function codeOf(request: ForwardedRequest, change: Partial<ForwardingVerifier> = {}): string {
  try {
    verifyForwardedRequest(request, {
      session: SESSION,
      findKey: (id) => (id === 'backend' ? backend.publicKey : undefined),
      now: NOW,
      ...change,
    });
  } catch (error) {
    if (error instanceof HttpSignatureError) return error.code;
    throw error;
  }
  return 'none';
}

describe('a forwarded request', () => {
  it('is accepted for the session of the node that forwards it', () => {
    expect(codeOf(sign())).toBe('none');
    expect(codeOf(sign(), { session: 'aa'.repeat(16) })).toBe('SESSION_MISMATCH');
  });

  it('is refused with another body, target or method, each of which the client has signed', () => {
    const request = sign();
    expect(codeOf({ ...request, body: BODY.slice(1) })).toBe('DIGEST_MISMATCH');
    expect(codeOf({ ...request, target: '/v1/explain' })).toBe('SIGNATURE_INVALID');
    expect(codeOf({ ...request, method: 'PUT' })).toBe('SIGNATURE_INVALID');
  });

  it('is refused where the client is not one of the receiver, or has another key there', () => {
    expect(codeOf(sign(), { findKey: () => undefined })).toBe('CLIENT_UNKNOWN');
    expect(codeOf(sign(), { findKey: () => stranger.publicKey })).toBe('SIGNATURE_INVALID');
    expect(codeOf(sign({ privateKey: stranger.privateKey }))).toBe('SIGNATURE_INVALID');
  });

  it('is refused outside of its time by the clock of the receiver, and taken longer where people had to approve', () => {
    expect(codeOf(sign({ now: NOW - 61_000 }))).toBe('SIGNATURE_EXPIRED');
    expect(codeOf(sign({ now: NOW - 61_000 }), { maxAgeSeconds: 3600 })).toBe('none');
    expect(codeOf(sign({ now: NOW - 3_601_000 }), { maxAgeSeconds: 3600 })).toBe('SIGNATURE_EXPIRED');
    expect(codeOf(sign({ now: NOW + 61_000 }), { maxAgeSeconds: 3600 })).toBe('SIGNATURE_PREMATURE');
  });

  it('has the same name whenever it is forwarded, and another request has another', () => {
    const verifier = { session: SESSION, findKey: () => backend.publicKey, now: NOW };
    const [first, second] = [sign(), sign()];
    const name = (request: ForwardedRequest) => verifyForwardedRequest(request, verifier).id;
    expect(name(first)).toBe(name(structuredClone(first)));
    expect(name(first)).not.toBe(name(second));
  });
});
