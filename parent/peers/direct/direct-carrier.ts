import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { EgressRefusal } from '../../egress/errors.ts';
import { dialAny, type LookUp } from '../../egress/dial.ts';
import type { Log } from '../../common/log.ts';
import type { Carrier, Deliver } from '../carrier.ts';
import { Certificates } from '../certificates.ts';
import { PeerLinkError } from '../errors.ts';
import type { DirectLimits, PeerAddress, PeersOptions } from '../options.ts';
import type { PeerCounters } from '../peer-counters.ts';
import { type Acceptor, startAcceptor } from './acceptor.ts';
import { Dialler } from './dialler.ts';
import { greetAccepted, greetDialled } from './greet.ts';
import { DIRECT_LIMITS } from './limits.ts';
import { Link } from './link.ts';
import { Route } from './route.ts';
import { isNamed, SecureAcceptor, secureDialled } from './secure.ts';
import type { GreetingRefusal } from './wire.ts';

export interface DirectCarrierOptions extends Omit<PeersOptions, 'nats'> {
  readonly deliver: Deliver;
  readonly counters: PeerCounters;
  readonly lookUp: LookUp;
  readonly log: Log;
}

/** Carrier by TCP connections between parents. */
export interface DirectCarrier extends Carrier {
  /** Address for the parents of other nodes; undefined where none can connect. */
  readonly address: { readonly host: string; readonly port: number } | undefined;
  /** Certificates; undefined without TLS. */
  readonly certificates: Certificates | undefined;
}

/** Starts to listen and to dial. @throws ParentOptionError OPTION_INVALID */
export async function startDirectCarrier(options: DirectCarrierOptions): Promise<DirectCarrier> {
  const certificates =
    options.tls === undefined ? undefined : await Certificates.open(options.tls, options.log);
  const parents = new Parents(options, certificates);
  let acceptor: Acceptor | undefined;
  try {
    acceptor = options.listen === undefined ? undefined : await parents.listen(options.listen);
  } catch (error) {
    certificates?.close();
    throw error;
  }
  parents.setNodes(options.nodes);
  return {
    address: acceptor,
    certificates,
    get status() {
      return parents.status;
    },
    send: (to, bytes) => parents.send(to, bytes),
    setNodes: (nodes) => parents.setNodes(nodes),
    // What comes while it is away is dropped: the parents of others keep nothing.
    setEnclave: () => {},
    async close() {
      certificates?.close();
      await Promise.all([acceptor?.close(), parents.close()]);
    },
  };
}

/** One node of the configuration: the way to it, and what dials it. */
interface Entry {
  readonly peer: PeerAddress;
  readonly route: Route;
  readonly dialler: Dialler | undefined;
}

class Parents {
  readonly #options: DirectCarrierOptions;
  readonly #limits: DirectLimits;
  readonly #certificates: Certificates | undefined;
  readonly #secure: SecureAcceptor | undefined;
  readonly #entries = new Map<number, Entry>();
  readonly #links = new Set<Link>();
  readonly #ending = new Set<Promise<void>>();

