import { IncomingMessage, type ServerResponse } from 'node:http';

/** Bytes of bodies that may lie in memory at once, over all connections of a server. */
export class BodyBudget {
  #free: number;
  readonly #maxPerSender: number;
  readonly #taken = new Map<string, number>();

  /** @param maxPerSender of one sender; all when left out */
  constructor(bytes: number, maxPerSender = bytes) {
    this.#free = bytes;
    this.#maxPerSender = maxPerSender;
  }

  /** Takes bytes from the budget; false when fewer are left, or fewer for that sender. */
  take(bytes: number, sender: string): boolean {
    const taken = (this.#taken.get(sender) ?? 0) + bytes;
    if (bytes > this.#free || taken > this.#maxPerSender) return false;
    this.#free -= bytes;
    this.#taken.set(sender, taken);
    return true;
  }

  give(bytes: number, sender: string): void {
    this.#free += bytes;
    const left = (this.#taken.get(sender) ?? 0) - bytes;
    if (left > 0) this.#taken.set(sender, left);
    else this.#taken.delete(sender);
  }
}

/**
 * A request whose body is copied, as it arrives, into one buffer of the announced length, or dropped when nobody has
 * asked for it. Node's own keeps every piece as an object: a body that comes byte by byte takes seventy times its size.
 */
export class WholeRequest extends IncomingMessage {
  /** True where nothing after the head of this request is read from the connection. */
  isLast = false;
  /** Writes `100 Continue` where the client waits for it (RFC 9110, 10.1.1). */
  writeContinue: (() => void) | undefined;
  #body: Buffer | undefined;
  #received = 0;
  #onWhole: ((body: Buffer) => void) | undefined;

  /** Content-Length in bytes, 0 without one: a request without Transfer-Encoding has no body then (RFC 9112, 6.3). */
  get contentLength(): number {
    return Number(this.headers['content-length'] ?? 0);
  }

  /** True for a request whose body has a Transfer-Encoding instead of a length. */
  get hasTransferEncoding(): boolean {
    return this.headers['transfer-encoding'] !== undefined;
  }

  /**
   * Reads the whole body. Must be called in the turn of the event loop in which the request is handed over, because
   * earlier pieces are dropped. The bytes are taken from the sender's part of the budget until the response is closed;
   * undefined without room for them. Never settles when the connection ends before the body.
   */
  readBody(response: ServerResponse, budget: BodyBudget, sender = ''): Promise<Buffer> | undefined {
    const length = this.contentLength;
    if (!budget.take(length, sender)) return undefined;
    response.once('close', () => {
      budget.give(length, sender);
      this.#body = undefined;
    });
    this.writeContinue?.();
    const body = Buffer.allocUnsafeSlow(length);
    this.#body = body;
    return new Promise((resolve) => {
      this.#onWhole = resolve;
    });
  }

  /** Called by Node's parser with each piece of the body, and with null at its end. */
  override push(piece: Buffer | null): boolean {
    if (piece !== null) {
      if (this.#body !== undefined) this.#received += piece.copy(this.#body, this.#received);
      return true;
    }
    if (this.#body?.length === this.#received) this.#onWhole?.(this.#body);
    this.#onWhole = undefined;
    return super.push(null);
  }
}
