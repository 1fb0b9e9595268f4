import { HoconError } from '../../../../admin/canton/hocon/errors.ts';
import { parseHocon } from '../../../../admin/canton/hocon/parse.ts';
import { type Hocon, resolveHocon } from '../../../../admin/canton/hocon/resolve.ts';

/** What texts, read as one file, hold: plain data, or the code of their refusal. */
export type Reading = { readonly value: unknown } | { readonly refused: string };

/** Reads texts with our own reader. */
export function readOurs(
  texts: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Reading {
  try {
    const fields = parseHocon(texts.map((text, index) => ({ source: `text ${index}`, text })));
    return { value: toPlain(resolveHocon(fields, { environment: new Map(Object.entries(environment)) })) };
  } catch (error) {
    if (!(error instanceof HoconError)) throw error;
    return { refused: error.code };
  }
}

function toPlain(value: Hocon): unknown {
  if (value.type === 'scalar') return value.value;
  if (value.type === 'array') return value.items.map(toPlain);
  if (value.type === 'unknown')
    throw new TypeError('an unknown value where every substitution is known or refused');
  return Object.fromEntries([...value.members].map(([name, member]) => [name, toPlain(member)]));
}
