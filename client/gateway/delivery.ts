import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { WholeRequest } from '../../shared/http/index.ts';

/** Watches whether clients have got their responses, as far as TCP shows. */
export class DeliveryWatch {
  /** Ends the watch for a reset after the last response on a connection. */
  readonly #unconfirmed = new WeakMap<Socket, () => void>();

  /** Notes a new request: the client has read the response before it. */
  confirm(socket: Socket): void {
    this.#unconfirmed.get(socket)?.();
  }

  /**
   * Watches one response.
   *
   * @param notify called with true once all is written, or false where the connection had ended or the client had closed
   *   its side before; again with false where the connection is reset before another request comes on it
   */
  watch(response: ServerResponse<WholeRequest>, notify: (isDelivered: boolean) => void): void {
    const { socket } = response.req;
    let isClosedByClient = socket.readableEnded;
    const onEnd = () => {
      isClosedByClient = true;
    };
    socket.once('end', onEnd);
    response.once('close', () => {
      socket.off('end', onEnd);
      const isDelivered = response.writableFinished && !isClosedByClient;
      notify(isDelivered);
      if (!isDelivered || socket.destroyed) return;
      const onClose = (hadError: boolean) => {
        if (hadError) notify(false);
      };
      socket.once('close', onClose);
      this.#unconfirmed.set(socket, () => {
        socket.off('close', onClose);
        this.#unconfirmed.delete(socket);
      });
    });
  }
}
