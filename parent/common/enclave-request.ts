import { request, type IncomingMessage } from 'node:http';
import { connect as connectTls } from 'node:tls';
import type { Duplex } from 'node:stream';
import { ByteCollector } from '../../shared/byte-collector.ts';
import type { Transport, VsockAddress } from '../../shared/transport/transport.ts';

const CONNECT_TIMEOUT_MS = 5_000;
/** Milliseconds for a whole response: a vote waits for the log, and the log for its witnesses. */
const RESPONSE_TIMEOUT_MS = 30_000;

/** A request to be carried to the enclave's interface. */
export interface CarriedRequest {
  readonly method: string;
  readonly path: string;
  readonly body: Uint8Array;
  readonly maxResponseBytes: number;
}

/** A response as the enclave gave it. */
export interface CarriedResponse {
  readonly status: number;
  /** Media type; undefined where the enclave gave none. */
  readonly type: string | undefined;
  readonly body: Uint8Array;
}

/**
 * Carries one request to the enclave's HTTPS interface over a connection of its own. The certificate is not checked: the
 * parent has nothing to check it with, and nobody believes the parent. What is carried is signed by the node, or by an
 * approver.
 *
 * @throws Error of whatever kind the connection ends with; TransportError
 */
export async function carryRequest(
  { transport, to }: { readonly transport: Transport; readonly to: VsockAddress },
  { method, path, body, maxResponseBytes }: CarriedRequest,
): Promise<CarriedResponse> {
  const signal = AbortSignal.timeout(RESPONSE_TIMEOUT_MS);
  const stream = await transport.connect(to, { timeoutMs: CONNECT_TIMEOUT_MS, signal });
  const tls = connectTls({ socket: stream, rejectUnauthorized: false, minVersion: 'TLSv1.3' });
  // An error of the stream itself ends the TLS connection, whose error ends the request.
  stream.on('error', (error) => tls.destroy(error));
  tls.on('error', () => stream.destroy());
  try {
    const response = await send(tls, { method, path, body, signal });
    const { statusCode: status = 0, headers } = response;
    return { status, type: headers['content-type'], body: await collect(response, maxResponseBytes) };
  } finally {
    tls.destroy();
    stream.destroy();
  }
}

function send(
  connection: Duplex,
  { method, path, body, signal }: Pick<CarriedRequest, 'method' | 'path' | 'body'> & { signal: AbortSignal },
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        createConnection: () => connection,
        host: 'enclave',
        method,
        path,
        signal,
        headers:
          method === 'GET'
            ? { connection: 'close' }
            : { connection: 'close', 'content-type': 'application/json', 'content-length': body.length },
      },
      resolve,
    );
    sent.once('error', reject);
    sent.end(method === 'GET' ? undefined : body);
  });
}

async function collect(response: AsyncIterable<Buffer>, maximum: number): Promise<Uint8Array> {
  const collected = new ByteCollector(maximum);
  for await (const chunk of response) {
    if (!collected.add(chunk)) throw new RangeError(`expected a response of at most ${maximum} bytes`);
  }
  return collected.bytes();
}
