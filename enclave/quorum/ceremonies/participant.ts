import {
  type Certificate,
  type CeremonyMember,
  type CeremonyResult,
  decodeCertificate,
  decodePlan,
  digestBody,
  digestPlan,
  encodeBody,
  encodeConfirmation,
  encodeTranscript,
  type Plan,
  type SignedMessage,
  signMessage,
  verifyCertificate,
  type VerifiedCertificate,
} from '../../../audit/transcript/index.ts';
import type { Suites } from '../../../shared/frost/index.ts';
import { type EpochShare, epochOf, type ShareRecord } from '../../frost/index.ts';
import type { NodeKey } from '../../node/node-keys.ts';
import type { PeerIdentity, PeerNetwork } from '../../peers/peer-network.ts';
import { assertAbort, hasTrustedSigners } from './certificate-trust.ts';
import type { AskedCeremony, CeremonyEdges } from './ceremonies.ts';
import { abortPending, activateEpoch, addPending, highestEpoch, supersede } from './epoch-change.ts';
import { CeremonyError } from './errors.ts';
import { KeptTranscripts } from './kept-transcripts.ts';
import { Participation, type Received } from './participation.ts';
import { assertPlan } from './plan-check.ts';
import type { ShareKeeper } from './share-keeper.ts';
import {
  abortQuestion,
  activateQuestion,
  CALLS,
  commitQuestion,
  confirmQuestion,
  dealQuestion,
  decodeCall,
  encodeCall,
  type KeyState,
  newsQuestion,
  resolveQuestion,
  stateQuestion,
} from './wire.ts';
import { dropOldest } from '../../../shared/drop-oldest.ts';
import { createSequence, type Sequence } from '../../../shared/sequence.ts';

export interface ParticipantOptions {
  readonly network: PeerNetwork;
  readonly keeper: ShareKeeper;
  readonly edges: CeremonyEdges;
  readonly suites: Suites;
  /** The node itself, as its peers know it. */
  readonly own: CeremonyMember;
  readonly receiptKey: NodeKey;
  /** The threshold of the manifest, below which no key goes. */
  readonly threshold: number;
}

/** Milliseconds after which a ceremony that has come no further is forgotten. */
const FORGET_MS = 120_000;
/** Plans that are remembered as decided, and as aborted; older plans are refused by their time. */
const MAX_REMEMBERED = 1024;
/** Different questions of one ceremony: an honest coordinator has one for each step. */
const MAX_QUESTIONS = 8;

interface Entry {
  readonly participation: Participation;
  readonly asked: AskedCeremony;
  /** The answer of each step, by the question: a question that is repeated gets the same answer. */
  readonly answers: Map<string, Promise<SignedMessage>>;
  touched: number;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/**
 * A node's side of all ceremonies: it checks, signs, seals and confirms, and believes nothing that whoever leads them
 * says. What it holds changes in {@link ShareKeeper.updateShares} alone.
 */
export class Participant {
  readonly #options: ParticipantOptions;
  readonly #entries = new Map<string, Entry>();
  /** Keys of ceremonies that are being looked at or under way, with the id of the ceremony. */
  readonly #busy = new Map<string, string>();
  readonly #aborted = new Set<string>();
  /** Plans that this node has decided, which it may be asked again: each is decided and counted once. */
  readonly #decided = new Set<string>();
  /** Plans that are being decided, by the session of who asks and the plan's digest. */
  readonly #deciding = new Map<string, Promise<SignedMessage>>();
  readonly #listeners: ((key: string, epoch: number) => void)[] = [];
  readonly #confirmListeners: (() => void)[] = [];
  /** Receipt keys that nodes have proved in sessions of this boot. */
  readonly #proven = new Map<number, Uint8Array>();
  /** Secrets that this node deals as an importer, by the id of the ceremony. */
  readonly #imports = new Map<string, Uint8Array>();
  readonly #transcripts: KeptTranscripts;
  /** One change of what the node holds at a time. */
  readonly #exclusive: Sequence = createSequence();

  constructor(options: ParticipantOptions) {
    this.#options = options;
    this.#transcripts = new KeptTranscripts(options.keeper);
    const { network } = options;
    for (const kind of Object.values(CALLS))
      network.serve(kind, (from, body) => this.answer(kind, from, body));
    network.onSession((identity) => {
      this.#proven.set(identity.node, identity.receiptKey);
      this.#endWith(identity);
    });
  }

  get options(): ParticipantOptions {
    return this.#options;
  }

