import { pickValues, type Domain } from './domain.ts';
import type { Value } from './key-space.ts';

/** Values of the keys of one request; an empty list is a key that the request does not carry. */
export type Assignment = ReadonlyMap<string, readonly Value[]>;

const PREFIX = 'kms:encryptioncontext:';
const KEYS = 'kms:encryptioncontextkeys';

/**
 * Chooses values out of each domain. Keys do not depend on each other, but for the names of an encryption context and
 * its pairs, which tell of the same thing; undefined where those cannot be brought together.
 */
export function settle(domains: ReadonlyMap<string, Domain>): Assignment | undefined {
  const assignment = new Map([...domains].map(([key, domain]) => [key, pickValues(domain)] as const));
  const keys = domains.get(KEYS);
  if (keys === undefined) return assignment;
  const pairs = [...domains].filter(([key]) => key.startsWith(PREFIX));
  const nameOf = (value: Value): string | undefined =>
    typeof value === 'string' ? value.toLowerCase() : undefined;
  // Names are compared in lower case, since the policies do not tell their case.
  const never = new Set(
    pairs.filter(([, { values }]) => values.length === 0).map(([key]) => key.slice(PREFIX.length)),
  );
  const always = pairs.filter(([, { absent }]) => !absent).map(([key]) => key.slice(PREFIX.length));
  const usable = keys.values.filter((value) => !never.has(nameOf(value) ?? ''));
  const pick = (takes: (value: Value) => boolean): Value | undefined =>
    usable.find((value) => takes(value) && !keys.unsure.has(value)) ?? usable.find(takes);
  if (keys.absent && always.length === 0) {
    for (const [key] of pairs) assignment.set(key, []);
    return assignment.set(KEYS, []);
  }
  const chosen = [
    ...always.map((name) => pick((value) => [name, undefined].includes(nameOf(value)))),
    ...keys.needs.map((need) => pick((value) => need.includes(value))),
  ];
  if (chosen.includes(undefined)) return undefined;
  const names = chosen.length > 0 ? chosen : [pick(() => true)];
  const values = [...new Set(names.filter((name) => name !== undefined))];
  if (values.length === 0) return undefined;
  for (const [key, domain] of pairs) {
    const named = values.some((value) => nameOf(value) === key.slice(PREFIX.length));
    assignment.set(key, named ? pickValues({ ...domain, absent: false }) : []);
  }
  return assignment.set(KEYS, values);
}
