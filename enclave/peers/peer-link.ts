import { errorCode } from '../../shared/errors.ts';
import { Calls } from './calls.ts';
import { type Datagram, decodeDatagram, encodeKnock } from './datagram.ts';
import { PeerError, PeerRefusal, type PeerRefusalCode } from './errors.ts';
import { type Agreed, type HandshakeParts, InitiatorHandshake, ResponderHandshake } from './handshakes.ts';
import {
  ANSWER_EVERY_MS,
  FIRST_RETRY_MS,
  HEARTBEAT_MS,
  MAX_PENDING_HANDSHAKES,
  MAX_RETRY_MS,
  MAX_SESSION_MS,
  MIN_ASKED_MS,
  RENEW_MS,
  SESSION_GRACE_MS,
  SILENT_MS,
} from './limits.ts';
import { decodeMessage } from './message.ts';
import { decodePacket, encodeClose, encodeStreamPacket, type StreamPacket } from './packet.ts';
import type { CallOptions, PeerHandler, PeerIdentity, PeerStatus } from './peer-network.ts';
import { SecureSession } from './secure-session.ts';
import { PeerStream } from './stream.ts';
import type { Timers } from './timers.ts';

/** What the link of one peer shares with those of the others. */
export interface PeerLinkOptions {
  readonly self: number;
  readonly node: number;
  readonly parts: Omit<HandshakeParts, 'initiator' | 'responder'>;
  readonly timers: Timers;
  /** The node's clock, milliseconds since 1970. */
  readonly now: () => number;
  /** Makes the name of a handshake, 8 random bytes in hex. */
  readonly makeId: () => string;
  readonly send: (datagram: Uint8Array) => void;
  readonly handlers: ReadonlyMap<string, PeerHandler>;
  readonly onSession: (identity: PeerIdentity) => void;
  readonly onStatus: () => void;
}

/** A session and what was proved when it began. */
interface Session {
  readonly agreed: Agreed;
  readonly secure: SecureSession;
  readonly began: number;
}

/**
 * Everything between this node and one other: handshakes, the session that stands, the stream, calls. The node of the
 * lower number begins handshakes; the other one asks for them by knocking. A stream belongs to a pair of boots: a session
 * that is renewed goes on with it, a node that has restarted has another one.
 */
export class PeerLink {
  readonly #options: PeerLinkOptions;
  readonly #parts: HandshakeParts;
  readonly #calls: Calls;
  readonly #isInitiator: boolean;
  #stream = new PeerStream();
  #streamBoot: string | undefined;
  /** Counts streams, so that an answer finds out whether the one of its call is over. */
  #streamCount = 0;

  #attempt: InitiatorHandshake | undefined;
  readonly #pending = new Map<string, ResponderHandshake>();
  #answerTokens = MAX_PENDING_HANDSHAKES;
  #answerTokensAt: number;
  /** The node, of a higher number, has knocked though a session stands: it may have restarted. */
  #isAsked = false;
  #failures = 0;
  /** The next handshake, or the next knock. */
  #tryAt: number;
  #triedAt = -Infinity;

  #current: Session | undefined;
  #previous: (Session & { readonly until: number }) | undefined;
  /** The initiator's session until the responder has said something in it. */
  #candidate: Session | undefined;
  #receivedAt = 0;
  #sentAt = 0;

