import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { commitNonces, type HeldShare, NonceStore } from '../../../enclave/frost/index.ts';
import type { Nonces } from '../../../shared/frost/index.ts';
import { frostCode, OWNER } from './group.ts';

const makeNonces = (fill = 1): Nonces => ({
  hiding: new Uint8Array(32).fill(fill),
  binding: new Uint8Array(32).fill(fill),
  commitments: { participant: 1, hiding: new Uint8Array(32), binding: new Uint8Array(32) },
});
const CLEARED = makeNonces(0);

describe('a nonce store', () => {
  it('hands nonces out once and clears its own', () => {
    const store = new NonceStore();
    const nonces = makeNonces();
    const handle = store.put(OWNER, nonces, 0);
    expect(store.take(handle, OWNER, 1)).toEqual(makeNonces());
    expect(nonces).toEqual(CLEARED);
    expect(frostCode(() => store.take(handle, OWNER, 1))).toBe('NONCE_USED');
  });

  it('hands nothing out at or after the expiry, and clears it', () => {
    for (const now of [100, 101, Number.NaN]) {
      const store = new NonceStore({ lifetimeMs: 100 });
      const nonces = makeNonces();
      const handle = store.put(OWNER, nonces, 0);
      expect(frostCode(() => store.take(handle, OWNER, now))).toBe('NONCE_UNKNOWN');
      expect(nonces).toEqual(CLEARED);
      expect(frostCode(() => store.take(handle, OWNER, 1))).toBe('NONCE_UNKNOWN');
    }
  });

  it('clears what has expired when the next ones come', () => {
    const store = new NonceStore({ lifetimeMs: 100 });
    const nonces = makeNonces();
    store.put(OWNER, nonces, 0);
    store.put(OWNER, makeNonces(), 100);
    expect(nonces).toEqual(CLEARED);
  });

  it('keeps a bounded number, in all and for each client', () => {
    const store = new NonceStore({ lifetimeMs: 100, outstanding: 3, outstandingPerClient: 2 });
    const put = (client: string, now = 0) =>
      frostCode(() => store.put({ ...OWNER, client }, makeNonces(), now));
    expect([put('a'), put('a'), put('a')]).toEqual(['none', 'none', 'NONCE_LIMIT']);
    expect([put('b'), put('b')]).toEqual(['none', 'NONCE_LIMIT']);
    expect(put('b', 100)).toBe('none');
  });

  it('has room again after nonces were used', () => {
    const store = new NonceStore({ outstandingPerClient: 1 });
    for (let round = 0; round < 5; round += 1) {
      const handle = store.put(OWNER, makeNonces(), round);
      expect(frostCode(() => store.assertRoom(OWNER.client, round))).toBe('NONCE_LIMIT');
      expect(store.take(handle, OWNER, round)).toEqual(makeNonces());
    }
  });

  it('tells thousands of used handles from unknown ones, and then forgets the oldest', () => {
    const store = new NonceStore();
    const use = () => {
      const handle = store.put(OWNER, makeNonces(), 0);
      store.take(handle, OWNER, 0);
      return handle;
    };
    const take = (handle: string) => frostCode(() => store.take(handle, OWNER, 0));
    const first = use();
    const second = use();
    for (let more = 0; more < 4095; more += 1) use();
    expect([take(first), take(second)]).toEqual(['NONCE_UNKNOWN', 'NONCE_USED']);
  });

  it('makes no nonces for which there is no room', () => {
    const store = new NonceStore({ outstandingPerClient: 1 });
    store.put(OWNER, makeNonces(), 0);
    const commit = vi.fn<HeldShare['commit']>();
    const share = { commit } as unknown as HeldShare;
    expect(frostCode(() => commitNonces(store, { ...OWNER, share, now: 0 }))).toBe('NONCE_LIMIT');
    expect(commit).not.toHaveBeenCalled();
  });

  it('clears all on demand', () => {
    const store = new NonceStore();
    const nonces = makeNonces();
    const handle = store.put(OWNER, nonces, 0);
    store.clear();
    expect(nonces).toEqual(CLEARED);
    expect(frostCode(() => store.take(handle, OWNER, 1))).toBe('NONCE_UNKNOWN');
  });

  it('never hands out the same nonces twice, in whatever order they are asked for', () => {
    const steps = fc.array(fc.record({ put: fc.boolean(), pick: fc.nat(), wait: fc.nat({ max: 60 }) }), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(steps, (steps) => {
        const store = new NonceStore({ lifetimeMs: 100, outstanding: 8, outstandingPerClient: 8 });
        const handles: string[] = [];
        const taken = new Set<string>();
        let now = 0;
        for (const step of steps) {
          now += step.wait;
          const handle = handles[step.pick % Math.max(handles.length, 1)];
          if (step.put || handle === undefined) {
            frostCode(() => handles.push(store.put(OWNER, makeNonces(), now)));
          } else if (frostCode(() => store.take(handle, OWNER, now)) === 'none') {
            expect(taken.has(handle)).toBe(false);
            taken.add(handle);
          }
        }
        expect(taken.size).toBeLessThanOrEqual(handles.length);
      }),
    );
  });
});
