/**
 * Wallet backends of the benchmark: requests that were signed beforehand, on raw TLS connections that stay open, each
 * with one request under way. Only the end of a response and whether it is a signature are parsed, so that next to
 * nothing but TLS itself is the client's own cost.
 */
import { createPrivateKey } from 'node:crypto';
import { connect, type TLSSocket } from 'node:tls';
import { signRequest } from '../../shared/http-signature/index.ts';
import { awaitTask, tell } from './child.ts';

export interface LoadTask {
  readonly port: number;
  /** Session of the node, which each request names. */
  readonly session: string;
  /** Clients; private keys are PKCS #8, PEM. */
  readonly clients: readonly { readonly id: string; readonly privateKey: string }[];
  /** Bodies of the requests, JSON; after the last one the first follows. */
  readonly bodies: readonly string[];
  readonly connections: number;
  readonly warmUpMs: number;
  readonly milliseconds: number;
  /** Count of requests that are signed beforehand; when they are used up the load ends early. */
  readonly requests: number;
  /** True begins with the same requests anew: a node takes none twice, but the floor looks at none. */
  readonly isRepeating: boolean;
}

interface Answer {
  readonly body: string;
  readonly response: string;
}

export type LoadTold =
  /** The warm-up is over. */
  | 'measuring'
  | {
      readonly count: number;
      readonly milliseconds: number;
      /** Milliseconds of every request from its first byte out to its last byte in. */
      readonly latencies: readonly number[];
      /** Some of the responses, for the benchmark to verify, and the bodies that they answer. */
      readonly answers: readonly Answer[];
    };

const OK = Buffer.from('HTTP/1.1 200 ');
const END_OF_HEADERS = Buffer.from('\r\n\r\n');
const KEPT_ANSWERS = 64;

/** A request that is signed beforehand. */
interface Prepared {
  readonly body: string;
  readonly bytes: Buffer;
}

function signRequests({ clients, session, bodies, requests }: LoadTask): Prepared[] {
  const signers = clients.map(({ id, privateKey }) => ({
    clientId: id,
    privateKey: createPrivateKey(privateKey),
  }));
  return Array.from({ length: requests }, (_, index) => {
    const signer = signers[index % signers.length];
    const body = bodies[index % bodies.length];
    if (signer === undefined || body === undefined) throw new RangeError('no client, or no body');
    const bytes = Buffer.from(body);
    const fields = signRequest(
      { method: 'POST', target: '/v1/sign', body: { bytes, contentType: 'application/json' } },
      { ...signer, session, now: Date.now() },
    );
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = `POST /v1/sign HTTP/1.1\r\nhost: node\r\n${lines.join('')}content-length: ${bytes.length}\r\n\r\n`;
    return { body, bytes: Buffer.from(head + body) };
  });
}

async function open(port: number): Promise<TLSSocket> {
  // The benchmark's main process has verified the attestation document; here only load is made.
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, minVersion: 'TLSv1.3' });
  socket.setNoDelay(true);
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  return socket;
}

/** Finds where a response ends within `bytes`; undefined when more is to come. */
function findEnd(bytes: Buffer): number | undefined {
  const headers = bytes.indexOf(END_OF_HEADERS);
  if (headers === -1) return undefined;
  const [, length = ''] = /content-length: (\d+)/i.exec(bytes.toString('latin1', 0, headers)) ?? [];
  const end = headers + END_OF_HEADERS.length + Number(length);
  return bytes.length >= end ? end : undefined;
}

class Load {
  readonly #requests: readonly Prepared[];
  readonly #isRepeating: boolean;
  #next = 0;
  latencies: number[] = [];
  answers: Answer[] = [];
  #deadline = 0;

  constructor(requests: readonly Prepared[], isRepeating: boolean) {
    this.#requests = requests;
    this.#isRepeating = isRepeating;
  }

  /** Keeps all connections busy for a time. @throws Error for a response that is no signature */
  async run(sockets: readonly TLSSocket[], milliseconds: number): Promise<number> {
    this.latencies = [];
    this.answers = [];
    const start = performance.now();
    this.#deadline = start + milliseconds;
    await Promise.all(sockets.map((socket) => this.#keepBusy(socket)));
    return performance.now() - start;
  }

  #take(): Prepared | undefined {
    if (this.#isRepeating && this.#next === this.#requests.length) this.#next = 0;
    return this.#requests[this.#next++];
  }

  #keepBusy(socket: TLSSocket): Promise<void> {
    return new Promise((resolve, reject) => {
      let sent = 0;
      let body = '';
      let rest: Buffer | undefined;
      const stop = (settle: () => void) => {
        socket.off('data', onData);
        socket.off('close', onClose);
        settle();
      };
      const send = () => {
        const request = performance.now() < this.#deadline ? this.#take() : undefined;
        if (request === undefined) return stop(resolve);
        sent = performance.now();
        ({ body } = request);
        socket.write(request.bytes);
      };
      const onData = (chunk: Buffer) => {
        const bytes = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
        const end = findEnd(bytes);
        if (end === undefined) {
          rest = bytes;
          return;
        }
        this.latencies.push(performance.now() - sent);
        rest = undefined;
        if (!bytes.subarray(0, OK.length).equals(OK) || bytes.length !== end) {
          return stop(() =>
            reject(new Error(`expected a signature, found ${bytes.toString('latin1', 0, 400)}`)),
          );
        }
        if (this.answers.length < KEPT_ANSWERS) {
          const response = bytes.toString('latin1', bytes.indexOf(END_OF_HEADERS) + 4);
          this.answers.push({ body, response });
        }
        send();
      };
      const onClose = () => stop(() => reject(new Error('the node hung up')));
      socket.on('data', onData);
      socket.on('close', onClose);
      send();
    });
  }
}

const task = await awaitTask<LoadTask>();
const load = new Load(signRequests(task), task.isRepeating);
const sockets = await Promise.all(Array.from({ length: task.connections }, () => open(task.port)));
for (const socket of sockets) socket.on('error', () => undefined);
await load.run(sockets, task.warmUpMs);
tell('measuring');
const milliseconds = await load.run(sockets, task.milliseconds);
tell({ count: load.latencies.length, milliseconds, latencies: load.latencies, answers: load.answers });
for (const socket of sockets) socket.destroy();
