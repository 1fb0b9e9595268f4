import {
  assertSigned,
  type Certificate,
  decodePlan,
  digestBody,
  digestPlan,
  encodeCertificate,
  encodeConfirmation,
  extractCertificate,
  type SignedMessage,
  TranscriptError,
} from '../../../audit/transcript/index.ts';
import { epochOf, type PendingEpoch } from '../../frost/index.ts';
import { PeerError } from '../../peers/errors.ts';
import { assertAbort } from './certificate-trust.ts';
import { CeremonyError } from './errors.ts';
import { type Participant } from './participant.ts';
import { CALLS, decodeAnswer, encodeCall, MAX_ASKED_KEYS, newsAnswer, resolveAnswer } from './wire.ts';

/** Milliseconds that a node has to answer a question of a catch-up. */
const ASK_MS = 5_000;
/** Milliseconds between two attempts to learn the end of a ceremony, the first and the longest. */
const FIRST_PAUSE_MS = 5_000;
const MAX_PAUSE_MS = 60_000;
/** The most answers that one node is asked for in a row: each has certificates of several keys. */
const MAX_ROUNDS = 64;

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** Finds out how ceremonies have ended that this node has confirmed, and takes what others know. */
export class Resolution {
  readonly #participant: Participant;
  #isWatching = false;
  #isStopped = false;

  constructor(participant: Participant) {
    this.#participant = participant;
  }

  /** Asks a node for the certificates that this one lacks, and takes them. A node that does not answer changes nothing. */
  async askNews(node: number, keys = this.#participant.options.keeper.shareIds()): Promise<void> {
    const { keeper } = this.#participant.options;
    const seen = new Set<string>();
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const asked = keys.slice(0, MAX_ASKED_KEYS).flatMap((key) => {
        const record = keeper.shareRecord(key);
        if (record === undefined) return [];
        const unresolved = record.pending.map(({ ceremony }) => ceremony);
        return [{ key, epoch: epochOf(record) ?? null, unresolved }];
      });
      if (asked.length === 0) return;
      const bytes = await this.#ask(node, CALLS.news, encodeCall({ keys: asked }));
      const answer = bytes && decodeAnswer(newsAnswer, bytes);
      if (answer === undefined) return;
      let isNew = false;
      for (const certificate of answer.certificates) {
        const name = hex(digestBody(certificate));
        if (seen.has(name)) continue;
        seen.add(name);
        isNew = true;
        await ignoreUntrusted(this.#participant.takeCertificate(certificate));
      }
      if (!isNew) return;
    }
  }

  /** Resolves what can be resolved of the ceremonies on these keys that this node has confirmed. */
  async resolveAll(keys = this.#participant.options.keeper.shareIds()): Promise<void> {
    const { keeper } = this.#participant.options;
    const done = new Set<string>();
    for (const key of keys) {
      for (const pending of keeper.shareRecord(key)?.pending ?? []) {
        const id = hex(pending.ceremony);
        if (pending.isAborted || done.has(id)) continue;
        done.add(id);
        await this.#resolve(key, pending);
      }
    }
  }

  stop(): void {
    this.#isStopped = true;
  }

  /**
   * Looks after what this node has confirmed until its end is known: a coordinator that has died tells nobody of a
   * certificate, and the sessions with the others stand.
   */
  async watch(): Promise<void> {
    if (this.#isWatching) return;
    this.#isWatching = true;
    const { network, keeper, edges } = this.#participant.options;
    const isWaiting = () =>
      keeper.shareIds().some((key) => keeper.shareRecord(key)?.pending.some(({ isAborted }) => !isAborted));
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, MAX_PAUSE_MS)) {
      await edges.sleep(pause);
      if (this.#isStopped || !isWaiting()) break;
      const peers = network.peers.filter((node) => network.identity(node) !== undefined);
      await Promise.all(peers.map((node) => this.askNews(node)));
      await this.resolveAll();
    }
    this.#isWatching = false;
  }

  /**
   * Asks every holder of an epoch whether it has confirmed. All confirmations are the certificate; one abort ends the
   * ceremony; where neither comes together, the epoch waits.
   */
  async #resolve(key: string, { ceremony, transcript: digest, share }: PendingEpoch): Promise<void> {
    const participant = this.#participant;
    const { own } = participant.options;
    const transcript = await participant.transcripts.read(hex(ceremony));
    if (transcript === undefined) return;
    const planDigest = digestPlan(transcript.plan);
    const { holders, members, keys } = decodePlan(transcript.plan);
    const question = encodeCall({ id: ceremony, planDigest, key, epoch: share.group.epoch });
    const answers = await Promise.all(holders.map((node) => this.#ask(node, CALLS.resolve, question)));
    const confirmations: Certificate['confirmations'] = [];
    const bodyDigest = digestBody(encodeConfirmation(digest));
    for (const [index, bytes] of answers.entries()) {
      const answer = bytes && decodeAnswer(resolveAnswer, bytes);
      if (answer === undefined) continue;
      const { message, certificate } = answer;
      if (certificate !== null) await ignoreUntrusted(participant.takeCertificate(certificate));
      if (message === null || message.sender !== holders[index]) continue;
      if (message.step === 'abort') {
        if (!isSigned(() => assertAbort(transcript.plan, message))) continue;
        await this.#spreadAbort(ceremony, message, holders);
        return;
      }
      const { sender, signature } = message;
      const receiptKey = members.find(({ node }) => node === sender)?.receiptKey ?? new Uint8Array(32);
      if (
        !isSigned(() =>
          assertSigned(receiptKey, planDigest, { step: 'confirm', sender, bodyDigest, signature }),
        )
      )
        continue;
      confirmations.push({ sender, signature });
    }
    if (confirmations.length !== holders.length) return;
    const certificate = encodeCertificate(extractCertificate(transcript, confirmations));
    await participant.takeCertificate(certificate);
    // Nodes that leave learn that their shares are of no use any more.
    const former = keys.flatMap((planned) => planned.former?.holders ?? []);
    const told = new Set([...holders, ...members.map(({ node }) => node), ...former]);
    const others = [...told].filter((node) => node !== own.node);
    await Promise.all(others.map((node) => this.#ask(node, CALLS.activate, encodeCall({ certificate }))));
  }

  async #spreadAbort(id: Uint8Array, message: SignedMessage, holders: readonly number[]): Promise<void> {
    const question = encodeCall({ id, message: { ...message } });
    await ignoreUntrusted(this.#participant.takeAbort(id, message));
    const { own } = this.#participant.options;
    await Promise.all(
      holders.filter((node) => node !== own.node).map((node) => this.#ask(node, CALLS.abort, question)),
    );
  }

  /** Asks a node; undefined where it does not answer or refuses. */
  async #ask(node: number, kind: string, body: Uint8Array): Promise<Uint8Array | undefined> {
    const { own, network } = this.#participant.options;
    if (node === own.node) return await this.#participant.answer(kind, undefined, body);
    try {
      return await network.call(node, kind, body, { timeoutMs: ASK_MS });
    } catch (error) {
      if (error instanceof PeerError) return undefined;
      throw error;
    }
  }
}

/** Awaits a change that what another node has sent may not be able to make. */
export async function ignoreUntrusted(change: Promise<void>): Promise<void> {
  try {
    await change;
  } catch (error) {
    if (error instanceof TranscriptError) return;
    if (error instanceof CeremonyError) return;
    throw error;
  }
}

function isSigned(assert: () => void): boolean {
  try {
    assert();
    return true;
  } catch (error) {
    if (error instanceof TranscriptError) return false;
    throw error;
  }
}
