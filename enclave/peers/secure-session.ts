import { type CipherKey, NoiseError, type NoiseRole, type NoiseSession } from '../../shared/noise/index.ts';
import { COUNTER_END, type Datagram, encodeSealedHeader } from './datagram.ts';
import { EPOCH_DATAGRAMS, EPOCH_GRACE_MS, EPOCH_MS, MAX_EPOCHS_AHEAD } from './limits.ts';
import { ReplayWindow } from './replay-window.ts';

/** The key of one stretch of counters, and which of them have come. */
interface ReceiveEpoch {
  readonly epoch: number;
  readonly key: CipherKey;
  readonly window: ReplayWindow;
}

/**
 * Encrypts and decrypts the datagrams of one handshake. A datagram says its counter, which is its nonce (Noise,
 * section 11.4); counters of one stretch of 65,536 share a key, and the key of the next stretch is REKEY of the one
 * before. A sender goes to the next stretch when one is used up or 10 minutes old.
 */
export class SecureSession {
  /** Names the session in datagrams, in hex. */
  readonly id: string;
  #sendKey: CipherKey;
  #sendEpoch = 0;
  #sendEpochBegan: number;
  #counter = 0;
  #receive: ReceiveEpoch;
  #previous: (ReceiveEpoch & { readonly until: number }) | undefined;

  constructor(id: string, role: NoiseRole, keys: NoiseSession, now: number) {
    this.id = id;
    this.#sendKey = keys[role];
    this.#sendEpochBegan = now;
    const key = keys[role === 'initiator' ? 'responder' : 'initiator'];
    this.#receive = { epoch: 0, key, window: new ReplayWindow() };
  }

  /** Encrypts into a datagram; undefined when no counter is left. */
  seal(plaintext: Uint8Array, now: number): Uint8Array | undefined {
    const isOld = now - this.#sendEpochBegan >= EPOCH_MS;
    if (isOld && this.#counter % EPOCH_DATAGRAMS !== 0) {
      this.#counter = (this.#sendEpoch + 1) * EPOCH_DATAGRAMS;
    }
    if (this.#counter >= COUNTER_END) return undefined;
    if (epochOf(this.#counter) > this.#sendEpoch) {
      const next = this.#sendKey.next();
      this.#sendKey.destroy();
      this.#sendKey = next;
      this.#sendEpoch += 1;
      this.#sendEpochBegan = now;
    }
    const counter = this.#counter;
    this.#counter += 1;
    const header = encodeSealedHeader(this.id, counter);
    return Buffer.concat([header, this.#sendKey.encrypt(BigInt(counter), header, plaintext)]);
  }

  /** Decrypts a datagram; undefined for one that is forged, altered, came before, or is too late. */
  open(
    { counter, header, ciphertext }: Extract<Datagram, { kind: 'sealed' }>,
    now: number,
  ): Uint8Array | undefined {
    this.#forget(now);
    const epoch = epochOf(counter);
    const known = [this.#receive, this.#previous].find((each) => each?.epoch === epoch);
    if (known !== undefined) {
      if (!known.window.isFresh(counter)) return undefined;
      const plaintext = decrypt(known.key, counter, header, ciphertext);
      if (plaintext !== undefined) known.window.mark(counter);
      return plaintext;
    }
    const ahead = epoch - this.#receive.epoch;
    if (ahead < 0 || ahead > MAX_EPOCHS_AHEAD) return undefined;
    const key = keyAhead(this.#receive.key, ahead);
    const plaintext = decrypt(key, counter, header, ciphertext);
    if (plaintext === undefined) {
      key.destroy();
      return undefined;
    }
    this.#previous?.key.destroy();
    this.#previous = { ...this.#receive, until: now + EPOCH_GRACE_MS };
    this.#receive = { epoch, key, window: new ReplayWindow() };
    this.#receive.window.mark(counter);
    return plaintext;
  }

  /** Clears the keys. */
  destroy(): void {
    for (const key of [this.#sendKey, this.#receive.key, this.#previous?.key]) key?.destroy();
  }

  #forget(now: number): void {
    if (this.#previous === undefined || now < this.#previous.until) return;
    this.#previous.key.destroy();
    this.#previous = undefined;
  }
}

function epochOf(counter: number): number {
  return Math.floor(counter / EPOCH_DATAGRAMS);
}

function keyAhead(from: CipherKey, steps: number): CipherKey {
  let key = from.next();
  for (let step = 1; step < steps; step += 1) {
    const next = key.next();
    key.destroy();
    key = next;
  }
  return key;
}

function decrypt(
  key: CipherKey,
  counter: number,
  header: Uint8Array,
  ciphertext: Uint8Array,
): Uint8Array | undefined {
  try {
    return key.decrypt(BigInt(counter), header, ciphertext);
  } catch (error) {
    if (error instanceof NoiseError) return undefined;
    throw error;
  }
}
