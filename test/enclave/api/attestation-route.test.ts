import { describe, expect, it } from 'vitest';
import { unsafeParseAttestationDocument } from '../../../attestation/index.ts';
import { createAttestationRoute } from '../../../enclave/api/attestation-route.ts';
import { createRouter } from '../../../enclave/api/router.ts';
import type { NsmClient } from '../../../enclave/nsm/index.ts';
import type { NodeBinding } from '../../../shared/api/bodies.ts';
import { openNsm } from '../node/nsm.ts';

const NONCE = 'ab'.repeat(16);
const PUBLIC_KEY = new Uint8Array(91).fill(4);
const BINDING: NodeBinding = {
  format: 'holdfast-node/2',
  session: '5e'.repeat(16),
  configuration: 3,
  importKey: 'cd'.repeat(32),
  log: {
    origin: 'node-1.test.demo.holdfast.internal/log',
    key: 'node-1.test.demo.holdfast.internal/log+01234567+AQ==',
  },
  receiptKey: 'ef'.repeat(32),
  witnesses: null,
};

function serve(nsm: NsmClient) {
  const handle = createRouter([createAttestationRoute(nsm, PUBLIC_KEY, BINDING)], {
    authenticate: () => {
      throw new Error('anybody may ask');
    },
    onError: () => undefined,
  });
  return async (nonce: unknown = NONCE) => {
    const body = Buffer.from(JSON.stringify({ nonce }));
    const head = { method: 'POST', target: '/v1/attestation', rawHeaders: [], contentLength: body.length };
    const admitted = handle(head);
    return typeof admitted === 'function' ? await admitted(body) : admitted;
  };
}

describe('the attestation of a node', () => {
  it("binds the caller's nonce, the TLS key, and what else the node has", async () => {
    const { status, body } = await serve(openNsm())();
    expect(status).toBe(200);
    const { document } = body as { document: string };
    const { payload } = unsafeParseAttestationDocument(Buffer.from(document, 'base64'));
    expect(payload.nonce).toEqual(new Uint8Array(Buffer.from(NONCE, 'hex')));
    expect(payload.publicKey).toEqual(PUBLIC_KEY);
    expect(JSON.parse(Buffer.from(payload.userData ?? []).toString())).toEqual(BINDING);
  });

  it.each([[undefined], [''], ['xy'], ['AB'.repeat(16)], ['ab'.repeat(65)], [7]])(
    'is refused for the nonce %j',
    async (nonce) => {
      expect(await serve(openNsm())(nonce ?? null)).toEqual({
        status: 400,
        body: { error: 'REQUEST_MALFORMED' },
      });
    },
  );

  it('is refused before a nonce is read that is longer than the whole request may be', async () => {
    expect(await serve(openNsm())('ab'.repeat(1025))).toEqual({
      status: 413,
      body: { error: 'REQUEST_TOO_LARGE' },
    });
  });

  it('lets 64 wait for the NSM and refuses more at once, until one of them is served', async () => {
    const nsm = openNsm();
    const gate = Promise.withResolvers<void>();
    const ask = serve({
      ...nsm,
      attest: async (fields) => {
        await gate.promise;
        return await nsm.attest(fields);
      },
    });
    const waiting = Array.from({ length: 64 }, () => ask());
    expect(await ask()).toEqual({ status: 503, body: { error: 'OVERLOADED' } });
    gate.resolve();
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual(Array(64).fill(200));
    expect(await ask()).toMatchObject({ status: 200 });
  });

  it('does not count those whose document the NSM refused', async () => {
    const nsm = openNsm();
    nsm.close();
    const ask = serve(nsm);
    for (let asked = 0; asked < 65; asked += 1) {
      expect(await ask()).toEqual({ status: 403, body: { error: 'NSM_FAILED' } });
    }
  });
});
