import { IncomingMessage, type ServerResponse } from 'node:http';

/** Bytes of bodies that may lie in memory at once, over all connections of a server. */
export class BodyBudget {
  #free: number;

  constructor(bytes: number) {
    this.#free = bytes;
  }

  /** Takes bytes from the budget; false when fewer are left. */
  take(bytes: number): boolean {
    if (bytes > this.#free) return false;
    this.#free -= bytes;
    return true;
  }

  give(bytes: number): void {
    this.#free += bytes;
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
   * earlier pieces are dropped. The bytes are taken from the budget until the response is closed; undefined without
   * room for them. Never settles when the connection ends before the body.
   */
  readBody(response: ServerResponse, budget: BodyBudget): Promise<Buffer> | undefined {
    const length = this.contentLength;
    if (!budget.take(length)) return undefined;
    response.once('close', () => {
      budget.give(length);
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
