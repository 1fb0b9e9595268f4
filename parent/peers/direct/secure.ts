import type { Socket } from 'node:net';
import { checkServerIdentity, connect, createServer, type Server, type TLSSocket } from 'node:tls';
import type { CertificateTexts } from '../certificates.ts';
import { PeerLinkError } from '../errors.ts';

const OPTIONS = Object.freeze({
  minVersion: 'TLSv1.3',
  rejectUnauthorized: true,
  allowHalfOpen: true,
} as const);

/**
 * Turns a connection that was dialled into TLS 1.3, with a certificate of this end, to a parent whose certificate has
 * the name.
 * @throws PeerLinkError TLS_FAILED, CERTIFICATE_OTHER_NODE
 */
export async function secureDialled(
  socket: Socket,
  options: { readonly texts: CertificateTexts; readonly name: string; readonly timeoutMs: number },
): Promise<TLSSocket> {
  const { texts, name, timeoutMs } = options;
  const secured = connect({
    ...OPTIONS,
    ...texts,
    socket,
    // The names of nodes, and not those of machines, are compared, after the handshake.
    checkServerIdentity: () => undefined,
  });
  secured.on('error', () => {});
  await new Promise<void>((resolve, reject) => {
    const fail = () => {
      clearTimeout(timer);
      secured.destroy();
      reject(new PeerLinkError('TLS_FAILED', 'no TLS with the other parent'));
    };
    const timer = setTimeout(fail, timeoutMs);
    secured.once('close', fail);
    secured.once('secureConnect', () => {
      clearTimeout(timer);
      secured.off('close', fail);
      resolve();
    });
  });
  if (!isNamed(secured, name)) {
    secured.destroy();
    throw new PeerLinkError(
      'CERTIFICATE_OTHER_NODE',
      'the certificate of the other parent has another name',
      { name },
    );
  }
  return secured;
}

/** Tells whether the certificate of the other end, which is verified by now, has the name (RFC 9525). */
export function isNamed(secured: TLSSocket, name: string): boolean {
  return checkServerIdentity(name, secured.getPeerCertificate()) === undefined;
}

/** TLS of connections that were accepted. */
export class SecureAcceptor {
  readonly #server: Server;
  readonly #waiting = new Map<string, (secured: TLSSocket | undefined) => void>();

  constructor(texts: CertificateTexts, handshakeTimeout: number) {
    this.#server = createServer({ ...OPTIONS, ...texts, requestCert: true, handshakeTimeout });
    this.#server.on('secureConnection', (secured) => {
      secured.on('error', () => {});
      this.#waiting.get(keyOf(secured))?.(secured);
    });
    // The handshake has failed: the connection is closed, which tells whoever waits.
    this.#server.on('tlsClientError', (_error, secured) => secured.destroy());
  }

  /** Puts other certificates in force for new connections. */
  set(texts: CertificateTexts): void {
    this.#server.setSecureContext({ ...OPTIONS, ...texts });
  }

  /** Turns a connection into TLS whose other end has proved a certificate. @throws PeerLinkError TLS_FAILED */
  async secure(socket: Socket): Promise<TLSSocket> {
    const key = keyOf(socket);
    const secured = await new Promise<TLSSocket | undefined>((resolve) => {
      this.#waiting.set(key, resolve);
      socket.once('close', () => resolve(undefined));
      this.#server.emit('connection', socket);
    });
    this.#waiting.delete(key);
    // A session that is resumed would bring along the judgement of certificates that are no longer in force.
    if (secured === undefined || !secured.authorized || secured.isSessionReused()) {
      secured?.destroy();
      throw new PeerLinkError('TLS_FAILED', 'no TLS with a parent that has connected');
    }
    return secured;
  }
}

/** Names a connection: TLS of Node tells not which socket it was made of. */
function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
