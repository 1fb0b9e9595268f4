import { describe, expect, test } from 'vitest';
import { startHeartbeat } from '../../../enclave/boot/heartbeat.ts';

describe('a node that serves', () => {
  test('says so again and again, whatever becomes of it, until it is to fall silent', async () => {
    const said: unknown[] = [];
    const fallSilent = startHeartbeat(
      {
        reportStatus: (phase, code) => {
          said.push([phase, code]);
          return said.length === 1 ? Promise.reject(new Error('no parent')) : Promise.resolve();
        },
      },
      10,
    );
    await expect.poll(() => said.length).toBeGreaterThan(2);
    fallSilent();
    const before = said.length;
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(said.length).toBe(before);
    expect(new Set(said.map((one) => JSON.stringify(one)))).toEqual(new Set(['["serving",null]']));
  });

  test('waits for one answer before it speaks again', async () => {
    let calls = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    const fallSilent = startHeartbeat(
      {
        reportStatus: () => {
          calls += 1;
          return promise;
        },
      },
      5,
    );
    await new Promise((wake) => setTimeout(wake, 60));
    expect(calls).toBe(1);
    resolve();
    await expect.poll(() => calls).toBeGreaterThan(1);
    fallSilent();
  });
});
