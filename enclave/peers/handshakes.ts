import {
  type NoiseKeyPair,
  NoiseError,
  NoiseHandshake,
  type NoiseSession,
} from '../../shared/noise/index.ts';
import { encodeCbor } from '../../shared/cbor/index.ts';
import { encodeHandshake } from './datagram.ts';
import { FIRST_RESEND_MS, HANDSHAKE_MS, MAX_RESEND_MS, MAX_TRIES } from './limits.ts';
import type { ShownDocument, VerifiedPeer } from './verify-peer.ts';

const PROLOGUE_FORMAT = 'holdfast-peer/1';
/** Length of the first message, which has no payload, in bytes. */
const FIRST_MESSAGE_BYTES = 32;

/** What both roles of a handshake need. */
export interface HandshakeParts {
  /** Number of the node that begins, and of the one that answers. */
  readonly initiator: number;
  readonly responder: number;
  readonly staticKey: NoiseKeyPair;
  /** Attests to a nonce, with the static key and the binding; undefined where the turn was taken by a later handshake. */
  readonly attest: (nonce: Uint8Array) => Promise<Uint8Array | undefined>;
  /** @throws PeerRefusal */
  readonly verify: (shown: ShownDocument) => VerifiedPeer;
}

/** A handshake after which both sides have proved who they are. */
export interface Agreed extends VerifiedPeer {
  readonly id: string;
  readonly keys: NoiseSession;
  /** The static key of the other side's boot, in hex. */
  readonly boot: string;
}

/** The bytes that both sides must agree on before the first message: who begins, and who answers. */
function encodePrologue({ initiator, responder }: HandshakeParts): Uint8Array {
  return encodeCbor([PROLOGUE_FORMAT, initiator, responder]);
}

/** The side of a node of a lower number: it begins, and sends its last message until something is answered. */
export class InitiatorHandshake {
  readonly id: string;
  readonly endsAt: number;
  readonly #noise: NoiseHandshake;
  readonly #parts: HandshakeParts;
  #datagram: Uint8Array;
  #resendAt: number;
  #resendAfter = FIRST_RESEND_MS;
  #tries = 0;
  #isWaiting = true;

  constructor(parts: HandshakeParts, id: string, now: number) {
    this.id = id;
    this.endsAt = now + HANDSHAKE_MS;
    this.#parts = parts;
    this.#noise = new NoiseHandshake({
      role: 'initiator',
      prologue: encodePrologue(parts),
      staticKey: parts.staticKey,
    });
    this.#noise.writeKeys();
    this.#datagram = encodeHandshake('first', id, this.#noise.writePayload(new Uint8Array()));
    this.#resendAt = now;
  }

  /** The time at which something is to be sent, or the handshake ends. */
  get nextTime(): number {
    return Math.min(this.#resendAt, this.endsAt);
  }

  /** The datagram that is to be sent now. */
  poll(now: number): Uint8Array | undefined {
    if (now < this.#resendAt) return undefined;
    this.#resendAt = now + this.#resendAfter;
    this.#resendAfter = Math.min(2 * this.#resendAfter, MAX_RESEND_MS);
    return this.#datagram;
  }

  /**
   * Takes the second message, and has the third one sent.
   *
   * @returns undefined where the message is not the responder's: anybody may have sent it
   * @throws PeerRefusal where the document proves no peer
   */
  async takeSecond(message: Uint8Array, now: number): Promise<Agreed | undefined> {
    if (!this.#isWaiting || this.#tries >= MAX_TRIES) return undefined;
    this.#tries += 1;
    const read = readMessage(this.#noise, message);
    if (read === undefined) return undefined;
    this.#isWaiting = false;
    this.#resendAt = Infinity;
    const verified = this.#parts.verify(read);
    const document = await this.#parts.attest(this.#noise.writeKeys());
    if (document === undefined) return undefined;
    this.#datagram = encodeHandshake('third', this.id, this.#noise.writePayload(document));
    this.#resendAt = now;
    this.#resendAfter = FIRST_RESEND_MS;
    return { ...verified, id: this.id, keys: this.#noise.split(), boot: bootOf(read.publicKey, verified) };
  }
}

/** The side of a node of a higher number: it answers. */
export class ResponderHandshake {
  readonly id: string;
  readonly endsAt: number;
  readonly #first: Uint8Array;
  readonly #noise: NoiseHandshake;
  readonly #parts: HandshakeParts;
  #datagram: Uint8Array | undefined;
  #tries = 0;

  constructor(parts: HandshakeParts, id: string, first: Uint8Array, now: number) {
    this.id = id;
    this.endsAt = now + HANDSHAKE_MS;
    this.#first = Uint8Array.from(first);
    this.#parts = parts;
    this.#noise = new NoiseHandshake({
      role: 'responder',
      prologue: encodePrologue(parts),
      staticKey: parts.staticKey,
    });
  }

  /** Whether a message has the one length of a first message. */
  static isFirst(message: Uint8Array): boolean {
    return message.length === FIRST_MESSAGE_BYTES;
  }

  /** The second message, for a first one that came once more; undefined for another first one. */
  again(first: Uint8Array): Uint8Array | undefined {
    return Buffer.compare(first, this.#first) === 0 ? this.#datagram : undefined;
  }

  /**
   * Makes the second message.
   *
   * @returns undefined where the first one is no good, or a later handshake of the node has taken the turn
   */
  async answer(): Promise<Uint8Array | undefined> {
    let nonce: Uint8Array;
    try {
      this.#noise.read(this.#first);
      nonce = this.#noise.writeKeys();
    } catch (error) {
      if (error instanceof NoiseError) return undefined;
      throw error;
    }
    const document = await this.#parts.attest(nonce);
    if (document === undefined) return undefined;
    this.#datagram = encodeHandshake('second', this.id, this.#noise.writePayload(document));
    return this.#datagram;
  }

  /**
   * Takes the third message.
   *
   * @returns undefined where the message is not the initiator's; otherwise the keys, and what the document proves
   */
  takeThird(message: Uint8Array): { keys: NoiseSession; agree: () => Agreed } | undefined {
    if (this.#datagram === undefined || this.#tries >= MAX_TRIES) return undefined;
    this.#tries += 1;
    const read = readMessage(this.#noise, message);
    if (read === undefined) return undefined;
    const keys = this.#noise.split();
    const agree = () => {
      const verified = this.#parts.verify(read);
      return { ...verified, id: this.id, keys, boot: bootOf(read.publicKey, verified) };
    };
    return { keys, agree };
  }
}

/** Names a boot: another boot of the same node has another static key, and another session. */
function bootOf(publicKey: Uint8Array, { identity }: VerifiedPeer): string {
  return `${identity.session}/${Buffer.from(publicKey).toString('hex')}`;
}

function readMessage(noise: NoiseHandshake, message: Uint8Array): ShownDocument | undefined {
  try {
    const { payload, hash } = noise.read(message);
    const publicKey = noise.remoteStatic;
    return publicKey && { document: payload, nonce: hash, publicKey };
  } catch (error) {
    if (error instanceof NoiseError) return undefined;
    throw error;
  }
}
