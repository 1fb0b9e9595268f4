import { median } from './statistics.ts';
import type { BenchStack, Build } from './stack.ts';

export interface BootFigures {
  readonly build: Build;
  readonly rounds: number;
  /** Median milliseconds from the process's start to the end of each part. */
  readonly parts: Readonly<Record<string, number>>;
  /** Milliseconds from the node's RSA key to serving: median and largest. */
  readonly readyAfterKey: { readonly median: number; readonly most: number };
  /** Processor time of the enclave's process by then, median, its RSA key included. */
  readonly cpuTime: number;
}

/** Starts the same node again and again. The first start, which makes password and keys, is not counted. */
export async function measureBoot(
  stack: BenchStack,
  build: Build,
  { rounds, nodeOptions }: { rounds: number; nodeOptions: readonly string[] },
): Promise<BootFigures> {
  const starts: Readonly<Record<string, number>>[] = [];
  const spent: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const node = await stack.start(build, nodeOptions);
    await node.stop();
    if (round === 0) continue;
    starts.push(node.times);
    spent.push(node.cpuTime);
  }
  const names = Object.keys(starts[0] ?? {});
  const parts = names.map(
    (name) => [name, median(starts.map((times) => times[name] ?? Number.NaN))] as const,
  );
  const after = starts.map(({ serving = Number.NaN, rsaKey = Number.NaN }) => serving - rsaKey);
  return {
    build,
    rounds,
    parts: Object.fromEntries(parts.toSorted(([, left], [, right]) => left - right)),
    readyAfterKey: { median: median(after), most: Math.max(...after) },
    cpuTime: median(spent),
  };
}
