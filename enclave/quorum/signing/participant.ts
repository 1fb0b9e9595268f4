import type { Receipt } from '../../../audit/receipt/index.ts';
import type { Signing } from '../../../policy/transactions/index.ts';
import type { TransactionJson } from '../../../policy/transactions/json.ts';
import { errorCode } from '../../../shared/errors.ts';
import { MAX_PEER_BODY_BYTES, type PeerIdentity, type PeerNetwork } from '../../peers/peer-network.ts';
import { digestDecision, digestPackage } from './digests.ts';
import { QuorumSigningError } from './errors.ts';
import { type EpochCertificates, type FindShare, NO_CERTIFICATES, type QuorumRecord } from './job.ts';
import {
  type AnySignAnswer,
  COMMIT_CALL,
  type CommitAnswer,
  commitAnswer,
  type CommitCall,
  commitCall,
  SIGN_CALL,
  type SignAnswer,
  signAnswers,
  signCall,
  type SignEntry,
} from './messages.ts';
import { NonceBank } from './nonce-bank.ts';
import { joinCommitments, openPackage } from './package.ts';
import { clearNonces, type Nonces } from '../../../shared/frost/index.ts';
import type { QuorumShare } from './quorum-share.ts';
import { RequestMemory } from './request-memory.ts';

/** Pairs of nonces that are made before other work has its turn. */
const NONCES_AT_ONCE = 16;
/** Bytes of answers from which on the rest is asked for by itself. */
const MAX_ANSWERS_BYTES = MAX_PEER_BODY_BYTES - 1024;

/** A forwarded request whose client's signature is verified. */
export interface VerifiedRequest {
  /** Names the request among all requests of all clients. */
  readonly id: string;
  readonly key: string;
  /** Indices of BIP-32 from the key to the child that signs; undefined where the key itself does. */
  readonly path: readonly number[] | undefined;
  /** Milliseconds since 1970 after which its signature has expired for good. */
  readonly expires: number;
}

/** What this node has read of a request, and signs if it permits that. */
export interface DecisionSubject {
  /** SHA-256 of the canonical request. */
  readonly digest: Uint8Array;
  readonly transaction: TransactionJson | null;
  readonly signings: readonly Signing[];
}

/** What came of a decision that is recorded. */
export type Decided =
  | {
      readonly outcome: 'permitted';
      readonly rule: string;
      readonly shares: Uint8Array;
      readonly receipt: Receipt;
    }
  /** `rule` where one has permitted the request, and charged it, before the node disagreed with its coordinator. */
  | {
      readonly outcome: 'denied';
      readonly code: string;
      readonly receipt: Receipt;
      readonly rule?: string;
    }
  /** Permitted and charged, and not carried out. */
  | { readonly outcome: 'failed'; readonly rule: string; readonly code: string; readonly receipt: Receipt };

/** Makes this node's shares of the signatures of a request that it has permitted. */
export type MakeShares = (subject: DecisionSubject) => Uint8Array;

/** The node's own pipeline, as a participant uses it. */
export interface ParticipantPipeline<Request extends VerifiedRequest> {
  /**
   * Verifies that a client of this node has signed the request for the coordinator, and reads it.
   *
   * @throws HttpSignatureError; QuorumSigningError QUORUM_MESSAGE_MALFORMED
   */
  verify(from: PeerIdentity, entry: SignEntry): Request;
  /** Decides a request by the node's own policy, makes its shares, and records both. */
  decide(request: Request, quorum: QuorumRecord, makeShares: MakeShares): Promise<Decided>;
  /** Makes shares of another package for a request that was permitted by `rule`, and records that; charges nothing. */
  repeat(request: Request, quorum: QuorumRecord, makeShares: MakeShares, rule: string): Promise<Decided>;
}

export interface ParticipantOptions<Request extends VerifiedRequest> {
  readonly network: PeerNetwork;
  readonly findShare: FindShare;
  readonly pipeline: ParticipantPipeline<Request>;
  readonly certificates?: EpochCertificates;
  /** Milliseconds since 1970, by the NSM. */
  readonly now: () => number;
}

