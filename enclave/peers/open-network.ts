import { randomBytes } from 'node:crypto';
import { AttestationVerifier } from '../../attestation/index.ts';
import type { Peer } from '../../shared/documents/configuration.ts';
import { generateNoiseKeyPair } from '../../shared/noise/index.ts';
import type { NsmClient } from '../nsm/index.ts';
import { AttestTurns } from './attest-turns.ts';
import { encodeBinding, type PeerBinding } from './binding.ts';
import type { Carrier } from './carrier.ts';
import { ID_BYTES } from './datagram.ts';
import { PeerError } from './errors.ts';
import { isKind } from './message.ts';
import { PeerLink } from './peer-link.ts';
import {
  MAX_PEER_BODY_BYTES,
  type PeerHandler,
  type PeerIdentity,
  type PeerNetwork,
} from './peer-network.ts';
import { PROCESS_TIMERS, type Timers } from './timers.ts';
import { type PeerRules, verifyPeer } from './verify-peer.ts';

/** Milliseconds between two reports to the parent. */
const REPORT_MS = 1_000;

/** What a network is opened with. */
export interface PeerNetworkOptions {
  /** The node itself, as it speaks of itself to others. */
  readonly binding: PeerBinding;
  /** SHA-384 of this node's manifest. */
  readonly manifest: Uint8Array;
  readonly peers: readonly Peer[];
  readonly nsm: Pick<NsmClient, 'attest'>;
  /** Root of attestation documents, a certificate in DER. */
  readonly root: Uint8Array;
  readonly carrier: Carrier;
  /** The node's clock, milliseconds since 1970. */
  readonly now: () => number;
  readonly timers?: Timers;
}

/** A network that ends with its node. */
export interface OpenPeerNetwork extends PeerNetwork {
  /** Tells the other nodes, and ends all calls. */
  close(): void;
}

/**
 * Opens the channels to the other nodes; see SPEC.md. Nothing waits for them: a node whose peers are unreachable serves
 * as before, and its calls fail.
 */
export function openPeerNetwork(options: PeerNetworkOptions): OpenPeerNetwork {
  const { binding, carrier, now, nsm, timers = PROCESS_TIMERS } = options;
  const handlers = new Map<string, PeerHandler>();
  const listeners: ((identity: PeerIdentity) => void)[] = [];
  const staticKey = generateNoiseKeyPair();
  const userData = encodeBinding(binding);
  const turns = new AttestTurns();
  const rules: PeerRules = {
    manifest: Buffer.from(options.manifest).toString('hex'),
    peers: options.peers,
    root: options.root,
    verifier: new AttestationVerifier(),
    now,
  };
  let isClosed = false;
  let cancelReport: (() => void) | undefined;

  const links = new Map(
    options.peers
      .toSorted((one, other) => one.node - other.node)
      .map((peer) => [peer.node, makeLink(peer)] as const),
  );
  const status = () => [...links.values()].map((link) => link.status());

  function makeLink(peer: Peer): PeerLink {
    const { node } = peer;
    const link: PeerLink = new PeerLink({
      self: binding.node,
      node,
      parts: {
        staticKey,
        attest: (nonce) =>
          turns.take(
            node,
            () => link.isUrgent,
            () => nsm.attest({ nonce, publicKey: staticKey.publicKey, userData }),
          ),
        verify: (shown) => verifyPeer(peer, shown, rules),
      },
      timers,
      now,
      makeId: () => randomBytes(ID_BYTES).toString('hex'),
      send: (datagram) => carrier.send(node, datagram),
      handlers,
      onSession: (identity) => {
        for (const listener of listeners) listener(identity);
      },
      onStatus: report,
    });
    return link;
  }

  /** Reports once a second at most. */
  function report(): void {
    if (isClosed || cancelReport !== undefined) return;
    cancelReport = timers.after(REPORT_MS, () => {
      cancelReport = undefined;
      carrier.report(
        status().map(({ node, state, code, since, lastSeen }) => ({ node, state, code, since, lastSeen })),
      );
    });
  }

  carrier.onDatagram((from, datagram) => links.get(from)?.receive(datagram));
  for (const link of links.values()) link.start();
  report();

  return {
    self: binding.node,
    peers: [...links.keys()],
    identity: (node) => links.get(node)?.identity,
    call: (node, kind, body, callOptions) => {
      if (!isKind(kind)) throw new TypeError(`${kind} names no kind of calls`);
      if (body.length > MAX_PEER_BODY_BYTES) throw new RangeError(`a body of ${body.length} bytes`);
      const link = links.get(node);
      if (link !== undefined) return link.call(kind, body, callOptions);
      return Promise.reject(new PeerError('PEER_UNKNOWN', 'the configuration names no such node', { node }));
    },
    serve: (kind, handler) => {
      if (!isKind(kind) || handlers.has(kind)) throw new TypeError(`${kind} is served already, or no kind`);
      handlers.set(kind, handler);
    },
    onSession: (listener) => {
      listeners.push(listener);
      for (const link of links.values()) if (link.identity !== undefined) listener(link.identity);
    },
    status,
    close: () => {
      isClosed = true;
      cancelReport?.();
      for (const link of links.values()) link.close();
      carrier.close();
    },
  };
}
