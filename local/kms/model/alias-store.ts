import { z } from 'zod';
import { aliasNotFound, arnPrefix, parseKeyName, type Scope } from '../../../shared/kms/index.ts';
import type { StateStore } from '../../aws/plumbing.ts';
import type { Key, KeyStore } from './key-store.ts';

const recordSchema = z.object({
  keyArn: z.string(),
  // Aliases of an earlier version were kept without times.
  createdAt: z.number().default(0),
  updatedAt: z.number().default(0),
});

/** Alias and the key that it points to. Times are milliseconds since 1970. */
export interface Alias extends Readonly<z.output<typeof recordSchema>> {
  readonly arn: string;
  /** Name of the alias, `alias/…`. */
  readonly name: string;
}

/** Aliases of all accounts and Regions, kept in the state store. */
export class AliasStore {
  readonly #state: StateStore;
  readonly #keys: KeyStore;
  readonly #aliases = new Map<string, z.output<typeof recordSchema>>();

  constructor(state: StateStore, keys: KeyStore) {
    this.#state = state;
    this.#keys = keys;
    for (const { id, value } of state.list('kms-alias')) this.#aliases.set(id, recordSchema.parse(value));
  }

  /** Points an alias at a key, new or not. */
  set(name: string, key: Key, now: number): void {
    const arn = arnPrefix(key) + name;
    const record = {
      keyArn: key.arn,
      createdAt: this.#aliases.get(arn)?.createdAt ?? now,
      updatedAt: now,
    };
    this.#state.put('kms-alias', arn, record);
    this.#aliases.set(arn, record);
  }

  delete(arn: string): void {
    this.#state.delete('kms-alias', arn);
    this.#aliases.delete(arn);
  }

  /** Lists the aliases of one account and Region. */
  list(scope: Scope): Alias[] {
    const prefix = arnPrefix(scope);
    return [...this.#aliases]
      .filter(([arn]) => arn.startsWith(prefix))
      .map(([arn, record]) => ({ ...record, arn, name: arn.slice(prefix.length) }));
  }

  /** Lists the aliases that point at a key. */
  of(key: Key): Alias[] {
    return this.list(key).filter(({ keyArn }) => keyArn === key.arn);
  }

  /** Finds an alias. @throws AwsServiceError NotFoundException */
  get(arn: string): Alias {
    const record = this.#aliases.get(arn);
    if (record === undefined) throw aliasNotFound(arn);
    return { ...record, arn, name: arn.slice(arn.indexOf('alias/')) };
  }

  /**
   * Finds the key that a KeyId parameter names in an operation that takes aliases, too.
   * @throws AwsServiceError NotFoundException, InvalidArnException
   */
  resolveKey(name: string, scope: Scope): Key {
    const { type, arn } = parseKeyName(name, scope);
    return this.#keys.get(type === 'key' ? arn : this.get(arn).keyArn);
  }
}
