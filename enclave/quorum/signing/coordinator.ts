import type { PeerNetwork } from '../../peers/peer-network.ts';
import { CommitmentPool } from './commitment-pool.ts';
import { QuorumSigningError } from './errors.ts';
import {
  type EpochCertificates,
  type FindShare,
  type JointSignatures,
  NO_CERTIFICATES,
  REAL_TIMER,
  type SigningJob,
  type Timer,
} from './job.ts';
import { MAX_SIGNINGS } from './limits.ts';
import { PeerCaller } from './peer-caller.ts';
import { PeerHealth } from './peer-health.ts';
import { SigningRun } from './signing-run.ts';

export interface CoordinatorOptions {
  readonly network: PeerNetwork;
  readonly findShare: FindShare;
  readonly certificates?: EpochCertificates;
  readonly timer?: Timer;
}

/** Signs with the other nodes what this node has permitted. */
export interface Coordinator {
  /**
   * Has a request signed by as many nodes as its key needs, this one among them.
   *
   * @throws QuorumSigningError QUORUM_UNREACHABLE, QUORUM_DENIED, QUORUM_SHARE_INVALID, QUORUM_REQUEST_TOO_LARGE;
   *   KeyringError SHARE_MISSING
   */
  sign(job: SigningJob): Promise<JointSignatures>;
  /** Commitments of other nodes that are at hand for a key. */
  countCommitments(key: string): readonly { readonly node: number; readonly count: number }[];
}

export function createCoordinator(options: CoordinatorOptions): Coordinator {
  const { network, findShare, certificates = NO_CERTIFICATES, timer = REAL_TIMER } = options;
  const pool = new CommitmentPool(network);
  const caller = new PeerCaller(network);
  certificates.onActivated((key, epoch) => pool.dropEpochs(key, epoch));
  const health = new PeerHealth(() => timer.now());
  return {
    sign: async (job) => {
      if (job.signings.length > MAX_SIGNINGS) {
        throw new QuorumSigningError('QUORUM_REQUEST_TOO_LARGE', 'the request needs too many signatures', {
          signings: job.signings.length,
          maximum: MAX_SIGNINGS,
        });
      }
      const parts = { network, pool, caller, health, findShare, certificates, timer };
      return await new SigningRun(parts, job).sign();
    },
    countCommitments: (key) => pool.count(key),
  };
}
