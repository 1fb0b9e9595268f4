import { randomBytes } from 'node:crypto';
import {
  type ApproverEntry,
  type ExpectedApproval,
  nameCredential,
  verifyApproval,
} from '../../policy/approvals/index.ts';
import type { ApprovalNeed, VoteRequest } from '../../shared/api/requests.ts';
import { CredentialCounters } from './counters.ts';
import { RequestError } from './errors.ts';
import {
  MAX_PENDING,
  MAX_PENDING_BYTES,
  MAX_PENDING_PER_CLIENT,
  MAX_RESULT_BYTES,
  MAX_UNSEALED_BYTES,
  MAX_VOTES,
} from './limits.ts';
import {
  keepSigned,
  type KeptSigned,
  type PendingRequest,
  pendingSchema,
  restoreSigned,
  resultSchema,
  signedSchema,
  type Vote,
  votesSchema,
} from './pending-request.ts';
import { toApproval, toCanonical } from './vote-encoding.ts';
import { type ReadableStore, readTable, TABLES, UnsealedChanges } from './records.ts';
import { MAX_RECORD_BYTES } from '../../shared/protocol/control.ts';
import type { ForwardedRequest } from '../signing/forwarded-request.ts';
import type { RecordChange } from '../store/index.ts';

/** The parts of the configuration in force, and of the node, that approvals are verified against. */
export interface ApprovalContext {
  /** SHA-384 of the manifest, in hex. */
  readonly manifest: string;
  readonly configuration: { readonly version: number; readonly digest: string };
  readonly approvers: readonly ApproverEntry[];
  readonly groups: ReadonlyMap<string, readonly string[]>;
  readonly clients: ReadonlyMap<string, ExpectedApproval['requester']>;
  /** Milliseconds since 1970, by the NSM. */
  readonly now: () => number;
}

/** Why a request that waited is gone. */
export interface DroppedRequest {
  readonly id: string;
  readonly client: string;
  readonly digest: string;
  readonly reason: 'expired' | 'configuration-changed';
}

/** A request to be kept until people have approved it. */
export type NewRequest = Pick<
  PendingRequest,
  'client' | 'request' | 'digest' | 'rule' | 'needs' | 'expires'
> & {
  /** The client's request as it came, where other nodes have to verify it. */
  readonly signed?: ForwardedRequest | undefined;
};

/** A vote that has verified and does not count before {@link apply}. */
export interface ReceivedVote {
  readonly request: PendingRequest;
  readonly vote: Vote;
  /** Makes the vote count; called while the log's entry of the vote is made, so that one commit seals both. */
  readonly apply: () => void;
}

/** A request with its votes. */
export interface RequestStatus {
  readonly request: PendingRequest;
  /** The client's request as it came; undefined where this node carries it out alone. */
  readonly signed: ForwardedRequest | undefined;
  readonly state: 'waiting' | 'rejected' | 'done';
  readonly votes: readonly Vote[];
  readonly needs: readonly ApprovalNeed[];
}

interface Held {
  readonly request: PendingRequest;
  readonly signed: ForwardedRequest | undefined;
  readonly bytes: number;
  votes: readonly Vote[];
  /** Approvers whose vote has verified and is being sealed, and what it says. */
  readonly arriving: Map<string, Vote['decision']>;
  /** The result of a request that was carried out; null where it was too long to keep. */
  done: { readonly result: unknown } | undefined;
  underWay: Promise<unknown> | undefined;
}

/**
 * The requests that wait for approvals. All changes are in memory at once, and are sealed by the commit that collects
 * them next: whoever responds to a client or an approver waits for that commit.
 */
export class PendingRequests {
  readonly #context: ApprovalContext;
  readonly #held = new Map<string, Held>();
  readonly #changes: UnsealedChanges;
  readonly #counters: CredentialCounters;

  private constructor(context: ApprovalContext, changes: UnsealedChanges, counters: CredentialCounters) {
    this.#context = context;
    this.#changes = changes;
    this.#counters = counters;
  }

