import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { failed, said, type ShimResponse } from './shim-protocol.ts';

const STOP_MS = 30_000;
const START_MS = 60_000;
const RESTART_MS = 200;
/** Starts by itself, after which the unit counts as failed. */
const MAX_RESTARTS = 20;

export interface UnitOptions {
  readonly name: string;
  /** Program and arguments of ExecStart. */
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  /** Word in a line of the program's output that says that it is ready. */
  readonly ready: string;
  /** Called with each line that the program prints. */
  readonly onLine?: (line: string) => void;
}

/** One service and its systemctl: started, watched, started again, as a unit with Restart=always. */
export class Unit {
  readonly #options: UnitOptions;
  #child: ChildProcess | undefined;
  #isWanted = false;
  #restarts = 0;
  isEnabled = false;

  constructor(options: UnitOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Answers a call of systemctl, as far as the project makes one. */
  async control(args: readonly string[]): Promise<ShimResponse> {
    const [verb, ...rest] = args.filter((arg) => !arg.startsWith('--'));
    if (verb === 'daemon-reload') return said();
    if (rest.length !== 1 || rest[0] !== this.#options.name) {
      return verb === 'show'
        ? said('LoadState=not-found\nActiveState=inactive\n')
        : failed(`Unit ${rest.join(' ')} not found.`, 5);
    }
    switch (verb) {
      case 'show':
        return said(`LoadState=loaded\nActiveState=${this.#state()}\n`);
      case 'is-active':
        return { exit: this.#state() === 'active' ? 0 : 3, stdout: `${this.#state()}\n`, stderr: '' };
      case 'reset-failed':
        this.#restarts = 0;
        return said();
      case 'enable':
        this.isEnabled = true;
        return said();
      case 'start':
        return (await this.start()) ? said() : failed(`Job for ${this.#options.name} failed.`);
      case 'stop':
        await this.stop();
        return said();
      case 'restart':
        await this.stop();
        return (await this.start()) ? said() : failed(`Job for ${this.#options.name} failed.`);
      case 'reload':
        this.#child?.kill('SIGHUP');
        return said();
      case undefined:
      default:
        return failed(`Unknown command verb ${verb ?? ''}.`);
    }
  }

  /** Starts the service; true once it is ready. */
  async start(): Promise<boolean> {
    this.#isWanted = true;
    return this.#child === undefined ? await this.#spawn() : true;
  }

  /** Ends the service by SIGTERM, and by SIGKILL where that takes too long. */
  async stop(): Promise<void> {
    this.#isWanted = false;
    const child = this.#child;
    if (child === undefined) return;
    const closed = once(child, 'close');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await closed;
    clearTimeout(timer);
  }

  /** Ends the service at once, as the loss of power does. */
  async kill(): Promise<void> {
    this.#isWanted = false;
    const child = this.#child;
    if (child === undefined) return;
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  }

  #state(): string {
    if (this.#child !== undefined) return 'active';
    if (!this.#isWanted) return 'inactive';
    return this.#restarts > MAX_RESTARTS ? 'failed' : 'activating';
  }

  async #spawn(): Promise<boolean> {
    const { command, env, ready, onLine } = this.#options;
    const [program, ...args] = command;
    const child = spawn(program, args, { env, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    const isReady = Promise.withResolvers<boolean>();
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        onLine?.(line);
        if (line.includes(ready)) isReady.resolve(true);
      });
    }
    child.once('error', () => isReady.resolve(false));
    child.once('close', () => {
      this.#child = undefined;
      isReady.resolve(false);
      void this.#restart();
    });
    const timer = setTimeout(() => isReady.resolve(false), START_MS);
    return await isReady.promise.finally(() => clearTimeout(timer));
  }

  async #restart(): Promise<void> {
    this.#restarts += 1;
    if (!this.#isWanted || this.#restarts > MAX_RESTARTS) return;
    await sleep(RESTART_MS, undefined, { ref: false });
    if (this.#isWanted && this.#child === undefined) await this.#spawn();
  }
}
