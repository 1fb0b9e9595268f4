import { z } from 'zod';
import type { StateStore } from '../aws/plumbing.ts';

const versionSchema = z.object({
  id: z.string(),
  createdAt: z.number(),
  stages: z.array(z.string()),
  text: z.string().optional(),
  /** Binary value in base64. */
  binary: z.string().optional(),
});
const secretSchema = z.object({
  arn: z.string(),
  name: z.string(),
  description: z.string().optional(),
  kmsKeyId: z.string().optional(),
  createdAt: z.number(),
  changedAt: z.number(),
  /** Resource policy, as JSON. */
  policy: z.string().optional(),
  tags: z.record(z.string(), z.string()).optional(),
  versions: z.array(versionSchema),
});

/** Version of a secret: its value, with the labels that point at it. */
export type SecretVersion = Readonly<z.output<typeof versionSchema>>;
/** Secret with its versions, oldest first. Times are milliseconds since 1970. */
export type Secret = Readonly<Omit<z.output<typeof secretSchema>, 'versions'>> & {
  readonly versions: readonly SecretVersion[];
};

/** Secrets of all accounts and regions, kept in the state store. */
export class SecretStore {
  readonly #state: StateStore;
  readonly #secrets = new Map<string, Secret>();

  constructor(state: StateStore) {
    this.#state = state;
    for (const { id, value } of state.list('secret')) this.#secrets.set(id, secretSchema.parse(value));
  }

  /** Saves a secret as it is now; durable when it returns. */
  save(secret: Secret): Secret {
    this.#state.put('secret', secret.arn, secret);
    this.#secrets.set(secret.arn, secret);
    return secret;
  }

  /** Deletes a secret for ever. */
  delete({ arn }: Secret): void {
    this.#state.delete('secret', arn);
    this.#secrets.delete(arn);
  }

  find(arn: string): Secret | undefined {
    return this.#secrets.get(arn);
  }

  /** Lists the secrets whose ARN begins with a prefix, by name. */
  list(arnPrefix: string): Secret[] {
    return [...this.#secrets.values()]
      .filter(({ arn }) => arn.startsWith(arnPrefix))
      .sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
  }
}
