import type { PeerNetwork } from '../../peers/peer-network.ts';
import { type AttemptParts, Attempts, type Outcome } from './attempts.ts';
import type { QuorumSigningError } from './errors.ts';
import type { JointSignatures, SigningJob } from './job.ts';
import { MAX_PACKAGES, SIGNING_TIMEOUT_MS } from './limits.ts';
import { RunRecord } from './run-record.ts';

export interface RunParts extends Omit<AttemptParts, 'record' | 'end'> {
  readonly network: PeerNetwork;
}

/** An attempt that has ended, or why the next one begins or the run ends before. */
type RunEvent = Outcome | { readonly kind: 'slow' } | { readonly kind: 'overdue' };

/**
 * One request that nodes sign together, at its coordinator. Attempts are made with as many nodes as the threshold needs;
 * where one of them is slow, another attempt with a spare node runs beside, and the first that ends has the signature.
 * Nodes that cannot sign, or whose shares are wrong, take no further part.
 */
export class SigningRun {
  readonly #parts: RunParts;
  readonly #job: SigningJob;
  readonly #record: RunRecord;
  readonly #slow = new Set<number>();
  #end = 0;

  constructor(parts: RunParts, job: SigningJob) {
    this.#parts = parts;
    this.#job = job;
    this.#record = new RunRecord(job.key, parts.pool, parts.health);
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
    const attempts = new Attempts({ ...this.#parts, record: this.#record, end: this.#end }, this.#job);
    const running = new Map<string, Promise<Outcome>>();
    for (let packages = 0; ;) {
      const nodes = packages < MAX_PACKAGES ? this.#choose() : undefined;
      const name = nodes?.join();
      if (nodes !== undefined && name !== undefined && !running.has(name)) {
        packages += 1;
        const attempt = attempts.sign(nodes);
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
  async #next(running: ReadonlyMap<string, Promise<Outcome>>, mayHedge: () => boolean): Promise<RunEvent> {
    const { timer, health } = this.#parts;
    const { promise, resolve } = Promise.withResolvers<RunEvent>();
    const asked = [...new Set([...running.keys()].flatMap((name) => name.split(',').map(Number)))];
    let stopHedge = () => {};
    const hedge = () => {
      for (const node of asked) {
        if (this.#record.hasReceipt(node)) continue;
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
      (node) =>
        node !== participant && !this.#record.isExcluded(node) && network.identity(node) !== undefined,
    );
    const ordered = health.order(others);
    const isSlow = (node: number) => this.#slow.has(node) && !this.#record.hasReceipt(node);
    const chosen = [...ordered.filter((node) => !isSlow(node)), ...ordered.filter(isSlow)].slice(
      0,
      threshold - 1,
    );
    return chosen.length === threshold - 1 ? chosen.toSorted((one, other) => one - other) : undefined;
  }

  #describeFailure(): QuorumSigningError {
    const { signers, participant } = this.#parts.findShare(this.#job.key);
    return this.#record.describeFailure(signers.filter((node) => node !== participant));
  }
}
