import { hashEmptyTree, LogError, type TreeHead, verifyConsistency } from '../log/index.ts';
import { WitnessError } from './errors.ts';
import type { CosignRequest } from './request.ts';

/**
 * Decides whether a witness cosigns a checkpoint whose log has signed it: only a tree that extends the one which the
 * witness has cosigned last. The caller keeps what is returned, durably and before the cosignature leaves; reading what is
 * known, deciding and keeping must be one step that no other request can come between (C2SP tlog-witness).
 *
 * @param known tree cosigned last for this log; undefined for none, ever
 * @returns tree that is cosigned last from now on
 * @throws WitnessError WITNESS_OLD_SIZE, WITNESS_CONFLICT (detail `size`), WITNESS_INCONSISTENT
 */
export function decideCosign(known: TreeHead | undefined, request: CosignRequest): TreeHead {
  const { oldSize, proof, checkpoint } = request;
  const latest = known ?? { size: 0, root: hashEmptyTree() };
  if (oldSize > checkpoint.size) {
    throw new WitnessError('WITNESS_OLD_SIZE', 'the old size is above the size of the checkpoint', {
      expected: checkpoint.size,
      actual: oldSize,
    });
  }
  if (oldSize !== latest.size) {
    throw new WitnessError('WITNESS_CONFLICT', 'another tree was cosigned last', { size: latest.size });
  }
  try {
    verifyConsistency(latest, checkpoint, proof);
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    throw new WitnessError('WITNESS_INCONSISTENT', error.message, {}, error);
  }
  return { size: checkpoint.size, root: checkpoint.root };
}
