import type { Validator } from './description.ts';
import { CantonError } from './errors.ts';
import { KEY_PURPOSES, type NamedKey } from './schema.ts';

/** Key that a description names, and where. */
export interface DescribedKey {
  readonly validator: string;
  /** Field of the validator: `keys.signing`. */
  readonly field: string;
  readonly key: NamedKey;
}

/** Every key that a validator names. */
export function keysOf({ name, keys, rotateTo, wrapperKey }: Validator): DescribedKey[] {
  const named = (record: Validator['keys'], of: string) =>
    KEY_PURPOSES.flatMap((purpose) => {
      const key = record[purpose];
      return key === undefined ? [] : [{ validator: name, field: `${of}.${purpose}`, key }];
    });
  const wrapper = wrapperKey === undefined ? [] : [{ validator: name, field: 'wrapperKey', key: wrapperKey }];
  return [...named(keys, 'keys'), ...named(rotateTo, 'rotateTo'), ...wrapper];
}

/** Id of a key within its account and Region, by which its bare id and its ARN are alike. */
export function bareId(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1);
}

/** Region of a key: that of its ARN, or the one that is said; undefined where nothing says it. */
function regionOf({ id, region }: NamedKey): string | undefined {
  return id.startsWith('arn:') ? id.split(':')[3] : region;
}

/** Keys that are named more than once, within one validator or by several. */
export function findSharedKeys(validators: readonly Validator[]): DescribedKey[][] {
  const all = Map.groupBy(validators.flatMap(keysOf), ({ key }) => bareId(key.id));
  return [...all.values()].filter((named) => named.length > 1);
}

/** Keys in another Region than the one that their validator uses. */
export function findForeignKeys(validators: readonly Validator[]): (DescribedKey & { region: string })[] {
  return validators.flatMap((validator) => {
    if (!validator.kms) return [];
    return keysOf(validator).flatMap((described) => {
      const region = regionOf(described.key);
      return region === undefined || region === validator.provider.region ? [] : [{ ...described, region }];
    });
  });
}

/**
 * Asserts that each key belongs to one validator and lies in the Region that this one uses.
 *
 * @throws CantonError CANTON_KEY_SHARED, CANTON_KEY_REGION
 */
export function assertOwnKeys(validators: readonly Validator[]): void {
  const shared = findSharedKeys(validators);
  if (shared.length > 0) {
    throw new CantonError('CANTON_KEY_SHARED', 'a key is named more than once', {
      keys: shared.map(
        (named) =>
          `${bareId(named[0]?.key.id ?? '')}: ${named.map(({ validator, field }) => `${validator}.${field}`).join(', ')}`,
      ),
    });
  }
  const foreign = findForeignKeys(validators);
  if (foreign.length > 0) {
    throw new CantonError('CANTON_KEY_REGION', 'a key is in another Region than its validator uses', {
      keys: foreign.map(({ validator, field, region }) => `${validator}.${field}: ${region}`),
    });
  }
}
