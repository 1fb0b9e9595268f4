import { startParent, type Parent, type ParentOptions } from '../../parent/index.ts';
import { createHostileTransport } from './hostile-transport.ts';
import type { HostileScripts } from './scripts.ts';

/**
 * Starts a real parent whose every message a script may drop, delay, repeat, reorder, swap or forge. Hostile manifest,
 * configuration, secrets, credentials, store and targets are given by the options alone.
 */
export function startHostileParent(options: ParentOptions & HostileScripts): Promise<Parent> {
  return startParent({ ...options, transport: createHostileTransport(options.transport, options) });
}

export { createMemoryStore, type MemoryStore, type StoreSnapshot } from './memory-store.ts';
export type {
  ControlExchange,
  ControlReply,
  EgressExchange,
  EgressReply,
  HostileScripts,
} from './scripts.ts';