/** Has calls of other nodes answered: they sign together with this one what it permits by itself. */
export function serveParticipant<Request extends VerifiedRequest>(
  options: ParticipantOptions<Request>,
): void {
  const participant = new Participant(options);
  const { network } = options;
  network.serve(SIGN_CALL, async (from, body) => await participant.answer(from, body));
  network.serve(COMMIT_CALL, async (from, body) => await participant.commit(from, body));
  network.onSession((identity) => participant.greet(identity));
}

class Participant<Request extends VerifiedRequest> {
  readonly #findShare: FindShare;
  readonly #pipeline: ParticipantPipeline<Request>;
  readonly #certificates: EpochCertificates;
  readonly #bank = new NonceBank();
  readonly #memory: RequestMemory;

  constructor({ findShare, pipeline, certificates = NO_CERTIFICATES, now }: ParticipantOptions<Request>) {
    this.#findShare = findShare;
    this.#pipeline = pipeline;
    this.#certificates = certificates;
    this.#memory = new RequestMemory(now);
  }

  /** Drops the nonces of former boots of a node. */
  greet(identity: PeerIdentity): void {
    this.#bank.dropFormer(identity);
  }

  /** Makes nonces ahead of time. @throws QuorumSigningError QUORUM_MESSAGE_MALFORMED */
  async commit(from: PeerIdentity, body: Uint8Array): Promise<Uint8Array> {
    const keys: CommitAnswer['keys'] = [];
    for (const wanted of commitCall.decode(body).keys) keys.push(await this.#commitKey(from, wanted));
    return commitAnswer.encode({ keys });
  }

  async #commitKey(
    from: PeerIdentity,
    { key, epoch, group, count }: CommitCall['keys'][number],
  ): Promise<CommitAnswer['keys'][number]> {
    const refuse = (code: string) => ({ code, first: 0, commitments: new Uint8Array(0) });
    try {
      const share = this.#findShare(key);
      // What is only ahead of its time is told at the signature, where a certificate may travel along.
      if (share.epoch !== epoch || share.digest !== group) return refuse('QUORUM_EPOCH_MISMATCH');
      if (!share.signers.includes(from.node)) return refuse('QUORUM_PACKAGE_INVALID');
      const { first, fill } = this.#bank.reserve(from, key, share, count);
      const commitments: Uint8Array[] = [];
      for (let made = 0; made < count; made += NONCES_AT_ONCE) {
        if (made > 0) await new Promise(setImmediate);
        commitments.push(joinCommitments(fill(Math.min(NONCES_AT_ONCE, count - made))));
      }
      return { code: null, first, commitments: new Uint8Array(Buffer.concat(commitments)) };
    } catch (error) {
      return refuse(errorCode(error));
    }
  }

