import type { DecisionPredicate, Receipt } from '../../../audit/receipt/index.ts';
import type { Signing } from '../../../policy/transactions/index.ts';
import type { TransactionJson } from '../../../policy/transactions/json.ts';
import type { KeySignature } from '../../signer/index.ts';
import type { ForwardedRequest } from '../../signing/forwarded-request.ts';
import type { ForwardedConsent } from './messages.ts';
import type { QuorumShare } from './quorum-share.ts';

/** What an entry of the log says about the quorum that a decision was made in. */
export type QuorumRecord = NonNullable<DecisionPredicate['quorum']>;

/** A request that this node has permitted, and that the nodes are to sign together. */
export interface SigningJob {
  readonly key: string;
  /** Indices of BIP-32 from the key to the child that signs; absent where the key itself does. */
  readonly path?: readonly number[] | undefined;
  /** The client's request as it came, for the other nodes to verify. */
  readonly request: ForwardedRequest;
  readonly consent: ForwardedConsent | null;
  /** SHA-256 of the canonical request. */
  readonly digest: Uint8Array;
  readonly transaction: TransactionJson | null;
  readonly signings: readonly Signing[];
}

/** Signatures of the quorum's key, one for each signing, and what the log has to say of them. */
export interface JointSignatures {
  readonly signatures: readonly KeySignature[];
  readonly quorum: QuorumRecord;
  /** Receipts of the other nodes that took part. */
  readonly receipts: readonly Receipt[];
}

/** Finds the share of a key that is in force. @throws KeyringError SHARE_MISSING */
export type FindShare = (key: string) => QuorumShare;

/**
 * Certificates of epochs: they travel with signatures, so that a node that was away when a ceremony ended puts its new
 * share into force.
 */
export interface EpochCertificates {
  /** The certificate of the epoch that this node signs with; null where there is none. */
  certificate(key: string): Uint8Array | null;
  /** Puts a newer epoch into force where the certificate proves it and this node holds its share; tells whether it has. */
  accept(key: string, certificate: Uint8Array): Promise<boolean>;
}

export const NO_CERTIFICATES: EpochCertificates = {
  certificate: () => null,
  accept: () => Promise.resolve(false),
};

/** Milliseconds of a monotonic clock, and calls after some of them; both are handed in. */
export interface Timer {
  now(): number;
  /** Calls `act` after so many milliseconds, unless the returned function is called before. */
  after(milliseconds: number, act: () => void): () => void;
}

export const REAL_TIMER: Timer = {
  now: () => performance.now(),
  after: (milliseconds, act) => {
    const timeout = setTimeout(act, milliseconds);
    timeout.unref();
    return () => clearTimeout(timeout);
  },
};
