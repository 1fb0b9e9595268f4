import { randomBytes, X509Certificate } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConsumerMessages, jetstream, jetstreamManager, type JetStreamClient } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Log } from '../../common/log.ts';
import type { Carrier, ConnectOutcome, Deliver } from '../carrier.ts';
import { Certificates } from '../certificates.ts';
import { DatagramQueue } from '../datagram-queue.ts';
import type { PeerAddress } from '../options.ts';
import type { PeerCounters } from '../peer-counters.ts';
import { codeOf, connectNats } from './connect.ts';
import { CONSUMER, type NatsNames, namesOf } from './names.ts';
import type { NatsOptions } from './options.ts';
import { ensureStream } from './stream.ts';

const MIN_BACKOFF_MS = 250;
const MAX_BACKOFF_MS = 15_000;
const API_TIMEOUT_MS = 5_000;
const PUBLISH_TIMEOUT_MS = 3_000;
/** The most datagrams for one node that NATS has not acknowledged yet: a stream that is gone holds up no other. */
const MAX_UNACKNOWLEDGED = 128;
/**
 * Milliseconds of one request for datagrams. NATS says every half of it that it lives, so that a server that is gone is
 * noticed soon, and is not asked on.
 */
const PULL_MS = 4_000;
/** The most datagrams that are fetched ahead of the enclave. */
const MAX_FETCHED = 64;

export interface NatsCarrierOptions {
  readonly node: number;
  readonly nodes: readonly PeerAddress[];
  readonly nats: NatsOptions;
  readonly deliver: Deliver;
  readonly counters: PeerCounters;
  readonly log: Log;
}

/**
 * Starts to connect, and goes on for as long as it takes: servers that are down hold up no start.
 * @throws ParentOptionError OPTION_INVALID where the certificates cannot be used
 */
export async function startNatsCarrier(
  options: NatsCarrierOptions,
): Promise<Carrier & { readonly certificates: Expiration | undefined }> {
  const { nats, log } = options;
  const certificates = 'identity' in nats ? undefined : await Certificates.open(nats.tls, log);
  const carrier = new NatsCarrier(options);
  certificates?.onChange(() => carrier.reconnect());
  return {
    get certificates() {
      return certificates ?? carrier.shown;
    },
    get status() {
      return carrier.status;
    },
    send: (to, bytes) => carrier.send(to, bytes),
    setNodes: (nodes) => carrier.setNodes(nodes),
    setEnclave: (isConnected) => carrier.setEnclave(isConnected),
    async close() {
      certificates?.close();
      await carrier.close();
    },
  };
}

/** Certificate that is shown to the servers: milliseconds since 1970 at which it expires. */
interface Expiration {
  readonly expiresAt: number;
}

/** Datagrams for one node. */
interface Outbox {
  readonly queue: DatagramQueue;
  unacknowledged: number;
}

class NatsCarrier {
  readonly #options: NatsCarrierOptions;
  readonly #names: NatsNames;
  readonly #stop = new AbortController();
  readonly #outboxes = new Map<number, Outbox>();
  readonly #done: Promise<void>;
  #connection: NatsConnection | undefined;
  #client: JetStreamClient | undefined;
  #isUp = false;
  /** Certificate of the last attempt; undefined where files have it. */
  shown: Expiration | undefined;
  #outcome: ConnectOutcome | undefined;
  #isEnclaveThere = false;
  #onEnclave: (() => void) | undefined;
  #messages: ConsumerMessages | undefined;

  constructor(options: NatsCarrierOptions) {
    this.#options = options;
    this.#names = namesOf(options.nats);
    this.setNodes(options.nodes);
    this.#done = this.#run(this.#stop.signal);
  }

  get status() {
    const { counters } = this.#options;
    return [...this.#outboxes.keys()].map((node) => {
      const { heardAt } = counters.of(node);
      return { node, isConnected: this.#isUp, heardAt, outcome: this.#outcome ?? null };
    });
  }

  send(to: number, bytes: Uint8Array): boolean {
    const outbox = this.#outboxes.get(to);
    if (outbox === undefined) return false;
    outbox.queue.push(bytes);
    this.#publishAll(to, outbox);
    return true;
  }

  setNodes(nodes: readonly PeerAddress[]): void {
    const { counters } = this.#options;
    const wanted = new Set(nodes.map(({ node }) => node));
    for (const node of this.#outboxes.keys()) if (!wanted.has(node)) this.#outboxes.delete(node);
    for (const node of [...wanted].sort((a, b) => a - b)) {
      counters.of(node);
      if (this.#outboxes.has(node)) continue;
      const queue = new DatagramQueue((reason, count) => counters.dropped(node, 'sent', reason, count));
      this.#outboxes.set(node, { queue, unacknowledged: 0 });
    }
  }

  /** Says whether the enclave takes datagrams: while it does not, they wait in NATS. */
  setEnclave(isThere: boolean): void {
    this.#isEnclaveThere = isThere;
    if (isThere) this.#onEnclave?.();
    else this.#messages?.stop();
  }

  /** Connects anew, with the certificates that are in force now. */
  reconnect(): void {
    void this.#connection?.reconnect().catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#onEnclave?.();
    this.#messages?.stop();
    await this.#connection?.close();
    await this.#done;
  }

  async #run(signal: AbortSignal): Promise<void> {
    let backoffMs = MIN_BACKOFF_MS;
    while (!signal.aborted) {
      try {
        const connection = await this.#connect(signal);
        if (connection === undefined) return;
        backoffMs = MIN_BACKOFF_MS;
        await this.#serve(connection, signal);
      } catch (error) {
        this.#report(codeOf(error));
      }
      this.#isUp = false;
      await sleep(backoffMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => {});
      backoffMs = Math.min(backoffMs * 2, MAX_BACKOFF_MS);
    }
  }

  /** Connects; undefined where this carrier is closed before. The attempt cannot be given up, and ends by itself. */
  async #connect(signal: AbortSignal): Promise<NatsConnection | undefined> {
    const pending = this.#dial();
    const over = Promise.withResolvers<undefined>();
    const onAbort = () => over.resolve(undefined);
    signal.addEventListener('abort', onAbort, { once: true });
    const connection = await Promise.race([pending, over.promise]).finally(() => {
      signal.removeEventListener('abort', onAbort);
    });
    if (connection === undefined) {
      pending.then(
        (late) => late.close(),
        () => undefined,
      );
    }
    return connection;
  }