  constructor(options: DirectCarrierOptions, certificates: Certificates | undefined) {
    this.#options = options;
    this.#limits = { ...DIRECT_LIMITS, ...options.limits };
    this.#certificates = certificates;
    if (certificates === undefined) return;
    const secure = new SecureAcceptor(certificates.current, this.#limits.greetingTimeoutMs);
    this.#secure = secure;
    certificates.onChange(() => {
      secure.set(certificates.current);
      // What stands was judged by the old ones; to connect again costs milliseconds.
      for (const link of this.#links) link.end('CERTIFICATES_CHANGED');
    });
  }

  get status() {
    const { counters } = this.#options;
    return [...this.#entries.values()].map(({ peer: { node }, route }) => {
      const { heardAt, outcome } = counters.of(node);
      return { node, isConnected: route.isConnected, heardAt, outcome };
    });
  }

  async listen(listen: NonNullable<PeersOptions['listen']>): Promise<Acceptor> {
    const { counters, log } = this.#options;
    return await startAcceptor({
      listen,
      greet: (socket) => this.#greet(socket),
      onLink: (node, stream) => this.#accept(node, stream),
      onTurnedAway: (outcome) => counters.turnedAway(outcome),
      log,
    });
  }

  send(to: number, bytes: Uint8Array): boolean {
    const entry = this.#entries.get(to);
    entry?.route.send(bytes);
    return entry !== undefined;
  }

  setNodes(nodes: readonly PeerAddress[]): void {
    const wanted = new Map(nodes.map((peer) => [peer.node, peer]));
    for (const [node, { peer }] of this.#entries) {
      const next = wanted.get(node);
      if (next === undefined || !isSame(peer, next)) this.#drop(node);
    }
    for (const peer of [...nodes].sort((a, b) => a.node - b.node)) {
      if (!this.#entries.has(peer.node)) this.#entries.set(peer.node, this.#open(peer));
    }
  }

  async close(): Promise<void> {
    for (const node of this.#entries.keys()) this.#drop(node);
    for (const link of this.#links) link.end('STOPPED');
    await Promise.all([...this.#ending, ...[...this.#links].map(({ done }) => done)]);
  }

  #open(peer: PeerAddress): Entry {
    const { counters, log } = this.#options;
    // Counts exist from the start, so that the metric of a node that was never heard of is 0 and not absent.
    counters.of(peer.node);
    const route = new Route(peer.node, counters);
    const { address, node } = peer;
    if (address === undefined) return { peer, route, dialler: undefined };
    const dialler = new Dialler({
      node,
      connect: async (signal) => {
        const link = this.#link(node, await this.#dial(peer, address, signal));
        route.dialled(link);
        if (signal.aborted) link.end('STOPPED');
        return link;
      },
      limits: this.#limits,
      onOutcome: (outcome) => counters.connected(node, outcome),
      log,
    });
    return { peer, route, dialler };
  }

  #drop(node: number): void {
    const entry = this.#entries.get(node);
    if (entry === undefined) return;
    this.#entries.delete(node);
    const closed = entry.dialler?.close() ?? Promise.resolve();
    entry.route.end('STOPPED');
    this.#ending.add(closed);
    void closed.then(() => this.#ending.delete(closed));
  }

  /** Connects to the parent of a node, and greets it. @throws PeerLinkError */
  async #dial(
    { node, name }: PeerAddress,
    { host, port }: NonNullable<PeerAddress['address']>,
    signal: AbortSignal,
  ): Promise<Duplex> {
    const { connectTimeoutMs, greetingTimeoutMs: timeoutMs } = this.#limits;
    const socket = await this.#connect(host, port, connectTimeoutMs, signal);
    const onAbort = () => socket.destroy();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const texts = this.#certificates?.current;
      const stream =
        texts === undefined ? socket : await secureDialled(socket, { texts, name: name ?? host, timeoutMs });
      await greetDialled(stream, { self: this.#options.node, node, timeoutMs });
      return stream;
    } catch (error) {
      socket.destroy();
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #connect(host: string, port: number, timeoutMs: number, signal: AbortSignal): Promise<Socket> {
    try {
      const addresses = await this.#options.lookUp(host, signal);
      return await dialAny(addresses, port, { timeoutMs, signal });
    } catch (error) {
      const code =
        error instanceof EgressRefusal && error.code === 'CONNECT_TIMEOUT'
          ? 'CONNECT_TIMEOUT'
          : 'CONNECT_FAILED';
      throw new PeerLinkError(code, 'the parent of a node cannot be reached', { host, port }, error);
    }
  }

  /** Finds out whose parent has connected. @throws PeerLinkError */
  async #greet(socket: Socket): Promise<{ node: number; stream: Duplex }> {
    const secured = await this.#secure?.secure(socket);
    const stream = secured ?? socket;
    const judge = (from: number): GreetingRefusal | undefined => {
      const entry = this.#entries.get(from);
      if (entry === undefined) return 'UNKNOWN_NODE';
      const name = entry.peer.name ?? entry.peer.address?.host;
      if (secured === undefined) return undefined;
      return name !== undefined && isNamed(secured, name) ? undefined : 'CERTIFICATE_OTHER_NODE';
    };
    const { greetingTimeoutMs: timeoutMs } = this.#limits;
    return { node: await greetAccepted(stream, { self: this.#options.node, timeoutMs, judge }), stream };
  }

  #accept(node: number, stream: Duplex): void {
    const route = this.#entries.get(node)?.route;
    // The configuration has changed since the greeting.
    if (route === undefined) stream.destroy();
    else route.accepted(this.#link(node, stream));
  }

  #link(node: number, stream: Duplex): Link {
    const { counters, deliver } = this.#options;
    const link = new Link(stream, {
      limits: this.#limits,
      onHeard: () => counters.heard(node),
      onDatagram: (bytes) => deliver(node, bytes),
      onEnd: (reason) => {
        counters.ended(node, reason);
        this.#links.delete(link);
        this.#entries.get(node)?.route.ended(link);
      },
    });
    this.#links.add(link);
    return link;
  }
}

function isSame(a: PeerAddress, b: PeerAddress): boolean {
  return a.name === b.name && a.address?.host === b.address?.host && a.address?.port === b.address?.port;
}
