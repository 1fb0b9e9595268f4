/** One difference between two configurations, for those who decide whether to sign the newer one. */
export interface ConfigurationChange {
  readonly subject:
    | 'manifest'
    | 'notAfter'
    | 'initialise'
    | 'client'
    | 'clientGroup'
    | 'key'
    | 'drop'
    | 'approver'
    | 'approverGroup'
    | 'addressBook'
    | 'witnesses'
    | 'peer'
    | 'quorum'
    | 'pool'
    | 'poolKey'
    | 'recovery'
    | 'rule';
  readonly id: string;
  readonly kind: 'added' | 'removed' | 'changed';
  readonly text: string;
  /** True where this part permits a client something that it did not permit before. */
  readonly grants: boolean;
  /** True where this part no longer permits a client something that it permitted before. */
  readonly revokes: boolean;
}

/** What a difference means for requests. */
export type Effect = Pick<ConfigurationChange, 'grants' | 'revokes'>;
export const NEUTRAL: Effect = { grants: false, revokes: false };
export const BOTH: Effect = { grants: true, revokes: true };
export const GRANTS: Effect = { grants: true, revokes: false };
export const REVOKES: Effect = { grants: false, revokes: true };

export type Difference = { readonly text: string } & Effect;

/** Joins differences of one entry; undefined where there are none. */
export function joinDifferences(differences: readonly (Difference | undefined)[]): Difference | undefined {
  const found = differences.filter((each) => each !== undefined);
  if (found.length === 0) return undefined;
  return {
    text: found.map(({ text }) => text).join('; '),
    grants: found.some(({ grants }) => grants),
    revokes: found.some(({ revokes }) => revokes),
  };
}

/** What the opposite of a difference means: more of what denies is less of what permits. */
export const reverse = ({ grants, revokes }: Effect): Effect => ({ grants: revokes, revokes: grants });

/** Lists the names that are in one list and not in another, each once. */
export function subtract(names: readonly string[], others: readonly string[]): string[] {
  const known = new Set(others);
  return [...new Set(names)].filter((name) => !known.has(name));
}

/** Compares lists as sets; `more` is what a further name means, the opposite what a missing one means. */
export function compareNames(
  noun: string,
  [before, after]: readonly [readonly string[], readonly string[]],
  more: Effect = GRANTS,
): Difference | undefined {
  const added = subtract(after, before);
  const gone = subtract(before, after);
  if (added.length + gone.length === 0) return undefined;
  const names = [...added.map((name) => `+${name}`), ...gone.map((name) => `-${name}`)];
  const less = reverse(more);
  return {
    text: `${noun} ${names.join(' ')}`,
    grants: (added.length > 0 && more.grants) || (gone.length > 0 && less.grants),
    revokes: (added.length > 0 && more.revokes) || (gone.length > 0 && less.revokes),
  };
}

/** Compares bounds of which null is none: without one, or with a greater one, more is permitted. */
export function compareMaxima(
  noun: string,
  [before, after]: readonly [bigint | null, bigint | null],
  more: Effect = GRANTS,
): Difference | undefined {
  if (before === after) return undefined;
  const isMore = after === null || (before !== null && after > before);
  const say = (bound: bigint | null) => (bound === null ? 'none' : String(bound));
  return { text: `${noun} ${say(before)} is now ${say(after)}`, ...(isMore ? more : reverse(more)) };
}

interface Comparison<Entry> {
  readonly describe: (entry: Entry) => string;
  readonly compare: (before: Entry, after: Entry) => Difference | undefined;
  readonly added?: (entry: Entry) => Effect;
  readonly removed?: (entry: Entry) => Effect;
}

const neutral = () => NEUTRAL;

export function compareLists<Entry extends { readonly id: string }>(
  subject: ConfigurationChange['subject'],
  [before, after]: readonly [readonly Entry[], readonly Entry[]],
  { describe, compare, added = neutral, removed = neutral }: Comparison<Entry>,
): ConfigurationChange[] {
  const old = new Map(before.map((entry) => [entry.id, entry]));
  const kept = new Set(after.map(({ id }) => id));
  const gone = before
    .filter(({ id }) => !kept.has(id))
    .map((entry) => change(subject, entry.id, 'removed', { text: describe(entry), ...removed(entry) }));
  const rest = after.flatMap((entry) => {
    const former = old.get(entry.id);
    if (former === undefined)
      return [change(subject, entry.id, 'added', { text: describe(entry), ...added(entry) })];
    const difference = compare(former, entry);
    return difference === undefined ? [] : [change(subject, entry.id, 'changed', difference)];
  });
  return [...gone, ...rest];
}

export function change(
  subject: ConfigurationChange['subject'],
  id: string,
  kind: ConfigurationChange['kind'],
  difference: Difference,
): ConfigurationChange {
  return { subject, id, kind, ...difference };
}
