import { describe, expect, it, vi } from 'vitest';
import type { Receipt } from '../../../audit/receipt/index.ts';
import { createQuorumRoutes } from '../../../enclave/api/quorum-routes.ts';
import { createRouter } from '../../../enclave/api/router.ts';
import { type Quorum, QuorumError } from '../../../enclave/quorum/index.ts';
import {
  type Ceremony,
  ceremonyAcceptedSchema,
  ceremonySchema,
  quorumStatusSchema,
  transcriptResponseSchema,
} from '../../../shared/api/quorum.ts';

const FIELDS = {
  'signature-input': 'i',
  signature: 's',
  'holdfast-session': 'n',
  'content-digest': 'd',
  'content-type': 't',
};
const RAW_HEADERS = Object.entries(FIELDS).flat();
const ID = 'c0'.repeat(16);
const receipt = { format: 'holdfast-receipt/1' } as Receipt;
const ceremony: Ceremony = {
  id: ID,
  plan: null,
  kind: 'generate',
  key: 'treasury',
  epoch: 1,
  coordinator: 1,
  participants: [1, 2, 3],
  threshold: 2,
  state: 'running',
  step: 'commit',
  answered: [1],
  waitingFor: [2, 3],
  started: 1_000,
  ends: 2_000,
  failure: null,
  uninformed: [],
  publicKey: null,
  transcript: null,
};
const digest = 'dd'.repeat(48);

/** Interface of a node whose quorum is a script, and the calls that the script has seen. */
function start(isMember = true) {
  const begin = vi.fn<Quorum['begin']>(() => Promise.resolve({ ceremony, rule: 'ceremonies', receipt }));
  const quorum: Quorum = {
    status: () => ({
      node: 1,
      size: 3,
      threshold: 2,
      configuration: { version: 7, digest },
      peers: [
        {
          node: 2,
          state: 'refused',
          code: 'PEER_IMAGE_REFUSED',
          theirCode: null,
          since: 1_000,
          lastSeen: null,
          session: null,
          configuration: null,
        },
      ],
      keys: [],
    }),
    begin,
    stop: () => undefined,
    ceremonies: () => [ceremony],
    ceremony: (id) => {
      if (id === ID) return ceremony;
      throw new QuorumError('CEREMONY_NOT_FOUND', 'no such ceremony');
    },
    transcript: vi.fn<Quorum['transcript']>((key, epoch) =>
      key === 'treasury' && epoch === 1
        ? Promise.resolve(Buffer.from('transcript'))
        : Promise.reject(new QuorumError('TRANSCRIPT_NOT_FOUND', 'no such transcript')),
    ),
  };
  const handle = createRouter(createQuorumRoutes(isMember ? quorum : undefined, 7), {
    authenticate: () => ({ clientId: 'backend', admit: () => undefined }),
    onError: () => undefined,
  });
  const send = async (method: string, target: string, body?: unknown) => {
    const bytes = Buffer.from(body === undefined ? '' : JSON.stringify(body));
    const admitted = handle({ method, target, rawHeaders: RAW_HEADERS, contentLength: bytes.length });
    return typeof admitted === 'function' ? await admitted(bytes) : admitted;
  };
  return { send, begin };
}

