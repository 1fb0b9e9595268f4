import type { Configuration } from '../../shared/documents/configuration.ts';
import type { PeerNetwork } from '../peers/peer-network.ts';

/** Tells whether a node may serve a key now. */
export type MayServe = (key: string) => boolean;

/**
 * Creates the rule of a node that reaches too few others: with fewer than the threshold, itself counted, it serves only
 * the keys that the configuration names for that case. A node is reached while an authenticated session with it stands.
 *
 * @param network undefined where the node has none: it reaches itself alone
 * @param threshold nodes that must agree, of the manifest
 */
export function createMayServe(
  { quorum }: Pick<Configuration, 'quorum'>,
  network: Pick<PeerNetwork, 'identity' | 'peers'> | undefined,
  threshold: number,
): MayServe {
  if (quorum === undefined) return () => true;
  const servesAlone = new Set(quorum.servesAlone);
  const countReached = () =>
    1 + (network?.peers ?? []).filter((node) => network?.identity(node) !== undefined).length;
  return (key) => servesAlone.has(key) || countReached() >= threshold;
}
