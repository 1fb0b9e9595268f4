import { describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { ApiError } from '../../../enclave/api/errors.ts';
import { FailedRequest, PolicyError } from '../../../enclave/signing/index.ts';
import type { Receipt } from '../../../audit/receipt/index.ts';
import { Accepted, createRouter, type Route, type RouteInput } from '../../../enclave/api/router.ts';
import { MAX_REQUEST_BYTES } from '../../../shared/api/bodies.ts';
import {
  HttpSignatureError,
  type RequestHead,
  type SignedHead,
} from '../../../shared/http-signature/index.ts';
import { StoreError } from '../../../enclave/store/errors.ts';

const schema = z.strictObject({ text: z.string() });
const receipt = { format: 'holdfast-receipt/1' } as Receipt;

/** A router with one route for anybody and one for clients, and what they saw. */
function start(act: (input: RouteInput) => unknown = () => ({ done: true })) {
  const seen = vi.fn<(input: RouteInput) => unknown>(act);
  const admit = vi.fn<SignedHead['admit']>();
  const authenticate = vi.fn<(head: RequestHead) => Pick<SignedHead, 'clientId' | 'admit'>>(() => ({
    clientId: 'backend',
    admit,
  }));
  const onError = vi.fn<(error: unknown) => void>();
  const routes: Route[] = [
    { method: 'GET', path: /^\/open$/, isSigned: false, act: seen },
    { method: 'POST', path: /^\/open$/, isSigned: false, act: seen },
    { method: 'PUT', path: /^\/keys\/([a-z]+)\/share$/, isSigned: true, act: seen },
  ];
  const handle = createRouter(routes, { authenticate, onError });
  const send = (method: string, target: string, body = '') => {
    const admitted = handle({ method, target, rawHeaders: [], contentLength: body.length });
    return typeof admitted === 'function' ? admitted(Buffer.from(body)) : admitted;
  };
  return { handle, send, seen, authenticate, admit, onError };
}

describe('the router', () => {
  it('hands a request to its route and answers with what that returns', async () => {
    const { send, authenticate } = start(() => Promise.resolve({ one: 1 }));
    expect(await send('GET', '/open')).toEqual({ status: 200, body: { one: 1 } });
    expect(authenticate).not.toHaveBeenCalled();
  });

  it('answers with 202 where the request waits', async () => {
    const { send } = start(() => new Accepted({ waiting: 1 }));
    expect(await send('GET', '/open')).toEqual({ status: 202, body: { waiting: 1 } });
  });

  it('takes as long a body as its route says', async () => {
    const route = { method: 'POST', path: /^\/open$/, isSigned: false, maxBytes: 2_000 } as const;
    const handle = createRouter([{ ...route, act: () => 'done' }], {
      authenticate: () => ({ clientId: 'x', admit: () => {} }),
      onError: () => {},
    });
    const head = { method: 'POST', target: '/open', rawHeaders: [] };
    expect(handle({ ...head, contentLength: 2_000 })).toBeTypeOf('function');
    expect(handle({ ...head, contentLength: 2_001 })).toMatchObject({ status: 413 });
  });

  it('names the client and the parts of the path where a request must be signed', async () => {
    const { send, seen } = start();
    await send('PUT', '/keys/hot/share');
    expect(seen).toHaveBeenCalledWith(expect.objectContaining({ client: 'backend', captures: ['hot'] }));
  });

  it('gives a route for anybody no client', async () => {
    const { send, seen } = start();
    await send('GET', '/open');
    expect(seen).toHaveBeenCalledWith(expect.objectContaining({ client: '' }));
  });

  it.each([
    ['/', 404, 'NOT_FOUND'],
    ['/open/', 404, 'NOT_FOUND'],
    ['/open?x=1', 404, 'NOT_FOUND'],
    ['/OPEN', 404, 'NOT_FOUND'],
    ['//open', 404, 'NOT_FOUND'],
    ['http://elsewhere/open', 404, 'NOT_FOUND'],
    ['/keys/hot/share', 405, 'METHOD_NOT_ALLOWED'],
  ])('refuses GET %s', async (target, status, code) => {
    const { send, seen } = start();
    expect(await send('GET', target)).toEqual({ status, body: { error: code } });
    expect(seen).not.toHaveBeenCalled();
  });

  it('does nothing for a request whose signature is refused', async () => {
    const { send, seen, authenticate } = start();
    authenticate.mockImplementation(() => {
      throw new HttpSignatureError('SIGNATURE_INVALID', 'as the test has it');
    });
    expect(await send('PUT', '/keys/hot/share')).toEqual({
      status: 401,
      body: { error: 'SIGNATURE_INVALID' },
    });
    expect(seen).not.toHaveBeenCalled();
  });

  it('asks for the signature before it looks at the body', async () => {
    const { send, authenticate } = start(({ parse }) => parse(schema));
    authenticate.mockImplementation(() => {
      throw new HttpSignatureError('SIGNATURE_MISSING', 'as the test has it');
    });
    expect(await send('PUT', '/keys/hot/share', '{')).toMatchObject({ status: 401 });
  });

  it('does nothing for a request whose body is not the one that was signed', async () => {
    const { send, seen, admit } = start();
    admit.mockImplementation(() => {
      throw new HttpSignatureError('DIGEST_MISMATCH', 'as the test has it');
    });
    expect(await send('PUT', '/keys/hot/share', '{}')).toEqual({
      status: 401,
      body: { error: 'DIGEST_MISMATCH' },
    });
    expect(seen).not.toHaveBeenCalled();
  });

  it.each([
    ['nothing is there', 'POST', '/nowhere', 1, 404],
    ['another method', 'GET', '/keys/hot/share', 1, 405],
    ['more than a stranger may send', 'POST', '/open', 1025, 413],
    ['more than a client may send', 'PUT', '/keys/hot/share', MAX_REQUEST_BYTES + 1, 413],
  ])('refuses before it has read the body: %s', (_, method, target, contentLength, status) => {
    const { handle, authenticate } = start();
    expect(handle({ method, target, rawHeaders: [], contentLength })).toMatchObject({ status });
    expect(authenticate).not.toHaveBeenCalled();
  });

  it('refuses a signature before it has read the body', () => {
    const { handle, authenticate } = start();
    authenticate.mockImplementation(() => {
      throw new HttpSignatureError('SIGNATURE_INVALID', 'as the test has it');
    });
    const head = { method: 'PUT', target: '/keys/hot/share', rawHeaders: [], contentLength: 1 };
    expect(handle(head)).toEqual({ status: 401, body: { error: 'SIGNATURE_INVALID' } });
  });
});

describe('the body of a request', () => {
  it('is strict JSON of the schema that the route asks for', async () => {
    const { send } = start(({ parse }) => parse(schema));
    expect(await send('POST', '/open', '{"text":"x"}')).toEqual({ status: 200, body: { text: 'x' } });
  });

  it.each([
    ['nothing', ''],
    ['half of it', '{"text":'],
    ['two values', '{"text":"x"}{}'],
    ['a key twice', '{"text":"x","text":"y"}'],
    ['a field too many', '{"text":"x","more":1}'],
    ['a field too few', '{}'],
    ['another type', '{"text":1}'],
    ['a prototype', '{"__proto__":{},"text":"x"}'],
    ['nesting beyond any request', '['.repeat(9) + ']'.repeat(9)],
  ])('is refused with %s', async (_, body) => {
    const { send } = start(({ parse }) => parse(schema));
    expect(await send('POST', '/open', body)).toEqual({ status: 400, body: { error: 'REQUEST_MALFORMED' } });
  });

  it('is refused when it is not UTF-8', async () => {
    const seen: string[] = [];
    const handle = createRouter(
      [{ method: 'POST', path: /^\/open$/, isSigned: false, act: ({ parse }) => parse(schema) }],
      {
        authenticate: () => ({ clientId: 'x', admit: () => {} }),
        onError: (error) => seen.push((error as ApiError).code),
      },
    );
    const body = Buffer.from([...Buffer.from('{"text":"'), 0xff, ...Buffer.from('"}')]);
    const admitted = handle({ method: 'POST', target: '/open', rawHeaders: [], contentLength: body.length });
    if (typeof admitted === 'function') await admitted(body);
    expect(seen).toEqual(['REQUEST_MALFORMED']);
  });
});

describe('a refusal', () => {
  it.each<[string, number, Error]>([
    ['OVERLOADED', 503, new ApiError('OVERLOADED', 'x')],
    ['REPLAY_CACHE_FULL', 503, new HttpSignatureError('REPLAY_CACHE_FULL', 'x')],
    ['SIGNATURE_REPLAYED', 401, new HttpSignatureError('SIGNATURE_REPLAYED', 'x')],
    ['STORE_TAKEN', 403, new StoreError('STORE_TAKEN', 'x')],
    ['STORE_FULL', 507, new StoreError('STORE_FULL', 'x')],
  ])('%s has status %i', async (code, status, error) => {
    const { send, onError } = start(() => {
      throw error;
    });
    expect(await send('GET', '/open')).toEqual({ status, body: { error: code } });
    expect(onError).toHaveBeenCalledExactlyOnceWith(error);
  });

  it.each<[string, number, Error]>([
    ['POLICY_DENIED', 403, new PolicyError('POLICY_DENIED', 'x', receipt)],
    ['RATE_LIMITED', 429, new PolicyError('RATE_LIMITED', 'x', receipt)],
    ['STORE_FULL', 507, new FailedRequest('STORE_FULL', 'x', { rule: 'payouts', receipt }, undefined)],
  ])('%s has status %i and the receipt of the decision', async (code, status, error) => {
    const { send } = start(() => {
      throw error;
    });
    expect(await send('GET', '/open')).toEqual({ status, body: { error: code, receipt } });
  });

  it('shows nothing of an error that nobody foresaw', async () => {
    const { send, onError } = start(() => Promise.reject(new TypeError('the secret is 42')));
    const answer = await send('GET', '/open');
    expect(answer).toEqual({ status: 500, body: { error: 'INTERNAL' } });
    expect(onError).toHaveBeenCalledOnce();
  });

  it('shows the code of an error and neither its message nor its details', async () => {
    const { send } = start(() => {
      throw new ApiError('OVERLOADED', 'the message', { detail: 'the detail' });
    });
    expect(JSON.stringify(await send('GET', '/open'))).not.toMatch(/message|detail/);
  });
});
