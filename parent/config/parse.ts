import { parse, YAMLParseError } from 'yaml';
import type { z } from 'zod';
import { ParentOptionError } from '../common/errors.ts';
import { parentConfigSchema, type ParentConfig } from './schema.ts';

export const MAX_CONFIG_BYTES = 256 * 1024;

/**
 * Parses the parent's configuration, YAML 1.2 (JSON is YAML too).
 * @throws ParentOptionError OPTION_INVALID, with the fields that are wrong
 */
export function parseParentConfig(text: string): ParentConfig {
  return check(parentConfigSchema, parseYaml(text));
}

function parseYaml(text: string): unknown {
  if (Buffer.byteLength(text) > MAX_CONFIG_BYTES) {
    throw new ParentOptionError('OPTION_INVALID', 'the configuration is longer than its maximum', {
      maximum: MAX_CONFIG_BYTES,
    });
  }
  try {
    return parse(text, { version: '1.2', strict: true, uniqueKeys: true, maxAliasCount: 0 }) as unknown;
  } catch (error) {
    throw new ParentOptionError('OPTION_INVALID', 'expected YAML 1.2', describePlace(error), error);
  }
}

/** Place and kind of a YAML error. The parser's message is left out: it quotes the line, where a password may stand. */
export function describePlace(error: unknown): Record<string, unknown> {
  if (!(error instanceof YAMLParseError)) return {};
  const [start] = error.linePos ?? [];
  return {
    ...(start === undefined ? {} : { line: start.line, column: start.col }),
    problem: error.code,
  };
}

function check<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const fields = result.error.issues
    .slice(0, 8)
    .map(({ path, message }) => `${path.length === 0 ? 'the whole' : path.join('.')}: ${message}`);
  throw new ParentOptionError('OPTION_INVALID', 'fields are missing, unknown or malformed', { fields });
}
