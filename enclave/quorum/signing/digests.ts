import { createHash, hash } from 'node:crypto';
import type { Signing } from '../../../policy/transactions/index.ts';
import type { TransactionJson } from '../../../policy/transactions/json.ts';
import { encodeCanonicalJson } from '../../../shared/json/index.ts';
import type { SignerCommitments } from './messages.ts';

/** What a node has read of a request, and with what it would sign. */
export interface SubjectOfSigning {
  /** SHA-256 of the canonical request. */
  readonly request: Uint8Array;
  /** The transaction as the node reads it; null for what nobody can read. */
  readonly transaction: TransactionJson | null;
  readonly signings: readonly Signing[];
  readonly key: string;
  /** Digest of the group of the epoch, in hex. */
  readonly group: string;
  readonly epoch: number;
  /** Public key of the child that signs; absent where the key itself does. */
  readonly child?: Uint8Array | undefined;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/**
 * Computes the decision digest, which nodes compare before any of them signs: SHA-256 of the canonical JSON (RFC 8785) of
 * what the request says, as this node reads it, of every byte string that is signed, of the key's group and epoch, and of the child that signs.
 */
export function digestDecision(subject: SubjectOfSigning): Uint8Array {
  const { request, transaction, signings, key, group, epoch, child } = subject;
  const text = encodeCanonicalJson({
    format: 'holdfast-quorum-decision/1',
    request: hex(request),
    transaction,
    signings: signings.map(({ index, input }) => ({
      index: index ?? null,
      kind: input.kind,
      bytes: hex(input.kind === 'message' ? input.message : input.digest),
      merkleRoot: input.kind === 'taproot-sighash' ? hex(input.merkleRoot) : null,
    })),
    key,
    group,
    epoch,
    ...(child && { child: hex(child) }),
  });
  return new Uint8Array(hash('sha256', text, 'buffer'));
}

const PACKAGE_LABEL = Buffer.from('holdfast-quorum-package/1\0');

/**
 * Computes the digest of a package: of the decision and of the list of commitments that a share is made for. Signers
 * answer with it, and record it, so that a coordinator that shows different lists to different nodes is seen.
 */
export function digestPackage(decision: Uint8Array, list: readonly SignerCommitments[]): Uint8Array {
  const digest = createHash('sha256').update(PACKAGE_LABEL).update(decision);
  for (const { participant, commitments } of list) {
    const head = Buffer.alloc(5);
    head.writeUInt8(participant);
    head.writeUInt32BE(commitments.length, 1);
    digest.update(head).update(commitments);
  }
  return new Uint8Array(digest.digest());
}
