import type { CommitmentPool, CommitRefusal } from './commitment-pool.ts';
import type { EpochCertificates } from './job.ts';
import type { QuorumShare } from './quorum-share.ts';
import type { RunRecord } from './run-record.ts';

interface SecondTryParts {
  readonly pool: CommitmentPool;
  readonly certificates: EpochCertificates;
  readonly record: RunRecord;
}

/** Tells whether a node that could not sign may with other nonces, or once both have the same epoch. */
export async function mayTryAgain(
  { pool, certificates, record }: SecondTryParts,
  { code, epoch, certificate }: CommitRefusal,
  { node, key, share }: { readonly node: number; readonly key: string; readonly share: QuorumShare },
): Promise<boolean> {
  if (code === 'QUORUM_NONCES_UNKNOWN') {
    pool.dropKey(node, key);
    return record.noteForgetful(node);
  }
  if (code !== 'QUORUM_EPOCH_MISMATCH' || epoch === null) return false;
  if (epoch < share.epoch) return record.noteBehind(node) && (await certificates.certificate(key)) !== null;
  return certificate !== null && (await certificates.accept(key, certificate));
}
