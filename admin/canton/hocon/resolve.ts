import { HoconError, type HoconPlace } from './errors.ts';
import { type Assignment, type Fields, hasSubstitution, type Written } from './syntax.ts';

/** Value in force. `unknown` is that of a substitution which only a text that nobody gave could say. */
export type Hocon = { readonly place: HoconPlace } & (
  | { readonly type: 'scalar'; readonly value: string | number | boolean | null; readonly text: string }
  | { readonly type: 'array'; readonly items: readonly Hocon[] }
  | { readonly type: 'object'; readonly members: ReadonlyMap<string, Hocon> }
  | { readonly type: 'unknown'; readonly name: string }
);
export type HoconObject = Extract<Hocon, { type: 'object' }>;

export interface ResolveOptions {
  /** Variables of the process, which answer where no field has the path. */
  readonly environment: ReadonlyMap<string, string>;
  /** Takes note of a required substitution that nothing answers, whose value is unknown then; refused when left out. */
  readonly onUnresolved?: (name: string, place: HoconPlace) => void;
}

/**
 * Resolves what is written: objects of one field are merged, any other value takes the place of those before it, and
 * substitutions are looked up in the whole.
 *
 * @throws HoconError HOCON_UNRESOLVED; HOCON_UNSUPPORTED for a value that refers to itself; HOCON_SYNTAX for a string
 *   beside an object
 */
export function resolveHocon(fields: Fields, options: ResolveOptions): HoconObject {
  return new Resolver(fields, options).resolveRoot();
}

/** The most values that are looked at: substitutions of substitutions grow without end. */
const MAX_STEPS = 100_000;

/** What one field has been given: written values, and objects that were resolved already. */
type Item = Assignment | Hocon;
/** Object of which one name is looked at. */
type Layer = Fields | ReadonlyMap<string, Hocon>;

class Resolver {
  readonly #root: Fields;
  readonly #options: ResolveOptions;
  /** Substitutions that are being looked up: one that is met again refers to itself. */
  readonly #open = new Set<Written>();
  #steps = 0;

  constructor(root: Fields, options: ResolveOptions) {
    this.#root = root;
    this.#options = options;
  }

  resolveRoot(): HoconObject {
    return this.#resolveLayers([this.#root], { source: '', line: 1 });
  }

