import { MAX_PEER_COSIGN_BYTES } from '../../shared/api/witness.ts';
import { addCheckpoint, type NodeWitness } from '../quorum/witness/index.ts';
import { type Route, TextResponse } from './router.ts';

/**
 * Creates the route POST /add-checkpoint (C2SP tlog-witness). Its callers need no signature: a checkpoint that no peer's
 * log has signed is refused, and one that is cosigned already costs no entry.
 */
export function createWitnessRoute(witness: Pick<NodeWitness, 'cosign'>): Route {
  return {
    method: 'POST',
    path: /^\/add-checkpoint$/,
    isSigned: false,
    maxBytes: MAX_PEER_COSIGN_BYTES,
    act: async ({ body }) => {
      const { status, body: text, type } = await addCheckpoint(witness, body);
      return new TextResponse(status, text, type);
    },
  };
}
