import { Agent, type RequestOptions } from 'node:https';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import { ClientError } from './errors.ts';

/** Where a node is reached: usually its parent, which forwards. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** The Host header: host and port as the URL has them. */
  readonly authority: string;
}

/** @throws TypeError for anything but `https://host:port` */
export function parseNodeUrl(text: string): Endpoint {
  const { protocol, origin, host, hostname, port } = new URL(text);
  if (protocol !== 'https:' || origin !== text.replace(/\/$/, '')) {
    throw new TypeError('the url of a node is https://host:port');
  }
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? 443 : Number(port),
    authority: host,
  };
}

const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Opens TLS 1.3 to a node. No authority vouches for its certificate and none is asked: who it is, its attestation
 * document says, so the caller must compare the key before anything else.
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
      reject(new ClientError('NODE_UNREACHABLE', 'no TLS connection', { host, port }, cause));
    };
    const timer = setTimeout(fail, CONNECT_TIMEOUT_MS);
    socket.once('error', fail);
    socket.once('close', fail);
    socket.once('secureConnect', () => {
      clearTimeout(timer);
      socket.off('error', fail);
      socket.off('close', fail);
      // An error also closes the stream, which is what its users go by.
      socket.on('error', () => {});
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

/** DER SubjectPublicKeyInfo of the peer's certificate. @throws ClientError NODE_UNREACHABLE where there is none */
export function readPeerKey(socket: TLSSocket): Uint8Array {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) throw new ClientError('NODE_UNREACHABLE', 'TLS without a certificate');
  return certificate.publicKey.export({ type: 'spki', format: 'der' });
}

/** Keeps connections to one attested TLS key: a request is written only where the other end has proved to hold it. */
export class NodeAgent extends Agent {
  readonly #endpoint: Endpoint;
  readonly #publicKey: Uint8Array;

  constructor(endpoint: Endpoint, publicKey: Uint8Array) {
    // Its own limit would not count connections that are still being opened: Semaphore holds it.
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
    throw new ClientError('TLS_KEY_MISMATCH', 'TLS does not end with the attested key');
  }
}
