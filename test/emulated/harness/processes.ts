import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** Marker of a line that a program in a guest prints for the test, followed by JSON. */
const MARKER = 'holdfast-test ';
// Firmware draws on a terminal before the kernel speaks.
const NOT_PRINTABLE = /[^ -~]/g;

/** A process of the emulated host and the lines that it has printed. */
export class HostProcess {
  readonly name: string;
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #waiting = new Set<() => void>();
  #hasExited = false;

  constructor(name: string, command: string, args: readonly string[]) {
    this.name = name;
    // The process ends with this one, however this one ends.
    const bound = ['--pdeathsig', 'KILL', '--', command, ...args];
    this.#child = spawn('setpriv', bound, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#exited = once(this.#child, 'exit').finally(() => {
      this.#hasExited = true;
      this.#wake();
    });
    this.#exited.catch(() => undefined);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        this.lines.push(line.replace(NOT_PRINTABLE, ''));
        this.#wake();
      });
    }
  }

  get hasExited(): boolean {
    return this.#hasExited;
  }

  /** Calls back after each line, and when the process has ended. */
  onLine(callback: () => void): void {
    this.#waiting.add(callback);
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  /** Waits until `find` has a result; rejects with the console when the process ends or the time is up. */
  async waitUntil<T>(what: string, find: () => T | undefined, timeoutMs: number): Promise<T> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      const left = deadline - Date.now();
      if (left <= 0 || this.#hasExited) {
        // The last lines may still be on their way from a process that has ended.
        if (left > 0) await new Promise((resolve) => setTimeout(resolve, 50));
        const late = find();
        if (late !== undefined) return late;
        const reason = left <= 0 ? `not within ${timeoutMs} ms` : 'the process has ended';
        throw new Error(`${this.name}: no ${what}: ${reason}\n${this.lines.slice(-40).join('\n')}`);
      }
      await new Promise<void>((resolve) => {
        const settle = () => {
          clearTimeout(timer);
          this.#waiting.delete(settle);
          resolve();
        };
        const timer = setTimeout(settle, left);
        this.#waiting.add(settle);
      });
    }
  }

  waitForLine(pattern: RegExp, timeoutMs: number): Promise<string> {
    return this.waitUntil(`line ${pattern}`, () => this.lines.find((line) => pattern.test(line)), timeoutMs);
  }

  /** Reports that the guest's program has sent to the test so far. */
  reports(): Record<string, unknown>[] {
    return this.lines
      .filter((line) => line.startsWith(MARKER) && line.endsWith('}'))
      .map((line) => JSON.parse(line.slice(MARKER.length)) as Record<string, unknown>);
  }

  waitForReport(name: string, timeoutMs: number): Promise<Record<string, unknown>> {
    return this.waitUntil(
      `report ${name}`,
      () => this.reports().find((report) => report['report'] === name),
      timeoutMs,
    );
  }

  async waitForExit(timeoutMs: number): Promise<void> {
    await this.waitUntil('exit', () => (this.#hasExited ? true : undefined), timeoutMs);
  }

  /** Ends the process at once; the emulator itself may hang. */
  async kill(): Promise<void> {
    if (this.#child.pid === undefined) return;
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}
