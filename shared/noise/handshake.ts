import { TAG_BYTES } from './cipher-state.ts';
import { NoiseError } from './errors.ts';
import { type SplitKeys, SymmetricState } from './symmetric-state.ts';
import { agreeOnSecret, DH_BYTES, generateNoiseKeyPair, type NoiseKeyPair } from './x25519.ts';

export const NOISE_PROTOCOL = 'Noise_XX_25519_ChaChaPoly_SHA256';
/** Longest Noise message, in bytes (section 3). */
export const MAX_NOISE_MESSAGE_BYTES = 65_535;

type Token = 'e' | 'ee' | 'es' | 's' | 'se';

/** Messages of the pattern XX (section 7.5); the initiator sends the first. */
const MESSAGES: readonly (readonly Token[])[] = [['e'], ['e', 'ee', 's', 'es'], ['s', 'se']];

export type NoiseRole = 'initiator' | 'responder';

export interface NoiseHandshakeOptions {
  readonly role: NoiseRole;
  /** Bytes that both sides must agree on; they are not sent. */
  readonly prologue: Uint8Array;
  readonly staticKey: NoiseKeyPair;
  /** Ephemeral key; a new one when left out. Two handshakes must never have the same. */
  readonly ephemeralKey?: NoiseKeyPair;
}

/** A message that was read. */
export interface NoiseMessage {
  readonly payload: Uint8Array;
  /** Handshake hash that the payload is bound to, 32 bytes: everything of the handshake before the payload. */
  readonly hash: Uint8Array;
}

/** A handshake that has ended. */
export interface NoiseSession extends SplitKeys {
  /** The final handshake hash, 32 bytes. */
  readonly hash: Uint8Array;
}

interface State {
  readonly symmetric: SymmetricState;
  remoteEphemeral: Uint8Array | undefined;
  remoteStatic: Uint8Array | undefined;
}

/**
 * HandshakeState of Noise_XX_25519_ChaChaPoly_SHA256 (Noise Protocol Framework, revision 34, section 5.3). A message is
 * written in two steps, because its payload may have to contain the hash of what comes before the payload. One that does
 * not decrypt leaves the handshake as it was, so that a forged message does not end it.
 */
export class NoiseHandshake {
  readonly #role: NoiseRole;
  readonly #static: NoiseKeyPair;
  readonly #ephemeral: NoiseKeyPair;
  #state: State;
  /** Messages that were written or read. */
  #count = 0;
  /** Keys of the message that is being written. */
  #written: Uint8Array[] | undefined;

  constructor({ role, prologue, staticKey, ephemeralKey }: NoiseHandshakeOptions) {
    this.#role = role;
    this.#static = staticKey;
    this.#ephemeral = ephemeralKey ?? generateNoiseKeyPair();
    const symmetric = new SymmetricState(NOISE_PROTOCOL);
    symmetric.mixHash(prologue);
    this.#state = { symmetric, remoteEphemeral: undefined, remoteStatic: undefined };
  }

  /** The other side's static key, 32 bytes, once it has come; nothing but the payload says whose it is. */
  get remoteStatic(): Uint8Array | undefined {
    return this.#state.remoteStatic;
  }

  /**
   * Writes the keys of the next message.
   *
   * @returns the handshake hash that the payload will be bound to, 32 bytes
   * @throws NoiseError NOISE_KEY_REFUSED
   */
  writeKeys(): Uint8Array {
    const tokens = this.#take('write');
    const parts: Uint8Array[] = [];
    for (const token of tokens) {
      if (token === 'e') {
        parts.push(this.#ephemeral.publicKey);
        this.#state.symmetric.mixHash(this.#ephemeral.publicKey);
      } else if (token === 's') {
        parts.push(this.#state.symmetric.encryptAndHash(this.#static.publicKey));
      } else {
        this.#mixSecret(this.#state, token);
      }
    }
    this.#written = parts;
    return this.#state.symmetric.hash;
  }

  /**
   * Ends the message that {@link writeKeys} has begun, and returns its bytes.
   *
   * @throws RangeError where the message would be too long
   */
  writePayload(payload: Uint8Array): Uint8Array<ArrayBuffer> {
    if (this.#written === undefined) throw new TypeError('expected writeKeys before writePayload');
    const message = Buffer.concat([...this.#written, this.#state.symmetric.encryptAndHash(payload)]);
    if (message.length > MAX_NOISE_MESSAGE_BYTES) throw new RangeError('the payload is too long');
    this.#written = undefined;
    this.#count += 1;
    return new Uint8Array(message);
  }

  /**
   * Reads the next message. After an error the handshake is as it was before.
   *
   * @throws NoiseError NOISE_MESSAGE_LENGTH, NOISE_DECRYPT_FAILED, NOISE_KEY_REFUSED
   */
  read(message: Uint8Array): NoiseMessage {
    const tokens = this.#take('read');
    if (message.length > MAX_NOISE_MESSAGE_BYTES) throw lengthRefused(message.length);
    const state = { ...this.#state, symmetric: this.#state.symmetric.clone() };
    let offset = 0;
    const take = (length: number): Uint8Array => {
      if (message.length - offset < length) throw lengthRefused(message.length);
      offset += length;
      return message.subarray(offset - length, offset);
    };
    for (const token of tokens) {
      if (token === 'e') {
        state.remoteEphemeral = new Uint8Array(take(DH_BYTES));
        state.symmetric.mixHash(state.remoteEphemeral);
      } else if (token === 's') {
        state.remoteStatic = new Uint8Array(state.symmetric.decryptAndHash(take(DH_BYTES + TAG_BYTES)));
      } else {
        this.#mixSecret(state, token);
      }
    }
    const { hash } = state.symmetric;
    const payload = new Uint8Array(state.symmetric.decryptAndHash(message.subarray(offset)));
    this.#state = state;
    this.#count += 1;
    return { payload, hash };
  }

  /** Ends the handshake after its last message. */
  split(): NoiseSession {
    if (this.#count !== MESSAGES.length)
      throw new TypeError('expected a handshake whose messages have all gone');
    const { hash } = this.#state.symmetric;
    this.#count += 1;
    return { ...this.#state.symmetric.split(), hash };
  }

  /** Asserts that it is this side's turn, and returns the tokens of the next message. */
  #take(action: 'read' | 'write'): readonly Token[] {
    const tokens = MESSAGES[this.#count];
    const writer: NoiseRole = this.#count % 2 === 0 ? 'initiator' : 'responder';
    if (
      tokens === undefined ||
      this.#written !== undefined ||
      (action === 'write') !== (writer === this.#role)
    )
      throw new TypeError(`expected no ${action} at message ${this.#count} of the ${this.#role}`);
    return tokens;
  }

  #mixSecret(state: State, token: 'ee' | 'es' | 'se'): void {
    const isInitiator = this.#role === 'initiator';
    // The first letter is the initiator's key, the second the responder's.
    const local = token[isInitiator ? 0 : 1] === 'e' ? this.#ephemeral : this.#static;
    const remote = token[isInitiator ? 1 : 0] === 'e' ? state.remoteEphemeral : state.remoteStatic;
    if (remote === undefined) throw new TypeError(`expected a key of the other side before ${token}`);
    const secret = agreeOnSecret(local, remote);
    state.symmetric.mixKey(secret);
    secret.fill(0);
  }
}

function lengthRefused(length: number): NoiseError {
  return new NoiseError('NOISE_MESSAGE_LENGTH', 'a message of a length that no message has', { length });
}
