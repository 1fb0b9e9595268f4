import { describeKey, describeRule } from './description.ts';
import type { Configuration, DropEntry, NetworkKey } from '../shared/documents/configuration.ts';
import {
  BOTH,
  change,
  compareLists,
  compareNames,
  type ConfigurationChange,
  type Difference,
  joinDifferences,
  NEUTRAL,
  reverse,
  REVOKES,
} from './comparison/change.ts';
import {
  compareAddressBooks,
  compareApproverGroups,
  compareApprovers,
  compareClientGroups,
  compareClients,
  compareWitnesses,
} from './comparison/people.ts';
import { comparePools } from './comparison/pools.ts';
import { compareQuorums } from './comparison/quorum.ts';
import { compareRecovery } from './comparison/recovery.ts';
import { compareRules, effectOf } from './comparison/rules.ts';

export type { ConfigurationChange } from './comparison/change.ts';

/**
 * Compares the permissions of two configurations, part by part. A new rule that permits, or a new name in one, grants; a
 * new rule that denies revokes; the order of rules means nothing. Clients, keys, people and address books permit nothing
 * by themselves, but whoever takes over a name takes over its rules. Where nobody can say which of two forms permits
 * more, the change counts as both.
 */
export function compareConfigurations(before: Configuration, after: Configuration): ConfigurationChange[] {
  return [
    ...compareManifests(before, after),
    ...compareEnds(before, after),
    ...compareOrders(before, after),
    ...compareLists('client', [before.clients, after.clients], {
      describe: ({ publicKey, person }) =>
        `key ${publicKey}${person === null ? '' : `, behind it stands ${person}`}`,
      compare: compareClients,
    }),
    ...compareClientGroups(before, after),
    ...compareLists('key', [before.keys, after.keys], { describe: describeKey, compare: compareKeys }),
    ...compareLists('drop', [before.drop ?? [], after.drop ?? []], {
      describe: describeDrop,
      compare: (old, next) =>
        describeDrop(old) === describeDrop(next) ? undefined : { text: describeDrop(next), ...REVOKES },
      // Nobody can sign with a deleted key, whichever configuration comes next.
      added: () => REVOKES,
    }),
    ...compareApprovers(before, after),
    ...compareApproverGroups(before, after),
    ...compareAddressBooks(before, after),
    ...compareWitnesses(before, after),
    ...compareQuorums(before, after),
    ...comparePools(before, after),
    ...compareRecovery(before, after),
    ...compareLists('rule', [before.rules, after.rules], {
      describe: describeRule,
      compare: compareRules,
      added: effectOf,
      removed: (rule) => reverse(effectOf(rule)),
    }),
  ];
}

function describeDrop({ type, publicKey }: DropEntry): string {
  return `dropped from the store for good: ${type} ${publicKey}`;
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

function compareKeys(before: NetworkKey, after: NetworkKey): Difference | undefined {
  return joinDifferences([
    comparePins(before, after),
    compareNames('networks', [before.networks, after.networks]),
  ]);
}

function comparePins(before: NetworkKey, after: NetworkKey): Difference | undefined {
  const pins = ['publicKey', 'commitments'] as const;
  const isSameType = before.type === after.type;
  if (isSameType && pins.every((pin) => before[pin] === after[pin])) return undefined;
  const text = `${describeKey(before)} is now ${describeKey(after)}`;
  // A pin where there was none is neutral; a pin that changes is not.
  const onlyPins = isSameType && pins.every((pin) => before[pin] === undefined || before[pin] === after[pin]);
  return { text, ...(onlyPins ? NEUTRAL : BOTH) };
}

/** Subjects of which a configuration has one. */
const UNNAMED: ReadonlySet<string> = new Set(['manifest', 'notAfter', 'witnesses', 'quorum', 'recovery']);

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
    const name = UNNAMED.has(subject) ? subject : `${subject} ${id}`;
    return `  ${SIGNS[kind]} ${name}${text === '' ? '' : `: ${text}`}${grants ? '  [grants]' : ''}`;
  });
  return [`against version ${before}: ${summarise(changes)}`, ...lines].join('\n');
}

function summarise(changes: readonly ConfigurationChange[]): string {
  if (changes.some(({ grants }) => grants)) return 'PERMITS MORE';
  if (changes.some(({ revokes }) => revokes)) return 'permits less';
  return changes.length === 0 ? 'nothing changes' : 'permits the same';
}
