import { type ChildProcess, fork } from 'node:child_process';

/** Process of this benchmark that gets one task, and sends messages itself. */
export class Child<Told> {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #told: Told[] = [];
  #wake: () => void = () => undefined;
  #hasEnded = false;

  constructor(module: string, task: unknown, nodeOptions: readonly string[] = []) {
    const child = fork(new URL(module, import.meta.url), {
      execArgv: [...nodeOptions],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child = child;
    this.pid = child.pid ?? 0;
    child.on('message', (message) => {
      this.#told.push(message as Told);
      this.#wake();
    });
    this.#ended = new Promise((resolve) => {
      child.once('exit', () => {
        this.#hasEnded = true;
        this.#wake();
        resolve();
      });
    });
    child.send(task as object);
  }

  /** Waits for the process's next message. @throws Error where it ended instead */
  async next(): Promise<Told> {
    for (;;) {
      const told = this.#told.shift();
      if (told !== undefined) return told;
      if (this.#hasEnded) throw new Error('a process of the benchmark has ended early');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}

/** Waits for the task, in such a process. */
export async function awaitTask<Task>(): Promise<Task> {
  const task = await new Promise<Task>((resolve) => {
    process.once('message', (message) => resolve(message as Task));
  });
  process.once('disconnect', () => process.exit(1));
  return task;
}

/** Sends a message to the benchmark, in such a process. */
export function tell(message: object | string): void {
  process.send?.(message);
}
