import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const MAIN = join(import.meta.dirname, '../../../cli/main.ts');
const EVENT_TIMEOUT_MS = 120_000;
const POLL_MS = 10;
/** Bits of the flags of an open file that say how it may be used (open(2)); 0 is reading alone. */
const ACCESS_MODE = 0o3;

/** A door that runs as a process of the command. */
export class DoorProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown[]>;
  /** Everything that the process has written. */
  text = '';

  /**
   * Starts `holdfast gateway DOOR`.
   *
   * @param folder holds gateway.yaml
   * @param home working directory, home and folder for temporary files of the process; left out: those of the test
   */
  constructor(door: string, folder: string, home?: string) {
    this.#child = spawn(process.execPath, [MAIN, 'gateway', door, '--config', join(folder, 'gateway.yaml')], {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(home === undefined ? {} : { cwd: home, env: { ...process.env, HOME: home, TMPDIR: home } }),
    });
    this.#child.stdout?.on('data', (piece) => (this.text += String(piece)));
    this.#child.stderr?.on('data', (piece) => (this.text += String(piece)));
    this.#ended = once(this.#child, 'exit');
  }

  /** Waits until a line of the log has the event; returns its fields. */
  async event(name: string): Promise<Readonly<Record<string, unknown>>> {
    const deadline = Date.now() + EVENT_TIMEOUT_MS;
    for (;;) {
      const found = this.lines.find((line) => line['event'] === name);
      if (found !== undefined) return found;
      if (Date.now() > deadline) throw new Error(`expected ${name}, found: ${this.text}`);
      await sleep(POLL_MS);
    }
  }

  get lines(): readonly Readonly<Record<string, unknown>>[] {
    return this.text
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Paths of files that the process has open and may write to; neither sockets nor pipes. */
  get writable(): readonly string[] {
    const folder = `/proc/${this.#child.pid}`;
    return readdirSync(`${folder}/fd`)
      .map((name) => [name, readlinkSync(`${folder}/fd/${name}`)] as const)
      .filter(([, target]) => target.startsWith('/') && target !== '/dev/null')
      .filter(([name]) => {
        const flags = /^flags:\s+([0-7]+)$/m.exec(readFileSync(`${folder}/fdinfo/${name}`, 'utf8'))?.[1];
        return (Number.parseInt(flags ?? '', 8) & ACCESS_MODE) !== 0;
      })
      .map(([, target]) => target);
  }

  /** Sends a signal; returns the exit code. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.#child.kill(signal);
    const [code] = await this.#ended;
    return code as number | null;
  }
}
