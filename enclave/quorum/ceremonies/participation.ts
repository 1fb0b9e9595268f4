import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import {
  type CeremonyResult,
  type CommitBody,
  createDealingTerms,
  type DealBody,
  type Dealing,
  digestTranscript,
  encodeBody,
  encodeConfirmation,
  listDealings,
  openParts,
  type Plan,
  sealParts,
  type SignedMessage,
  signMessage,
  type VerifiedCommits,
  verifyCommits,
  type VerifiedDealings,
  verifyDealings,
  type VerifiedDeals,
  verifyDeals,
} from '../../../audit/transcript/index.ts';
import {
  clearDealer,
  dealGroup,
  dealTo,
  type SecretPart,
  startDealing,
  type Suites,
  ThresholdError,
} from '../../../shared/frost/index.ts';
import { exportPublicKey } from '../../../shared/hpke/index.ts';
import type { EpochShare } from '../../frost/index.ts';
import type { NodeKey } from '../../node/node-keys.ts';
import { CeremonyError } from './errors.ts';

/** A plan that this node has checked and may take part in, and what it takes part with. */
export interface ParticipationParts {
  readonly self: number;
  readonly receiptKey: NodeKey;
  readonly suites: Suites;
  readonly plan: Plan;
  readonly encodedPlan: Uint8Array;
  readonly planDigest: Uint8Array;
  readonly request: Uint8Array | null;
  /** Attestation document for the plan's digest. */
  readonly document: Uint8Array;
  /** For each key of the plan: this node's old share, or the whole key for an import; undefined where it does not deal. */
  readonly secrets: readonly (Uint8Array | undefined)[];
  /** Lets other work go on between two keys. */
  readonly pause: () => Promise<void>;
}

/** What one node deals for one key. */
interface OwnDealing {
  readonly dealing: Dealing;
  /** The share for a holder, which the caller clears. */
  readonly shareFor: (holder: number) => Uint8Array;
  readonly clear: () => void;
}

/** What a holder has computed of a ceremony, before it confirms. */
export interface Received {
  readonly transcript: Uint8Array;
  readonly result: CeremonyResult;
  readonly commits: readonly SignedMessage[];
  readonly deals: readonly SignedMessage[];
  /** One share of each key. */
  readonly shares: readonly EpochShare[];
}

/** The message of a holder that was dealt what does not fit. */
export interface Complaint {
  readonly complaint: SignedMessage;
}

const random = (length: number) => new Uint8Array(randomBytes(length));

/**
 * One node's part in one ceremony: its keys, its polynomials, what it has seen. All of it exists in memory alone, so that
 * a node that restarts can take no further step of it; whatever is asked of it twice, it answers alike.
 */
export class Participation {
  readonly plan: Plan;
  readonly planDigest: Uint8Array;
  readonly encodedPlan: Uint8Array;
  readonly request: Uint8Array | null;
  readonly #parts: ParticipationParts;
  /** One key for each dealer. */
  readonly #recipientKeys: readonly KeyObject[];
  readonly #ownDealings: readonly OwnDealing[];
  readonly #ownCommit: SignedMessage;
  #commits:
    | { messages: readonly SignedMessage[]; verified: VerifiedCommits; dealings: readonly VerifiedDealings[] }
    | undefined;
  #ownDeal: SignedMessage | undefined;
  #deals: VerifiedDeals | undefined;
  #isOver = false;

  private constructor(
    parts: ParticipationParts,
    recipientKeys: readonly KeyObject[],
    ownDealings: readonly OwnDealing[],
  ) {
    this.#parts = parts;
    this.plan = parts.plan;
    this.planDigest = parts.planDigest;
    this.encodedPlan = parts.encodedPlan;
    this.request = parts.request;
    this.#recipientKeys = recipientKeys;
    this.#ownDealings = ownDealings;
    const body: CommitBody = {
      document: parts.document,
      recipientKeys: recipientKeys.map((key) => new Uint8Array(exportPublicKey(createPublicKey(key)))),
      dealings: ownDealings.map(({ dealing }) => dealing),
    };
    this.#ownCommit = this.sign('commit', encodeBody(toEncodable(body)));
  }

  /** Draws what this node deals. @throws ThresholdError GROUP_SHARE_INVALID for a secret that does not fit the plan */
  static async begin(parts: ParticipationParts): Promise<Participation> {
    const { plan, self } = parts;
    const isHolder = plan.holders.includes(self);
    const recipientKeys = (isHolder ? plan.dealers : []).map(() => generateKeyPairSync('x25519').privateKey);
    const ownDealings: OwnDealing[] = [];
    try {
      for (const index of plan.dealers.includes(self) ? plan.keys.keys() : []) {
        ownDealings.push(dealKey(parts, index));
        await parts.pause();
      }
    } catch (error) {
      for (const dealing of ownDealings) dealing.clear();
      throw error;
    }
    return new Participation(parts, recipientKeys, ownDealings);
  }

