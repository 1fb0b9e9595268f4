import type { ConnectionTable } from '../common/connection-table.ts';
import type { NodeStatusHolder } from '../status/node-status.ts';
import { NODE_ALERTS, NODE_PHASES } from '../../shared/protocol/control.ts';
import type { StatusSources } from './status-sources.ts';
import type { AuditLog } from '../log/audit-log.ts';
import type { Peers } from '../peers/peers.ts';
import { addLogMetrics } from './log-metrics.ts';
import { addProcessMetrics } from './process-metrics.ts';
import { addPeerMetrics } from './peer-metrics.ts';
import { createMetricsRegistry, type MetricsRegistry } from './registry.ts';

export interface ParentMetrics {
  readonly registry: MetricsRegistry;
  readonly close: () => void;
  /** Called for every egress attempt: `ok` or the code of the refusal, and the seconds it took. */
  readonly onEgress: (outcome: string, seconds: number) => void;
  readonly onIngress: (outcome: string, seconds: number) => void;
  readonly onLookUp: (outcome: 'failed' | 'ok', seconds: number) => void;
  /** Adds the metrics of the way to other nodes. */
  readonly addPeers: (peers: Peers) => void;
  readonly onControl: (type: string, outcome: string, seconds: number) => void;
}

export interface MeteredParts {
  readonly egress: ConnectionTable;
  readonly ingress: ConnectionTable;
  readonly node: NodeStatusHolder;
  readonly statusSources: StatusSources;
  readonly auditLog: AuditLog;
}

const ENCLAVE_STATES = ['starting', 'running', 'silent', 'waiting', 'halted', 'stopped'] as const;

/** Creates every metric of the parent; docs/parent-metrics.md describes them. */
export function createParentMetrics({
  egress,
  ingress,
  node,
  statusSources,
  auditLog,
}: MeteredParts): ParentMetrics {
  const registry = createMetricsRegistry();
  const opened = registry.counter('holdfast_connections_total', 'Connections by direction and outcome.');
  const setUp = registry.histogram('holdfast_connection_setup_seconds', 'Time to open a connection.');
  const control = registry.counter(
    'holdfast_control_requests_total',
    'Control requests by type and outcome.',
  );
  const controlTime = registry.histogram(
    'holdfast_control_request_seconds',
    'Time to answer a control request.',
  );
  registry.gauge('holdfast_connections_open', 'Connections that are open now.', () => [
    [{ direction: 'egress' }, egress.size],
    [{ direction: 'ingress' }, ingress.size],
  ]);
  registry.counterFrom(
    'holdfast_tcp_bytes_total',
    'Bytes on the TCP side of connections since the start.',
    () => [
      [{ direction: 'egress', way: 'received' }, egress.bytes.received],
      [{ direction: 'egress', way: 'sent' }, egress.bytes.sent],
      [{ direction: 'ingress', way: 'received' }, ingress.bytes.received],
      [{ direction: 'ingress', way: 'sent' }, ingress.bytes.sent],
    ],
  );
  registry.gauge('holdfast_node_phase', '1 for the phase that the enclave reported last.', () =>
    NODE_PHASES.map((phase) => [{ phase }, node.current?.phase === phase ? 1 : 0] as const),
  );
  registry.gauge(
    'holdfast_node_alert',
    '1 for what a node that serves says is lacking, 0 for what is not.',
    () =>
      NODE_ALERTS.map((code) => {
        const isLacking = node.current?.phase === 'serving' && node.current.code === code;
        return [{ code }, isLacking ? 1 : 0] as const;
      }),
  );
  registry.gauge(
    'holdfast_node_heard_timestamp_seconds',
    'When the enclave spoke last of its phase; absent before it has.',
    () => (node.current === null ? [] : [[{}, node.current.heardAt / 1_000]]),
  );
  const lookUps = registry.counter('holdfast_dns_lookups_total', 'Look-ups of hosts by outcome.');
  const lookUpTime = registry.histogram(
    'holdfast_dns_lookup_seconds',
    'Time of a look-up, cached ones included.',
  );
  registry.gauge(
    'holdfast_credentials_expire_timestamp_seconds',
    'When the AWS credentials expire; absent without an end.',
    () => {
      const end = statusSources.credentialsExpiration?.() ?? null;
      return end === null ? [] : [[{}, end / 1_000]];
    },
  );
  registry.gauge('holdfast_enclave_state', '1 for the state in which the supervisor has the enclave.', () => {
    const state = statusSources.enclave?.().state;
    return state === undefined
      ? []
      : ENCLAVE_STATES.map((one) => [{ state: one }, one === state ? 1 : 0] as const);
  });
  addLogMetrics(registry, auditLog);
  const close = addProcessMetrics(registry);
  return {
    registry,
    close,
    addPeers: (peers) => addPeerMetrics(registry, peers),
    onLookUp(outcome, seconds) {
      lookUps.add(1, { outcome });
      lookUpTime.observe(seconds);
    },
    onEgress(outcome, seconds) {
      opened.add(1, { direction: 'egress', outcome });
      setUp.observe(seconds, { direction: 'egress' });
    },
    onIngress(outcome, seconds) {
      opened.add(1, { direction: 'ingress', outcome });
      setUp.observe(seconds, { direction: 'ingress' });
    },
    onControl(type, outcome, seconds) {
      control.add(1, { type, outcome });
      controlTime.observe(seconds, { type });
    },
  };
}
