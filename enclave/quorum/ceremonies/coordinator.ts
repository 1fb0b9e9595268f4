import {
  type CeremonyMember,
  copyResult,
  digestPlan,
  encodeCertificate,
  encodePlan,
  extractCertificate,
  type Evidence,
  judgeMessages,
  type Plan,
  type SignedMessage,
  verifyCertificate,
} from '../../../audit/transcript/index.ts';
import { PeerError } from '../../peers/errors.ts';
import type { LedOrder, CeremonyOutcome, CeremonyProgress, CeremonyProgressStep } from './ceremonies.ts';
import { CeremonyError } from './errors.ts';
import type { Participant } from './participant.ts';
import { makePlan, type QuorumStates } from './planning.ts';
import type { Resolution } from './resolution.ts';
import {
  CALLS,
  decodeAnswer,
  decodeCall,
  encodeCall,
  type KeyState,
  messageAnswer,
  stateAnswer,
} from './wire.ts';

/** Milliseconds for one attempt of a call, for all attempts of a step, and between two attempts. */
const CALL_MS = 10_000;
const STEP_MS = 30_000;
const RETRY_MS = 250;
const STATE_MS = 3_000;

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** Leads ceremonies: asks, relays what participants sign, and puts the certificate together. */
export class Coordinator {
  readonly #participant: Participant;
  readonly #resolution: Resolution;

  constructor(participant: Participant, resolution: Resolution) {
    this.#participant = participant;
    this.#resolution = resolution;
  }

  /**
   * Leads one ceremony to its end.
   *
   * @throws CeremonyError, and what refuses on this node
   */
  async lead(order: LedOrder, onProgress: (progress: CeremonyProgress) => void): Promise<CeremonyOutcome> {
    try {
      await this.#prepare(order.keys);
      const plan = await this.#plan(order);
      const run = new Run(this.#participant, plan, order.request, onProgress);
      if (order.secret !== undefined) this.#participant.holdImport(hex(plan.id), order.secret.slice());
      try {
        return await run.carryOut();
      } catch (error) {
        await this.#giveUp(plan);
        throw error;
      }
    } finally {
      order.secret?.fill(0);
    }
  }

  /** Brings this node and the others to what is known of the keys. */
  async #prepare(keys: readonly string[]): Promise<void> {
    const { network, keeper } = this.#participant.options;
    const peers = network.peers.filter((node) => network.identity(node) !== undefined);
    await Promise.all(peers.map((node) => this.#resolution.askNews(node, keys)));
    await this.#resolution.resolveAll(keys);
    // Nodes that were not told of the newest epoch learn of it before they are asked to deal.
    const newest = new Set(
      keys.flatMap((key) => keeper.shareRecord(key)?.history.at(-1)?.ceremony ?? []).map(hex),
    );
    for (const id of newest) {
      const certificate = await this.#participant.transcripts.readCertificate(id);
      if (certificate === undefined) continue;
      await Promise.all(peers.map((node) => this.#try(node, CALLS.activate, encodeCall({ certificate }))));
    }
  }

  async #plan(order: LedOrder): Promise<Plan> {
    const { network, own, keeper, edges, threshold } = this.#participant.options;
    const states = await this.#askStates(order.keys);
    return makePlan(order, {
      states,
      nodes: [own.node, ...network.peers].toSorted((a, b) => a - b),
      self: own.node,
      member: (node) => this.#member(node),
      typeOf: (key) => keeper.shareEntry(key)?.type,
      publicKey: order.publicKey ?? null,
      threshold,
      now: edges.now(),
      requestDigest: order.request && edges.digestRequest(order.request),
    });
  }

  #member(node: number): CeremonyMember | undefined {
    const { own, network } = this.#participant.options;
    if (node === own.node) return own;
    const identity = network.identity(node);
    if (identity === undefined) return undefined;
    const { manifest, session, receiptKey, configuration } = identity;
    return { node, manifest, session, receiptKey, configuration: { ...configuration } };
  }

  async #askStates(keys: readonly string[]): Promise<QuorumStates> {
    const { network, own } = this.#participant.options;
    const question = encodeCall({ keys: [...keys] });
    const states = new Map<number, readonly KeyState[]>();
    const ask = async (node: number) => {
      const answer =
        node === own.node
          ? await this.#participant.answer(CALLS.state, undefined, question)
          : await this.#try(node, CALLS.state, question, STATE_MS);
      const decoded = answer && decodeAnswer(stateAnswer, answer);
      if (decoded !== undefined) states.set(node, decoded.states);
    };
    await Promise.all([own.node, ...network.peers].map(ask));
    return new Map([...states].toSorted(([one], [other]) => one - other));
  }

  /** Has every participant end the ceremony that it has not confirmed, and finds out how it has ended. */
  async #giveUp(plan: Plan): Promise<void> {
    const [first] = plan.keys;
    if (first === undefined) return;
    const { own } = this.#participant.options;
    const question = encodeCall({
      id: plan.id,
      planDigest: digestPlan(encodePlan(plan)),
      key: first.key,
      epoch: first.epoch,
    });
    await this.#participant.answer(CALLS.resolve, undefined, question);
    const others = plan.members.map(({ node }) => node).filter((node) => node !== own.node);
    await Promise.all(others.map((node) => this.#try(node, CALLS.resolve, question, STATE_MS)));
    await this.#resolution.resolveAll(plan.keys.map(({ key }) => key));
  }

  async #try(
    node: number,
    kind: string,
    body: Uint8Array,
    timeoutMs = CALL_MS,
  ): Promise<Uint8Array | undefined> {
    const { network } = this.#participant.options;
    try {
      return await network.call(node, kind, body, { timeoutMs });
    } catch (error) {
      if (error instanceof PeerError) return undefined;
      throw error;
    }
  }
}

/** One ceremony as its coordinator carries it out. */
class Run {
  readonly #participant: Participant;
  readonly #plan: Plan;
  readonly #encodedPlan: Uint8Array<ArrayBuffer>;
  readonly #request: Uint8Array | null;
  readonly #onProgress: (progress: CeremonyProgress) => void;

