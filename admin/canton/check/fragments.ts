import { HoconError } from '../hocon/errors.ts';
import { parseHocon } from '../hocon/parse.ts';
import { type HoconObject, resolveHocon } from '../hocon/resolve.ts';
import type { Fields, Written } from '../hocon/syntax.ts';
import type { HoconText } from '../hocon/tokens.ts';
import type { Report } from './finding.ts';
import type { Variable } from './variables.ts';

const PREFIX = 'ADDITIONAL_CONFIG';

/**
 * Reads the configuration that the participant's entry script puts together: the values of all variables whose names
 * begin with ADDITIONAL_CONFIG, in the order of the bytes of their names, as one text. Undefined where that has no value
 * in force: what stops the node is reported.
 */
export function readFragments(
  variables: ReadonlyMap<string, Variable>,
  report: Report,
): HoconObject | undefined {
  const texts = orderFragments(variables, report);
  if (texts === undefined) return undefined;
  const environment = new Map(
    [...variables.values()].flatMap(({ name, text }) => (text === undefined ? [] : [[name, text] as const])),
  );
  try {
    const fields = parseHocon(texts);
    reportOverridden(fields, report);
    return resolveHocon(fields, {
      environment,
      onUnresolved: (name, { source, line }) => {
        if (variables.has(name)) return;
        report(
          'CONFIG_SUBSTITUTION_UNANSWERED',
          name.includes('.') ? 'warning' : 'error',
          `${source}:${line}`,
          `\${${name}} has no value in the container or in these fragments: the node stops, unless the image's own configuration has it`,
          'Set the variable, or write ${?...} where it may be absent.',
        );
      },
    });
  } catch (error) {
    if (!(error instanceof HoconError)) throw error;
    reportRefused(error, texts, report);
    return undefined;
  }
}

function orderFragments(variables: ReadonlyMap<string, Variable>, report: Report): HoconText[] | undefined {
  const all = [...variables.values()].filter(({ name }) => name.startsWith(PREFIX));
  for (const { name } of all.filter(({ name }) => !isLegal(name))) {
    report(
      'FRAGMENT_NAME_IGNORED',
      'error',
      name,
      'the name is none of a variable of bash: the entry script leaves the fragment out without a word',
      'Use letters, digits and underscores.',
    );
  }
  const legal = all
    .filter(({ name }) => isLegal(name))
    .toSorted((one, other) => compareBytes(one.name, other.name));
  reportNumericOrder(
    legal.map(({ name }) => name),
    report,
  );
  for (const { name, left } of legal.filter(({ left }) => left.length > 0)) {
    report(
      'CONFIG_VARIABLE_LEFT',
      'error',
      name,
      `no earlier variable of the container is called ${left.join(', ')}: $(...) is left as it is, and HOCON refuses it`,
      'Put that variable before this one, or use ${...}, which HOCON takes from the environment.',
    );
  }
  const hidden = legal.filter(({ text }) => text === undefined);
  for (const { name, from } of hidden) {
    report(
      'CONFIG_FROM_SECRET',
      'error',
      name,
      `the fragment comes from ${from === 'secret' ? 'a Secret' : 'an object that was not given'}: nothing of the configuration can be judged`,
      'Give the ConfigMap too; keep only credentials in a Secret, and no fragment.',
    );
  }
  if (hidden.length > 0) return undefined;
  return legal.map(({ name, text = '' }) => ({ source: name, text }));
}

function isLegal(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);
}

function compareBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

function reportNumericOrder(names: readonly string[], report: Report): void {
  const numbered = names.flatMap((name) => {
    const [, stem, digits] = /^(.*?)(\d+)$/.exec(name) ?? [];
    return stem === undefined ? [] : [{ name, stem, number: Number(digits) }];
  });
  for (const [index, { name, stem, number }] of numbered.entries()) {
    const later = numbered.slice(index + 1).find((other) => other.stem === stem && other.number < number);
    if (later === undefined) continue;
    report(
      'FRAGMENT_ORDER_NUMERIC',
      'warning',
      name,
      `comes before ${later.name}: names are sorted by their bytes, not by their numbers, and the later one wins`,
      'Write the numbers with as many digits: _02, _10.',
    );
  }
}

function reportRefused(error: HoconError, texts: readonly HoconText[], report: Report): void {
  const { source, line } = error.place;
  const path = `${source}:${line}`;
  if (error.code !== 'HOCON_SYNTAX') {
    report(
      'CONFIG_NOT_READ',
      'error',
      path,
      `${error.code}: ${error.message}; nothing of the configuration can be judged`,
      error.details['operator'] === '+='
        ? 'Write the whole array: a container that is restarted in place appends again.'
        : 'Write it without that.',
    );
    return;
  }
  const written = texts.find((text) => text.source === source)?.text.split('\n')[line - 1] ?? '';
  const isUrl = /[=:]\s*(?:[a-z][a-z0-9+.-]*:\/\/|arn:)/i.test(written);
  report(
    isUrl ? 'CONFIG_URL_UNQUOTED' : 'CONFIG_UNPARSABLE',
    'error',
    path,
    isUrl
      ? 'a URL or an ARN stands there without quotes, which HOCON refuses: the node does not start'
      : `HOCON refuses the line, and with it everything: ${error.message}`,
    isUrl
      ? `Put it in quotes; in the values of a chart that prints them bare, in two pairs: '"https://..."'.`
      : 'Mend the line.',
  );
}

/** Reports values that a later variable replaces by others. */
function reportOverridden(fields: Fields, report: Report, path: readonly string[] = []): void {
  for (const [name, assignments] of fields) {
    const place = [...path, name];
    for (const [index, { value }] of assignments.entries()) {
      const later = assignments.slice(index + 1).find((other) => replaces(other.value, value));
      if (later === undefined) continue;
      report(
        'FRAGMENT_OVERRIDDEN',
        'error',
        `${value.place.source}:${value.place.line}`,
        `${place.join('.')} is set again by ${later.value.place.source}, which comes later and wins`,
        'Set each field in one variable.',
      );
    }
    const inner: Fields = new Map();
    for (const { value } of assignments) {
      if (value.type !== 'object') continue;
      for (const [key, own] of value.fields) inner.set(key, [...(inner.get(key) ?? []), ...own]);
    }
    if (inner.size > 0) reportOverridden(inner, report, place);
  }
}

function replaces(later: Written, earlier: Written): boolean {
  if (later.place.source === earlier.place.source) return false;
  if (later.type === 'object' && earlier.type === 'object') return false;
  if (earlier.type === 'scalar') {
    // A null is there to be replaced: what follows begins anew.
    return earlier.value !== null && !(later.type === 'scalar' && later.value === earlier.value);
  }
  return true;
}
