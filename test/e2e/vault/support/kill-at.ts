import { readFileSync, writeFileSync } from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

// Preloaded (`--import`) into a command that a test has cut off. The command ends itself by SIGKILL, which nothing of it can
// see coming, in the first place of a step in which no run ended before: so every place is met, whatever the machine's speed.

/** File in the folder of whoever runs the command: where to end, and later where it did. */
export const PLAN = 'kill-at.json';
export const KILLED = 'killed-at.json';

export interface KillPlan {
  /** Places that need no further kill. */
  readonly done: readonly string[];
  /** The one step whose places count; every step's where it is left out. */
  readonly only?: string;
  /** Milliseconds that a run goes on in a step before it ends, by step; at once where it is not named. */
  readonly delays: Readonly<Record<string, number>>;
}

/** Place within a step; its end comes at the latest when the step is about to be told. */
export const within = (step: string): string => `${step} begun`;
/** Place at which all of a step was done, and its statement is about to appear. */
export const untold = (step: string): string => `${step} untold`;

function readPlan(): KillPlan | undefined {
  try {
    return JSON.parse(readFileSync(PLAN, 'utf8')) as KillPlan;
  } catch {
    return undefined;
  }
}

const plan = readPlan();
if (plan !== undefined) {
  const isOpen = (place: string) =>
    !plan.done.includes(place) && (plan.only === undefined || place.startsWith(`${plan.only} `));
  const end = (place: string) => {
    writeFileSync(KILLED, JSON.stringify(place));
    process.kill(process.pid, 'SIGKILL');
  };
  let current: string | undefined;
  const write = process.stderr.write.bind(process.stderr) as (...args: readonly unknown[]) => boolean;
  process.stderr.write = (...args: readonly unknown[]) => {
    const [, step] = /^begins (\S+)$/m.exec(String(args[0])) ?? [];
    if (step !== undefined) {
      current = step;
      if (isOpen(within(step)))
        setTimeout(() => {
          if (current === step) end(within(step));
        }, plan.delays[step] ?? 0);
    }
    return write(...args);
  };
  const { rename } = promises;
  promises.rename = async (from, to) => {
    const [, step] = /\/((?:infrastructure|node-\d+)\/[a-z-]+)\.json$/.exec(String(to)) ?? [];
    if (step !== undefined && step === current) {
      for (const place of [within(step), untold(step)]) if (isOpen(place)) end(place);
      current = undefined;
    }
    await rename(from, to);
  };
  syncBuiltinESMExports();
}