  constructor(
    participant: Participant,
    plan: Plan,
    request: Uint8Array | null,
    onProgress: (progress: CeremonyProgress) => void,
  ) {
    this.#participant = participant;
    this.#plan = plan;
    this.#encodedPlan = encodePlan(plan);
    this.#request = request;
    this.#onProgress = onProgress;
  }

  async carryOut(): Promise<CeremonyOutcome> {
    const { id, members, holders } = this.#plan;
    const all = members.map(({ node }) => node);
    const begin = encodeCall({ plan: this.#encodedPlan, request: this.#request });
    const commits = await this.#collect('commit', CALLS.commit, all, begin);
    const deals = await this.#collect('deal', CALLS.deal, all, encodeCall({ id, commits: copy(commits) }));
    const answers = await this.#collect(
      'confirm',
      CALLS.confirm,
      holders,
      encodeCall({ id, deals: copy(deals) }),
    );
    this.#assertNoComplaint(commits, deals, answers);
    const confirmed = answers.map(({ sender, signature }) => ({ sender, signature }));
    const certificate = extractCertificate({
      format: 'holdfast-transcript/1',
      plan: this.#encodedPlan,
      request: this.#request,
      commits: [...commits],
      deals: [...deals],
      result: copyResult(this.#participant.resultOf(hex(id))),
      confirmations: confirmed,
    });
    const verified = verifyCertificate(certificate);
    const uninformed = await this.#activate(encodeCertificate(certificate), all);
    return {
      id: hex(id),
      plan: this.#plan,
      transcript: verified.transcript,
      publicKeys: verified.result.map(([publicKey = new Uint8Array()]) => publicKey),
      uninformed,
    };
  }

  /** Collects the signed messages of one step, by ascending sender. */
  async #collect(
    step: CeremonyProgressStep,
    kind: string,
    nodes: readonly number[],
    body: Uint8Array,
  ): Promise<SignedMessage[]> {
    const answered: number[] = [];
    const report = () => this.#report(step, nodes, answered);
    report();
    const failed = new AbortController();
    const ask = async (node: number): Promise<SignedMessage> => {
      const answer = await this.#call(node, kind, body, failed.signal);
      const { message } = decodeCall(messageAnswer, answer);
      if (message.sender !== node)
        throw new CeremonyError('CEREMONY_REFUSED', 'a message of another sender', { node });
      answered.push(node);
      report();
      return message;
    };
    try {
      return await Promise.all(nodes.map(ask));
    } catch (error) {
      // No node is asked again for a step that has failed: it would take part in what all others have given up.
      failed.abort();
      throw error;
    }
  }

  #report(step: CeremonyProgressStep, nodes: readonly number[], answered: readonly number[]): void {
    this.#onProgress({
      id: hex(this.#plan.id),
      plan: this.#plan,
      step,
      answered: [...answered].toSorted((a, b) => a - b),
      waitingFor: nodes.filter((node) => !answered.includes(node)),
    });
  }

