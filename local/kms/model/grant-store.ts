import { randomBytes } from 'node:crypto';
import type { StateStore } from '../../aws/plumbing.ts';
import { grantSchema, type Grant } from './grant.ts';

/** Grants of all keys, kept in the state store. */
export class GrantStore {
  readonly #state: StateStore;
  readonly #grants = new Map<string, Grant>();

  constructor(state: StateStore) {
    this.#state = state;
    for (const { id, value } of state.list('kms-grant')) this.#grants.set(id, grantSchema.parse(value));
  }

  create(grant: Omit<Grant, 'id' | 'token'>): Grant {
    const created = {
      ...grant,
      id: randomBytes(32).toString('hex'),
      token: randomBytes(96).toString('base64'),
    };
    this.#state.put('kms-grant', created.id, created);
    this.#grants.set(created.id, created);
    return created;
  }

  delete({ id }: Grant): void {
    this.#state.delete('kms-grant', id);
    this.#grants.delete(id);
  }

  /** Lists the grants of one key. */
  of(keyArn: string): Grant[] {
    return this.list().filter((grant) => grant.keyArn === keyArn);
  }

  list(): Grant[] {
    return [...this.#grants.values()];
  }

  findByToken(token: string): Grant | undefined {
    return this.list().find((grant) => grant.token === token);
  }
}
