import { frontierRoot } from '../../../audit/log/index.ts';
import type { Configuration } from '../../../shared/documents/configuration.ts';
import type { LogState } from '../../store/index.ts';

/**
 * Tells whether the configuration lets a node start without its peers' cosignatures, from the tree that its store has. The
 * authorities name that one tree: an older store has another, and whatever the node appends makes another as well.
 *
 * @param log of the store as it was opened, before the boot leaf
 * @param now milliseconds since 1970
 */
export function isPeerlessRestart(
  { quorum }: Pick<Configuration, 'quorum'>,
  { size, frontier }: LogState,
  now: number,
): boolean {
  const restart = quorum?.witnesses?.restart;
  if (restart === undefined || restart.size !== size || now >= Date.parse(restart.notAfter)) return false;
  return Buffer.from(frontierRoot({ size, hashes: frontier })).toString('hex') === restart.root;
}
