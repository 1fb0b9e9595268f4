import type { Receipt } from '../../../audit/receipt/index.ts';
import { errorCode, HoldfastError } from '../../../shared/errors.ts';
import { parseJson } from '../../../shared/json/index.ts';
import type { PeerNetwork } from '../../peers/peer-network.ts';
import type { KeySignature } from '../../signer/index.ts';
import type { CommitmentPool } from './commitment-pool.ts';
import { digestDecision, digestPackage } from './digests.ts';
import { QuorumSigningError, type QuorumSigningErrorCode } from './errors.ts';
import type { EpochCertificates, FindShare, JointSignatures, SigningJob, Timer } from './job.ts';
import { MAX_PACKAGES, SIGNING_TIMEOUT_MS } from './limits.ts';
import type { SignAnswer, SignerCommitments } from './messages.ts';
import { joinCommitments } from './package.ts';
import type { PeerCaller } from './peer-caller.ts';
import type { PeerHealth } from './peer-health.ts';
import {
  clearNonces,
  type NonceCommitments,
  type Nonces,
  type SignatureShare,
  ThresholdError,
} from '../../../shared/frost/index.ts';
import type { QuorumShare } from './quorum-share.ts';

/** Milliseconds that receipts of the other nodes are waited for once a node has denied. */
const DENIAL_GRACE_MS = 200;
const MAX_RECEIPT_DEPTH = 8;
const SCALAR_BYTES = 32;

export interface RunParts {
  readonly network: PeerNetwork;
  readonly pool: CommitmentPool;
  readonly caller: PeerCaller;
  readonly health: PeerHealth;
  readonly findShare: FindShare;
  readonly certificates: EpochCertificates;
  readonly timer: Timer;
}

type Outcome =
  | { readonly kind: 'signed'; readonly signed: JointSignatures }
  | { readonly kind: 'denied' }
  | { readonly kind: 'failed' }
  | { readonly kind: 'slow' }
  | { readonly kind: 'overdue' };

/** One package: who signs with which commitments. */
interface Package {
  readonly share: QuorumShare;
  readonly decision: Uint8Array;
  readonly list: readonly SignerCommitments[];
  readonly digest: Uint8Array;
  /** Commitments of all signers, by signature. */
  readonly bySigning: readonly (readonly NonceCommitments[])[];
  readonly own: readonly Nonces[];
  readonly handles: ReadonlyMap<number, readonly number[]>;
}

/**
 * One request that nodes sign together, at its coordinator. Attempts are made with as many nodes as the threshold needs;
 * where one of them is slow, another attempt with a spare node runs beside, and the first that ends has the signature.
 * Nodes that cannot sign, or whose shares are wrong, take no further part.
 */
export class SigningRun {
  readonly #parts: RunParts;
  readonly #job: SigningJob;
  readonly #excluded = new Map<number, string>();
  readonly #slow = new Set<number>();
  readonly #denials = new Map<number, string>();
  readonly #receipts = new Map<number, Receipt>();
  /** Nodes that still sign with an older epoch. */
  readonly #behind = new Set<number>();
  /** Nodes whose nonces were gone once: they are asked for new ones, and excluded the second time. */
  readonly #forgetful = new Set<number>();
  #end = 0;

  constructor(parts: RunParts, job: SigningJob) {
    this.#parts = parts;
    this.#job = job;
  }

  /** @throws QuorumSigningError QUORUM_UNREACHABLE, QUORUM_DENIED, QUORUM_SHARE_INVALID, QUORUM_REQUEST_TOO_LARGE */
  async sign(): Promise<JointSignatures> {
    const { timer, health } = this.#parts;
    this.#end = timer.now() + SIGNING_TIMEOUT_MS;
    const place = health.begin();
    try {
      return await this.#run(place.hedge);
    } finally {
      place.end();
    }
  }

