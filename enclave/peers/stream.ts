import {
  MAX_FRAGMENT_BYTES,
  MAX_MESSAGE_BYTES,
  MAX_QUEUED_BYTES,
  MAX_QUEUED_FRAGMENTS,
  MAX_WINDOW,
} from './limits.ts';
import type { Fragment, StreamPacket } from './packet.ts';

/** Milliseconds that an acknowledgement waits for something to go with. */
const ACKNOWLEDGE_MS = 10;
const FIRST_TIMEOUT_MS = 300;
const MIN_TIMEOUT_MS = 40;
const MAX_TIMEOUT_MS = 3_000;
const FIRST_WINDOW = 8;
const MIN_WINDOW = 2;
/** Fragments that have come after one that is missing, before it counts as lost (RFC 5681, section 3.2). */
const REORDERED = 3;

interface Sent extends Fragment {
  sentAt: number;
  /** Times that it was sent. */
  count: number;
  isLost: boolean;
}

/**
 * The messages between two boots of two nodes, both ways, over datagrams that may be lost, repeated and reordered: each
 * message arrives once, whole and in order, or the stream is begun anew and nothing of the old one arrives any more. Time
 * is handed in; who sends the packets is told by {@link nextTime}. Retransmission follows RFC 6298, the window RFC 5681.
 */
export class PeerStream {
  #number = 1;
  #nextSequence = 0;
  #queue: Fragment[] = [];
  readonly #sent = new Map<number, Sent>();
  #queuedBytes = 0;
  #window = FIRST_WINDOW;
  #smoothed: number | undefined;
  #variation = 0;
  #slowedAt = -Infinity;

  #theirNumber = 0;
  #expected = 0;
  readonly #early = new Map<number, Fragment>();
  #parts: Uint8Array[] = [];
  #partBytes = 0;
  #acknowledgeAt = Infinity;

