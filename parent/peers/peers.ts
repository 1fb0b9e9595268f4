import type { Transport } from '../../shared/transport/transport.ts';
import type { Log } from '../common/log.ts';
import type { LookUp } from '../egress/dial.ts';
import { createLookUp } from '../egress/look-up.ts';
import type { Carrier, PeerStatus } from './carrier.ts';
import type { Certificates } from './certificates.ts';
import { type DirectCarrierOptions, startDirectCarrier } from './direct/direct-carrier.ts';
import { type EnclaveLink, startEnclaveLink, type ReportedPeer } from './enclave-link.ts';
import type { PeerAddress, PeersOptions } from './options.ts';
import { PeerCounters } from './peer-counters.ts';

export interface StartPeersOptions extends PeersOptions {
  readonly transport: Transport;
  readonly isEnclave: (cid: number) => boolean;
  readonly lookUp?: LookUp;
  readonly log: Log;
}

/** What an operator sees of the other nodes. */
export interface PeersStatus {
  readonly carrier: 'direct' | 'nats';
  /** Whether the enclave of this node is connected. */
  readonly enclave: boolean;
  /** Milliseconds since 1970 at which this parent's certificate expires; null without one. */
  readonly certificateExpiration: number | null;
  readonly peers: readonly (PeerStatus & {
    /** State and code of the session, as the enclave says; null before it has. */
    readonly session: string | null;
    readonly code: string | null;
  })[];
}

/** The parent's part between nodes: datagrams of its enclave to other nodes' parents, and theirs to it. */
export interface Peers {
  readonly counters: PeerCounters;
  readonly status: PeersStatus;
  /** Address for the parents of other nodes; undefined where none can connect. */
  readonly address: { readonly host: string; readonly port: number } | undefined;
  /** Puts other nodes and addresses in force. */
  setNodes(nodes: readonly PeerAddress[]): void;
  /** Hangs up on an enclave that is gone. */
  disconnect(): void;
  close(): Promise<void>;
}

/**
 * Carries datagrams between this node's enclave and the others'. Nothing of it is trusted: what is lost, repeated or
 * forged here, the channel between the enclaves finds out.
 * @throws ParentOptionError OPTION_INVALID; TransportError ADDRESS_IN_USE, LISTEN_FAILED
 */
export async function startPeers(options: StartPeersOptions): Promise<Peers> {
  const { transport, isEnclave, node, nats, lookUp = createLookUp(), log } = options;
  const counters = new PeerCounters();
  let enclave: EnclaveLink | undefined;
  const deliver = async (from: number, bytes: Uint8Array) => {
    const isTaken = (await enclave?.deliver(from, bytes)) ?? false;
    if (isTaken) counters.carried(from, 'received', bytes.length);
    else counters.dropped(from, 'received', 'ENCLAVE_AWAY');
    return isTaken;
  };
  const carrier = await startCarrier({ ...options, deliver, counters, lookUp });
  try {
    enclave = await startEnclaveLink({
      transport,
      isEnclave,
      node,
      onSend(to, bytes) {
        if (!carrier.send(to, bytes)) counters.unknown += 1;
      },
      onConnected(isConnected) {
        carrier.setEnclave(isConnected);
        log('info', isConnected ? 'peers.enclave-connected' : 'peers.enclave-gone');
      },
      log,
    });
  } catch (error) {
    await carrier.close();
    throw error;
  }
  const link = enclave;
  return {
    counters,
    address: carrier.address,
    get status(): PeersStatus {
      const reported = new Map<number, ReportedPeer>(link.reported.map((one) => [one.node, one]));
      return {
        carrier: nats === undefined ? 'direct' : 'nats',
        enclave: link.isConnected,
        certificateExpiration: carrier.certificates?.expiresAt ?? null,
        peers: carrier.status.map((one) => ({
          ...one,
          session: reported.get(one.node)?.state ?? null,
          code: reported.get(one.node)?.code ?? null,
        })),
      };
    },
    setNodes: (list) => carrier.setNodes(list),
    disconnect: () => link.disconnect(),
    async close() {
      await Promise.all([carrier.close(), link.close()]);
    },
  };
}

interface StartedCarrier extends Carrier {
  readonly address?: Peers['address'];
  readonly certificates: Pick<Certificates, 'expiresAt'> | undefined;
}

/** The client of NATS is loaded only where the configuration names servers. */
async function startCarrier(options: DirectCarrierOptions & PeersOptions): Promise<StartedCarrier> {
  const { nats } = options;
  if (nats === undefined) return await startDirectCarrier(options);
  const { startNatsCarrier } = await import('./nats/nats-carrier.ts');
  return await startNatsCarrier({ ...options, nats });
}
