import { createHash } from 'node:crypto';
import type { SignRequest } from '../../shared/api/bodies.ts';
import { ClientError, NodeRefusal } from '../errors.ts';
import type { Signed } from '../responses.ts';

/** The nodes as a door asks them. */
export interface SigningNodes {
  sign(request: SignRequest): Promise<Signed>;
  resume(id: string): Promise<Signed>;
}

/** The most requests whose ids are remembered while they wait for approvals. */
const MAX_WAITING = 1024;

/**
 * Asks nodes for signatures. The protocol knows no waiting: a request that needs approvals is refused, and the same one
 * asked for again gets its signature once they are there.
 */
export class NodeSigner {
  readonly #nodes: SigningNodes;
  /** Ids of requests that wait in a node, by the digest of the request; lost with the door, and asked for anew then. */
  readonly #waiting = new Map<string, string>();

  constructor(nodes: SigningNodes) {
    this.#nodes = nodes;
  }

  /** Signs, or carries out the same request that has waited. @throws ClientError, NodeRefusal */
  async sign(request: SignRequest): Promise<Signed> {
    if (this.#waiting.size === 0) return await this.#ask(request);
    const name = nameRequest(request);
    const id = this.#waiting.get(name);
    if (id === undefined) return await this.#ask(request);
    try {
      return await this.#nodes.resume(id);
    } catch (error) {
      const isGone = error instanceof NodeRefusal && error.code === 'REQUEST_UNKNOWN';
      if (!isGone) throw error;
      this.#waiting.delete(name);
      return await this.#ask(request);
    }
  }

  async #ask(request: SignRequest): Promise<Signed> {
    try {
      return await this.#nodes.sign(request);
    } catch (error) {
      if (!(error instanceof ClientError && error.code === 'APPROVALS_NEEDED')) throw error;
      const [oldest] = this.#waiting.keys();
      if (this.#waiting.size >= MAX_WAITING && oldest !== undefined) this.#waiting.delete(oldest);
      this.#waiting.set(nameRequest(request), String(error.details['id']));
      throw error;
    }
  }
}

/** Names a request by a digest of what it asks, so that no payload is kept. */
function nameRequest({ key, algorithm, payload }: SignRequest): string {
  return createHash('sha256')
    .update(JSON.stringify([key, algorithm, payload]))
    .digest('hex');
}
