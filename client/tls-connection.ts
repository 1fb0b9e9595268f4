import { Agent, type RequestOptions } from 'node:https';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import { ClientError } from './errors.ts';

/** Address at which a node is reached: usually that of its parent, which forwards. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** Value of the Host header: host and port as the URL has them. */
  readonly authority: string;
}

/**
 * Parses the URL of a node: `https://host:port`; the port is 443 when it is left out.
 *
 * @throws TypeError for anything else, such as a path, a query or another scheme
 *
 * Source: WHATWG URL Standard.
 *
 * @example
 * ```ts
 * import { parseNodeUrl } from '@holdfast-nodes/holdfast/client';
 *
 * console.log(parseNodeUrl('https://node-1.example:8443').port); // 8443
 * ```
 */
export function parseNodeUrl(text: string): Endpoint {
  const { protocol, origin, host, hostname, port } = new URL(text);
  if (protocol !== 'https:' || origin !== text.replace(/\/$/, '')) {
    throw new TypeError('the url of a node is not https://host:port, without path, query or user');
  }
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? 443 : Number(port),
    authority: host,
  };
}

const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Opens a TLS 1.3 connection to a node. No authority vouches for the node's certificate, so TLS verifies none: the
 * attestation document vouches for its key, which the caller must compare before anything else is sent.
 *
 * @throws ClientError NODE_UNREACHABLE
 */
export function openTls({ host, port }: Endpoint): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      minVersion: 'TLSv1.3',
      ALPNProtocols: ['http/1.1'],
      rejectUnauthorized: false,
    });
    const fail = (cause?: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(
        new ClientError(
          'NODE_UNREACHABLE',
          `no TLS connection to ${host} port ${port}`,
          { host, port },
          cause,
        ),
      );
    };
    const timer = setTimeout(fail, CONNECT_TIMEOUT_MS);
    socket.once('error', fail);
    socket.once('close', fail);
    socket.once('secureConnect', () => {
      clearTimeout(timer);
      socket.off('error', fail);
      socket.off('close', fail);
      // An error also closes the stream, and users of the socket listen to `close`.
      socket.on('error', () => {});
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

/** Reads SubjectPublicKeyInfo in DER from the peer's certificate. @throws ClientError NODE_UNREACHABLE without one */
export function readPeerKey(socket: TLSSocket): Uint8Array {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined)
    throw new ClientError('NODE_UNREACHABLE', 'the peer has shown no certificate in TLS');
  return certificate.publicKey.export({ type: 'spki', format: 'der' });
}

/** An HTTP agent whose connections all end with one attested TLS key: no byte of a request goes to any other peer. */
export class NodeAgent extends Agent {
  readonly #endpoint: Endpoint;
  readonly #publicKey: Uint8Array;

  constructor(endpoint: Endpoint, publicKey: Uint8Array) {
    // The agent's own limit does not count connections that are being opened: Semaphore limits requests.
    super({ keepAlive: true, scheduling: 'lifo' });
    this.#endpoint = endpoint;
    this.#publicKey = publicKey;
  }

  isPinnedTo(publicKey: Uint8Array): boolean {
    return Buffer.from(publicKey).equals(this.#publicKey);
  }

  override createConnection(
    _options: RequestOptions,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    void this.#openFor(callback as (error: Error | null, stream?: Duplex) => void);
  }

  async #openFor(callback: (error: Error | null, stream?: Duplex) => void): Promise<void> {
    let socket: TLSSocket;
    try {
      socket = await this.#openPinned();
    } catch (error) {
      callback(error as Error);
      return;
    }
    callback(null, socket);
  }

  async #openPinned(): Promise<TLSSocket> {
    const socket = await openTls(this.#endpoint);
    if (this.isPinnedTo(readPeerKey(socket))) return socket;
    socket.destroy();
    throw new ClientError('TLS_KEY_MISMATCH', "the peer's TLS key is not the attested one");
  }
}
