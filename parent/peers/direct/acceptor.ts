import { createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ParentOptionError } from '../../common/errors.ts';
import type { Log } from '../../common/log.ts';
import { PeerLinkError } from '../errors.ts';
import type { ConnectOutcome } from '../carrier.ts';
import type { PeerListen } from '../options.ts';
import { Admission } from './admission.ts';

export interface AcceptorOptions {
  readonly listen: PeerListen;
  /** Finds out whose connection it is. @throws PeerLinkError */
  readonly greet: (socket: Socket) => Promise<{ readonly node: number; readonly stream: Duplex }>;
  readonly onLink: (node: number, stream: Duplex) => void;
  /** Called for each connection that comes to nothing. */
  readonly onTurnedAway: (outcome: ConnectOutcome) => void;
  readonly log: Log;
}

export interface Acceptor {
  readonly host: string;
  readonly port: number;
  /** Stops accepting, and ends connections that have not greeted. */
  close(): Promise<void>;
}

/** Milliseconds between two lines of the log for one reason: strangers must not fill a disk. */
const LOG_EVERY_MS = 10_000;

/**
 * Listens for the parents of other nodes.
 * @throws ParentOptionError OPTION_INVALID where it cannot listen, or the socket is no TCP socket
 */
export async function startAcceptor(options: AcceptorOptions): Promise<Acceptor> {
  const { listen, greet, onLink, onTurnedAway, log } = options;
  const admission = new Admission();
  const greeting = new Set<Socket>();
  const loggedAt = new Map<ConnectOutcome, number>();
  const server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true });

  const turnAway = (outcome: ConnectOutcome, from: string) => {
    onTurnedAway(outcome);
    const now = performance.now();
    if (now - (loggedAt.get(outcome) ?? -Infinity) < LOG_EVERY_MS) return;
    loggedAt.set(outcome, now);
    log('warn', 'peers.turned-away', { code: outcome, from });
  };

  async function accept(socket: Socket): Promise<void> {
    socket.on('error', () => {});
    const source = socket.remoteAddress ?? '';
    const place = admission.enter(source);
    if (place === undefined) {
      socket.resetAndDestroy();
      turnAway('OVERLOADED', source);
      return;
    }
    socket.once('close', () => place.leave());
    greeting.add(socket);
    try {
      const { node, stream } = await greet(socket);
      place.greeted();
      onLink(node, stream);
    } catch (error) {
      if (!(error instanceof PeerLinkError)) throw error;
      turnAway(error.code, source);
      // A refusal that was sent goes out before the connection ends.
      socket.destroySoon();
    } finally {
      greeting.delete(socket);
    }
  }

  server.on('connection', (socket: Socket) => void accept(socket));
  const { host, port } = await listenAt(server, listen);
  // Running out of descriptors costs the connection that was to be accepted, nothing else.
  server.on('error', () => onTurnedAway('OVERLOADED'));
  return {
    host,
    port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of greeting) socket.destroy();
      await closed;
    },
  };
}

async function listenAt(server: Server, listen: PeerListen): Promise<{ host: string; port: number }> {
  const at = 'descriptor' in listen ? { fd: listen.descriptor } : { host: '127.0.0.1', ...listen };
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(new ParentOptionError('OPTION_INVALID', 'cannot listen for other nodes', { ...at }, error));
    });
    server.listen(at, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') {
    server.close();
    throw new ParentOptionError('OPTION_INVALID', 'expected a TCP socket for other nodes', {});
  }
  return { host: address.address, port: address.port };
}
