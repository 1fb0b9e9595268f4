/** Waits for its turn at the NSM. */
interface Turn {
  readonly node: number;
  readonly isUrgent: () => boolean;
  readonly act: () => Promise<void>;
  readonly giveUp: () => void;
}

/**
 * Has handshakes attest one after the other, however many there are, so that the NSM, which serves one call at a time,
 * is free for others in between. Nodes without a session go first; among them, whoever has waited longest for a turn.
 */
export class AttestTurns {
  #waiting: Turn[] = [];
  #isBusy = false;

  /**
   * Attests when it is the node's turn. A handshake of the same node that still waits is given up.
   *
   * @returns undefined where the turn was taken by a later handshake of the node
   */
  take(
    node: number,
    isUrgent: () => boolean,
    attest: () => Promise<Uint8Array>,
  ): Promise<Uint8Array | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array | undefined>();
    const act = () => attest().then(resolve, reject);
    const place = this.#waiting.findIndex((turn) => turn.node === node);
    const turn = { node, isUrgent, act, giveUp: () => resolve(undefined) };
    if (place === -1) this.#waiting.push(turn);
    else {
      const [former] = this.#waiting.splice(place, 1, turn);
      former?.giveUp();
    }
    void this.#run();
    return promise;
  }

  async #run(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    while (this.#waiting.length > 0) {
      const urgent = this.#waiting.findIndex((turn) => turn.isUrgent());
      const [turn] = this.#waiting.splice(Math.max(urgent, 0), 1);
      await turn?.act();
    }
    this.#isBusy = false;
  }
}