  /** Transcripts of ceremonies that this node has confirmed. */
  get transcripts(): KeptTranscripts {
    return this.#transcripts;
  }

  onActivated(listener: (key: string, epoch: number) => void): void {
    this.#listeners.push(listener);
  }

  /** Tells of each confirmation of this node. */
  onConfirmed(listener: () => void): void {
    this.#confirmListeners.push(listener);
  }

  /** Keeps the key that a ceremony of this node imports; it is cleared when it has been dealt. */
  holdImport(id: string, secret: Uint8Array): void {
    this.#imports.set(id, secret);
  }

  /** Clears a key that was kept for an import. */
  dropImport(id: string): void {
    this.#imports.get(id)?.fill(0);
    this.#imports.delete(id);
  }

  /** The groups that a ceremony under way makes. @throws CeremonyError CEREMONY_UNKNOWN */
  resultOf(id: string): CeremonyResult {
    const result = this.#entries.get(id)?.participation.result;
    if (result === undefined) throw new CeremonyError('CEREMONY_UNKNOWN', 'this node takes no part in it');
    return result;
  }

  /**
   * Answers a call.
   *
   * @param from the node that asks; undefined where it is this one
   */
  async answer(kind: string, from: PeerIdentity | undefined, body: Uint8Array): Promise<Uint8Array> {
    switch (kind) {
      case CALLS.state:
        return encodeCall({
          states: decodeCall(stateQuestion, body).keys.flatMap((key) => this.#describe(key)),
        });
      case CALLS.commit: {
        const { plan, request } = decodeCall(commitQuestion, body);
        return encodeMessage(await this.#commitOnce(from, plan, request));
      }
      case CALLS.deal: {
        const { id, commits } = decodeCall(dealQuestion, body);
        return encodeMessage(
          await this.#step(from, id, 'deal', body, (entry) => entry.participation.deal(commits)),
        );
      }
      case CALLS.confirm: {
        const { id, deals } = decodeCall(confirmQuestion, body);
        return encodeMessage(
          await this.#step(from, id, 'confirm', body, (entry) => this.#confirm(entry, deals)),
        );
      }
      case CALLS.activate:
        await this.takeCertificate(decodeCall(activateQuestion, body).certificate);
        return encodeCall({});
      case CALLS.resolve:
        return await this.#resolve(decodeCall(resolveQuestion, body));
      case CALLS.abort: {
        const { id, message } = decodeCall(abortQuestion, body);
        await this.takeAbort(id, message);
        return encodeCall({});
      }
      case CALLS.news:
        return encodeCall({
          certificates: await this.#transcripts.listNews(decodeCall(newsQuestion, body).keys),
        });
      default:
        throw new CeremonyError('CEREMONY_UNKNOWN', 'nothing answers such a call');
    }
  }

  #describe(key: string): KeyState[] {
    const { keeper } = this.#options;
    const entry = keeper.shareEntry(key);
    if (entry === undefined) return [];
    const record = keeper.shareRecord(key);
    const group = record?.current?.group;
    return [
      {
        key,
        type: entry.type,
        group: group
          ? {
              epoch: group.epoch,
              threshold: group.threshold,
              holders: [...group.signers],
              commitments: [...group.commitments],
            }
          : null,
        origin: record?.origin ? new Uint8Array(Buffer.from(record.origin, 'hex')) : null,
        highest: record === undefined ? 0 : highestEpoch(record),
        unresolved: (record?.pending ?? [])
          .filter(({ isAborted }) => !isAborted)
          .map(({ ceremony, share }) => ({ id: ceremony, holders: [...share.group.signers] })),
      },
    ];
  }

  /** Answers a plan that is asked again while it is being decided as the first time. */
  #commitOnce(
    coordinator: PeerIdentity | undefined,
    encodedPlan: Uint8Array,
    request: Uint8Array | null,
  ): Promise<SignedMessage> {
    const name = `${coordinator?.session} ${hex(digestPlan(encodedPlan))}`;
    const known = this.#deciding.get(name);
    if (known !== undefined) return known;
    const decided = this.#commit(coordinator, encodedPlan, request).finally(() =>
      this.#deciding.delete(name),
    );
    this.#deciding.set(name, decided);
    return decided;
  }