describe('routes of the quorum', () => {
  it.each([
    ['/v1/quorum/keys', { key: 'treasury' }, { kind: 'generate', key: 'treasury' }],
    ['/v1/quorum/keys/treasury/refresh', {}, { kind: 'refresh', key: 'treasury' }],
    [
      '/v1/quorum/keys/treasury/reshare',
      { participants: [1, 3, 4], threshold: 3 },
      { kind: 'reshare', key: 'treasury', participants: [1, 3, 4], threshold: 3 },
    ],
    ['/v1/quorum/keys/treasury/repair', { node: 2 }, { kind: 'repair', key: 'treasury', node: 2 }],
    [
      '/v1/quorum/keys/treasury/import',
      { publicKey: 'ab'.repeat(32), encapsulatedKey: 'cd'.repeat(32), ciphertext: 'ef'.repeat(48) },
      {
        kind: 'import-key',
        key: 'treasury',
        publicKey: 'ab'.repeat(32),
        encapsulatedKey: 'cd'.repeat(32),
        ciphertext: 'ef'.repeat(48),
      },
    ],
  ])('begins a ceremony by POST %s', async (target, body, order) => {
    const { send, begin } = start();
    const response = await send('POST', target, body);
    expect(response).toEqual({
      status: 202,
      body: { ceremony, rule: 'ceremonies', configuration: 7, receipt },
    });
    expect(ceremonyAcceptedSchema.safeParse(response.body).success).toBe(true);
    const [request, asked] = begin.mock.calls[0] ?? [];
    expect(asked).toEqual(order);
    // Other nodes verify the client's signature over these very bytes.
    expect(request).toEqual({
      client: 'backend',
      forwarded: { method: 'POST', target, fields: FIELDS, body: Buffer.from(JSON.stringify(body)) },
    });
  });

  it.each([
    ['/v1/quorum/keys', { key: 'Treasury' }],
    ['/v1/quorum/keys', { key: 'treasury', threshold: 2 }],
    ['/v1/quorum/keys/treasury/refresh', { key: 'treasury' }],
    ['/v1/quorum/keys/treasury/reshare', { participants: [1, 2], threshold: 3 }],
    ['/v1/quorum/keys/treasury/reshare', { participants: [1, 2], threshold: 1 }],
    ['/v1/quorum/keys/treasury/reshare', { participants: [1, 1, 2], threshold: 2 }],
    ['/v1/quorum/keys/treasury/reshare', { participants: [2, 1], threshold: 2 }],
    ['/v1/quorum/keys/treasury/reshare', { participants: [0, 1], threshold: 2 }],
    ['/v1/quorum/keys/treasury/reshare', { participants: [1], threshold: 2 }],
    [
      '/v1/quorum/keys/treasury/reshare',
      { participants: Array.from({ length: 33 }, (_, index) => index + 1), threshold: 2 },
    ],
    ['/v1/quorum/keys/treasury/repair', { node: 0 }],
    ['/v1/quorum/keys/treasury/repair', { node: 256 }],
    ['/v1/quorum/keys/treasury/repair', { node: '2' }],
    ['/v1/quorum/keys/treasury/import', { publicKey: 'ab'.repeat(32) }],
    [
      '/v1/quorum/keys/treasury/import',
      { publicKey: 'ab'.repeat(31), encapsulatedKey: 'cd'.repeat(32), ciphertext: 'ef'.repeat(48) },
    ],
  ])('refuses another body of POST %s: %j', async (target, body) => {
    const { send, begin } = start();
    expect(await send('POST', target, body)).toEqual({ status: 400, body: { error: 'REQUEST_MALFORMED' } });
    expect(begin).not.toHaveBeenCalled();
  });

  it('describes the quorum, its ceremonies and one of them in the shapes of their schemas', async () => {
    const { send } = start();
    const status = await send('GET', '/v1/quorum');
    expect(quorumStatusSchema.safeParse(status.body).success).toBe(true);
    expect(await send('GET', '/v1/quorum/ceremonies')).toEqual({
      status: 200,
      body: { ceremonies: [ceremony] },
    });
    const one = await send('GET', `/v1/quorum/ceremonies/${ID}`);
    expect(ceremonySchema.safeParse(one.body).success).toBe(true);
    expect(await send('GET', `/v1/quorum/ceremonies/${'00'.repeat(16)}`)).toEqual({
      status: 404,
      body: { error: 'CEREMONY_NOT_FOUND' },
    });
  });

  it('gives the transcript of an epoch', async () => {
    const { send } = start();
    const found = await send('GET', '/v1/quorum/keys/treasury/transcripts/1');
    const { transcript } = transcriptResponseSchema.parse(found.body);
    expect(Buffer.from(transcript, 'base64').toString()).toBe('transcript');
    const missing = await send('GET', '/v1/quorum/keys/treasury/transcripts/2');
    expect(missing).toMatchObject({ status: 404, body: { error: 'TRANSCRIPT_NOT_FOUND' } });
  });

  it.each([
    '/v1/quorum/keys/treasury/transcripts/01',
    '/v1/quorum/keys/treasury/transcripts/-1',
    '/v1/quorum/keys/treasury/transcripts/1000000000000000',
    '/v1/quorum/keys/Treasury/transcripts/1',
    `/v1/quorum/ceremonies/${'C0'.repeat(16)}`,
    '/v1/quorum/ceremonies/c0',
    '/v1/quorum/',
  ])('has no path %s', async (target) => {
    expect(await start().send('GET', target)).toMatchObject({ status: 404, body: { error: 'NOT_FOUND' } });
  });

  it.each([
    ['GET', '/v1/quorum', undefined],
    ['GET', '/v1/quorum/ceremonies', undefined],
    ['POST', '/v1/quorum/keys', { key: 'treasury' }],
    ['POST', '/v1/quorum/keys/treasury/refresh', {}],
  ])('refuses %s %s on a node of no quorum', async (method, target, body) => {
    expect(await start(false).send(method, target, body)).toEqual({
      status: 404,
      body: { error: 'QUORUM_ABSENT' },
    });
  });
});
