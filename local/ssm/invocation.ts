import { setTimeout as sleep } from 'node:timers/promises';
import type { ManagedHost } from './managed-hosts.ts';

/** What GetCommandInvocation gives of an output, in characters; the rest is cut off. */
const MAX_STDOUT = 24_000;
const MAX_STDERR = 8_000;
const DELIVERY_POLL_MS = 100;

export type InvocationStatus = 'Pending' | 'InProgress' | 'Success' | 'Failed' | 'TimedOut' | 'Cancelled';

export interface InvocationOptions {
  readonly host: ManagedHost;
  readonly line: string;
  /** Milliseconds within which the instance has to take the command. */
  readonly deliveryMs: number;
  /** Milliseconds within which the command has to end. */
  readonly executionMs: number;
  readonly clock: () => number;
}

/** A command on one instance. */
export class Invocation {
  readonly host: ManagedHost;
  readonly #options: InvocationOptions;
  readonly #cancelled = new AbortController();
  #wasAsked = false;
  status: InvocationStatus = 'Pending';
  statusDetails: string = 'Pending';
  responseCode = -1;
  stdout = '';
  stderr = '';
  startedAt: number | undefined;
  endedAt: number | undefined;

  constructor(options: InvocationOptions) {
    this.host = options.host;
    this.#options = options;
    void this.#run();
  }

  /** True from the second question on: AWS may not know an invocation yet that it has just made. */
  ask(): boolean {
    const wasAsked = this.#wasAsked;
    this.#wasAsked = true;
    return wasAsked;
  }

  cancel(): void {
    this.#cancelled.abort();
  }

  async #run(): Promise<void> {
    const { host, line, deliveryMs, executionMs, clock } = this.#options;
    const deadline = performance.now() + deliveryMs;
    while (!host.isUp && performance.now() < deadline && !this.#cancelled.signal.aborted) {
      await sleep(DELIVERY_POLL_MS, undefined, { ref: false });
    }
    if (this.#cancelled.signal.aborted) {
      this.#end('Cancelled', 'Cancelled', -1);
      return;
    }
    if (!host.isUp) {
      this.#end('TimedOut', 'DeliveryTimedOut', -1);
      return;
    }
    this.status = 'InProgress';
    this.statusDetails = 'InProgress';
    this.startedAt = clock();
    const timeout = AbortSignal.timeout(executionMs);
    const signal = AbortSignal.any([timeout, this.#cancelled.signal]);
    const { exit, stdout, stderr } = await host
      .run(line, { signal })
      .catch((error: unknown) => ({ exit: 255, stdout: '', stderr: String(error) }));
    this.stdout = stdout.slice(0, MAX_STDOUT);
    this.stderr = stderr.slice(0, MAX_STDERR);
    if (this.#cancelled.signal.aborted) this.#end('Cancelled', 'Cancelled', exit);
    else if (timeout.aborted) this.#end('TimedOut', 'ExecutionTimedOut', exit);
    else if (exit === 0) this.#end('Success', 'Success', 0);
    else this.#end('Failed', 'Failed', exit);
  }

  #end(status: InvocationStatus, details: string, code: number): void {
    this.status = status;
    this.statusDetails = details;
    this.responseCode = code;
    this.endedAt = this.#options.clock();
  }
}
