import { describeKey, describeRate, describeRule } from './description.ts';
import type { Configuration, DropEntry, KeyEntry, PermitRule } from '../shared/documents/configuration.ts';

/** One difference between two configurations, for those who decide whether to sign the newer one. */
export interface ConfigurationChange {
  readonly subject: 'manifest' | 'notAfter' | 'initialise' | 'client' | 'key' | 'drop' | 'rule';
  readonly id: string;
  readonly kind: 'added' | 'removed' | 'changed';
  readonly text: string;
  /** True where this part permits a client something that it did not permit before. */
  readonly grants: boolean;
  /** True where this part no longer permits a client something that it permitted before. */
  readonly revokes: boolean;
}

type Effect = Pick<ConfigurationChange, 'grants' | 'revokes'>;
const NEUTRAL: Effect = { grants: false, revokes: false };
const BOTH: Effect = { grants: true, revokes: true };

/**
 * Compares the permissions of two configurations, part by part. Rules only permit, so that a new rule, or a new name in
 * a rule, grants; the order of rules means nothing. Clients and keys permit nothing by themselves, but whoever takes
 * over a name takes over its rules.
 */
export function compareConfigurations(before: Configuration, after: Configuration): ConfigurationChange[] {
  return [
    ...compareManifests(before, after),
    ...compareEnds(before, after),
    ...compareOrders(before, after),
    ...compareLists('client', before.clients, after.clients, {
      describe: ({ publicKey }) => `key ${publicKey}`,
      compare: (old, next) =>
        old.publicKey === next.publicKey
          ? undefined
          : { text: `another key: ${old.publicKey} is now ${next.publicKey}`, ...BOTH },
    }),
    ...compareLists('key', before.keys, after.keys, { describe: describeKey, compare: compareKeys }),
    ...compareLists('drop', before.drop ?? [], after.drop ?? [], {
      describe: describeDrop,
      compare: (old, next) =>
        describeDrop(old) === describeDrop(next) ? undefined : { text: describeDrop(next), ...DROPS },
      added: DROPS,
    }),
    ...compareLists('rule', permitsOf(before), permitsOf(after), {
      describe: describeRule,
      compare: compareRules,
      added: { grants: true, revokes: false },
      removed: { grants: false, revokes: true },
    }),
  ];
}

/** The effect of a drop: nobody can sign with a deleted key, whichever configuration comes next. */
const DROPS: Effect = { grants: false, revokes: true };

function describeDrop({ type, publicKey }: DropEntry): string {
  return `dropped from the store for good: ${type} ${publicKey}`;
}

interface Comparison<Entry> {
  readonly describe: (entry: Entry) => string;
  readonly compare: (before: Entry, after: Entry) => ({ text: string } & Effect) | undefined;
  readonly added?: Effect;
  readonly removed?: Effect;
}

function compareLists<Entry extends { readonly id: string }>(
  subject: ConfigurationChange['subject'],
  before: readonly Entry[],
  after: readonly Entry[],
  { describe, compare, added = NEUTRAL, removed = NEUTRAL }: Comparison<Entry>,
): ConfigurationChange[] {
  const old = new Map(before.map((entry) => [entry.id, entry]));
  const kept = new Set(after.map(({ id }) => id));
  const gone = before
    .filter(({ id }) => !kept.has(id))
    .map((entry) => change(subject, entry.id, 'removed', { text: describe(entry), ...removed }));
  const rest = after.flatMap((entry) => {
    const former = old.get(entry.id);
    if (former === undefined)
      return [change(subject, entry.id, 'added', { text: describe(entry), ...added })];
    const difference = compare(former, entry);
    return difference === undefined ? [] : [change(subject, entry.id, 'changed', difference)];
  });
  return [...gone, ...rest];
}

function change(
  subject: ConfigurationChange['subject'],
  id: string,
  kind: ConfigurationChange['kind'],
  difference: { text: string } & Effect,
): ConfigurationChange {
  return { subject, id, kind, ...difference };
}

function compareManifests(before: Configuration, after: Configuration): ConfigurationChange[] {
  if (before.manifest === after.manifest) return [];
  const text = `for another manifest: ${before.manifest} is now ${after.manifest}`;
  return [change('manifest', after.manifest, 'changed', { text, ...BOTH })];
}

/** Compares the ends of validity. A later end grants, since what is permitted is permitted for longer. */
function compareEnds(
  { notAfter: before }: Configuration,
  { notAfter: after }: Configuration,
): ConfigurationChange[] {
  const endOf = (time: string | undefined) => (time === undefined ? Infinity : Date.parse(time));
  if (endOf(before) === endOf(after)) return [];
  const isLonger = endOf(after) > endOf(before);
  const text = after === undefined ? 'does not expire' : `in force until ${after}`;
  return [change('notAfter', after ?? 'none', 'changed', { text, grants: isLonger, revokes: !isLonger })];
}

