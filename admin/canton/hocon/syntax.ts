import type { HoconPlace } from './errors.ts';

/** Value as it is written, before substitutions and before later values of the same field. */
export type Written = { readonly place: HoconPlace } & (
  | { readonly type: 'scalar'; readonly value: string | number | boolean | null; readonly text: string }
  | { readonly type: 'substitution'; readonly path: readonly string[]; readonly isOptional: boolean }
  | { readonly type: 'array'; readonly items: readonly Written[] }
  | { readonly type: 'object'; readonly fields: Fields }
  /** Strings that are joined, or objects or arrays that are put together; spaces are scalars of their own. */
  | { readonly type: 'concatenation'; readonly parts: readonly Written[] }
);

/** One of the values of a field, which are kept in the order in which they are written. */
export interface Assignment {
  readonly value: Written;
  /** True for one of several objects that stand beside each other: like values of one field, but nothing else. */
  readonly isPart: boolean;
}

/** Fields of an object, each with all that is written for it. */
export type Fields = Map<string, Assignment[]>;

/** Tells whether a substitution is anywhere in a value. */
export function hasSubstitution(value: Written): boolean {
  if (value.type === 'substitution') return true;
  if (value.type === 'concatenation') return value.parts.some(hasSubstitution);
  if (value.type === 'array') return value.items.some(hasSubstitution);
  if (value.type !== 'object') return false;
  return [...value.fields.values()].flat().some((assignment) => hasSubstitution(assignment.value));
}
