import { describe, expect, test } from 'vitest';
import { startHeartbeat } from '../../../enclave/boot/heartbeat.ts';

describe('a node that serves', () => {
  test('reports `serving` at intervals, failed reports or not, until it is stopped', async () => {
    const said: unknown[] = [];
    const stopHeartbeat = startHeartbeat(
      {
        reportStatus: (phase, code) => {
          said.push([phase, code]);
          return said.length === 1 ? Promise.reject(new Error('no parent')) : Promise.resolve();
        },
      },
      { intervalMs: 10 },
    );
    await expect.poll(() => said.length).toBeGreaterThan(2);
    stopHeartbeat();
    const before = said.length;
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(said.length).toBe(before);
    expect(new Set(said.map((one) => JSON.stringify(one)))).toEqual(new Set(['["serving",null]']));
  });

  test('awaits one response before the next report', async () => {
    let calls = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    const stopHeartbeat = startHeartbeat(
      {
        reportStatus: () => {
          calls += 1;
          return promise;
        },
      },
      { intervalMs: 5 },
    );
    await new Promise((wake) => setTimeout(wake, 60));
    expect(calls).toBe(1);
    resolve();
    await expect.poll(() => calls).toBeGreaterThan(1);
    stopHeartbeat();
  });
});
