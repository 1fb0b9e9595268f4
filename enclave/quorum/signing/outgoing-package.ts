import { errorCode } from '../../../shared/errors.ts';
import {
  clearNonces,
  type NonceCommitments,
  type Nonces,
  type PreparedShare,
} from '../../../shared/frost/index.ts';
import type { CommitmentPool } from './commitment-pool.ts';
import { digestDecision, digestPackage } from './digests.ts';
import type { FindShare, SigningJob } from './job.ts';
import type { SignerCommitments } from './messages.ts';
import { joinCommitments } from './package.ts';
import type { QuorumShare } from './quorum-share.ts';
import type { RunRecord } from './run-record.ts';

/** One package: who signs with which commitments. */
export interface OutgoingPackage {
  readonly share: QuorumShare;
  readonly decision: Uint8Array;
  readonly list: readonly SignerCommitments[];
  readonly digest: Uint8Array;
  /** Commitments of all signers, by signature. */
  readonly bySigning: readonly (readonly NonceCommitments[])[];
  readonly own: readonly Nonces[];
  readonly handles: ReadonlyMap<number, readonly number[]>;
}

interface PackageParts {
  readonly findShare: FindShare;
  readonly pool: CommitmentPool;
  readonly record: RunRecord;
}

/** Collects commitments of the nodes and makes this node's own; undefined where a node has none, which is noted. */
export async function collectPackage(
  { findShare, pool, record }: PackageParts,
  job: SigningJob,
  nodes: readonly number[],
): Promise<OutgoingPackage | undefined> {
  const { key, path, signings, digest: request, transaction } = job;
  const whole = findShare(key);
  const share = path === undefined ? whole : whole.child(path);
  const subject = { key, epoch: share.epoch, digest: share.digest, elementBytes: share.elementBytes };
  const taken = await Promise.all(
    nodes.map(async (node) => {
      try {
        const commitments = await pool.take(node, subject, signings.length);
        if (commitments === undefined) record.exclude(node, 'QUORUM_NONCES_UNKNOWN');
        return [node, commitments] as const;
      } catch (error) {
        record.exclude(node, errorCode(error));
        return [node, undefined] as const;
      }
    }),
  );
  const handles = new Map<number, readonly number[]>();
  const bySigner = new Map<number, readonly NonceCommitments[]>();
  for (const [node, commitments] of taken) {
    if (commitments === undefined) return undefined;
    handles.set(
      node,
      commitments.map(({ handle }) => handle),
    );
    bySigner.set(node, commitments);
  }
  const own = signings.map(() => share.commit());
  bySigner.set(
    share.participant,
    own.map(({ commitments }) => commitments),
  );
  const signers = [...bySigner.keys()].toSorted((one, other) => one - other);
  const list = signers.map((participant) => ({
    participant,
    commitments: joinCommitments(bySigner.get(participant) ?? []),
  }));
  const { digest: group, epoch } = share;
  const child = path && share.publicKey;
  const decision = digestDecision({ request, transaction, signings, key, group, epoch, child });
  const bySigning = signings.map((_, index) =>
    signers.flatMap((signer) => bySigner.get(signer)?.[index] ?? []),
  );
  return { share, decision, list, digest: digestPackage(decision, list), bySigning, own, handles };
}

/** Makes this node's shares; its nonces are zero afterwards. */
export function signOwn(
  { signings }: SigningJob,
  { share, bySigning, own }: OutgoingPackage,
): PreparedShare[] {
  try {
    return signings.map(({ input }, index) => {
      const [nonces, list] = [own[index], bySigning[index]];
      if (nonces === undefined || list === undefined)
        throw new RangeError('expected nonces of each signature');
      return share.sign(input, nonces, list);
    });
  } finally {
    for (const nonces of own) clearNonces(nonces);
  }
}
