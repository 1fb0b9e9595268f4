import {
  contentOf,
  CURRENT,
  describeSecret,
  readVersion,
  type SecretsClient,
  versionWith,
} from '../../secrets/index.ts';
import { type CatalogueEntry, findEntry, type PartitionDescription } from './catalogue.ts';
import { PopulateError } from './errors.ts';
import type { ValueSource } from './values.ts';

export type PopulateAction =
  /** There is no such secret yet. */
  | 'create'
  /** There is one without a value. */
  | 'fill'
  | 'rotate'
  /** There is the same value already. */
  | 'unchanged'
  /** There is a value that was generated once. */
  | 'kept'
  /** There is another value, and nothing says that it may be replaced: nothing at all will be written. */
  | 'conflict'
  /** The secret is optional, and the values file names no source of it. */
  | 'left out';

/** What will be done about one secret. */
export interface PlannedValue {
  readonly entry: CatalogueEntry;
  /** Its name in Secrets Manager. */
  readonly secretId: string;
  readonly action: PopulateAction;
  readonly reason?: 'another value' | 'being deleted';
  /** Version in force when it was planned. */
  readonly current?: string;
  /** Value that was given; one that is generated is made when it is written. */
  readonly value?: Buffer;
}

export interface PopulateOptions {
  readonly client: SecretsClient;
  /** Name of the one secret that may get another value; nothing else is touched then. */
  readonly rotate?: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * Selects the secrets that a run is about: all, or the one that is rotated.
 * @throws PopulateError POPULATE_NAME_UNKNOWN; POPULATE_SOURCE_MISSING for a needed value without a source
 */
export function selectEntries(
  description: PartitionDescription,
  sources: ReadonlyMap<string, ValueSource>,
  rotate: string | undefined,
): readonly CatalogueEntry[] {
  const entries = rotate === undefined ? description.entries : [findEntry(description, rotate)];
  const missing = entries.filter(
    ({ name, kind, isNeeded }) => kind === 'given' && !sources.has(name) && (isNeeded || name === rotate),
  );
  if (missing.length === 0) return entries;
  throw new PopulateError('POPULATE_SOURCE_MISSING', 'nothing says where values come from', {
    names: missing.map(({ name }) => name),
  });
}

/** Holds values that were given against the forms that their uses need. @throws PopulateError POPULATE_VALUE_UNFIT */
export function assertValuesFit(
  entries: readonly CatalogueEntry[],
  values: ReadonlyMap<string, Buffer>,
): void {
  for (const { name, assertFit } of entries) {
    const value = values.get(name);
    if (value !== undefined) assertFit(name, value);
  }
}

/**
 * Compares what a partition's secrets should be with what is there. Only reads; a value that exists is read where one was
 * given to compare with, and nowhere else.
 *
 * @param entries secrets that the run is about
 * @param values values that were given, by name, as {@link assertValuesFit} takes them
 * @throws PopulateError POPULATE_VALUE_UNFIT; AdminError
 */
export async function planPartition(
  { prefix }: PartitionDescription,
  entries: readonly CatalogueEntry[],
  values: ReadonlyMap<string, Buffer>,
  options: PopulateOptions,
): Promise<readonly PlannedValue[]> {
  assertValuesFit(entries, values);
  const plan: PlannedValue[] = [];
  for (const entry of entries) plan.push(await planValue(prefix, entry, values.get(entry.name), options));
  return plan;
}

async function planValue(
  prefix: string,
  entry: CatalogueEntry,
  value: Buffer | undefined,
  { client, rotate, signal }: PopulateOptions,
): Promise<PlannedValue> {
  const secretId = `${prefix}${entry.name}`;
  if (value === undefined && entry.kind === 'given') return { entry, secretId, action: 'left out' };
  const described = await describeSecret(client, secretId, signal);
  if (described?.DeletedDate !== undefined) {
    return { entry, secretId, action: 'conflict', reason: 'being deleted' };
  }
  const current = versionWith(CURRENT, described?.VersionIdsToStages);
  if (value === undefined) {
    if (described === undefined) return { entry, secretId, action: 'create' };
    if (current === undefined) return { entry, secretId, action: 'fill' };
    return { entry, secretId, current, action: rotate === undefined ? 'kept' : 'rotate' };
  }
  const planned = { entry, secretId, value };
  if (described === undefined) return { ...planned, action: 'create' };
  if (current === undefined) return { ...planned, action: 'fill' };
  const existing = contentOf(await readVersion(client, secretId, current, signal));
  const isSame = existing !== undefined && Buffer.compare(existing, value) === 0;
  if (isSame) return { ...planned, current, action: 'unchanged' };
  if (rotate !== undefined) return { ...planned, current, action: 'rotate' };
  return { ...planned, current, action: 'conflict', reason: 'another value' };
}
