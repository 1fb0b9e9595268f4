import type { Receipt } from '../../../audit/receipt/index.ts';
import { errorCode, HoldfastError } from '../../../shared/errors.ts';
import { type PreparedShare, type SignatureShare, ThresholdError } from '../../../shared/frost/index.ts';
import { parseJson } from '../../../shared/json/index.ts';
import type { KeySignature } from '../../signer/index.ts';
import type { CommitmentPool } from './commitment-pool.ts';
import { QuorumSigningError } from './errors.ts';
import type { EpochCertificates, FindShare, JointSignatures, SigningJob, Timer } from './job.ts';
import type { SignAnswer } from './messages.ts';
import { collectPackage, type OutgoingPackage, signOwn } from './outgoing-package.ts';
import type { PeerCaller } from './peer-caller.ts';
import type { PeerHealth } from './peer-health.ts';
import type { RunRecord } from './run-record.ts';
import { mayTryAgain } from './second-try.ts';

/** Milliseconds that receipts of the other nodes are waited for once a node has denied. */
const DENIAL_GRACE_MS = 200;
const MAX_RECEIPT_DEPTH = 8;
const SCALAR_BYTES = 32;

export interface AttemptParts {
  readonly pool: CommitmentPool;
  readonly caller: PeerCaller;
  readonly health: PeerHealth;
  readonly findShare: FindShare;
  readonly certificates: EpochCertificates;
  readonly timer: Timer;
  readonly record: RunRecord;
  /** When the time of the whole run is over, by the timer. */
  readonly end: number;
}

/** How an attempt has ended. */
export type Outcome =
  | { readonly kind: 'signed'; readonly signed: JointSignatures }
  | { readonly kind: 'denied' }
  | { readonly kind: 'failed' };

/** Attempts to have one request signed: each by this node and certain others, with nonces of its own. */
export class Attempts {
  readonly #parts: AttemptParts;
  readonly #job: SigningJob;

  constructor(parts: AttemptParts, job: SigningJob) {
    this.#parts = parts;
    this.#job = job;
  }

