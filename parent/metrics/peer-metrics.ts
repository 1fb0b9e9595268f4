import type { PeerCounts, Way } from '../peers/peer-counters.ts';
import type { Peers } from '../peers/peers.ts';
import type { MetricsRegistry } from './registry.ts';

const WAYS: readonly Way[] = ['received', 'sent'];

type Sample = readonly [Readonly<Record<string, string>>, number];

/** Adds what an operator watches of the way to other nodes. */
export function addPeerMetrics(registry: MetricsRegistry, peers: Peers): void {
  const { counters } = peers;
  const ofEach = (read: (counts: PeerCounts, peer: string) => readonly Sample[]) => () =>
    [...counters.nodes].flatMap(([node, counts]) => read(counts, String(node)));
  const ways = (read: (traffic: PeerCounts[Way]) => number) =>
    ofEach((counts, peer) => WAYS.map((way) => [{ peer, way }, read(counts[way])] as const));
  registry.counterFrom(
    'holdfast_peer_frames_total',
    'Datagrams carried to and from other nodes.',
    ways(({ frames }) => frames),
  );
  registry.counterFrom(
    'holdfast_peer_bytes_total',
    'Bytes of these datagrams.',
    ways(({ bytes }) => bytes),
  );
  registry.counterFrom(
    'holdfast_peer_dropped_total',
    'Datagrams that were dropped, by reason.',
    ofEach(({ dropped }, peer) =>
      [...dropped].map(([key, count]) => {
        const [way = '', reason = ''] = key.split('/');
        return [{ peer, way, reason }, count] as const;
      }),
    ),
  );
  registry.counterFrom(
    'holdfast_peer_unknown_total',
    'Datagrams of the enclave to nodes that parent.yaml does not name.',
    () => counters.unknown,
  );
  registry.counterFrom(
    'holdfast_peer_connects_total',
    'Attempts to connect to the parents of other nodes, by outcome.',
    ofEach(({ connects }, peer) =>
      [...connects].map(([outcome, count]) => [{ peer, outcome }, count] as const),
    ),
  );
  registry.counterFrom(
    'holdfast_peer_ends_total',
    'Connections with the parents of other nodes that have ended, by reason.',
    ofEach(({ ends }, peer) => [...ends].map(([reason, count]) => [{ peer, reason }, count] as const)),
  );
  registry.counterFrom(
    'holdfast_peer_turned_away_total',
    'Connections that were turned away, by reason.',
    () => [...counters.refused].map(([reason, count]) => [{ reason }, count] as const),
  );
  registry.gauge('holdfast_peer_connected', '1 where the parent of a node is connected.', () =>
    peers.status.peers.map(({ node, isConnected }) => [{ peer: String(node) }, isConnected ? 1 : 0] as const),
  );
  registry.gauge(
    'holdfast_peer_session',
    '1 where the enclave says that its session with a node stands; absent before it has said anything.',
    () =>
      peers.status.peers.flatMap(({ node, session }) =>
        session === null ? [] : [[{ peer: String(node) }, session === 'connected' ? 1 : 0] as const],
      ),
  );
  registry.gauge(
    'holdfast_peer_heard_timestamp_seconds',
    'When the parent of a node last sent something; absent before.',
    () =>
      peers.status.peers.flatMap(({ node, heardAt }) =>
        heardAt === null ? [] : [[{ peer: String(node) }, heardAt / 1_000] as const],
      ),
  );
  registry.gauge(
    'holdfast_peers_enclave_connected',
    '1 where the enclave is connected for other nodes.',
    () => (peers.status.enclave ? 1 : 0),
  );
  registry.gauge(
    'holdfast_peers_certificate_expire_timestamp_seconds',
    'When the certificate for other nodes expires; absent without one.',
    () => {
      const { certificateExpiration } = peers.status;
      return certificateExpiration === null ? [] : certificateExpiration / 1_000;
    },
  );
}