  /** Puts objects together; the last one is the first of the list. */
  #resolveLayers(layers: readonly Layer[], place: HoconPlace): HoconObject {
    const members = new Map<string, Hocon>();
    for (const name of new Set(layers.flatMap((layer) => [...layer.keys()]))) {
      const value = this.#resolveItems(itemsOf(layers, name));
      if (value !== undefined) members.set(name, value);
    }
    return { type: 'object', members, place };
  }

  /** The value in force of one field; undefined where only optional substitutions are written that nothing answers. */
  #resolveItems(items: readonly Item[]): Hocon | undefined {
    const { layers, value, place } = this.#mergeItems(items);
    return layers.length === 0 ? value : this.#resolveLayers(layers, place);
  }

  /** Goes through what one field was given, the last first: objects, until a value that is none. */
  #mergeItems(items: readonly Item[]): { layers: Layer[]; value?: Hocon; place: HoconPlace } {
    const layers: Layer[] = [];
    let place: HoconPlace | undefined;
    for (let index = items.length - 1; index >= 0; index -= 1) {
      const item = items[index];
      if (item === undefined) continue;
      this.#step(placeOf(item));
      place ??= placeOf(item);
      if ('isPart' in item && item.value.type === 'object') {
        layers.push(item.value.fields);
        continue;
      }
      if (layers.length > 0 && !mayBeObject(item)) {
        assertReplaceable(item);
        break;
      }
      const value = 'isPart' in item ? this.#resolveWritten(item.value) : item;
      if (value === undefined) continue;
      if (value.type === 'object') layers.push(value.members);
      else if ('isPart' in item && item.isPart && value.type !== 'unknown')
        throw new HoconError('HOCON_UNSUPPORTED', 'values of several types stand beside each other', place);
      else if (layers.length > 0) break;
      else {
        if ('isPart' in item && hasSubstitution(item.value)) this.#resolveReplaced(items.slice(0, index));
        return { layers, value, place };
      }
    }
    return { layers, place: place ?? { source: '', line: 1 } };
  }

  /** Looks at what a value with substitutions replaces: Canton's reader needs some of it, and drops the rest. */
  #resolveReplaced(items: readonly Item[]): void {
    for (const item of items) {
      if (!('isPart' in item)) continue;
      try {
        this.#resolveWritten(item.value);
      } catch (error) {
        if (!(error instanceof HoconError) || error.code !== 'HOCON_UNRESOLVED') throw error;
        throw new HoconError(
          'HOCON_UNSUPPORTED',
          'a substitution is replaced that nothing answers',
          error.place,
        );
      }
    }
  }

  #resolveWritten(written: Written): Hocon | undefined {
    this.#step(written.place);
    const { place } = written;
    switch (written.type) {
      case 'scalar':
        return written;
      case 'object':
        return this.#resolveLayers([written.fields], place);
      case 'array':
        return {
          type: 'array',
          items: written.items.flatMap((item) => this.#resolveWritten(item) ?? []),
          place,
        };
      case 'substitution':
        return this.#resolveSubstitution(written);
      case 'concatenation':
        return this.#resolveConcatenation(written.parts, place);
      default:
        throw new TypeError('a value of another type');
    }
  }

  #resolveSubstitution(written: Extract<Written, { type: 'substitution' }>): Hocon | undefined {
    const { path, isOptional, place } = written;
    const name = path.join('.');
    if (this.#open.has(written))
      throw new HoconError('HOCON_UNSUPPORTED', 'a value refers to itself', place, { name });
    this.#open.add(written);
    const found = this.#lookUp(path);
    this.#open.delete(written);
    if (found !== undefined) return { ...found, place };
    const variable = this.#options.environment.get(name);
    if (variable !== undefined) return { type: 'scalar', value: variable, text: variable, place };
    if (isOptional) return undefined;
    if (this.#options.onUnresolved === undefined)
      throw new HoconError('HOCON_UNRESOLVED', 'nothing has the name of a substitution', place, { name });
    this.#options.onUnresolved(name, place);
    return { type: 'unknown', name, place };
  }

  #lookUp(path: readonly string[]): Hocon | undefined {
    let layers: readonly Layer[] = [this.#root];
    for (const name of path.slice(0, -1)) {
      const merged = this.#mergeItems(itemsOf(layers, name));
      if (merged.value?.type === 'unknown') return merged.value;
      ({ layers } = merged);
    }
    return this.#resolveItems(itemsOf(layers, path.at(-1) ?? ''));
  }

  #resolveConcatenation(parts: readonly Written[], place: HoconPlace): Hocon | undefined {
    const isSpace = (part: Written) => part.type === 'scalar' && part.text.trim() === '';
    const resolved = parts.map((part) => ({ part, value: this.#resolveWritten(part) }));
    const values = resolved.flatMap(({ part, value }) =>
      isSpace(part) || value === undefined ? [] : [value],
    );
    if (values.some(({ type }) => type === 'unknown'))
      return { type: 'unknown', name: 'concatenation', place };
    const types = new Set(values.map(({ type }) => type));
    if (types.size > 1)
      throw new HoconError('HOCON_SYNTAX', 'values of one type stand beside each other', place);
    if (types.has('object')) return this.#resolveItems(values);
    if (types.has('array')) {
      return {
        type: 'array',
        items: values.flatMap((value) => ('items' in value ? value.items : [])),
        place,
      };
    }
    if (resolved.some(({ value }) => value === undefined))
      throw new HoconError('HOCON_UNSUPPORTED', 'a part of a string may be absent', place);
    const text = resolved.map(({ value }) => (value?.type === 'scalar' ? value.text : '')).join('');
    return { type: 'scalar', value: text, text, place };
  }

  #step(place: HoconPlace): void {
    this.#steps += 1;
    if (this.#steps > MAX_STEPS)
      throw new HoconError('HOCON_TOO_LARGE', 'substitutions lead to more values than their maximum', place, {
        maximum: MAX_STEPS,
      });
  }
}

/** All that layers give to one name, in the order in which it is written. */
function itemsOf(layers: readonly Layer[], name: string): Item[] {
  return layers.toReversed().flatMap((layer): readonly Item[] => {
    const found = layer.get(name);
    return found === undefined ? [] : Array.isArray(found) ? found : [found as Hocon];
  });
}

/** Tells whether an object could be under one that is merged with it; what cannot be one is not resolved then. */
function mayBeObject(item: Item): boolean {
  if (!('isPart' in item)) return item.type === 'object' || item.type === 'unknown';
  const { value } = item;
  if (value.type === 'scalar' || value.type === 'array') return false;
  return (
    value.type !== 'concatenation' ||
    value.parts.every((part) => part.type !== 'array' && (part.type !== 'scalar' || part.text.trim() === ''))
  );
}

/** Asserts that a value under an object is dropped without being looked at, which Canton's reader does of plain ones. */
function assertReplaceable(item: Item): void {
  if ('isPart' in item && hasSubstitution(item.value))
    throw new HoconError(
      'HOCON_UNSUPPORTED',
      'an object replaces a value with substitutions',
      item.value.place,
    );
}

function placeOf(item: Item): HoconPlace {
  return 'isPart' in item ? item.value.place : item.place;
}