  /** The node's first message. */
  get commit(): SignedMessage {
    return this.#ownCommit;
  }

  /** Commitments of each key's new group; undefined before all first messages have been verified. */
  get result(): CeremonyResult | undefined {
    return this.#commits?.dealings.map(({ group }) => group.commitments);
  }

  /**
   * Verifies the first messages of all and makes the second one.
   *
   * @throws TranscriptError, ThresholdError; CeremonyError CEREMONY_OUT_OF_STEP, CEREMONY_UNKNOWN
   */
  async deal(messages: readonly SignedMessage[]): Promise<SignedMessage> {
    this.#assertGoingOn();
    const { plan, planDigest, self, suites, pause } = this.#parts;
    const verified = verifyCommits(plan, planDigest, messages);
    if (this.#ownDeal !== undefined) {
      if (isEqual(verified.digest, this.#commits?.verified.digest)) return this.#ownDeal;
      throw new CeremonyError('CEREMONY_OUT_OF_STEP', 'other messages of this step were shown before');
    }
    const own = messages.find(({ sender }) => sender === self);
    if (own === undefined || !isSameMessage(own, this.#ownCommit))
      throw new CeremonyError('CEREMONY_PLAN_REFUSED', "this node's message was replaced", {
        reason: 'commit',
      });
    const dealings: VerifiedDealings[] = [];
    for (const index of plan.keys.keys()) {
      dealings.push(verifyDealings(suites, plan, planDigest, index, listDealings(plan, verified, index)));
      await pause();
    }
    this.#assertGoingOn();
    // Two calls at the same time may have come here; the first one counts.
    if (this.#ownDeal !== undefined) return this.deal(messages);
    this.#commits = { messages, verified, dealings };
    const ciphertexts = plan.dealers.includes(self) ? this.#sealAll(verified) : [];
    this.#ownDeal = this.sign('deal', encodeBody({ commitments: verified.digest, ciphertexts }));
    for (const dealing of this.#ownDealings) dealing.clear();
    return this.#ownDeal;
  }

  #sealAll({ bodies, digest }: VerifiedCommits): DealBody['ciphertexts'] {
    const { plan, planDigest, self } = this.#parts;
    return plan.holders.map((holder) => {
      const recipientKey = bodies.get(holder)?.recipientKeys[plan.dealers.indexOf(self)] ?? new Uint8Array();
      const shares = this.#ownDealings.map(({ shareFor }) => shareFor(holder));
      try {
        return sealParts(recipientKey, shares, planDigest, digest, { dealer: self, holder });
      } finally {
        for (const share of shares) share.fill(0);
      }
    });
  }

  /**
   * Verifies the second messages of all, opens what this node was dealt, and computes its shares.
   *
   * @returns the shares, which the caller seals before it confirms; or a complaint where something does not fit
   * @throws TranscriptError; CeremonyError CEREMONY_OUT_OF_STEP, CEREMONY_UNKNOWN
   */
  async receive(messages: readonly SignedMessage[]): Promise<Received | Complaint> {
    this.#assertGoingOn();
    const { plan, planDigest, self, pause } = this.#parts;
    const seen = this.#commits;
    if (seen === undefined || this.#deals !== undefined || !plan.holders.includes(self))
      throw new CeremonyError('CEREMONY_OUT_OF_STEP', 'expected the messages of an earlier step first');
    const deals = verifyDeals(plan, planDigest, seen.verified.digest, messages);
    const own = messages.find(({ sender }) => sender === self);
    if (own === undefined || this.#ownDeal === undefined || !isSameMessage(own, this.#ownDeal))
      throw new CeremonyError('CEREMONY_PLAN_REFUSED', "this node's message was replaced", {
        reason: 'deal',
      });
    this.#deals = deals;
    const opened = this.#openAll(seen.verified, deals);
    if (!Array.isArray(opened)) return opened;
    const shares: EpochShare[] = [];
    try {
      for (const [index, dealings] of seen.dealings.entries()) {
        const parts = opened.flatMap((perKey) => perKey[index] ?? []);
        const share = dealings.receive(self, parts);
        shares.push({ group: toPlain(dealings), participant: self, share });
        await pause();
      }
      this.#assertGoingOn();
    } catch (error) {
      for (const { share } of shares) share.fill(0);
      if (!(error instanceof ThresholdError)) throw error;
      return this.#complain(error.culprits);
    } finally {
      for (const { value } of opened.flat()) value.fill(0);
    }
    const result = seen.dealings.map(({ group }) => group.commitments);
    const transcript = digestTranscript(planDigest, seen.verified.digest, deals.digest, result);
    return { transcript, result, commits: seen.messages, deals: messages, shares };
  }

  /** Makes the message that this node has sealed its shares and confirms the transcript. */
  confirm(transcript: Uint8Array): SignedMessage {
    return this.sign('confirm', encodeConfirmation(transcript));
  }

  /** Signs a message of this node for the ceremony. */
  sign(step: SignedMessage['step'], body: Uint8Array): SignedMessage {
    const { receiptKey, planDigest, self } = this.#parts;
    return signMessage(receiptKey.privateKey, planDigest, { step, sender: self, body });
  }

  /** Forgets all secrets; nothing can be done with the ceremony any more. */
  end(): void {
    this.#isOver = true;
    for (const dealing of this.#ownDealings) dealing.clear();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Opens what each dealer has for this node; a complaint about those whose parts do not open. */
  #openAll({ digest }: VerifiedCommits, deals: VerifiedDeals): SecretPart[][] | Complaint {
    const { plan, planDigest, self } = this.#parts;
    const culprits: number[] = [];
    const opened = plan.dealers.map((dealer, index) => {
      const recipientKey = this.#recipientKeys[index];
      const parts =
        recipientKey &&
        openParts(recipientKey, plan, deals.bodies.get(dealer), planDigest, digest, { dealer, holder: self });
      if (parts === undefined) culprits.push(dealer);
      return parts ?? [];
    });
    return culprits.length > 0 ? this.#complain(culprits) : opened;
  }

  #complain(culprits: readonly number[]): Complaint {
    const { plan } = this.#parts;
    const accused = culprits.map((dealer) => {
      const key = this.#recipientKeys[plan.dealers.indexOf(dealer)];
      const recipientKey = key === undefined ? new Uint8Array(32) : exportPrivateKey(key);
      return { dealer, recipientKey };
    });
    this.end();
    return { complaint: this.sign('complain', encodeBody({ accused })) };
  }

  #assertGoingOn(): void {
    if (this.#isOver) throw new CeremonyError('CEREMONY_UNKNOWN', 'the ceremony has ended on this node');
  }
}

/** Draws a polynomial for one key of a plan. */
function dealKey({ suites, plan, planDigest, self, secrets }: ParticipationParts, index: number): OwnDealing {
  const terms = createDealingTerms(suites, plan, planDigest, index);
  const key = plan.keys[index];
  const secret = secrets[index];
  if (key === undefined) throw new RangeError('expected the index of a key of the plan');
  if (terms !== undefined) {
    const dealer = startDealing(terms, self, random, terms.kind === 'generate' ? undefined : secret);
    const { commitments, proofs } = dealer.package;
    return {
      dealing: { commitments: [...commitments], proofs: [...proofs] },
      shareFor: (holder) => dealTo(dealer, holder),
      clear: () => clearDealer(dealer),
    };
  }
  if (secret === undefined) throw new CeremonyError('CEREMONY_KEY_STATE', 'expected the key to import');
  const quorum = { epoch: key.epoch, threshold: plan.threshold, signers: plan.holders };
  const { group, shares } = dealGroup(suites[key.type], quorum, random, secret);
  return {
    dealing: { commitments: [...group.commitments], proofs: [] },
    shareFor: (holder) => Uint8Array.from(shares.get(holder) ?? []),
    clear: () => {
      for (const share of shares.values()) share.fill(0);
    },
  };
}

function toPlain({ group: { type, epoch, threshold, signers, commitments } }: VerifiedDealings) {
  return { type, epoch, threshold, signers, commitments };
}

function toEncodable({ document, recipientKeys, dealings }: CommitBody) {
  return {
    document,
    recipientKeys,
    dealings: dealings.map(({ commitments, proofs }) => ({ commitments, proofs })),
  };
}

function exportPrivateKey(key: KeyObject): Uint8Array<ArrayBuffer> {
  return new Uint8Array(key.export({ format: 'raw-private' }));
}

function isEqual(one: Uint8Array, other: Uint8Array | undefined): boolean {
  return other !== undefined && Buffer.from(one).equals(other);
}

function isSameMessage(one: SignedMessage, other: SignedMessage): boolean {
  return (
    one.step === other.step &&
    one.sender === other.sender &&
    isEqual(one.body, other.body) &&
    isEqual(one.signature, other.signature)
  );
}
