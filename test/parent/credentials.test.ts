import { describe, expect, test } from 'vitest';
import { createCredentialSource } from '../../parent/common/credentials.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;

function play(lifetimeMs: number | undefined) {
  const state = { now: 1_000_000_000_000, calls: 0, isDown: false };
  const source = createCredentialSource(
    async () => {
      state.calls += 1;
      if (state.isDown) throw new Error('no instance metadata');
      return await Promise.resolve({
        accessKeyId: `AKID${state.calls}`,
        secretAccessKey: 'secret',
        sessionToken: 'token',
        ...(lifetimeMs === undefined ? {} : { expiration: new Date(state.now + lifetimeMs) }),
      });
    },
    () => state.now,
  );
  return { state, source };
}

describe('the credentials', () => {
  test('are asked for once, and again before they expire', async () => {
    const { state, source } = play(HOUR);
    expect(source.expiration()).toBeNull();
    const first = await source.get();
    expect(first).toEqual({
      accessKeyId: 'AKID1',
      secretAccessKey: 'secret',
      sessionToken: 'token',
      expiration: state.now + HOUR,
    });
    expect(source.expiration()).toBe(state.now + HOUR);
    state.now += 54 * MINUTE;
    expect((await source.get()).accessKeyId).toBe('AKID1');
    state.now += 2 * MINUTE;
    expect((await source.get()).accessKeyId).toBe('AKID2');
    expect(state.calls).toBe(2);
  });

  test('are asked for once by many at the same time', async () => {
    const { state, source } = play(HOUR);
    await Promise.all(Array.from({ length: 10 }, () => source.get()));
    expect(state.calls).toBe(1);
  });

  test('stay in use until their end while no new ones are to be had', async () => {
    const { state, source } = play(HOUR);
    await source.get();
    state.isDown = true;
    state.now += 58 * MINUTE;
    expect((await source.get()).accessKeyId).toBe('AKID1');
    state.now += 3 * MINUTE;
    await expect(source.get()).rejects.toMatchObject({
      name: 'CredentialError',
      code: 'CREDENTIALS_UNAVAILABLE',
    });
    state.isDown = false;
    expect((await source.get()).expiration).toBeGreaterThan(state.now);
  });

  test('without an end are asked for again now and then', async () => {
    const { state, source } = play(undefined);
    expect((await source.get()).expiration).toBeNull();
    state.now += 11 * MINUTE;
    expect((await source.get()).accessKeyId).toBe('AKID2');
  });
});