  /** Checks and decides a plan, and makes the first message. */
  async #commit(
    coordinator: PeerIdentity | undefined,
    encodedPlan: Uint8Array,
    request: Uint8Array | null,
  ): Promise<SignedMessage> {
    const plan = decodePlan(encodedPlan);
    const planDigest = digestPlan(encodedPlan);
    const id = hex(plan.id);
    const known = this.#entries.get(id);
    if (known !== undefined) {
      if (hex(known.participation.planDigest) === hex(planDigest) && !known.participation.isOver)
        return known.participation.commit;
      throw new CeremonyError('CEREMONY_PLAN_REFUSED', 'another plan had this id', { reason: 'id' });
    }
    if (this.#aborted.has(hex(planDigest)))
      throw new CeremonyError('CEREMONY_UNKNOWN', 'this node has given the ceremony up');
    this.#forgetStale();
    this.#check(plan, coordinator);
    this.#occupy(plan, id);
    const asked: AskedCeremony = { plan, request, coordinator };
    try {
      const name = `${coordinator?.session} ${hex(planDigest)} ${request === null ? '' : hex(digestBody(request))}`;
      if (!this.#decided.has(name)) await this.#decide(asked);
      this.#decided.add(name);
      dropOldest(this.#decided, MAX_REMEMBERED);
      const { attest } = this.#options.edges;
      const document = await attest(planDigest);
      // Time has passed, and what was checked may have changed.
      this.#check(plan, coordinator);
      const participation = await Participation.begin({
        self: this.#options.own.node,
        receiptKey: this.#options.receiptKey,
        suites: this.#options.suites,
        plan,
        encodedPlan,
        planDigest,
        request,
        document,
        secrets: plan.keys.map(({ key }) => this.#secretFor(plan, key)),
        pause: () => this.#options.edges.sleep(0),
      });
      if (this.#busy.get(plan.keys[0]?.key ?? '') !== id || this.#aborted.has(hex(planDigest))) {
        participation.end();
        throw new CeremonyError('CEREMONY_UNKNOWN', 'this node has given the ceremony up');
      }
      this.#entries.set(id, { participation, asked, answers: new Map(), touched: this.#options.edges.now() });
      return participation.commit;
    } catch (error) {
      this.#release(plan, id);
      throw error;
    }
  }

  #secretFor({ operation, dealers, id }: Plan, key: string): Uint8Array | undefined {
    const { own, keeper } = this.#options;
    if (!dealers.includes(own.node) || operation === 'generate') return undefined;
    return operation === 'import-key' ? this.#imports.get(hex(id)) : keeper.shareRecord(key)?.current?.share;
  }

  #check(plan: Plan, coordinator: PeerIdentity | undefined): void {
    const { own, keeper, network, edges, threshold } = this.#options;
    assertPlan(plan, coordinator?.node ?? own.node, {
      keeper,
      own,
      threshold,
      now: edges.now(),
      identity: (node) => network.identity(node),
    });
  }

  async #decide(asked: AskedCeremony): Promise<void> {
    const { edges } = this.#options;
    if (asked.plan.request === null) {
      if (asked.request !== null)
        throw new CeremonyError('CEREMONY_PLAN_REFUSED', 'a request that the plan lacks');
      await edges.authoriseOrdered(asked);
      return;
    }
    if (asked.request === null || hex(edges.digestRequest(asked.request)) !== hex(asked.plan.request))
      throw new CeremonyError('CEREMONY_PLAN_REFUSED', 'the request is not the one of the plan', {
        reason: 'request',
      });
    await edges.authorise(asked);
  }

  #occupy({ keys }: Plan, id: string): void {
    const isBusy = keys.some(({ key }) => this.#busy.has(key));
    if (isBusy) throw new CeremonyError('CEREMONY_RUNNING', 'another ceremony on the key is under way');
    for (const { key } of keys) this.#busy.set(key, id);
  }

  #release({ keys }: Plan, id: string): void {
    for (const { key } of keys) if (this.#busy.get(key) === id) this.#busy.delete(key);
    this.dropImport(id);
  }

  /** Ends the part of this node in a ceremony. */
  #end(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.participation.end();
    this.#entries.delete(id);
    this.#release(entry.participation.plan, id);
  }

  /** Ends the ceremonies that a node was a part of before it restarted: it cannot go on with them. */
  #endWith({ node, session }: PeerIdentity): void {
    for (const [id, { participation }] of this.#entries) {
      const isGone = participation.plan.members.some((one) => one.node === node && one.session !== session);
      if (isGone) this.#end(id);
    }
  }

  #forgetStale(): void {
    const now = this.#options.edges.now();
    for (const [id, { touched, participation }] of this.#entries) {
      if (now - touched > FORGET_MS || participation.isOver) this.#end(id);
    }
  }

  async #step(
    from: PeerIdentity | undefined,
    idBytes: Uint8Array,
    step: string,
    question: Uint8Array,
    act: (entry: Entry) => Promise<SignedMessage>,
  ): Promise<SignedMessage> {
    const entry = this.#entries.get(hex(idBytes));
    if (entry === undefined) throw new CeremonyError('CEREMONY_UNKNOWN', 'this node takes no part in it');
    if (entry.participation.plan.coordinator !== (from?.node ?? this.#options.own.node))
      throw new CeremonyError('CEREMONY_PLAN_REFUSED', 'another node leads it', { reason: 'coordinator' });
    entry.touched = this.#options.edges.now();
    const name = `${step} ${hex(digestBody(question))}`;
    const known = entry.answers.get(name);
    if (known !== undefined) return await known;
    if (entry.answers.size >= MAX_QUESTIONS)
      throw new CeremonyError('CEREMONY_OUT_OF_STEP', `the ceremony had ${MAX_QUESTIONS} questions before`);
    const answer = act(entry);
    entry.answers.set(name, answer);
    return await answer;
  }

  /** Computes the shares, records, seals the epoch, and only then confirms. */
  async #confirm(entry: Entry, deals: readonly SignedMessage[]): Promise<SignedMessage> {
    const { participation, asked } = entry;
    const { plan, planDigest } = participation;
    const received = await participation.receive(deals);
    if ('complaint' in received) {
      this.#end(hex(plan.id));
      return received.complaint;
    }
    try {
      const { transcript, shares } = received;
      await this.#options.edges.record(asked, { transcript, groups: shares.map(({ group }) => group) });
      await this.#exclusive(async () => {
        if (participation.isOver || this.#aborted.has(hex(planDigest)))
          throw new CeremonyError('CEREMONY_UNKNOWN', 'this node has given the ceremony up');
        this.#check(plan, asked.coordinator);
        await this.#seal(participation, received);
      });
    } catch (error) {
      for (const { share } of received.shares) share.fill(0);
      this.#end(hex(plan.id));
      throw error;
    }
    const confirmation = participation.confirm(received.transcript);
    this.#release(plan, hex(plan.id));
    for (const listener of this.#confirmListeners) listener();
    return confirmation;
  }

  async #seal({ plan, encodedPlan, request }: Participation, received: Received): Promise<void> {
    const { keeper } = this.#options;
    const { transcript, result, commits, deals, shares } = received;
    const records = new Map(
      plan.keys.map(({ key }, index): [string, ShareRecord] => {
        const share = shares[index] as EpochShare;
        return [key, addPending(keeper.shareRecord(key), share, plan.id, transcript)];
      }),
    );
    const kept = encodeTranscript({
      format: 'holdfast-transcript/1',
      plan: encodedPlan,
      request,
      commits: [...commits],
      deals: [...deals],
      result: result.map((elements) => [...elements]),
      confirmations: [],
    });
    await keeper.updateShares(records, [
      { id: hex(plan.id), bytes: kept },
      ...this.#transcripts.findUnused(records),
    ]);
  }

  /**
   * Takes a certificate: puts its epoch into force where this node has confirmed it, and lets its own share go where the
   * key has gone on without this node. What is older than what the node has changes nothing.
   *
   * @throws TranscriptError; CeremonyError CERTIFICATE_UNTRUSTED
   */
  async takeCertificate(bytes: Uint8Array): Promise<void> {
    const certificate = decodeCertificate(bytes);
    const verified = verifyCertificate(certificate);
    await this.#exclusive(() => this.#takeVerified(certificate, verified));
  }

  async #takeVerified(certificate: Certificate, verified: VerifiedCertificate): Promise<void> {
    const { keeper } = this.#options;
    const { plan, transcript, result } = verified;
    const records = new Map<string, ShareRecord>();
    let isTrusted: boolean | undefined;
    let hasConfirmed = false;
    for (const [index, planned] of plan.keys.entries()) {
      const record = keeper.shareRecord(planned.key);
      if (record === undefined || (epochOf(record) ?? -1) >= planned.epoch) continue;
      const pending = record.pending.find(
        (one) => hex(one.ceremony) === hex(plan.id) && hex(one.transcript) === hex(transcript),
      );
      if (pending !== undefined) {
        hasConfirmed = true;
        records.set(planned.key, activateEpoch(record, plan, planned));
        continue;
      }
      isTrusted ??= this.#trusts(verified, record);
      const publicKey = result[index]?.[0];
      if (isTrusted && publicKey !== undefined && isSameKey(record, publicKey))
        records.set(planned.key, supersede(record, planned.epoch, publicKey));
    }
    if (records.size === 0) {
      if (isTrusted === false)
        throw new CeremonyError('CERTIFICATE_UNTRUSTED', 'too few signatures of nodes that this one knows');
      this.#end(hex(plan.id));
      return;
    }
    const changes = hasConfirmed ? await this.#transcripts.complete(certificate, plan) : [];
    await keeper.updateShares(records, [...changes, ...this.#transcripts.findUnused(records)]);
    for (const [key, record] of records) {
      const epoch = epochOf(record);
      if (epoch !== undefined) for (const listener of this.#listeners) listener(key, epoch);
    }
    this.#end(hex(plan.id));
  }

  #trusts({ plan }: VerifiedCertificate, record: ShareRecord): boolean {
    const { own, network } = this.#options;
    return hasTrustedSigners(plan, record, (node) =>
      node === own.node ? own.receiptKey : (network.identity(node)?.receiptKey ?? this.#proven.get(node)),
    );
  }

  /** Says how a ceremony has ended for this node; one that it has not confirmed, it never will. */
  async #resolve({
    id,
    planDigest,
    key,
    epoch,
  }: {
    readonly id: Uint8Array;
    readonly planDigest: Uint8Array;
    readonly key: string;
    readonly epoch: number;
  }): Promise<Uint8Array> {
    return await this.#exclusive(async () => {
      const record = this.#options.keeper.shareRecord(key);
      const pending = record?.pending.find(({ ceremony }) => hex(ceremony) === hex(id));
      if (pending !== undefined && !pending.isAborted) {
        const message = this.#sign('confirm', planDigest, encodeConfirmation(pending.transcript));
        return encodeCall({ message, certificate: null });
      }
      if (record !== undefined && (epochOf(record) ?? -1) >= epoch) {
        const { history } = record;
        const kept = history.find(({ ceremony }) => hex(ceremony) === hex(id)) ?? history.at(-1);
        const certificate = kept && (await this.#transcripts.readCertificate(hex(kept.ceremony)));
        return encodeCall({ message: null, certificate: certificate ?? null });
      }
      this.#giveUp(hex(id), hex(planDigest));
      const message = this.#sign('abort', planDigest, encodeBody({ code: 'CEREMONY_UNKNOWN' }));
      return encodeCall({ message, certificate: null });
    });
  }

  /** Makes sure that this node never confirms a plan. */
  #giveUp(id: string, planDigest: string): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined && hex(entry.participation.planDigest) === planDigest) this.#end(id);
    this.#aborted.add(planDigest);
    dropOldest(this.#aborted, MAX_REMEMBERED);
  }

  #sign(step: SignedMessage['step'], planDigest: Uint8Array, body: Uint8Array): SignedMessage {
    const { receiptKey, own } = this.#options;
    return signMessage(receiptKey.privateKey, planDigest, { step, sender: own.node, body });
  }

  /** Takes the message of a holder that it never confirms a ceremony. @throws TranscriptError */
  async takeAbort(id: Uint8Array, message: SignedMessage): Promise<void> {
    await this.#exclusive(async () => {
      const transcript = await this.#transcripts.read(hex(id));
      const { keeper } = this.#options;
      if (transcript === undefined || transcript.confirmations.length > 0) return;
      assertAbort(transcript.plan, message);
      const records = new Map<string, ShareRecord>();
      for (const { key } of decodePlan(transcript.plan).keys) {
        const record = keeper.shareRecord(key);
        const isPending = record?.pending.some(
          ({ ceremony, isAborted }) => !isAborted && hex(ceremony) === hex(id),
        );
        if (record !== undefined && isPending === true) records.set(key, abortPending(record, id));
      }
      if (records.size > 0) await keeper.updateShares(records, []);
      this.#end(hex(id));
    });
  }
}

function encodeMessage(message: SignedMessage): Uint8Array<ArrayBuffer> {
  return encodeCall({ message });
}

function isSameKey({ current, superseded }: ShareRecord, publicKey: Uint8Array): boolean {
  const known = current?.group.commitments[0] ?? superseded?.publicKey;
  return known === undefined || hex(known) === hex(publicKey);
}