  #state: {
    name: PeerStatus['state'];
    code: PeerRefusalCode | null;
    theirCode: string | null;
    since: number;
  };
  #lastSeen: number | null = null;
  #cancelTimer: () => void = () => undefined;
  #isClosed = false;

  constructor(options: PeerLinkOptions) {
    const { self, node, parts, timers } = options;
    this.#options = options;
    this.#isInitiator = self < node;
    this.#parts = { ...parts, initiator: Math.min(self, node), responder: Math.max(self, node) };
    this.#tryAt = timers.now();
    this.#answerTokensAt = this.#tryAt;
    this.#state = { name: 'connecting', code: null, theirCode: null, since: options.now() };
    this.#calls = new Calls({
      node,
      timers,
      handlers: options.handlers,
      send: (message) => {
        this.#stream.enqueue(message);
        this.#advance();
      },
      hasRoom: (bytes) => this.#stream.hasRoom(bytes),
    });
  }

  /** Begins to look for the node. */
  start(): void {
    this.#advance();
  }

  /** What the node has proved, while a session stands and its image is accepted. */
  get identity(): PeerIdentity | undefined {
    this.#endIfExpired();
    return this.#current?.agreed.identity;
  }

  /** Whether the node should have a session before others. */
  get isUrgent(): boolean {
    return this.#current === undefined;
  }

  status(): PeerStatus {
    const identity = this.identity ?? null;
    const { name, code, theirCode, since } = this.#state;
    return {
      node: this.#options.node,
      state: name,
      code,
      theirCode,
      since,
      lastSeen: this.#lastSeen,
      identity,
    };
  }

  /** @throws PeerError PEER_UNREACHABLE, PEER_REFUSED, PEER_OVERLOADED, PEER_CLOSED */
  call(kind: string, body: Uint8Array, options: CallOptions): Promise<Uint8Array> {
    const { node } = this.#options;
    if (this.#isClosed)
      return Promise.reject(new PeerError('PEER_CLOSED', 'this node is stopping', { node }));
    if (this.identity === undefined) {
      const details = { node, code: this.#state.code };
      return Promise.reject(new PeerError('PEER_UNREACHABLE', 'there is no session with the node', details));
    }
    return this.#calls.call(kind, body, options);
  }

  /** Takes a datagram that the parent says is the node's. */
  receive(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    const datagram = decodeDatagram(bytes);
    if (datagram === undefined) return;
    switch (datagram.kind) {
      case 'knock':
        this.#takeKnock();
        break;
      case 'first':
        if (!this.#isInitiator) this.#takeFirst(datagram.id, datagram.message);
        break;
      case 'second':
        if (this.#attempt?.id === datagram.id) void this.#takeSecond(this.#attempt, datagram.message);
        break;
      case 'third':
        this.#takeThird(datagram.id, datagram.message);
        break;
      case 'sealed':
        this.#takeSealed(datagram);
        break;
    }
    this.#advance();
  }

  /** Tells the node, and ends all that waits. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#sealAndSend(encodeClose('PEER_CLOSED'), this.#options.timers.now());
    this.#cancelTimer();
    this.#attempt = undefined;
    this.#pending.clear();
    this.#dropSessions();
    this.#calls.fail('PEER_CLOSED');
  }

  /** Does what is due, and waits for what comes next. */
  #advance(): void {
    if (this.#isClosed) return;
    const now = this.#options.timers.now();
    this.#endIfExpired();
    this.#endIfOver(now);
    if (this.#isInitiator) this.#driveHandshake(now);
    else this.#driveKnock(now);
    this.#flush(now);
    this.#cancelTimer();
    const wait = Math.max(0, Math.min(this.#nextTime(now) - now, HEARTBEAT_MS));
    this.#cancelTimer = this.#options.timers.after(Math.ceil(wait), () => this.#advance());
  }

  #nextTime(now: number): number {
    const times: number[] = [this.#attempt?.nextTime ?? Infinity];
    if (this.#current === undefined) times.push(this.#attempt === undefined ? this.#tryAt : Infinity);
    else {
      times.push(this.#stream.nextTime(), this.#sentAt + HEARTBEAT_MS, this.#receivedAt + SILENT_MS);
      // Images expire by the node's clock, which runs beside the one of the timers.
      times.push(now + Math.max(0, this.#current.agreed.notAfter - this.#options.now()) + 1);
      if (this.#isInitiator && this.#attempt === undefined) {
        times.push(this.#isAsked ? this.#tryAt : Math.max(this.#tryAt, this.#current.began + RENEW_MS));
      }
    }
    return Math.min(...times);
  }

  // Handshakes: the side that begins.

  #driveHandshake(now: number): void {
    if (this.#attempt !== undefined && now >= this.#attempt.endsAt) this.#endAttempt(now);
    if (this.#attempt === undefined && now >= this.#tryAt && this.#wantsHandshake(now)) {
      this.#triedAt = now;
      this.#attempt = new InitiatorHandshake(this.#parts, this.#options.makeId(), now);
    }
    const datagram = this.#attempt?.poll(now);
    if (datagram !== undefined) this.#options.send(datagram);
  }

  #wantsHandshake(now: number): boolean {
    return this.#current === undefined || now >= this.#current.began + RENEW_MS || this.#isAsked;
  }

  #endAttempt(now: number): void {
    this.#attempt = undefined;
    this.#isAsked = false;
    this.#candidate?.secure.destroy();
    this.#candidate = undefined;
    this.#tryAt = now + Math.min(FIRST_RETRY_MS * 2 ** this.#failures, MAX_RETRY_MS);
    this.#failures += 1;
  }

  #takeKnock(): void {
    if (!this.#isInitiator || this.#attempt !== undefined) return;
    const now = this.#options.timers.now();
    if (this.#current !== undefined) {
      this.#isAsked = true;
      this.#tryAt = Math.max(now, this.#triedAt + MIN_ASKED_MS);
      return;
    }
    this.#tryAt = Math.min(this.#tryAt, Math.max(now, this.#triedAt + FIRST_RETRY_MS));
  }

  async #takeSecond(attempt: InitiatorHandshake, message: Uint8Array): Promise<void> {
    const { timers } = this.#options;
    try {
      const agreed = await attempt.takeSecond(message, timers.now());
      if (agreed === undefined) return;
      if (this.#isClosed || this.#attempt !== attempt) {
        for (const key of [agreed.keys.initiator, agreed.keys.responder]) key.destroy();
        return;
      }
      this.#candidate = this.#openSession(agreed);
    } catch (error) {
      if (this.#attempt !== attempt) return;
      this.#endAttempt(timers.now());
      this.#refuse(error);
    }
    this.#advance();
  }

  // Handshakes: the side that answers.

  #driveKnock(now: number): void {
    for (const [id, { endsAt }] of this.#pending) if (now >= endsAt) this.#pending.delete(id);
    if (this.#current !== undefined || now < this.#tryAt) return;
    this.#options.send(encodeKnock());
    this.#tryAt = now + Math.min(2 * FIRST_RETRY_MS * 2 ** this.#failures, MAX_RETRY_MS);
    this.#failures += 1;
  }

  #takeFirst(id: string, message: Uint8Array): void {
    const known = this.#pending.get(id);
    if (known !== undefined) {
      const again = known.again(message);
      if (again !== undefined) this.#options.send(again);
      return;
    }
    const now = this.#options.timers.now();
    if (!ResponderHandshake.isFirst(message) || !this.#takeToken(now)) return;
    const [oldest] = this.#pending.keys();
    if (oldest !== undefined && this.#pending.size >= MAX_PENDING_HANDSHAKES) this.#pending.delete(oldest);
    const handshake = new ResponderHandshake(this.#parts, id, message, now);
    this.#pending.set(id, handshake);
    void this.#answer(handshake);
  }

  /** Whether one more first message may be answered: each costs an attestation, and anybody can send one. */
  #takeToken(now: number): boolean {
    const earned = Math.floor((now - this.#answerTokensAt) / ANSWER_EVERY_MS);
    this.#answerTokensAt += earned * ANSWER_EVERY_MS;
    this.#answerTokens = Math.min(MAX_PENDING_HANDSHAKES, this.#answerTokens + earned);
    if (this.#answerTokens === 0) return false;
    this.#answerTokens -= 1;
    return true;
  }

  async #answer(handshake: ResponderHandshake): Promise<void> {
    // An NSM that fails leaves the handshake without an answer; the next one asks again.
    const datagram = await handshake.answer().catch(() => undefined);
    if (this.#isClosed || this.#pending.get(handshake.id) !== handshake) return;
    if (datagram === undefined) this.#pending.delete(handshake.id);
    else this.#options.send(datagram);
  }

  #takeThird(id: string, message: Uint8Array): void {
    // A third message that comes once more: its sender has not heard that the session stands.
    if (!this.#isInitiator && this.#current?.secure.id === id) this.#sendPacket(this.#stream.heartbeat());
    const taken = this.#pending.get(id)?.takeThird(message);
    if (taken === undefined) return;
    this.#pending.delete(id);
    try {
      const session = this.#openSession(taken.agree());
      this.#promote(session);
    } catch (error) {
      this.#refuse(error);
      const { timers, send } = this.#options;
      const secure = new SecureSession(id, 'responder', taken.keys, timers.now());
      const close = secure.seal(encodeClose(errorCode(error)), timers.now());
      secure.destroy();
      if (close !== undefined) send(close);
    }
  }

  // The session.

  #openSession(agreed: Agreed): Session {
    const now = this.#options.timers.now();
    const role = this.#isInitiator ? 'initiator' : 'responder';
    return { agreed, secure: new SecureSession(agreed.id, role, agreed.keys, now), began: now };
  }

  /** Makes a session the one that stands; the one before takes what is still on its way. */
  #promote(session: Session): void {
    const { timers, now, onSession } = this.#options;
    const time = timers.now();
    const isNew = this.#current === undefined || this.#streamBoot !== session.agreed.boot;
    if (this.#streamBoot !== session.agreed.boot) {
      this.#endStream('PEER_UNREACHABLE');
      this.#dropSessions();
      this.#stream = new PeerStream();
      this.#streamBoot = session.agreed.boot;
    } else if (this.#current !== undefined) {
      this.#previous?.secure.destroy();
      this.#previous = { ...this.#current, until: time + SESSION_GRACE_MS };
    }
    this.#current = session;
    this.#attempt = undefined;
    this.#isAsked = false;
    this.#failures = 0;
    this.#tryAt = time;
    this.#receivedAt = time;
    this.#lastSeen = now();
    this.#sendPacket(this.#stream.heartbeat());
    if (!isNew) return;
    this.#setState('connected', null);
    onSession(session.agreed.identity);
  }

  #takeSealed(datagram: Extract<Datagram, { kind: 'sealed' }>): void {
    const { timers, now } = this.#options;
    const session = [this.#current, this.#previous, this.#candidate].find(
      (each) => each?.secure.id === datagram.id,
    );
    if (session === undefined) {
      // The other side has a session that this one has not: a boot before had it.
      if (!this.#isInitiator && this.#current === undefined)
        this.#tryAt = Math.min(this.#tryAt, timers.now());
      return;
    }
    const plaintext = session.secure.open(datagram, timers.now());
    if (plaintext === undefined) return;
    const packet = decodePacket(plaintext);
    if (session === this.#candidate) {
      this.#candidate = undefined;
      if (packet?.kind === 'close') {
        session.secure.destroy();
        this.#endAttempt(timers.now());
        // A session that stands goes on: what it was begun with has not changed.
        if (this.#current === undefined) this.#setState('refused', 'PEER_REFUSES_THIS_NODE', packet.code);
        return;
      }
      this.#promote(session);
    }
    this.#receivedAt = timers.now();
    this.#lastSeen = now();
    if (packet === undefined) this.#endSession('PEER_MESSAGE_MALFORMED');
    else if (packet.kind === 'stream') this.#takePacket(packet);
    else if (session !== this.#previous) this.#takeClose(packet.code);
  }

  #takeClose(code: string): void {
    if (code === 'PEER_CLOSED') this.#endSession(null);
    else this.#endSession('PEER_REFUSES_THIS_NODE', code);
  }

  #takePacket(packet: StreamPacket): void {
    const messages = this.#stream.receive(packet, this.#options.timers.now());
    if (messages === undefined) {
      this.#endSession('PEER_MESSAGE_MALFORMED');
      return;
    }
    const count = this.#streamCount;
    for (const bytes of messages) {
      const { identity } = this;
      // A handler may end the session, and an image may expire between two messages.
      if (identity === undefined || count !== this.#streamCount) return;
      const message = decodeMessage(bytes);
      if (message === undefined) {
        this.#endSession('PEER_MESSAGE_MALFORMED');
        return;
      }
      this.#calls.receive(message, identity, () => count === this.#streamCount && !this.#isClosed);
    }
  }

  #flush(now: number): void {
    if (this.#current === undefined) return;
    for (let packet = this.#stream.poll(now); packet !== undefined; packet = this.#stream.poll(now)) {
      this.#sendPacket(packet);
    }
    if (now - this.#sentAt >= HEARTBEAT_MS) this.#sendPacket(this.#stream.heartbeat());
  }

  #sendPacket(packet: StreamPacket): void {
    this.#sealAndSend(encodeStreamPacket(packet), this.#options.timers.now());
  }

  #sealAndSend(plaintext: Uint8Array, now: number): void {
    const datagram = this.#current?.secure.seal(plaintext, now);
    this.#sentAt = now;
    if (datagram !== undefined) this.#options.send(datagram);
  }

  #endIfExpired(): void {
    if (this.#current !== undefined && this.#options.now() > this.#current.agreed.notAfter) {
      this.#sealAndSend(encodeClose('PEER_IMAGE_EXPIRED'), this.#options.timers.now());
      this.#endSession('PEER_IMAGE_EXPIRED');
    }
  }

  #endIfOver(now: number): void {
    if (this.#previous !== undefined && now >= this.#previous.until) {
      this.#previous.secure.destroy();
      this.#previous = undefined;
    }
    if (this.#current === undefined) return;
    const isSilent = now - this.#receivedAt >= SILENT_MS;
    if (isSilent || now - this.#current.began >= MAX_SESSION_MS) this.#endSession('PEER_SILENT');
  }

  #endSession(code: PeerRefusalCode | null, theirCode: string | null = null): void {
    this.#dropSessions();
    this.#endStream('PEER_UNREACHABLE');
    this.#setState(code === null || code === 'PEER_SILENT' ? 'connecting' : 'refused', code, theirCode);
  }

  #endStream(code: 'PEER_CLOSED' | 'PEER_UNREACHABLE'): void {
    this.#streamCount += 1;
    this.#stream.reset();
    this.#calls.fail(code);
  }

  #dropSessions(): void {
    for (const session of [this.#current, this.#previous, this.#candidate]) session?.secure.destroy();
    this.#current = undefined;
    this.#previous = undefined;
    this.#candidate = undefined;
  }

  #refuse(error: unknown): void {
    // A failing NSM refuses nobody; while a session stands, a stranger's handshake says nothing of the node.
    if (!(error instanceof PeerRefusal) || this.#current !== undefined) return;
    this.#setState('refused', error.code);
  }

  #setState(name: PeerStatus['state'], code: PeerRefusalCode | null, theirCode: string | null = null): void {
    const { name: before, code: codeBefore } = this.#state;
    if (name === before && code === codeBefore && name !== 'connected') return;
    this.#state = { name, code, theirCode, since: this.#options.now() };
    this.#options.onStatus();
  }
}