  async #run(mayHedge: () => boolean): Promise<JointSignatures> {
    const running = new Map<string, Promise<Outcome>>();
    for (let packages = 0; ;) {
      const nodes = packages < MAX_PACKAGES ? this.#choose() : undefined;
      const name = nodes?.join();
      if (nodes !== undefined && name !== undefined && !running.has(name)) {
        packages += 1;
        const attempt = this.#attempt(nodes);
        running.set(name, attempt);
        attempt.finally(() => running.delete(name)).catch(() => undefined);
      }
      if (running.size === 0) throw this.#describeFailure();
      const outcome = await this.#next(running, mayHedge);
      if (outcome.kind === 'signed') return outcome.signed;
      if (outcome.kind === 'denied' || outcome.kind === 'overdue') throw this.#describeFailure();
    }
  }

  /** Waits for the next attempt that ends, for slow nodes where others could be asked, or for the end of the time. */
  async #next(running: ReadonlyMap<string, Promise<Outcome>>, mayHedge: () => boolean): Promise<Outcome> {
    const { timer, health } = this.#parts;
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const asked = [...new Set([...running.keys()].flatMap((name) => name.split(',').map(Number)))];
    let stopHedge = () => {};
    const hedge = () => {
      for (const node of asked) {
        if (this.#receipts.has(node)) continue;
        this.#slow.add(node);
        health.suspect(node);
      }
      const others = this.#choose();
      if (others !== undefined && !running.has(others.join()) && mayHedge()) resolve({ kind: 'slow' });
      else stopHedge = timer.after(health.hedgeAfter(asked), hedge);
    };
    stopHedge = timer.after(health.hedgeAfter(asked), hedge);
    const stopOverdue = timer.after(this.#end - timer.now(), () => resolve({ kind: 'overdue' }));
    const outcome = await Promise.race([...running.values(), promise]);
    stopHedge();
    stopOverdue();
    return outcome;
  }

  /** Chooses the other signers, slow ones last. Undefined where there are too few. */
  #choose(): number[] | undefined {
    const { network, findShare, health } = this.#parts;
    const { signers, participant, threshold } = findShare(this.#job.key);
    const others = signers.filter(
      (node) => node !== participant && !this.#excluded.has(node) && network.identity(node) !== undefined,
    );
    const ordered = health.order(others);
    const isSlow = (node: number) => this.#slow.has(node) && !this.#receipts.has(node);
    const chosen = [...ordered.filter((node) => !isSlow(node)), ...ordered.filter(isSlow)].slice(
      0,
      threshold - 1,
    );
    return chosen.length === threshold - 1 ? chosen.toSorted((one, other) => one - other) : undefined;
  }

  async #attempt(nodes: readonly number[]): Promise<Outcome> {
    const made = await this.#prepare(nodes);
    if (made === undefined) return { kind: 'failed' };
    const outcome = Promise.withResolvers<Outcome>();
    const { promise: own, resolve: signOwn } = Promise.withResolvers<readonly SignatureShare[] | undefined>();
    const shares = new Map<number, readonly SignatureShare[]>();
    let waiting = nodes.length;
    const settle = (node: number, answer: SignAnswer | undefined) => {
      waiting -= 1;
      if (answer?.outcome === 'share') shares.set(node, splitShares(node, answer.shares));
      if (answer?.outcome === 'unable' || answer === undefined) outcome.resolve({ kind: 'failed' });
      if (this.#denials.size > 0) {
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
    signOwn(
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

  /** Collects commitments of the nodes and makes this node's own. */
  async #prepare(nodes: readonly number[]): Promise<Package | undefined> {
    const { findShare, pool } = this.#parts;
    const { key, signings, digest: request, transaction } = this.#job;
    const share = findShare(key);
    const subject = { key, epoch: share.epoch, digest: share.digest, elementBytes: share.elementBytes };
    const taken = await Promise.all(
      nodes.map(async (node) => {
        try {
          const commitments = await pool.take(node, subject, signings.length);
          if (commitments === undefined) this.#exclude(node, 'QUORUM_NONCES_UNKNOWN');
          return [node, commitments] as const;
        } catch (error) {
          this.#exclude(node, errorCode(error));
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
    const decision = digestDecision({ request, transaction, signings, key, group, epoch });
    const bySigning = signings.map((_, index) =>
      signers.flatMap((signer) => bySigner.get(signer)?.[index] ?? []),
    );
    return { share, decision, list, digest: digestPackage(decision, list), bySigning, own, handles };
  }

  /**
   * Makes this node's shares; its nonces are zero afterwards. Undefined where other nodes have committed to what is no
   * element: they are excluded.
   */
  #signOwn({ share, bySigning, own }: Package): SignatureShare[] | undefined {
    try {
      return this.#job.signings.map(({ input }, index) => {
        const [nonces, list] = [own[index], bySigning[index]];
        if (nonces === undefined || list === undefined)
          throw new RangeError('expected nonces of each signature');
        return share.sign(input, nonces, list);
      });
    } catch (error) {
      const culprits = error instanceof HoldfastError ? culpritsOf(error.cause) : [];
      if (culprits.length === 0 || culprits.includes(share.participant)) throw error;
      for (const node of culprits) this.#exclude(node, 'QUORUM_SHARE_INVALID');
      return undefined;
    } finally {
      for (const nonces of own) clearNonces(nonces);
    }
  }

  /** Calls a node; undefined where it cannot take part, which is noted. */
  async #call(
    node: number,
    made: Package,
    own: Promise<readonly SignatureShare[] | undefined>,
  ): Promise<SignAnswer | undefined> {
    const { caller, timer, health, certificates } = this.#parts;
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
        certificate: this.#behind.has(node) ? certificates.certificate(key) : null,
      };
      const answer = await caller.sign(node, entry, Math.max(1, this.#end - start));
      health.answered(node, timer.now() - start);
      // Where a commitment is no element the others cannot sign either, and are not to blame.
      if (answer.outcome === 'unable' && (await own) === undefined) return undefined;
      return await this.#take(node, answer, made);
    } catch (error) {
      if (error instanceof QuorumSigningError && error.code === 'QUORUM_REQUEST_TOO_LARGE') throw error;
      this.#exclude(node, errorCode(error));
      return undefined;
    }
  }

  /** Notes what a node has answered. */
  async #take(node: number, answer: SignAnswer, made: Package): Promise<SignAnswer | undefined> {
    if (answer.outcome !== 'unable' || answer.receipt !== null) {
      const receipt = parseReceipt(answer.receipt);
      if (receipt !== undefined) this.#receipts.set(node, receipt);
    }
    if (answer.outcome === 'denied') this.#denials.set(node, answer.code);
    if (answer.outcome === 'unable' && !(await this.#mayTryAgain(node, answer, made)))
      this.#exclude(node, answer.code);
    const isOther = answer.outcome === 'share' && !Buffer.from(made.digest).equals(answer.package);
    if (!isOther) return answer;
    this.#exclude(node, 'QUORUM_PACKAGE_INVALID');
    return undefined;
  }

  /** Tells whether a node that could not sign may with other nonces, or once both have the same epoch. */
  async #mayTryAgain(
    node: number,
    { code, epoch, certificate }: Extract<SignAnswer, { outcome: 'unable' }>,
    made: Package,
  ): Promise<boolean> {
    const { pool, certificates } = this.#parts;
    const { key } = this.#job;
    if (code === 'QUORUM_NONCES_UNKNOWN') {
      pool.dropKey(node, key);
      const isFirst = !this.#forgetful.has(node);
      this.#forgetful.add(node);
      return isFirst;
    }
    if (code !== 'QUORUM_EPOCH_MISMATCH' || epoch === null) return false;
    if (epoch < made.share.epoch) {
      const isFirst = !this.#behind.has(node);
      this.#behind.add(node);
      return isFirst && certificates.certificate(key) !== null;
    }
    return certificate !== null && (await certificates.accept(key, certificate));
  }

  async #finish(
    made: Package,
    own: Promise<readonly SignatureShare[] | undefined>,
    shares: ReadonlyMap<number, readonly SignatureShare[]>,
  ): Promise<Outcome> {
    const signed = await own;
    if (signed === undefined) return { kind: 'failed' };
    const all = [signed, ...shares.values()];
    const signatures: KeySignature[] = [];
    const culprits = new Set<number>();
    for (const [index, { input }] of this.#job.signings.entries()) {
      const list = made.bySigning[index] ?? [];
      const ofSigning = all.flatMap((each) => each[index] ?? []);
      try {
        signatures.push(made.share.aggregate(input, list, ofSigning));
      } catch (error) {
        const named = culpritsOf(error);
        if (named.length === 0 || named.includes(made.share.participant)) throw error;
        for (const node of named) culprits.add(node);
      }
    }
    for (const node of culprits) this.#exclude(node, 'QUORUM_SHARE_INVALID');
    if (culprits.size > 0) return { kind: 'failed' };
    return { kind: 'signed', signed: this.#describe(made, signatures) };
  }

  #describe(
    { share, decision, digest, list }: Package,
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
        excluded: this.#listExcluded(),
      },
      receipts: participants.flatMap((node) => this.#receipts.get(node) ?? []),
    };
  }

  #listExcluded(): { node: number; code: string }[] {
    return [...this.#excluded]
      .map(([node, code]) => ({ node, code }))
      .toSorted((one, other) => one.node - other.node);
  }

  #exclude(node: number, code: string): void {
    this.#excluded.set(node, code);
    this.#parts.health.suspect(node);
    // Whatever was wrong, its nonces of other requests may be as well.
    this.#parts.pool.dropKey(node, this.#job.key);
  }

  #describeFailure(): QuorumSigningError {
    const receipts = [...this.#receipts.values()];
    const listed = (entries: ReadonlyMap<number, string>) =>
      [...entries].map(([node, code]) => ({ node, code }));
    if (this.#denials.size > 0) {
      const nodes = listed(this.#denials);
      return new QuorumSigningError(
        'QUORUM_DENIED',
        'another node has decided otherwise',
        { nodes },
        { receipts },
      );
    }
    const liars = [...this.#excluded]
      .filter(([, code]) => code === 'QUORUM_SHARE_INVALID')
      .map(([node]) => node);
    const code: QuorumSigningErrorCode = liars.length > 0 ? 'QUORUM_SHARE_INVALID' : 'QUORUM_UNREACHABLE';
    const nodes = liars.length > 0 ? liars : this.#listMissing();
    return new QuorumSigningError(code, 'too few nodes can sign', { nodes }, { receipts });
  }

  /** Lists the nodes with a share that have not signed, and why. */
  #listMissing(): { node: number; code: string }[] {
    const { signers, participant } = this.#parts.findShare(this.#job.key);
    return signers
      .filter((node) => node !== participant && !this.#receipts.has(node))
      .map((node) => ({ node, code: this.#excluded.get(node) ?? 'PEER_UNREACHABLE' }));
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
