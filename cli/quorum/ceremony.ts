import { setTimeout as sleep } from 'node:timers/promises';
import type { Begun, Ceremony, QuorumClient } from '../../client/index.ts';
import { CEREMONY_STEPS } from '../../shared/api/quorum.ts';
import type { Command, CommandInput, OptionSpec, Outcome } from '../common/command.ts';
import { UsageError } from '../common/command.ts';
import { CliError } from '../common/errors.ts';
import { createProgress } from '../common/progress.ts';
import { withQuorum } from './connection.ts';

const DEFAULT_TIMEOUT_SECONDS = 120;
const MAX_TIMEOUT_SECONDS = 86_400;

/** Options of verbs that begin a ceremony, or wait for one. */
export const CEREMONY_OPTIONS = {
  timeout: {
    type: 'string',
    value: 'SECONDS',
    description: `how long to wait for its end (default: ${DEFAULT_TIMEOUT_SECONDS}); it goes on without the command`,
  },
} as const satisfies Record<string, OptionSpec>;

/** Option of verbs that begin a ceremony. */
export const DETACH_OPTION = {
  detach: { type: 'boolean', description: 'begin it, print its id, and do not wait' },
} as const satisfies Record<string, OptionSpec>;

/** Begins a ceremony that a verb was told to hold. */
type Begin = (quorum: QuorumClient) => Promise<Begun>;

/**
 * Makes a verb that begins a ceremony: it waits for the end, shows progress, and says what goes on after Ctrl-C.
 *
 * @param read reads the words of the verb, before anybody is asked
 */
export function beginCeremony(read: (input: CommandInput) => Begin): Command['run'] {
  return beginCeremonies((input) => Promise.resolve([read(input)]));
}

/**
 * Makes a verb that holds ceremonies one after the other, and stops with the first that fails.
 *
 * @param read reads the words of the verb, before anybody is asked
 */
export function beginCeremonies(read: (input: CommandInput) => Promise<readonly Begin[]>): Command['run'] {
  return async (input) => {
    const begins = await read(input);
    const seconds = readTimeout(input.text('timeout'));
    return await withQuorum(input, async (quorum) => {
      const held: { readonly text: string; readonly ceremony: Ceremony }[] = [];
      for (const begin of begins) held.push(await hold(quorum, await begin(quorum), seconds, input));
      const ceremonies = held.map(({ ceremony }) => ceremony);
      const text = held.map((one) => one.text).join('\n');
      return { ok: true, text, data: ceremonies.length === 1 ? { ceremony: ceremonies[0] } : { ceremonies } };
    });
  };
}

async function hold(
  quorum: QuorumClient,
  { ceremony }: Begun,
  seconds: number,
  input: CommandInput,
): Promise<{ readonly text: string; readonly ceremony: Ceremony }> {
  if (!input.flag('detach')) {
    const done = await awaitEnd(quorum, ceremony, seconds, input);
    return { text: describeDone(done), ceremony: done };
  }
  const text = `${ceremony.id}  ${ceremony.kind} of ${ceremony.key} has begun\n  next: holdfast quorum wait ${ceremony.id}`;
  return { text, ceremony };
}

/** Waits for the end of a ceremony. @throws CliError INTERRUPTED, CEREMONY_UNFINISHED; ClientError CEREMONY_FAILED */
export async function waitForCeremony(
  quorum: QuorumClient,
  ceremony: Pick<Ceremony, 'id'>,
  seconds: number,
  input: Pick<CommandInput, 'io'>,
): Promise<Outcome> {
  const done = await awaitEnd(quorum, ceremony, seconds, input);
  return { ok: true, text: describeDone(done), data: { ceremony: done } };
}

async function awaitEnd(
  quorum: QuorumClient,
  ceremony: Pick<Ceremony, 'id'>,
  seconds: number,
  { io }: Pick<CommandInput, 'io'>,
): Promise<Ceremony> {
  let label = `ceremony ${ceremony.id}`;
  const progress = createProgress(io, () => label);
  const over = new AbortController();
  const signal = AbortSignal.any([io.signal, over.signal]);
  const timer = sleep(seconds * 1000, undefined, { signal }).then(
    () => over.abort(),
    () => undefined,
  );
  const onProgress = (now: Ceremony) => {
    const { step, answered, waitingFor, kind, key } = now;
    label = `${kind} of ${key}: ${step}${waitingFor.length === 0 ? '' : `, waiting for ${waitingFor.join(', ')}`}`;
    const nodes = answered.length + waitingFor.length;
    const share = nodes === 0 ? 0 : answered.length / nodes;
    progress.update(CEREMONY_STEPS.indexOf(step) + share, CEREMONY_STEPS.length);
  };
  try {
    const done = await quorum.waitFor(ceremony, { onProgress, signal });
    progress.finish();
    return done;
  } catch (error) {
    progress.finish();
    const details = { ceremony: ceremony.id, next: `holdfast quorum wait ${ceremony.id}` };
    if (io.signal.aborted) {
      const message = 'interrupted: the nodes go on with the ceremony without this command';
      throw new CliError('INTERRUPTED', message, details);
    }
    if (over.signal.aborted) {
      const message = `not at its end after ${seconds} s: the nodes go on with the ceremony without this command`;
      throw new CliError('CEREMONY_UNFINISHED', message, details);
    }
    throw error;
  } finally {
    over.abort();
    await timer;
  }
}

/** Reads how long a verb waits. @throws UsageError */
export function readTimeout(text: string | undefined): number {
  if (text === undefined) return DEFAULT_TIMEOUT_SECONDS;
  const seconds = /^[1-9][0-9]{0,4}$/.test(text) ? Number(text) : Number.NaN;
  if (!(seconds <= MAX_TIMEOUT_SECONDS))
    throw new UsageError(`--timeout is a number of seconds from 1 to ${MAX_TIMEOUT_SECONDS}`);
  return seconds;
}

function describeDone({
  id,
  kind,
  key,
  epoch,
  participants,
  threshold,
  publicKey,
  transcript,
  uninformed,
}: Ceremony): string {
  return [
    `${kind} of ${key} is done: epoch ${epoch}, ${threshold} of ${participants.length} nodes sign (${participants.join(', ')})`,
    ...(publicKey === null ? [] : [`  public key  ${publicKey}`]),
    ...(transcript === null ? [] : [`  transcript  SHA-256 ${transcript}`]),
    ...(uninformed.length === 0
      ? []
      : [`  not told    ${uninformed.join(', ')}: each asks for the epoch when it is back`]),
    `  ceremony    ${id}`,
  ].join('\n');
}
