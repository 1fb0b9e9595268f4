import { duplexPair } from 'node:stream';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { startRequestServer } from '../../parent/common/request-server.ts';
import { RequestLink } from '../../shared/protocol/request-link.ts';
import type { RequestService } from '../../shared/protocol/request-service.ts';
import type { Accepted, Transport } from '../../shared/transport/transport.ts';

const requestSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('echo'), text: z.string() }),
]);
const responseSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('echo'), text: z.string() }),
  z.strictObject({ type: z.literal('error'), code: z.enum(['BAD_REQUEST', 'NOT_SAID']) }),
]);
type EchoRequest = z.infer<typeof requestSchema>;
type EchoResponse = z.infer<typeof responseSchema>;

/** A service that Holdfast does not have, on a port that no other service has. */
const ECHO: RequestService<EchoRequest, EchoResponse> = {
  name: 'echo',
  port: 7999,
  maxFrameBytes: 1024,
  requestSchema,
  responseSchema,
  badRequest: { type: 'error', code: 'BAD_REQUEST' },
};

class EchoError extends Error {
  readonly code: string;
  constructor(code: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

async function serve(isEnclave = true) {
  const accepting = new Map<number, (accepted: Accepted) => void>();
  const events: string[] = [];
  const transport: Transport = {
    cid: 16,
    connect({ cid, port }) {
      const [near, far] = duplexPair();
      far.on('error', () => {});
      // As a socket does: who is hung up on sees it.
      far.once('close', () => near.destroy());
      setImmediate(() => accepting.get(port)?.({ stream: far, peer: { cid: 16, port: 1 } }));
      expect(cid).toBe(3);
      return Promise.resolve(near);
    },
    listen(port, accept) {
      accepting.set(port, accept);
      return Promise.resolve({ address: { cid: 3, port }, close: () => Promise.resolve() });
    },
  };
  const server = await startRequestServer(ECHO, {
    transport,
    isEnclave: () => isEnclave,
    openSession: () => ({
      handle: ({ text }) =>
        Promise.resolve(text === '' ? { type: 'error', code: 'NOT_SAID' } : { type: 'echo', text }),
      close: () => Promise.resolve(),
    }),
    log: (_, event) => events.push(event),
  });
  const link = new RequestLink(transport, ECHO, (code, message, _, cause) => {
    return new EchoError(`ECHO_${code}`, message, cause);
  });
  const ask = (request: EchoRequest, ms = 500) => link.ask(request, performance.now() + ms);
  return { server, link, ask, events, ports: [...accepting.keys()] };
}

test('a service is a schema and a handler, at its own port', async () => {
  const { server, link, ask, ports } = await serve();
  expect(ports).toEqual([7999]);
  expect(await ask({ type: 'echo', text: 'hello' })).toEqual({ type: 'echo', text: 'hello' });
  await expect(ask({ type: 'echo', text: '' })).rejects.toMatchObject({ code: 'ECHO_NOT_SAID' });
  expect(await ask({ type: 'echo', text: 'again' })).toEqual({ type: 'echo', text: 'again' });
  link.close();
  await expect(ask({ type: 'echo', text: 'late' })).rejects.toMatchObject({ code: 'ECHO_CLOSED' });
  await server.close();
});

test('what is no request of the service is refused with its own answer, and noted under its name', async () => {
  const { server, ask, events } = await serve();
  const request = { type: 'echo', text: 'hello', more: 1 } as EchoRequest;
  await expect(ask(request)).rejects.toMatchObject({ code: 'ECHO_BAD_REQUEST' });
  expect(events).toEqual(['echo.connected', 'echo.broken']);
  await server.close();
});

test('another enclave is turned away, and asks until its deadline', async () => {
  const { server, ask, events } = await serve(false);
  await expect(ask({ type: 'echo', text: 'hello' }, 60)).rejects.toMatchObject({ code: 'ECHO_DISCONNECTED' });
  expect(new Set(events)).toEqual(new Set(['echo.turned-away']));
  await server.close();
});