  /**
   * Calls a node until it answers or refuses, or the step's time is over; questions may be repeated. A node that has no
   * session with another participant yet, as after a restart, is asked again.
   *
   * @throws CeremonyError CEREMONY_REFUSED, CEREMONY_NODES_UNREACHABLE
   */
  async #call(node: number, kind: string, body: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const { own, network, edges } = this.#participant.options;
    if (node === own.node) return await this.#participant.answer(kind, undefined, body);
    const end = edges.now() + STEP_MS;
    for (;;) {
      try {
        return await network.call(node, kind, body, { timeoutMs: CALL_MS, signal });
      } catch (error) {
        if (!(error instanceof PeerError)) throw error;
        const isApart = error.details['code'] === 'CEREMONY_NODES_UNREACHABLE';
        if (error.code === 'PEER_REFUSED' && !isApart) {
          throw new CeremonyError(
            'CEREMONY_REFUSED',
            'a node has refused',
            { node, code: error.details['code'] },
            error,
          );
        }
        if (error.code === 'PEER_CLOSED' || signal.aborted || edges.now() >= end) {
          const message = isApart ? 'a node has no session with another one' : 'a node has not answered';
          throw new CeremonyError('CEREMONY_NODES_UNREACHABLE', message, { nodes: [node] }, error);
        }
        await edges.sleep(RETRY_MS);
      }
    }
  }

  /** @throws CeremonyError CEREMONY_CULPRITS */
  #assertNoComplaint(
    commits: readonly SignedMessage[],
    deals: readonly SignedMessage[],
    answers: readonly SignedMessage[],
  ): void {
    const complaints = answers.filter(({ step }) => step === 'complain');
    if (complaints.length === 0) return;
    const evidence: Evidence = {
      plan: this.#encodedPlan,
      commits: [...commits],
      deals: [...deals],
      complaints,
    };
    const culprits = judgeMessages(this.#participant.options.suites, evidence);
    throw new CeremonyError('CEREMONY_CULPRITS', 'participants have misbehaved', { culprits, evidence });
  }

  /** Puts the epoch into force here and then everywhere; returns the nodes that were not reached. */
  async #activate(certificate: Uint8Array<ArrayBuffer>, nodes: readonly number[]): Promise<number[]> {
    const { own, network } = this.#participant.options;
    const answered: number[] = [];
    this.#report('activate', nodes, answered);
    await this.#participant.takeCertificate(certificate);
    const former = this.#plan.keys.flatMap(({ former: group }) => group?.holders ?? []);
    const others = [...new Set([...nodes, ...former])].filter((node) => node !== own.node);
    const tell = async (node: number): Promise<number[]> => {
      try {
        await network.call(node, CALLS.activate, encodeCall({ certificate }), { timeoutMs: CALL_MS });
        answered.push(node);
        this.#report('activate', nodes, answered);
        return [];
      } catch (error) {
        if (error instanceof PeerError) return [node];
        throw error;
      }
    };
    return (await Promise.all(others.map(tell))).flat();
  }
}

function copy(messages: readonly SignedMessage[]) {
  return messages.map((message) => ({ ...message }));
}
