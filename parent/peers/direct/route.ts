import type { EndReason } from '../carrier.ts';
import { DatagramQueue } from '../datagram-queue.ts';
import type { PeerCounters } from '../peer-counters.ts';
import type { Link } from './link.ts';
import { MAX_ACCEPTED_PER_NODE } from './limits.ts';

/**
 * Way to one node: its queue and its connections. Datagrams go out by the connection that this parent has dialled
 * itself, at an address of its own configuration: whoever else connects and says that it is the node takes nothing away
 * from it. Without one they go by the newest that was accepted.
 */
export class Route {
  readonly node: number;
  readonly #counters: PeerCounters;
  readonly #queue: DatagramQueue;
  #dialled: Link | undefined;
  readonly #accepted = new Set<Link>();
  #isSending = false;

  constructor(node: number, counters: PeerCounters) {
    this.node = node;
    this.#counters = counters;
    this.#queue = new DatagramQueue((reason, count) => counters.dropped(node, 'sent', reason, count));
  }

  get isConnected(): boolean {
    return this.#dialled !== undefined || this.#accepted.size > 0;
  }

  send(bytes: Uint8Array): void {
    this.#queue.push(bytes);
    void this.#sendAll();
  }

  dialled(link: Link): void {
    this.#dialled = link;
    void this.#sendAll();
  }

  /** Takes a connection of the other parent; ends the one that was silent longest where there are too many. */
  accepted(link: Link): void {
    if (this.#accepted.size >= MAX_ACCEPTED_PER_NODE) {
      const [oldest] = [...this.#accepted].sort((a, b) => a.heardAt - b.heardAt);
      oldest?.end('REPLACED');
    }
    this.#accepted.add(link);
    void this.#sendAll();
  }

  ended(link: Link): void {
    if (this.#dialled === link) this.#dialled = undefined;
    this.#accepted.delete(link);
    void this.#sendAll();
  }

  end(reason: EndReason): void {
    this.#dialled?.end(reason);
    for (const link of this.#accepted) link.end(reason);
  }

  async #sendAll(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    for (let link = this.#best(); link !== undefined; link = this.#best()) {
      const bytes = this.#queue.shift();
      if (bytes === undefined) break;
      if (await link.send(bytes)) this.#counters.carried(this.node, 'sent', bytes.length);
      else this.ended(link);
    }
    this.#isSending = false;
  }

  #best(): Link | undefined {
    return this.#dialled ?? [...this.#accepted].at(-1);
  }
}
