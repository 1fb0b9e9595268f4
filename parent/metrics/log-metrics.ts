import type { AuditLog } from '../log/audit-log.ts';
import type { MetricsRegistry } from './registry.ts';

/** Adds what an operator watches of the node's log and its witnesses. */
export function addLogMetrics(registry: MetricsRegistry, auditLog: AuditLog): void {
  const asked = registry.counter(
    'holdfast_log_witness_requests_total',
    'Submissions by witness and outcome.',
  );
  const time = registry.histogram(
    'holdfast_log_witness_seconds',
    'Time until a witness has cosigned or refused.',
  );
  auditLog.onWitness = (witness, outcome, seconds) => {
    asked.add(1, { witness, outcome });
    time.observe(seconds, { witness });
  };
  registry.gauge('holdfast_log_entries', 'Entries of the log that are tiles.', () => auditLog.status.size);
  registry.gauge(
    'holdfast_log_published_entries',
    'Entries under the published checkpoint.',
    () => auditLog.status.published,
  );
  registry.gauge(
    'holdfast_log_archived_entries',
    'Entries in the bucket, in full bundles; absent without a bucket.',
    () => auditLog.status.archived ?? [],
  );
  registry.gauge('holdfast_log_gap', '1 where the folder lacks entries that the store has dropped.', () =>
    auditLog.status.hasGap ? 1 : 0,
  );
  registry.gauge('holdfast_log_witnesses_wanted', 'Witnesses that must cosign; 0 for none.', () => {
    return auditLog.status.wanted;
  });
  registry.gauge('holdfast_log_witnesses_cosigned', 'Witnesses of the newest checkpoint.', () => {
    return auditLog.status.cosigned;
  });
  registry.gauge('holdfast_log_witness_size', 'Size of the largest tree that a witness has cosigned.', () =>
    auditLog.status.witnesses.map(({ name, size }) => [{ witness: name }, size] as const),
  );
  registry.gauge(
    'holdfast_log_witness_cosigned_timestamp_seconds',
    'When a witness cosigned last; absent before.',
    () =>
      auditLog.status.witnesses.flatMap(({ name, cosignedAt }) =>
        cosignedAt === null ? [] : [[{ witness: name }, cosignedAt / 1_000] as const],
      ),
  );
}
