import { Agent, type AgentOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import { connect, type ConnectionOptions } from 'node:tls';

/** Opens a byte stream to a host through the parent, which may connect it to anything. */
export type Dial = (target: { host: string; port: number }, signal?: AbortSignal) => Promise<Duplex>;

type OnCreate = (error: Error | null, stream: Duplex) => void;

/**
 * An HTTPS agent whose connections go through the parent. TLS ends here and trusts the given roots alone, so that the
 * parent carries bytes that it can neither read nor forge.
 */
export class KmsAgent extends Agent {
  readonly #dial: Dial;
  readonly #roots: readonly string[];

  constructor(dial: Dial, roots: readonly string[], options: AgentOptions = {}) {
    super({ keepAlive: true, maxSockets: 4, ...options });
    this.#dial = dial;
    this.#roots = roots;
  }

  override createConnection(options: ConnectionOptions & { host?: string }, onCreate?: OnCreate): undefined {
    const host = options.host ?? '';
    const port = Number(options.port);
    this.#connect(host, port).then(
      (socket) => onCreate?.(null, socket),
      // Node's types demand a stream beside an error; Node's code ignores one.
      (error: unknown) => onCreate?.(error as Error, undefined as unknown as Duplex),
    );
    return undefined;
  }

  async #connect(host: string, port: number): Promise<Duplex> {
    const stream = await this.#dial({ host, port });
    return connect({
      socket: stream,
      servername: host,
      ca: [...this.#roots],
      minVersion: 'TLSv1.2',
      // Explicit, because the default comes from the environment (NODE_TLS_REJECT_UNAUTHORIZED).
      rejectUnauthorized: true,
    });
  }
}
