import { readdirSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { MetricsRegistry } from './registry.ts';

/**
 * Adds memory, CPU, descriptors and event-loop delay of this process, under the names that dashboards know. Returns a
 * function that ends the measuring.
 */
export function addProcessMetrics(registry: MetricsRegistry): () => void {
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  const startedAt = Date.now() / 1_000 - process.uptime();
  registry.gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss());
  registry.gauge('process_start_time_seconds', 'When the process started.', () => startedAt);
  registry.counterFrom('process_cpu_seconds_total', 'CPU time of user and system.', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  registry.gauge('process_open_fds', 'Open descriptors.', () => countDescriptors());
  registry.gauge('holdfast_event_loop_delay_p99_seconds', 'Event-loop delay since the last reading.', () => {
    const p99 = delay.percentile(99) / 1e9;
    delay.reset();
    return p99;
  });
  return () => void delay.disable();
}

function countDescriptors(): number | [] {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return [];
  }
}
