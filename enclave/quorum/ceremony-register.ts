import { randomBytes } from 'node:crypto';
import { errorCode, HoldfastError } from '../../shared/errors.ts';
import { type Ceremony, MAX_LISTED_CEREMONIES } from '../../shared/api/quorum.ts';
import type { CeremonyOutcome, CeremonyProgress } from './ceremonies/index.ts';
import { QuorumError } from './errors.ts';
import { dropOldest } from '../../shared/drop-oldest.ts';

/** Milliseconds after which a ceremony that still runs has been given up by its participants. */
const CEREMONY_MS = 120_000;

/** The ceremonies that a node leads, or has led since it started, as its clients see them; the oldest are forgotten. */
export class CeremonyRegister {
  readonly #now: () => number;
  /** In the order in which they began. */
  readonly #ceremonies = new Map<string, Ceremony>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Notes that a ceremony is ordered, which is not planned yet; returns it with an id. */
  open(
    expected: Pick<Ceremony, 'kind' | 'key' | 'epoch' | 'coordinator' | 'participants' | 'threshold'>,
  ): Ceremony {
    const now = this.#now();
    const ceremony: Ceremony = {
      ...expected,
      id: randomBytes(16).toString('hex'),
      plan: null,
      state: 'running',
      step: 'decide',
      answered: [],
      waitingFor: expected.participants,
      started: now,
      ends: now + CEREMONY_MS,
      failure: null,
      uninformed: [],
      publicKey: null,
      transcript: null,
    };
    this.#ceremonies.set(ceremony.id, ceremony);
    dropOldest(this.#ceremonies, MAX_LISTED_CEREMONIES);
    return ceremony;
  }

  /** Notes the progress of a ceremony. */
  note(id: string, { id: planId, plan, step, answered, waitingFor }: CeremonyProgress): void {
    const known = this.#ceremonies.get(id);
    if (known === undefined) return;
    this.#ceremonies.set(id, {
      ...known,
      plan: planId,
      epoch: plan.keys[0]?.epoch ?? known.epoch,
      participants: sort([...plan.dealers, ...plan.holders]),
      threshold: plan.threshold,
      step,
      answered: sort(answered),
      waitingFor: sort(waitingFor),
    });
  }

  /** Notes the end of a ceremony whose epoch is in force. */
  finish(id: string, { transcript, publicKeys, uninformed }: CeremonyOutcome): void {
    const known = this.#ceremonies.get(id);
    if (known === undefined) return;
    this.#ceremonies.set(id, {
      ...known,
      state: 'done',
      step: 'activate',
      ends: this.#now(),
      waitingFor: [],
      uninformed: sort(uninformed),
      publicKey: hex(publicKeys[0] ?? new Uint8Array()),
      transcript: hex(transcript),
    });
  }

  /** Notes that a ceremony has ended without a new epoch. */
  fail(id: string, error: unknown): void {
    const known = this.#ceremonies.get(id);
    if (known === undefined) return;
    const failure = { code: errorCode(error), nodes: nodesOf(error), ...refusalOf(error) };
    this.#ceremonies.set(id, { ...known, state: 'failed', ends: this.#now(), failure });
  }

  /** Lists ceremonies, the newest first. */
  list(): readonly Ceremony[] {
    return [...this.#ceremonies.values()].toReversed();
  }

  /** @throws QuorumError CEREMONY_NOT_FOUND */
  get(id: string): Ceremony {
    const found = this.#ceremonies.get(id);
    if (found !== undefined) return found;
    throw new QuorumError('CEREMONY_NOT_FOUND', 'this node has led no ceremony of this id since it started');
  }
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const sort = (nodes: readonly number[]) => [...new Set(nodes)].toSorted((a, b) => a - b);

/** Lists the nodes that an error names: culprits, those not reached, or the one that has refused. */
function nodesOf(error: unknown): number[] {
  if (!(error instanceof HoldfastError)) return [];
  const { culprits, nodes, node } = error.details;
  const named = [culprits, nodes, [node]].find(
    (list): list is number[] => Array.isArray(list) && list.length > 0 && list.every(Number.isInteger),
  );
  return sort(named ?? []);
}

/** What the node that has refused a ceremony has given as its reason. */
function refusalOf(error: unknown): { refusal?: string } {
  const isRefusal = error instanceof HoldfastError && error.code === 'CEREMONY_REFUSED';
  const refusal = isRefusal ? error.details['code'] : undefined;
  return typeof refusal === 'string' ? { refusal } : {};
}