function compareOrders(
  { initialise: before }: Configuration,
  { initialise: after }: Configuration,
): ConfigurationChange[] {
  if (after === undefined) {
    return before === undefined ? [] : [change('initialise', before.id, 'removed', { text: '', ...NEUTRAL })];
  }
  const text = `an empty store may be started until ${after.notAfter}, password ${after.password}`;
  const effect = { grants: true, revokes: false };
  if (before === undefined) return [change('initialise', after.id, 'added', { text, ...effect })];
  const isSame =
    before.id === after.id && before.notAfter === after.notAfter && before.password === after.password;
  return isSame ? [] : [change('initialise', after.id, 'changed', { text, ...effect })];
}

function compareKeys(before: KeyEntry, after: KeyEntry): ({ text: string } & Effect) | undefined {
  const pins = ['publicKey', 'commitments'] as const;
  const isSameType = before.type === after.type;
  if (isSameType && pins.every((pin) => before[pin] === after[pin])) return undefined;
  const text = `${describeKey(before)} is now ${describeKey(after)}`;
  // A pin where there was none is neutral; a pin that changes is not.
  const onlyPins = isSameType && pins.every((pin) => before[pin] === undefined || before[pin] === after[pin]);
  return { text, ...(onlyPins ? NEUTRAL : BOTH) };
}

const LISTS = ['operations', 'clients', 'keys', 'algorithms', 'payloads'] as const;

function compareRules(before: PermitRule, after: PermitRule): ({ text: string } & Effect) | undefined {
  const parts: string[] = [];
  const effect = { ...NEUTRAL };
  for (const list of LISTS) {
    const more = subtract(after[list], before[list]);
    const less = subtract(before[list], after[list]);
    if (more.length + less.length === 0) continue;
    const names = [...more.map((name) => `+${name}`), ...less.map((name) => `-${name}`)];
    parts.push(`${list} ${names.join(' ')}`);
    Object.assign(effect, {
      grants: effect.grants || more.length > 0,
      revokes: effect.revokes || less.length > 0,
    });
  }
  const rate = compareRates(before.rate, after.rate);
  if (rate !== undefined) {
    parts.push(`${describeRate(before.rate)} is now ${describeRate(after.rate)}`);
    Object.assign(effect, {
      grants: effect.grants || rate.grants,
      revokes: effect.revokes || rate.revokes,
    });
  }
  return parts.length === 0 ? undefined : { text: parts.join('; '), ...effect };
}

function subtract(names: readonly string[], others: readonly string[]): string[] {
  const known = new Set(others);
  return [...new Set(names)].filter((name) => !known.has(name));
}

/** Compares rates by two figures: the most requests at once, and the most over time. */
function compareRates(before: PermitRule['rate'], after: PermitRule['rate']): Effect | undefined {
  if (before === null || after === null) {
    return before === after ? undefined : { grants: after === null, revokes: before === null };
  }
  if (before.count === after.count && before.seconds === after.seconds) return undefined;
  const burst = after.count - before.count;
  // The difference of count / seconds, cross-multiplied so that both products are exact.
  const flow = after.count * before.seconds - before.count * after.seconds;
  return { grants: burst > 0 || flow > 0, revokes: burst < 0 || flow < 0 };
}

const SIGNS: Readonly<Record<ConfigurationChange['kind'], string>> = {
  added: '+',
  removed: '-',
  changed: '~',
};

/**
 * Describes changes in one line each, under a summary.
 *
 * @param before the version of the older configuration
 */
export function describeChanges(changes: readonly ConfigurationChange[], before: number): string {
  const lines = changes.map(({ kind, subject, id, text, grants }) => {
    const name = subject === 'manifest' || subject === 'notAfter' ? subject : `${subject} ${id}`;
    return `  ${SIGNS[kind]} ${name}${text === '' ? '' : `: ${text}`}${grants ? '  [grants]' : ''}`;
  });
  return [`against version ${before}: ${summarise(changes)}`, ...lines].join('\n');
}

function summarise(changes: readonly ConfigurationChange[]): string {
  if (changes.some(({ grants }) => grants)) return 'PERMITS MORE';
  if (changes.some(({ revokes }) => revokes)) return 'permits less';
  return changes.length === 0 ? 'nothing changes' : 'permits the same';
}

const permitsOf = ({ rules }: Configuration) => rules.filter((rule) => rule.effect === 'permit');