  /** Whether one more message of that length may wait to be acknowledged. */
  hasRoom(bytes: number): boolean {
    if (this.#queuedBytes + bytes > MAX_QUEUED_BYTES) return false;
    return this.#queue.length + this.#sent.size < MAX_QUEUED_FRAGMENTS;
  }

  /** Takes a message to send; the caller hands its bytes over. */
  enqueue(message: Uint8Array): void {
    if (message.length > MAX_MESSAGE_BYTES) throw new RangeError(`a message of ${message.length} bytes`);
    this.#queuedBytes += message.length;
    for (let offset = 0; ; offset += MAX_FRAGMENT_BYTES) {
      const end = offset + MAX_FRAGMENT_BYTES;
      const isLast = end >= message.length;
      this.#queue.push({ sequence: this.#nextSequence, isLast, bytes: message.subarray(offset, end) });
      this.#nextSequence += 1;
      if (isLast) return;
    }
  }

  /** Gives up all that was to be sent: what the other side has not got whole, it never gets. */
  reset(): void {
    this.#number += 1;
    this.#nextSequence = 0;
    this.#queue = [];
    this.#sent.clear();
    this.#queuedBytes = 0;
    this.#window = FIRST_WINDOW;
  }

  /** The next packet that is to be sent now; undefined when there is none. */
  poll(now: number): StreamPacket | undefined {
    const fragment = this.#nextFragment(now);
    if (fragment === undefined && now < this.#acknowledgeAt) return undefined;
    return this.#packet(fragment);
  }

  /** A packet that says what has come, for whoever has nothing else to say. */
  heartbeat(): StreamPacket {
    return this.#packet(undefined);
  }

  /** The time at which {@link poll} has to be asked again; `Infinity` when nothing waits. */
  nextTime(): number {
    let time = this.#acknowledgeAt;
    for (const sent of this.#sent.values()) time = Math.min(time, this.#dueAt(sent));
    return time;
  }

  /**
   * Takes a packet of the other side.
   *
   * @returns the messages that are whole now, in order; undefined for a packet that no node sends
   */
  receive(packet: StreamPacket, now: number): Uint8Array[] | undefined {
    this.#takeAcknowledgement(packet, now);
    if (packet.stream < this.#theirNumber) return [];
    if (packet.stream > this.#theirNumber) this.#beginTheirs(packet.stream);
    const { fragment } = packet;
    if (fragment === undefined) return [];
    if (fragment.bytes.length > MAX_FRAGMENT_BYTES) return undefined;
    const { sequence } = fragment;
    if (sequence >= this.#expected + MAX_WINDOW) return [];
    if (sequence < this.#expected || this.#early.has(sequence)) {
      this.#acknowledgeAt = now;
      return [];
    }
    this.#acknowledgeAt = Math.min(
      this.#acknowledgeAt,
      sequence === this.#expected ? now + ACKNOWLEDGE_MS : now,
    );
    this.#early.set(sequence, { ...fragment, bytes: Uint8Array.from(fragment.bytes) });
    return this.#assemble();
  }

  #assemble(): Uint8Array[] | undefined {
    const messages: Uint8Array[] = [];
    for (;;) {
      const next = this.#early.get(this.#expected);
      if (next === undefined) return messages;
      this.#early.delete(this.#expected);
      this.#expected += 1;
      this.#parts.push(next.bytes);
      this.#partBytes += next.bytes.length;
      // A fragment that is neither full nor the last would let a message have as many as it likes.
      if (this.#partBytes > MAX_MESSAGE_BYTES) return undefined;
      if (!next.isLast && next.bytes.length !== MAX_FRAGMENT_BYTES) return undefined;
      if (!next.isLast) continue;
      messages.push(this.#parts.length === 1 ? next.bytes : Buffer.concat(this.#parts));
      this.#parts = [];
      this.#partBytes = 0;
    }
  }

  #beginTheirs(number: number): void {
    this.#theirNumber = number;
    this.#expected = 0;
    this.#early.clear();
    this.#parts = [];
    this.#partBytes = 0;
  }

  #takeAcknowledgement({ acknowledgedStream, acknowledged, bitmap }: StreamPacket, now: number): void {
    if (acknowledgedStream !== this.#number || acknowledged > this.#nextSequence) return;
    let highest = acknowledged - 1;
    for (const sequence of this.#sent.keys()) {
      const bit = sequence - acknowledged - 1;
      const isSelected = bit >= 0 && bit < 32 && ((bitmap >>> bit) & 1) === 1;
      if (sequence >= acknowledged && !isSelected) continue;
      if (isSelected) highest = Math.max(highest, sequence);
      this.#settle(sequence, now);
    }
    for (const sent of this.#sent.values()) {
      const isOvertaken = sent.sequence + REORDERED <= highest;
      if (isOvertaken && now - sent.sentAt >= (this.#smoothed ?? FIRST_TIMEOUT_MS)) sent.isLost = true;
    }
  }

  #settle(sequence: number, now: number): void {
    const sent = this.#sent.get(sequence);
    if (sent === undefined) return;
    this.#sent.delete(sequence);
    this.#queuedBytes -= sent.bytes.length;
    this.#window = Math.min(MAX_WINDOW, this.#window + 1 / this.#window);
    // The acknowledgement of a fragment that was sent twice says nothing of the time (Karn's algorithm).
    if (sent.count === 1) this.#measure(now - sent.sentAt);
  }

  #measure(time: number): void {
    if (this.#smoothed === undefined) {
      this.#smoothed = time;
      this.#variation = time / 2;
      return;
    }
    this.#variation = 0.75 * this.#variation + 0.25 * Math.abs(this.#smoothed - time);
    this.#smoothed = 0.875 * this.#smoothed + 0.125 * time;
  }

  get #timeout(): number {
    if (this.#smoothed === undefined) return FIRST_TIMEOUT_MS;
    const wanted = this.#smoothed + ACKNOWLEDGE_MS + 4 * this.#variation;
    return Math.min(MAX_TIMEOUT_MS, Math.max(MIN_TIMEOUT_MS, wanted));
  }

  #dueAt({ isLost, sentAt, count }: Sent): number {
    if (isLost) return sentAt;
    return sentAt + Math.min(MAX_TIMEOUT_MS, this.#timeout * 2 ** (count - 1));
  }

  #nextFragment(now: number): Fragment | undefined {
    for (const sent of this.#sent.values()) {
      if (now < this.#dueAt(sent)) continue;
      this.#slowDown(now);
      sent.isLost = false;
      sent.sentAt = now;
      sent.count += 1;
      return sent;
    }
    const [next] = this.#queue;
    if (next === undefined || this.#sent.size >= Math.floor(this.#window)) return undefined;
    const [oldest] = this.#sent.keys();
    if (oldest !== undefined && next.sequence >= oldest + MAX_WINDOW) return undefined;
    this.#queue.shift();
    this.#sent.set(next.sequence, { ...next, sentAt: now, count: 1, isLost: false });
    return next;
  }

  #slowDown(now: number): void {
    if (now - this.#slowedAt < this.#timeout) return;
    this.#slowedAt = now;
    this.#window = Math.max(MIN_WINDOW, this.#window / 2);
  }

  #packet(fragment: Fragment | undefined): StreamPacket {
    this.#acknowledgeAt = Infinity;
    let bitmap = 0;
    for (const sequence of this.#early.keys()) {
      const bit = sequence - this.#expected - 1;
      if (bit >= 0 && bit < 32) bitmap |= 1 << bit;
    }
    return {
      kind: 'stream',
      stream: this.#number,
      acknowledgedStream: this.#theirNumber,
      acknowledged: this.#expected,
      bitmap: bitmap >>> 0,
      fragment,
    };
  }
}
