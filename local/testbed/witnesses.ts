import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { ParentOptions } from '../../parent/index.ts';
import { type HoldfastCommand, runCommand, startCommand } from './holdfast-command.ts';

const serving = z.object({ url: z.url(), vkeys: z.array(z.string()).min(1) });

/** Witnesses of one log, each a process of its own. */
export interface LocalWitnesses {
  /** Where a parent asks each, and the verifier key of each. */
  readonly witnesses: NonNullable<ParentOptions['auditLog']>['witnesses'];
  stop(): Promise<void>;
}

/** Log that witnesses are to follow. */
export interface FollowedLog {
  readonly origin: string;
  /** Verifier key of the log. */
  readonly key: string;
}

/**
 * Makes and starts witnesses on loopback by `holdfast audit witness`, as their operators would.
 *
 * @param folder where each gets a folder of its own
 */
export async function startWitnesses(
  command: HoldfastCommand,
  folder: string,
  { origin, key }: FollowedLog,
  names: readonly string[],
): Promise<LocalWitnesses> {
  await mkdir(folder, { recursive: true });
  const logs = join(folder, 'logs.yaml');
  await writeFile(logs, `logs:\n  - origin: ${origin}\n    keys: ["${key}"]\n`);
  const running = await Promise.allSettled(names.map((name) => startOne(command, folder, logs, name)));
  const started = running.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const stop = async () => {
    await Promise.all(started.map((one) => one.stop()));
  };
  const failed = running.find((one) => one.status === 'rejected');
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  return { witnesses: started.map(({ url, key }) => ({ url, key })), stop };
}

async function startOne(command: HoldfastCommand, folder: string, logs: string, name: string) {
  const own = join(folder, name);
  const keygen = ['audit', 'witness-keygen', own, '--name', `${name}.holdfast.internal`];
  const made = await runCommand(command, keygen, folder);
  if (made.exit !== 0) throw new Error(`expected a new witness, found ${String(made.said.error?.code)}`);
  const serve = ['audit', 'witness', own, '--logs', logs, '--listen', '127.0.0.1:0'];
  const running = await startCommand(command, serve, folder);
  const { url, vkeys } = serving.parse(running.first);
  return { url, key: vkeys[0] ?? '', stop: () => running.stop() };
}
