import { createVerifierKey, formatVerifierKey } from '../audit/log/index.ts';
import type { NodeBinding } from '../shared/api/bodies.ts';

/** Formats the key by which a node cosigns other nodes' logs, for `quorum.peers[].witness`; undefined before there was one. */
export function formatWitnessKey({
  log,
  witnessKey,
}: Pick<NodeBinding, 'log' | 'witnessKey'>): string | undefined {
  if (witnessKey === undefined) return undefined;
  const name = log.origin.replace(/\/log$/, '/witness');
  return formatVerifierKey(createVerifierKey(name, 'cosignature-ed25519', Buffer.from(witnessKey, 'hex')));
}
