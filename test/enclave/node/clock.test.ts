import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MAX_CLOCK_DRIFT_MS, startNodeClock } from '../../../enclave/node/clock.ts';
import { BootError } from '../../../enclave/node/errors.ts';
import type { NsmClient } from '../../../enclave/nsm/index.ts';
import { openNsm } from './nsm.ts';

const NOW = Date.now();
const RESYNC_MS = 600_000;
const at = (time: number) => openNsm({ clock: () => time });

const refusal = (code: string) => expect.objectContaining({ constructor: BootError, code });

describe("the node's clock", () => {
  it.each([
    ['ahead', MAX_CLOCK_DRIFT_MS],
    ['behind', -MAX_CLOCK_DRIFT_MS],
  ])(
    'takes a system clock that is a minute %s of the NSM, and none that is further off',
    async (_, drift) => {
      const clock = await startNodeClock(at(NOW), () => NOW + drift);
      expect(clock.offsetMs).toBe(-drift);
      clock.close();
      const beyond = NOW + drift + Math.sign(drift);
      await expect(startNodeClock(at(NOW), () => beyond)).rejects.toEqual(refusal('CLOCK_DRIFT'));
    },
  );

  it('tells the time of the NSM, not the system', async () => {
    const clock = await startNodeClock(at(NOW), () => NOW + 30_000);
    expect(clock.now()).toBeGreaterThanOrEqual(NOW);
    expect(clock.now()).toBeLessThan(NOW + 20_000);
    clock.close();
  });

  it.each([0, 1, 2])('does not start in a debug enclave: PCR%i is zero', async (index) => {
    const fill = [1, 2, 3].map((byte, at) => (at === index ? 0 : byte));
    await expect(startNodeClock(openNsm({ fill }), Date.now)).rejects.toEqual(refusal('DEBUG_ENCLAVE'));
  });

  it('does not start without an answer of the NSM', async () => {
    const nsm = openNsm();
    nsm.close();
    await expect(startNodeClock(nsm, Date.now)).rejects.toMatchObject({ code: 'NSM_FAILED' });
  });
});

describe("the node's clock as time passes", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** A clock beside an NSM whose time is `nsmTime.now`. */
  async function start() {
    const nsmTime = { now: NOW };
    const nsm = openNsm({ clock: () => nsmTime.now });
    const attest = vi.fn<NsmClient['attest']>((fields) => nsm.attest(fields));
    const clock = await startNodeClock({ ...nsm, attest }, () => NOW);
    return { clock, attest, nsmTime };
  }
  /** The next document arrives in real time. */
  async function settle(attest: { mock: { results: { value: unknown }[] } }) {
    await attest.mock.results.at(-1)?.value;
    await Promise.resolve();
    await Promise.resolve();
  }

  it('goes on by the monotonic clock between two documents', async () => {
    const { clock, attest } = await start();
    vi.advanceTimersByTime(RESYNC_MS - 1);
    expect(clock.now()).toBe(NOW + RESYNC_MS - 1);
    expect(attest).toHaveBeenCalledTimes(1);
    clock.close();
  });

  it('takes up the time of the NSM again every ten minutes', async () => {
    const { clock, attest, nsmTime } = await start();
    nsmTime.now = NOW + RESYNC_MS + 5_000;
    vi.advanceTimersByTime(RESYNC_MS);
    await settle(attest);
    expect(clock.now()).toBe(NOW + RESYNC_MS + 5_000);
    clock.close();
  });

  it('never goes backwards, and waits for an NSM that is behind', async () => {
    const { clock, attest, nsmTime } = await start();
    vi.advanceTimersByTime(RESYNC_MS - 1);
    const before = clock.now();
    nsmTime.now = NOW + RESYNC_MS - 5_000;
    vi.advanceTimersByTime(1);
    await settle(attest);
    expect(clock.now()).toBe(before);
    vi.advanceTimersByTime(5_001);
    expect(clock.now()).toBe(NOW + RESYNC_MS + 1);
    clock.close();
  });

  it('goes on when the NSM does not answer', async () => {
    const { clock, attest } = await start();
    attest.mockRejectedValue(new Error('as the test has it'));
    vi.advanceTimersByTime(3 * RESYNC_MS);
    await Promise.resolve();
    expect(clock.now()).toBe(NOW + 3 * RESYNC_MS);
    expect(attest).toHaveBeenCalledTimes(4);
    clock.close();
  });

  it('asks no more once it is closed', async () => {
    const { clock, attest } = await start();
    clock.close();
    vi.advanceTimersByTime(3 * RESYNC_MS);
    expect(attest).toHaveBeenCalledTimes(1);
  });
});
