import { describe, expect, test } from 'vitest';
import { decodeDatagram } from '../../../enclave/peers/datagram.ts';
import {
  EPOCH_DATAGRAMS,
  EPOCH_GRACE_MS,
  EPOCH_MS,
  MAX_EPOCHS_AHEAD,
} from '../../../enclave/peers/limits.ts';
import { ReplayWindow } from '../../../enclave/peers/replay-window.ts';
import { SecureSession } from '../../../enclave/peers/secure-session.ts';
import { CipherKey } from '../../../shared/noise/index.ts';

function makePair() {
  const keys = () => ({
    initiator: new CipherKey(Buffer.alloc(32, 1)),
    responder: new CipherKey(Buffer.alloc(32, 2)),
    hash: new Uint8Array(32),
  });
  const id = 'ab'.repeat(8);
  return {
    one: new SecureSession(id, 'initiator', keys(), 0),
    two: new SecureSession(id, 'responder', keys(), 0),
  };
}

function open(session: SecureSession, bytes: Uint8Array | undefined, now = 0): string | undefined {
  const datagram = decodeDatagram(bytes ?? new Uint8Array());
  if (datagram?.kind !== 'sealed') throw new TypeError('expected a sealed datagram');
  const plaintext = session.open(datagram, now);
  return plaintext && Buffer.from(plaintext).toString();
}

const seal = (session: SecureSession, text: string, now = 0) => session.seal(Buffer.from(text), now);

describe('a session', () => {
  test('takes a datagram once, in any order', () => {
    const { one, two } = makePair();
    const sealed = ['a', 'b', 'c'].map((text) => seal(one, text));
    expect([2, 0, 1, 0, 1, 2].map((index) => open(two, sealed[index]))).toEqual([
      'c',
      'a',
      'b',
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('takes none that it has sent itself, and none with a bit flipped', () => {
    const { one, two } = makePair();
    const sealed = Buffer.from(seal(one, 'text') ?? []);
    expect(open(one, sealed)).toBeUndefined();
    // The first nine bytes say what it is and of which session; whoever changes them makes it another one's.
    for (let bit = 9 * 8; bit < sealed.length * 8; bit += 1) {
      const flipped = Buffer.from(sealed);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const datagram = decodeDatagram(flipped);
      if (datagram?.kind !== 'sealed') continue;
      expect(two.open(datagram, 0)).toBeUndefined();
    }
    expect(open(two, sealed)).toBe('text');
  });

  test('changes its key with time, and takes what is late for a while', () => {
    const { one, two } = makePair();
    const before = seal(one, 'before');
    const late = seal(one, 'late');
    const tooLate = seal(one, 'too late');
    expect(open(two, before)).toBe('before');
    const after = seal(one, 'after', EPOCH_MS);
    expect(decodeDatagram(after ?? new Uint8Array())).toMatchObject({ counter: EPOCH_DATAGRAMS });
    expect(open(two, after, EPOCH_MS)).toBe('after');
    expect(open(two, late, EPOCH_MS + EPOCH_GRACE_MS - 1)).toBe('late');
    expect(open(two, late, EPOCH_MS + EPOCH_GRACE_MS - 1)).toBeUndefined();
    expect(open(two, tooLate, EPOCH_MS + EPOCH_GRACE_MS)).toBeUndefined();
    expect(open(two, after, EPOCH_MS)).toBeUndefined();
  });

  test('changes its key with the number of datagrams', () => {
    const { one, two } = makePair();
    for (let index = 0; index < EPOCH_DATAGRAMS; index += 1) one.seal(new Uint8Array(), 0);
    const next = seal(one, 'next');
    expect(decodeDatagram(next ?? new Uint8Array())).toMatchObject({ counter: EPOCH_DATAGRAMS });
    expect(open(two, next)).toBe('next');
    expect(seal(one, 'x', EPOCH_MS - 1)).toBeDefined();
    expect(open(two, seal(one, 'y', EPOCH_MS - 1))).toBe('y');
  });

  test('follows a sender that is 16 keys ahead, and none beyond', () => {
    const { one, two } = makePair();
    let sealed: Uint8Array | undefined;
    for (let epoch = 0; epoch <= MAX_EPOCHS_AHEAD; epoch += 1) sealed = seal(one, 'far', epoch * EPOCH_MS);
    expect(open(two, sealed)).toBe('far');
    for (let epoch = MAX_EPOCHS_AHEAD + 1; epoch <= 2 * MAX_EPOCHS_AHEAD + 1; epoch += 1) {
      sealed = seal(one, 'farther', epoch * EPOCH_MS);
    }
    expect(open(two, sealed)).toBeUndefined();
  });

  test('opens nothing once it is destroyed', () => {
    const { one, two } = makePair();
    const sealed = seal(one, 'text');
    two.destroy();
    expect(open(two, sealed)).toBeUndefined();
  });
});

describe('a replay window', () => {
  test('knows 2,048 counters behind the highest, and takes none beyond', () => {
    const window = new ReplayWindow();
    window.mark(5_000);
    expect([5_000, 5_001, 2_953, 2_952].map((counter) => window.isFresh(counter))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    window.mark(2_953);
    expect(window.isFresh(2_953)).toBe(false);
    window.mark(5_002);
    expect([5_001, 2_955, 2_954, 2_953].map((counter) => window.isFresh(counter))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  test('agrees with a set, over steps forward and back', () => {
    const window = new ReplayWindow();
    const seen = new Set<number>();
    let highest = 0;
    let state = 12_345;
    for (let step = 0; step < 20_000; step += 1) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      const counter = Math.max(0, highest + ((state >>> 8) % 3_000) - 2_500);
      const isFresh = !seen.has(counter) && counter >= highest + 1 - 2_048;
      expect(window.isFresh(counter)).toBe(isFresh);
      if (!isFresh) continue;
      window.mark(counter);
      seen.add(counter);
      highest = Math.max(highest, counter);
    }
  });
});