  async #dial(): Promise<NatsConnection> {
    const { nats, node } = this.#options;
    const identity = 'identity' in nats ? await nats.identity() : undefined;
    if (identity !== undefined)
      this.shown = { expiresAt: new X509Certificate(identity.tls.cert).validToDate.getTime() };
    return await connectNats(nats, this.#names, node, identity);
  }

  /** Serves one connection until it is closed; between servers it closes nothing. */
  async #serve(connection: NatsConnection, signal: AbortSignal): Promise<void> {
    this.#connection = connection;
    this.#client = jetstream(connection, { timeout: API_TIMEOUT_MS });
    this.#up();
    const watching = this.#watch(connection);
    const consuming = this.#consume(connection, signal);
    try {
      const error = await connection.closed();
      if (error !== undefined) throw error;
    } finally {
      this.#isUp = false;
      this.#client = undefined;
      this.#onEnclave?.();
      await Promise.all([watching, consuming]);
    }
  }

  #up(): void {
    this.#isUp = true;
    this.#report('ok');
    for (const [node, outbox] of this.#outboxes) this.#publishAll(node, outbox);
  }

  /** Follows what becomes of the connection. */
  async #watch(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') this.#isUp = false;
      else if (status.type === 'reconnect') this.#up();
      else if (status.type === 'error') this.#report(codeOf(status.error));
    }
  }

  /** Notes an outcome; a line of the log for each that is new. */
  #report(outcome: ConnectOutcome): void {
    const { counters, log } = this.#options;
    for (const node of this.#outboxes.keys()) counters.connected(node, outcome);
    if (outcome === this.#outcome) return;
    this.#outcome = outcome;
    if (outcome === 'ok') log('info', 'peers.nats-connected', { server: this.#connection?.getServer() });
    else log('warn', 'peers.nats-failed', { code: outcome });
  }

  /** Keeps the stream of this node, and hands what comes to the enclave, for as long as the connection is open. */
  async #consume(connection: NatsConnection, signal: AbortSignal): Promise<void> {
    const { node, nats } = this.#options;
    const isOver = () => connection.isClosed() || signal.aborted;
    let backoffMs = MIN_BACKOFF_MS;
    while (!isOver()) {
      try {
        const manager = await jetstreamManager(connection, { timeout: API_TIMEOUT_MS, checkAPI: false });
        await ensureStream(manager, this.#names, node, nats);
        backoffMs = MIN_BACKOFF_MS;
        this.#report('ok');
        while (!isOver()) {
          if (this.#isEnclaveThere) await this.#consumeOnce(connection);
          else await this.#enclaveComes();
        }
      } catch (error) {
        if (isOver()) return;
        this.#report(codeOf(error) === 'NOT_AUTHORISED' ? 'NOT_AUTHORISED' : 'STREAM_UNAVAILABLE');
        await sleep(backoffMs, undefined, { signal }).catch(() => {});
        backoffMs = Math.min(backoffMs * 2, MAX_BACKOFF_MS);
      }
    }
  }

  /** Waits for the enclave, or the end of the connection. */
  #enclaveComes(): Promise<void> {
    return new Promise((resolve) => {
      this.#onEnclave = resolve;
    });
  }

  async #consumeOnce(connection: NatsConnection): Promise<void> {
    const { node, deliver, counters } = this.#options;
    const consumer = await jetstream(connection).consumers.get(this.#names.stream(node), CONSUMER);
    const messages = await consumer.consume({
      max_messages: MAX_FETCHED,
      abort_on_missing_resource: true,
      expires: PULL_MS,
    });
    this.#messages = messages;
    if (!this.#isEnclaveThere) messages.stop();
    for await (const message of messages) {
      const from = this.#names.senderIn(message.subject);
      if (from === undefined || !this.#outboxes.has(from)) {
        message.term();
        continue;
      }
      counters.heard(from);
      // Acknowledged once the enclave has it: a parent that dies before leaves it for its next start.
      if (await deliver(from, message.data)) message.ack();
      else {
        message.nak();
        messages.stop();
      }
    }
  }

  #publishAll(node: number, outbox: Outbox): void {
    while (this.#isUp && this.#client !== undefined && outbox.unacknowledged < MAX_UNACKNOWLEDGED) {
      const bytes = outbox.queue.shift();
      if (bytes === undefined) return;
      outbox.unacknowledged += 1;
      void this.#publish(this.#client, node, bytes).finally(() => {
        outbox.unacknowledged -= 1;
        this.#publishAll(node, outbox);
      });
    }
  }

  async #publish(client: JetStreamClient, to: number, bytes: Uint8Array): Promise<void> {
    const { counters, node } = this.#options;
    try {
      await client.publish(this.#names.subject(to, node), bytes, {
        msgID: randomBytes(12).toString('base64url'),
        timeout: PUBLISH_TIMEOUT_MS,
      });
      counters.carried(to, 'sent', bytes.length);
    } catch {
      counters.dropped(to, 'sent', 'NOT_ACKNOWLEDGED');
    }
  }
}
