import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/**
 * What becomes of one request: it is handed on; it is handed on, and its response is lost, because both connections are closed
 * cleanly before it; its response is taken from the server and never given to the client, whose connection is closed
 * cleanly; it is dropped in the same way, unseen by the server; or nothing is said until the client gives up.
 */
export type Fault = 'none' | 'lost' | 'unread' | 'dropped' | 'silent';

/** HTTP proxy on loopback before a server, which loses what a test says. */
export class FaultyProxy {
  readonly url: string;
  /** X-Amz-Target of every request, and what became of it. */
  readonly seen: { readonly target: string; readonly fault: Fault }[] = [];
  /** Says what becomes of a request; `none` unless a test sets another. */
  decide: (target: string) => Fault = () => 'none';
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async open(upstream: string): Promise<FaultyProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new FaultyProxy(server);
    server.on('request', (incoming, response) => {
      proxy.#pass(upstream, incoming, response).catch(() => response.destroy());
    });
    return proxy;
  }

  async #pass(upstream: string, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = String(incoming.headers['x-amz-target'] ?? '');
    const fault = this.decide(target);
    this.seen.push({ target, fault });
    const body = await buffer(incoming);
    if (fault === 'silent') return;
    const answer =
      fault === 'dropped' ? undefined : await forward(upstream, incoming, body, fault === 'lost');
    if (answer === undefined || fault === 'unread') {
      response.socket?.end();
      return;
    }
    response.writeHead(answer.status, answer.headers);
    response.end(answer.body);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/**
 * Sends a request on as it is, its Host included, which is signed. Where its response is to be lost, the connection is half
 * closed behind the request, as that of a client which is gone, and nothing is returned once the server is done.
 */
async function forward(
  upstream: string,
  { method, rawHeaders }: IncomingMessage,
  body: Uint8Array,
  isLost: boolean,
) {
  const { hostname, port } = new URL(upstream);
  const outgoing = request({ hostname, port, method: method ?? 'POST', path: '/', agent: false });
  for (let index = 0; index < rawHeaders.length; index += 2) {
    outgoing.setHeader(rawHeaders[index] ?? '', rawHeaders[index + 1] ?? '');
  }
  outgoing.end(body);
  if (isLost) {
    outgoing.once('finish', () => outgoing.socket?.end());
    await Promise.race([once(outgoing, 'response'), once(outgoing, 'close')]).catch(() => undefined);
    outgoing.destroy();
    return undefined;
  }
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  return { status: answer.statusCode ?? 0, headers: answer.rawHeaders, body: await buffer(answer) };
}
