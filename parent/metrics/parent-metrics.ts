import type { ConnectionTable } from '../connection-table.ts';
import type { NodeStatusHolder } from '../status/node-status.ts';
import { NODE_PHASES } from '../../shared/protocol/control.ts';
import { createMetricsRegistry, type MetricsRegistry } from './registry.ts';

export interface ParentMetrics {
  readonly registry: MetricsRegistry;
  /** `ok` or the code of the refusal. */
  readonly onEgress: (outcome: string, seconds: number) => void;
  readonly onIngress: (outcome: string, seconds: number) => void;
  readonly onControl: (type: string, outcome: string, seconds: number) => void;
}

export interface MeteredParts {
  readonly egress: ConnectionTable;
  readonly ingress: ConnectionTable;
  readonly node: NodeStatusHolder;
}

/** Every metric of the parent; docs/parent-metrics.md describes them. */
export function createParentMetrics({ egress, ingress, node }: MeteredParts): ParentMetrics {
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
  registry.gauge('holdfast_tcp_bytes', 'Bytes on the TCP side of connections since the start.', () => [
    [{ direction: 'egress', way: 'received' }, egress.bytes.received],
    [{ direction: 'egress', way: 'sent' }, egress.bytes.sent],
    [{ direction: 'ingress', way: 'received' }, ingress.bytes.received],
    [{ direction: 'ingress', way: 'sent' }, ingress.bytes.sent],
  ]);
  registry.gauge('holdfast_node_phase', '1 for the phase that the enclave reported last.', () =>
    NODE_PHASES.map((phase) => [{ phase }, node.current?.phase === phase ? 1 : 0] as const),
  );
  return {
    registry,
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
