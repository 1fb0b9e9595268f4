import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import type { HeldMemory, MeasuredTold } from './measured-process.ts';

/** Process whose memory a test measures; its module calls serveMeasurements. */
export class MeasuredChild<Ready = unknown> {
  readonly #child: ChildProcess;
  readonly #told: MeasuredTold<unknown>[] = [];
  #wake = () => {};
  #ready: Ready | undefined;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (message) => {
      this.#told.push(message as MeasuredTold<unknown>);
      this.#wake();
    });
    child.once('exit', () => this.#wake());
  }

  /** Starts the process, and waits until it is ready. @throws Error where the process ends before */
  static async start<Ready>(module: URL, ...args: readonly string[]): Promise<MeasuredChild<Ready>> {
    const child = new MeasuredChild<Ready>(
      fork(module, args, {
        execArgv: ['--expose-gc'],
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      }),
    );
    child.#ready = (await child.nextReady()) as Ready;
    return child;
  }

  /** Message that the process sent when it was ready. */
  get ready(): Ready {
    return this.#ready as Ready;
  }

  /** Largest resident memory of the process since it was started or `resetPeak` was called, in bytes. */
  get peak(): number {
    return readPeak(this.#child.pid ?? 0);
  }

  resetPeak(): void {
    resetPeak(this.#child.pid ?? 0);
  }

  /** Measures what the process holds now. @throws Error where the process has ended */
  async measure(): Promise<HeldMemory> {
    this.#child.send('measure');
    return await this.#next((told) => ('ready' in told ? undefined : told));
  }

  /** Sends the process a text that its module waits for. */
  tell(text: string): void {
    this.#child.send(text);
  }

  /** Waits for the next message that the process is ready. @throws Error where the process has ended */
  async nextReady(): Promise<unknown> {
    return await this.#next((told) => ('ready' in told ? told.ready : undefined));
  }

  async end(): Promise<void> {
    if (this.#hasEnded) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async #next<Picked>(pick: (told: MeasuredTold<unknown>) => Picked | undefined): Promise<Picked> {
    for (;;) {
      for (const [index, told] of this.#told.entries()) {
        const picked = pick(told);
        if (picked === undefined) continue;
        this.#told.splice(index, 1);
        return picked;
      }
      if (this.#hasEnded) throw new Error('the measured process has ended');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** The most resident memory that a process has had, in bytes: VmHWM of proc_pid_status(5). */
export function readPeak(pid: number): number {
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kibibytes) * 1024;
}

/** Sets what `readPeak` gives to what the process has now: proc_pid_clear_refs(5). */
function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}