  /** Signs with certain other nodes; where that fails, the record says why. */
  async sign(nodes: readonly number[]): Promise<Outcome> {
    const made = await collectPackage(this.#parts, this.#job, nodes);
    if (made === undefined) return { kind: 'failed' };
    const outcome = Promise.withResolvers<Outcome>();
    const { promise: own, resolve: setOwn } = Promise.withResolvers<readonly PreparedShare[] | undefined>();
    const shares = new Map<number, readonly SignatureShare[]>();
    let waiting = nodes.length;
    const settle = (node: number, answer: SignAnswer | undefined) => {
      waiting -= 1;
      if (answer?.outcome === 'share') shares.set(node, splitShares(node, answer.shares));
      if (answer?.outcome === 'unable' || answer === undefined) outcome.resolve({ kind: 'failed' });
      if (this.#parts.record.hasDenials) {
        if (waiting === 0) outcome.resolve({ kind: 'denied' });
        else this.#parts.timer.after(DENIAL_GRACE_MS, () => outcome.resolve({ kind: 'denied' }));
      } else if (shares.size === nodes.length) outcome.resolve(this.#finish(made, own, shares));
    };
    for (const node of nodes) {
      this.#call(node, made, own).then(
        (answer) => settle(node, answer),
        (error: unknown) => outcome.reject(error),
      );
    }
    // After the calls were handed to the network: the others are at work meanwhile.
    setOwn(
      new Promise((resolve) => {
        setImmediate(resolve);
      }).then(() => this.#signOwn(made)),
    );
    own.then(
      (signed) => {
        if (signed === undefined) outcome.resolve({ kind: 'failed' });
      },
      (error: unknown) => outcome.reject(error),
    );
    return await outcome.promise;
  }

  /** Makes this node's shares; undefined where others have committed to what is no element: they are excluded. */
  #signOwn(made: OutgoingPackage): readonly PreparedShare[] | undefined {
    try {
      return signOwn(this.#job, made);
    } catch (error) {
      const culprits = error instanceof HoldfastError ? culpritsOf(error.cause) : [];
      if (culprits.length === 0 || culprits.includes(made.share.participant)) throw error;
      for (const node of culprits) this.#parts.record.exclude(node, 'QUORUM_SHARE_INVALID');
      return undefined;
    }
  }

  /** Calls a node; undefined where it cannot take part, which is noted. */
  async #call(
    node: number,
    made: OutgoingPackage,
    own: Promise<readonly PreparedShare[] | undefined>,
  ): Promise<SignAnswer | undefined> {
    const { caller, timer, health, certificates, record } = this.#parts;
    const { key, request, consent } = this.#job;
    const start = timer.now();
    try {
      const entry = {
        request,
        consent,
        epoch: made.share.epoch,
        group: made.share.digest,
        decision: made.decision,
        package: [...made.list],
        nonces: [...(made.handles.get(node) ?? [])],
        certificate: record.isBehind(node) ? await certificates.certificate(key) : null,
      };
      const answer = await caller.sign(node, entry, Math.max(1, this.#parts.end - start));
      health.answered(node, timer.now() - start);
      // Where a commitment is no element the others cannot sign either, and are not to blame.
      if (answer.outcome === 'unable' && (await own) === undefined) return undefined;
      return await this.#take(node, answer, made);
    } catch (error) {
      if (error instanceof QuorumSigningError && error.code === 'QUORUM_REQUEST_TOO_LARGE') throw error;
      record.exclude(node, errorCode(error));
      return undefined;
    }
  }

  /** Notes what a node has answered. */
  async #take(node: number, answer: SignAnswer, made: OutgoingPackage): Promise<SignAnswer | undefined> {
    const { record } = this.#parts;
    if (answer.outcome !== 'unable' || answer.receipt !== null) {
      const receipt = parseReceipt(answer.receipt);
      if (receipt !== undefined) record.keepReceipt(node, receipt);
    }
    if (answer.outcome === 'denied') record.deny(node, answer.code);
    const subject = { node, key: this.#job.key, share: made.share };
    if (answer.outcome === 'unable' && !(await mayTryAgain(this.#parts, answer, subject)))
      record.exclude(node, answer.code);
    const isOther = answer.outcome === 'share' && !Buffer.from(made.digest).equals(answer.package);
    if (!isOther) return answer;
    record.exclude(node, 'QUORUM_PACKAGE_INVALID');
    return undefined;
  }

  async #finish(
    pack: OutgoingPackage,
    own: Promise<readonly PreparedShare[] | undefined>,
    shares: ReadonlyMap<number, readonly SignatureShare[]>,
  ): Promise<Outcome> {
    const made = await own;
    if (made === undefined) return { kind: 'failed' };
    const all = [made, ...shares.values()];
    const signatures: KeySignature[] = [];
    const culprits = new Set<number>();
    for (const [index, { prepared }] of made.entries()) {
      const ofSigning = all.flatMap((each) => each[index] ?? []);
      try {
        signatures.push(pack.share.aggregate(prepared, ofSigning));
      } catch (error) {
        const named = culpritsOf(error);
        if (named.length === 0 || named.includes(pack.share.participant)) throw error;
        for (const node of named) culprits.add(node);
      }
    }
    for (const node of culprits) this.#parts.record.exclude(node, 'QUORUM_SHARE_INVALID');
    if (culprits.size > 0) return { kind: 'failed' };
    return { kind: 'signed', signed: this.#describe(pack, signatures) };
  }

  #describe(
    { share, decision, digest, list }: OutgoingPackage,
    signatures: readonly KeySignature[],
  ): JointSignatures {
    const participants = list.map(({ participant }) => participant);
    return {
      signatures,
      quorum: {
        coordinator: share.participant,
        participants,
        group: share.digest,
        epoch: share.epoch,
        decision: hex(decision),
        package: hex(digest),
        excluded: this.#parts.record.listExcluded(),
      },
      receipts: this.#parts.record.receiptsOf(participants),
    };
  }
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

function splitShares(participant: number, bytes: Uint8Array): SignatureShare[] {
  return Array.from({ length: Math.floor(bytes.length / SCALAR_BYTES) }, (_, index) => ({
    participant,
    signatureShare: bytes.slice(index * SCALAR_BYTES, (index + 1) * SCALAR_BYTES),
  }));
}

/** Parses a receipt as far as it is handed on: whoever gets it verifies it. */
function parseReceipt(bytes: Uint8Array | null): Receipt | undefined {
  if (bytes === null) return undefined;
  const value = parseJson(bytes, { maxBytes: bytes.length, maxDepth: MAX_RECEIPT_DEPTH });
  return value as Receipt;
}

/** Participants whose values are at fault, as the threshold arithmetic names them. */
function culpritsOf(error: unknown): readonly number[] {
  return error instanceof ThresholdError ? error.culprits : [];
}