  /** Answers a call to sign. @throws QuorumSigningError QUORUM_MESSAGE_MALFORMED */
  async answer(from: PeerIdentity, body: Uint8Array): Promise<Uint8Array> {
    const { entries } = signCall.decode(body);
    const answers = await Promise.all(entries.map(async (entry) => await this.#answer(from, entry)));
    let bytes = 0;
    const fitting = answers.map((answer): AnySignAnswer => {
      bytes += signAnswers.encode({ answers: [answer] }).length;
      return bytes <= MAX_ANSWERS_BYTES || answers.length === 1 ? answer : { outcome: 'alone' };
    });
    return signAnswers.encode({ answers: fitting });
  }

  async #answer(from: PeerIdentity, entry: SignEntry): Promise<SignAnswer> {
    try {
      const request = this.#pipeline.verify(from, entry);
      const share = await this.#agreeOnEpoch(request.key, entry);
      if ('outcome' in share) return share;
      return await this.#answerOnce(from, entry, request, share);
    } catch (error) {
      return unable(errorCode(error));
    }
  }

  /** Finds the share of the coordinator's epoch; a certificate may put a newer one into force. */
  async #agreeOnEpoch(key: string, entry: SignEntry): Promise<QuorumShare | SignAnswer> {
    const { epoch, group, certificate } = entry;
    let share = this.#findShare(key);
    if (share.epoch < epoch && certificate !== null && (await this.#certificates.accept(key, certificate)))
      share = this.#findShare(key);
    if (share.epoch === epoch && share.digest === group) return share;
    const isAhead = share.epoch > epoch;
    return {
      ...unable('QUORUM_EPOCH_MISMATCH'),
      epoch: share.epoch,
      certificate: isAhead ? this.#certificates.certificate(key) : null,
    };
  }

  /** Answers the same package of a request in the same way, however often it is asked. */
  #answerOnce(
    from: PeerIdentity,
    entry: SignEntry,
    request: Request,
    share: QuorumShare,
  ): Promise<SignAnswer> {
    const digest = digestPackage(entry.decision, entry.package);
    const remembered = this.#memory.open(request);
    const name = Buffer.from(digest).toString('hex');
    const known = remembered.find(name);
    if (known !== undefined) return known;
    remembered.assertRoom();
    const lists = openPackage(entry.package, { share, coordinator: from.node, count: entry.nonces.length });
    const subject = { key: request.key, epoch: share.epoch, digest: share.digest };
    // Taken before anything is decided: no two calls have the same nonces, whatever becomes of them.
    const nonces = this.#bank.take(from, subject, entry.nonces);
    if (nonces === undefined)
      throw new QuorumSigningError('QUORUM_NONCES_UNKNOWN', 'expected nonces of this boot');
    const makeShares: MakeShares = (own) => {
      const signing = request.path === undefined ? share : share.child(request.path);
      assertAgreement(entry, digestDecision({ ...own, ...subjectOf(request, signing), request: own.digest }));
      return signAll(signing, { signings: own.signings, nonces, lists });
    };
    const quorum: QuorumRecord = {
      coordinator: from.node,
      participants: entry.package.map(({ participant }) => participant),
      group: share.digest,
      epoch: share.epoch,
      decision: Buffer.from(entry.decision).toString('hex'),
      package: name,
      excluded: [],
    };
    return remembered.add(name, async (rule) => {
      try {
        const decided = await (rule === undefined
          ? this.#pipeline.decide(request, quorum, makeShares)
          : this.#pipeline.repeat(request, quorum, makeShares, rule));
        return { answer: toAnswer(decided, digest), rule: decided.rule };
      } catch (error) {
        return { answer: unable(errorCode(error)), rule: undefined };
      } finally {
        for (const each of nonces) clearNonces(each);
      }
    });
  }
}

function subjectOf({ key, path }: VerifiedRequest, { digest, epoch, publicKey }: QuorumShare) {
  return { key, group: digest, epoch, child: path && publicKey };
}

/** Asserts that the coordinator has decided on the very same. @throws QuorumSigningError QUORUM_DECISION_MISMATCH */
function assertAgreement({ decision }: SignEntry, own: Uint8Array): void {
  if (Buffer.from(own).equals(decision)) return;
  throw new QuorumSigningError(
    'QUORUM_DECISION_MISMATCH',
    'the coordinator has read the request differently',
  );
}

function signAll(
  share: QuorumShare,
  parts: {
    readonly signings: readonly Signing[];
    readonly nonces: readonly Nonces[];
    readonly lists: ReturnType<typeof openPackage>;
  },
): Uint8Array {
  const { signings, nonces, lists } = parts;
  if (signings.length !== nonces.length) {
    throw new QuorumSigningError('QUORUM_PACKAGE_INVALID', 'expected nonces of each signature', {
      expected: signings.length,
      actual: nonces.length,
    });
  }
  const shares = signings.map(({ input }, index) => {
    const [own, list] = [nonces[index], lists[index]];
    if (own === undefined || list === undefined) throw new RangeError('expected nonces of each signature');
    return share.sign(input, own, list).signatureShare;
  });
  return new Uint8Array(Buffer.concat(shares));
}

function unable(code: string, receipt: Uint8Array | null = null): Extract<SignAnswer, { outcome: 'unable' }> {
  return { outcome: 'unable', code, receipt, epoch: null, certificate: null };
}

function toAnswer(decided: Decided, digest: Uint8Array): SignAnswer {
  const receipt = new Uint8Array(Buffer.from(JSON.stringify(decided.receipt)));
  if (decided.outcome === 'permitted')
    return { outcome: 'share', shares: decided.shares, package: digest, receipt };
  if (decided.outcome === 'denied') return { outcome: 'denied', code: decided.code, receipt };
  return unable(decided.code, receipt);
}
