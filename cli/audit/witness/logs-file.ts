import { parse } from 'yaml';
import * as z from 'zod';
import {
  isOrigin,
  LOG_KEY_TYPES,
  LogError,
  parseVerifierKey,
  type VerifierKey,
} from '../../../audit/log/index.ts';
import type { FollowedLogs } from '../../../audit/witness/index.ts';
import { WitnessStateError } from './errors.ts';

const MAX_LOGS = 10_000;
const MAX_KEYS = 8;

const schema = z.strictObject({
  logs: z
    .array(
      z.strictObject({
        origin: z.string().refine(isOrigin),
        keys: z.array(z.string()).min(1).max(MAX_KEYS),
      }),
    )
    .max(MAX_LOGS),
});

/**
 * Parses the list of logs that a witness follows: YAML, `logs: [{origin, keys: [vkey, …]}]`.
 *
 * @throws WitnessStateError WITNESS_LOGS_MALFORMED
 */
export function parseLogsFile(bytes: Uint8Array): FollowedLogs {
  const logs = new Map<string, readonly VerifierKey[]>();
  for (const { origin, keys } of parseYaml(bytes).logs) {
    if (logs.has(origin)) throw malformed(`the origin ${origin} is named twice`);
    logs.set(
      origin,
      keys.map((vkey) => parseKey(vkey, origin)),
    );
  }
  return logs;
}

function parseYaml(bytes: Uint8Array): z.infer<typeof schema> {
  let value: unknown;
  try {
    value = parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes), { maxAliasCount: 0 });
  } catch (error) {
    throw new WitnessStateError('WITNESS_LOGS_MALFORMED', 'the list of logs is not YAML', {}, error);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const field = parsed.error.issues[0]?.path.join('.');
  throw malformed(`expected logs, each with an origin and keys${field === undefined ? '' : `: ${field}`}`);
}

function parseKey(vkey: string, origin: string): VerifierKey {
  try {
    return parseVerifierKey(vkey, LOG_KEY_TYPES);
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    throw new WitnessStateError(
      'WITNESS_LOGS_MALFORMED',
      'a key of a log is no verifier key',
      { origin },
      error,
    );
  }
}

function malformed(message: string): WitnessStateError {
  return new WitnessStateError('WITNESS_LOGS_MALFORMED', message);
}