  /**
   * Reads the requests of a store. Those that have expired are dropped, and those of another configuration than the
   * one in force: their approvals name that configuration, and so does what permitted a result that may not have left.
   *
   * @throws StoreError, InternalError
   */
  static async restore(
    store: ReadableStore,
    context: ApprovalContext,
  ): Promise<{ readonly requests: PendingRequests; readonly dropped: readonly DroppedRequest[] }> {
    const changes = new UnsealedChanges();
    const requests = new PendingRequests(context, changes, await CredentialCounters.restore(store, changes));
    const votes = await readTable(store, TABLES.votes, votesSchema);
    const results = await readTable(store, TABLES.results, resultSchema);
    const signed = await readTable(store, TABLES.signed, signedSchema);
    for (const [id, request] of await readTable(store, TABLES.pending, pendingSchema)) {
      const kept = signed.get(id);
      const bytes = byteLength(request) + (kept === undefined ? 0 : byteLength(kept));
      requests.#hold(request, bytes, {
        signed: kept && restoreSigned(kept),
        votes: votes.get(id) ?? [],
        done: results.get(id),
      });
    }
    return { requests, dropped: [...requests.expire(), ...requests.#dropOthers()] };
  }

  /** Gives the changes since the last call to the commit that will seal them. */
  collectChanges(): RecordChange[] {
    return this.#changes.collect();
  }

  /**
   * Keeps a request until it is approved or expires. The same request of the same client under the same rule that waits
   * already keeps its id and its end.
   *
   * @returns the id: 128 random bits in hex
   * @throws RequestError REQUESTS_FULL
   */
  create({ client, request, digest, rule, needs, expires, signed }: NewRequest): string {
    this.expire();
    const own = [...this.#held.values()].filter((held) => held.request.client === client);
    const known = own.find(
      (held) => stateOf(held) === 'waiting' && held.request.digest === digest && held.request.rule === rule,
    );
    if (known !== undefined) return known.request.id;
    const id = randomBytes(16).toString('hex');
    const pending: PendingRequest = {
      format: 'holdfast-pending/1',
      id,
      client,
      request,
      digest,
      rule,
      needs: needs.map(({ group, count }) => ({ group, count })),
      configuration: this.#context.configuration,
      created: this.#context.now(),
      expires,
    };
    const kept = signed && keepSigned(signed);
    const bytes = byteLength(pending) + (kept === undefined ? 0 : byteLength(kept));
    this.#assertRoom(own.length, bytes);
    if (kept !== undefined) assertRecord(kept);
    this.#hold(pending, bytes, { signed });
    this.#changes.write({ table: TABLES.pending, id }, pending);
    if (kept !== undefined) this.#changes.write({ table: TABLES.signed, id }, kept);
    return id;
  }

  /** Returns a request for its approvers, who know its id. @throws RequestError REQUEST_UNKNOWN */
  find(id: string): RequestStatus {
    return this.#describe(this.#require(id));
  }

  /** Returns a request of a client. @throws RequestError REQUEST_UNKNOWN, for those of others too */
  findOwn(client: string, id: string): RequestStatus {
    return this.#describe(this.#requireOwn(client, id));
  }

  /** Lists the requests of a client, the oldest first. */
  list(client: string): RequestStatus[] {
    this.expire();
    return [...this.#held.values()]
      .filter(({ request }) => request.client === client)
      .map((held) => this.#describe(held));
  }

  /** Returns the approvals of a request, of distinct people. @throws RequestError REQUEST_UNKNOWN */
  approvalsOf(id: string): readonly Vote[] {
    return this.#require(id).votes.filter(({ decision }) => decision === 'approve');
  }

  /**
   * Verifies a vote and keeps its place: until it counts, no other vote of the same person is taken. `recordVote` makes
   * the log's entry and calls `apply` while it does.
   *
   * @throws ApprovalError; RequestError REQUEST_UNKNOWN, REQUEST_REJECTED, REQUEST_DONE, REQUESTS_FULL; whatever
   *   `recordVote` throws
   */
  async vote(
    id: string,
    body: VoteRequest,
    recordVote: (received: ReceivedVote) => Promise<void>,
  ): Promise<RequestStatus> {
    // A vote never overtakes the decision that is being made: it comes before, or after.
    while (this.#require(id).underWay !== undefined) await settle(this.#require(id).underWay);
    const held = this.#require(id);
    assertOpen(held);
    const received = this.#receive(held, body);
    const { approver, decision } = received.vote;
    held.arriving.set(approver, decision);
    try {
      await recordVote(received);
    } finally {
      held.arriving.delete(approver);
    }
    return this.#describe(held);
  }

  /**
   * Carries a request out, once: calls at the same time share one attempt, and later ones get the result that is kept.
   * `act` decides with the approvals, signs, and calls {@link finish} while it makes the entry of the log.
   *
   * @throws RequestError REQUEST_UNKNOWN, REQUEST_REJECTED; REQUEST_DONE where the result was too long to keep;
   *   whatever `act` throws, after which the request waits on
   */
  carryOut(client: string, id: string, act: (status: RequestStatus) => Promise<unknown>): Promise<unknown> {
    const held = this.#requireOwn(client, id);
    // Until the entry of a result is sealed, the attempt that made it is still under way.
    if (held.underWay !== undefined) return held.underWay;
    if (held.done !== undefined) {
      if (held.done.result !== null) return Promise.resolve(held.done.result);
      throw new RequestError(
        'REQUEST_DONE',
        'the request was carried out, and its result was too long to keep',
      );
    }
    assertOpen(held);
    if ([...held.arriving.values()].includes('reject')) throw rejected(id);
    held.underWay = act(this.#describe(held)).finally(() => {
      held.underWay = undefined;
    });
    return held.underWay;
  }

  /** Keeps the result of a request for its client until the request expires. @throws RequestError REQUEST_UNKNOWN */
  finish(id: string, result: unknown): void {
    const held = this.#held.get(id);
    if (held === undefined) throw new RequestError('REQUEST_UNKNOWN', 'no request of this id waits', { id });
    const isShort = byteLength(result) <= MAX_RESULT_BYTES;
    held.done = { result: isShort ? result : null };
    this.#changes.write({ table: TABLES.results, id }, held.done);
  }

  /** Drops the requests that have expired, and returns them. */
  expire(): DroppedRequest[] {
    const now = this.#context.now();
    // A request that is being carried out ends first.
    return this.#drop(
      'expired',
      ({ request, underWay }) => !(now < request.expires) && underWay === undefined,
    );
  }

  #dropOthers(): DroppedRequest[] {
    const { version, digest } = this.#context.configuration;
    return this.#drop('configuration-changed', ({ request: { configuration } }) => {
      return configuration.version !== version || configuration.digest !== digest;
    });
  }

  #drop(reason: DroppedRequest['reason'], isGone: (held: Held) => boolean): DroppedRequest[] {
    const dropped = [...this.#held.values()].filter(isGone).map(({ request }) => request);
    for (const { id } of dropped) {
      this.#held.delete(id);
      for (const table of [TABLES.pending, TABLES.votes, TABLES.results, TABLES.signed])
        this.#changes.drop({ table, id });
    }
    return dropped.map(({ id, client, digest }) => ({ id, client, digest, reason }));
  }

  #hold(
    request: PendingRequest,
    bytes: number,
    known: Partial<Pick<Held, 'signed' | 'votes' | 'done'>>,
  ): void {
    const { signed, votes = [], done } = known;
    const held = { request, signed, bytes, votes, arriving: new Map(), done, underWay: undefined };
    this.#held.set(request.id, held);
  }

  #receive(held: Held, body: VoteRequest): ReceivedVote {
    const { request } = held;
    const { approver, decision, credential, counter } = verifyApproval(toApproval(body), this.#expect(held), {
      approvers: this.#context.approvers,
      now: this.#context.now(),
      lastCounter: (name) => this.#counters.last(name),
    });
    if (decision === 'approve' && held.votes.length + held.arriving.size >= MAX_VOTES) {
      throw new RequestError('REQUESTS_FULL', 'the request has as many approvals as it can have');
    }
    if (counter !== null) this.#counters.advance(nameCredential(credential), counter);
    const vote: Vote = { approver, decision, ...toCanonical(body), time: this.#context.now() };
    return {
      request,
      vote,
      apply: () => {
        // An entry may wait until the request has gone: votes that belong to nothing would never leave the store.
        if (this.#held.get(request.id) !== held) {
          throw new RequestError('REQUEST_UNKNOWN', 'the request has expired', { id: request.id });
        }
        // Whoever approved and now rejects has one vote, the last.
        held.votes = [...held.votes.filter((cast) => cast.approver !== approver), vote];
        this.#changes.write({ table: TABLES.votes, id: request.id }, held.votes);
      },
    };
  }

  #expect({ request, votes, arriving }: Held): ExpectedApproval {
    const { id, digest, client, rule, expires, configuration } = request;
    const requester = this.#context.clients.get(client);
    if (requester === undefined) throw new RequestError('REQUEST_UNKNOWN', 'the client is unknown', { id });
    return {
      request: { id, digest },
      manifest: this.#context.manifest,
      configuration,
      rule,
      expires,
      requester,
      asked: request.needs.flatMap(({ group }) => this.#context.groups.get(group) ?? []),
      // A vote that is being sealed keeps others of the same person out, whatever they say.
      votes: [
        ...votes,
        ...Array.from(arriving.keys(), (approver) => ({ approver, decision: 'reject' as const })),
      ],
    };
  }

  #describe(held: Held): RequestStatus {
    const { request, signed, votes } = held;
    const needs = request.needs.map(({ group, count }) => ({
      group,
      count,
      approvers: [...(this.#context.groups.get(group) ?? [])],
    }));
    return { request, signed, state: stateOf(held), votes, needs };
  }

  #require(id: string): Held {
    this.expire();
    const held = this.#held.get(id);
    if (held === undefined) throw new RequestError('REQUEST_UNKNOWN', 'no request of this id waits', { id });
    return held;
  }

  #requireOwn(client: string, id: string): Held {
    const held = this.#require(id);
    if (held.request.client !== client) {
      throw new RequestError('REQUEST_UNKNOWN', 'no request of this id waits', { id });
    }
    return held;
  }

  #assertRoom(own: number, bytes: number): void {
    let held = 0;
    for (const { bytes } of this.#held.values()) held += bytes;
    for (const [what, actual, maximum] of [
      ['requests', this.#held.size + 1, MAX_PENDING],
      ['requests of one client', own + 1, MAX_PENDING_PER_CLIENT],
      ['bytes of requests', held + bytes, MAX_PENDING_BYTES],
      ['bytes that are not sealed yet', this.#changes.bytes + bytes, MAX_UNSEALED_BYTES],
    ] as const) {
      if (actual <= maximum) continue;
      throw new RequestError('REQUESTS_FULL', `no room for so many ${what}`, { what, actual, maximum });
    }
  }
}

function stateOf({ votes, done }: Held): RequestStatus['state'] {
  if (done !== undefined) return 'done';
  return votes.some(({ decision }) => decision === 'reject') ? 'rejected' : 'waiting';
}

/** Asserts that a request waits. @throws RequestError REQUEST_REJECTED, REQUEST_DONE */
function assertOpen(held: Held): void {
  switch (stateOf(held)) {
    case 'rejected':
      throw rejected(held.request.id);
    case 'done':
      throw new RequestError('REQUEST_DONE', 'the request was carried out', { id: held.request.id });
    case 'waiting':
  }
}

function rejected(id: string): RequestError {
  return new RequestError('REQUEST_REJECTED', 'the request was rejected', { id });
}

/** Asserts that a record has room for what is kept. @throws RequestError REQUESTS_FULL */
function assertRecord(kept: KeptSigned): void {
  const actual = byteLength(kept);
  if (actual <= MAX_RECORD_BYTES) return;
  const maximum = MAX_RECORD_BYTES;
  throw new RequestError('REQUESTS_FULL', 'the request is too long to be kept', { actual, maximum });
}

const byteLength = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

async function settle(attempt: Promise<unknown> | undefined): Promise<void> {
  await attempt?.catch(() => undefined);
}
