import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReplayCache, SIGNATURE_WINDOW_SECONDS } from '../../../shared/http-signature/replay-cache.ts';

const NOW = 1_767_225_600;

describe('a replay cache', () => {
  it('admits a request once, and another nonce, second or client beside it', () => {
    const cache = new ReplayCache();
    expect(cache.admit('a', NOW, 'n', NOW)).toBe('admitted');
    expect(cache.admit('a', NOW, 'n', NOW)).toBe('replayed');
    expect(cache.admit('a', NOW, 'm', NOW)).toBe('admitted');
    expect(cache.admit('a', NOW + 1, 'n', NOW)).toBe('admitted');
    expect(cache.admit('b', NOW, 'n', NOW)).toBe('admitted');
  });

  it('remembers until the signature has expired, to the second', () => {
    const cache = new ReplayCache();
    cache.admit('a', NOW, 'n', NOW);
    expect(cache.admit('a', NOW, 'n', NOW + SIGNATURE_WINDOW_SECONDS + 0.999)).toBe('replayed');
    expect(cache.admit('a', NOW, 'n', NOW + SIGNATURE_WINDOW_SECONDS + 1)).toBe('expired');
  });

  it('keeps expired what a clock that is set back would make current again', () => {
    const cache = new ReplayCache();
    cache.admit('a', NOW, 'n', NOW);
    cache.admit('a', NOW + 100, 'm', NOW + 100);
    expect(cache.admit('a', NOW, 'n', NOW)).toBe('expired');
  });

  it('is not put out of order by a clock that is none', () => {
    const cache = new ReplayCache();
    cache.admit('a', NOW, 'n', NOW);
    expect(cache.admit('a', NOW, 'n', Number.NaN)).toBe('replayed');
    expect(cache.admit('a', Number.NaN, 'n', NOW)).toBe('expired');
  });

  it('admits nothing when it is full, and again when something has expired', () => {
    const cache = new ReplayCache({ capacity: 2, clientCapacity: 2 });
    cache.admit('a', NOW, '1', NOW);
    cache.admit('b', NOW + 10, '2', NOW);
    expect(cache.admit('c', NOW, '3', NOW)).toBe('full');
    expect(cache.admit('a', NOW, '1', NOW)).toBe('replayed');
    expect(cache.admit('c', NOW + 61, '3', NOW + 61)).toBe('admitted');
    expect(cache.admit('c', NOW + 61, '4', NOW + 61)).toBe('full');
  });

  it('lets no client take the room of the others', () => {
    const cache = new ReplayCache({ capacity: 3, clientCapacity: 2 });
    cache.admit('a', NOW, '1', NOW);
    cache.admit('a', NOW, '2', NOW);
    expect(cache.admit('a', NOW, '3', NOW)).toBe('full');
    expect(cache.admit('b', NOW, '3', NOW)).toBe('admitted');
  });

  it('gives a client its room back second by second', () => {
    const cache = new ReplayCache({ clientCapacity: 2 });
    cache.admit('a', NOW, '1', NOW);
    cache.admit('a', NOW + 10, '2', NOW);
    expect(cache.admit('a', NOW + 10, '3', NOW)).toBe('full');
    expect(cache.admit('a', NOW + 61, '3', NOW + 61)).toBe('admitted');
    expect(cache.admit('a', NOW + 61, '4', NOW + 61)).toBe('full');
    expect(cache.admit('a', NOW + 71, '4', NOW + 71)).toBe('admitted');
  });

  it('never admits the same request twice, whatever the clock does', () => {
    const steps = fc.array(
      fc.record({
        advance: fc.integer({ min: -90, max: 90 }),
        offset: fc.integer({ min: -60, max: 60 }),
        client: fc.constantFrom('a', 'b'),
        nonce: fc.constantFrom('1', '2', '3'),
      }),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(steps, (steps) => {
        const cache = new ReplayCache({ capacity: 40, clientCapacity: 30 });
        const admitted = new Set<string>();
        let now = NOW;
        for (const { advance, offset, client, nonce } of steps) {
          now += advance;
          const id = `${client} ${now + offset} ${nonce}`;
          const answer = cache.admit(client, now + offset, nonce, now);
          if (answer === 'admitted') expect(admitted.has(id)).toBe(false);
          if (answer === 'admitted') admitted.add(id);
        }
        expect(admitted.size).toBeGreaterThanOrEqual(steps.length > 0 ? 1 : 0);
      }),
    );
  });
});
