import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { parseKeyPolicy, type KeyPolicy } from '../../attestation/key-policy/index.ts';
import { AwsServiceError, type StateStore } from '../aws/plumbing.ts';
import { generateMaterial, KEY_SPECS, type KeySpec } from './key-spec.ts';

const recordSchema = z.object({
  arn: z.string(),
  description: z.string(),
  createdAt: z.number(),
  spec: z
    .enum(Object.keys(KEY_SPECS) as [KeySpec, ...KeySpec[]])
    // As keys were kept when there were no others.
    .default('SYMMETRIC_DEFAULT'),
  /** Key material, base64. */
  material: z.string(),
  policy: z.string(),
  state: z.enum(['Enabled', 'Disabled', 'PendingDeletion']),
  deletionAt: z.number().optional(),
});
const aliasSchema = z.object({ keyArn: z.string() });

/** A key of the stand-in. */
export interface Key {
  readonly arn: string;
  readonly keyId: string;
  readonly accountId: string;
  readonly region: string;
  readonly description: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly spec: KeySpec;
  /** AES-256, or a private key as PKCS #8. */
  readonly material: Uint8Array;
  readonly policyText: string;
  readonly policy: KeyPolicy;
  readonly state: 'Enabled' | 'Disabled' | 'PendingDeletion';
  readonly deletionAt?: number | undefined;
}

export interface Scope {
  readonly accountId: string;
  readonly region: string;
}

const KEY_ARN = /^arn:aws:kms:([a-z0-9-]+):([0-9]{12}):key\/([a-zA-Z0-9-]{1,64})$/;
const ALIAS_ARN = /^arn:aws:kms:([a-z0-9-]+):([0-9]{12}):(alias\/[a-zA-Z0-9:/_-]{1,250})$/;
const ALIAS = /^alias\/[a-zA-Z0-9:/_-]{1,250}$/;
const KEY_ID = /^[a-zA-Z0-9-]{1,64}$/;

/** The keys and aliases of all accounts and regions, kept in the state store. */
export class KeyStore {
  readonly #state: StateStore;
  readonly #keys = new Map<string, Key>();
  readonly #aliases = new Map<string, string>();

  constructor(state: StateStore) {
    this.#state = state;
    for (const { value } of state.list('kms-key')) this.#load(recordSchema.parse(value));
    for (const { id, value } of state.list('kms-alias')) {
      this.#aliases.set(id, aliasSchema.parse(value).keyArn);
    }
  }

  create(scope: Scope, options: Pick<Key, 'description' | 'policyText' | 'createdAt' | 'spec'>): Key {
    const keyId = randomUUID();
    return this.save({
      ...scope,
      ...options,
      keyId,
      arn: `arn:aws:kms:${scope.region}:${scope.accountId}:key/${keyId}`,
      material: generateMaterial(options.spec),
      policy: parseKeyPolicy(options.policyText),
      state: 'Enabled',
    });
  }

  /** Keeps a key as it is now; durable when it returns. */
  save(key: Key): Key {
    const { arn, description, createdAt, spec, state, deletionAt, policyText } = key;
    const material = Buffer.from(key.material).toString('base64');
    this.#state.put('kms-key', arn, {
      arn,
      description,
      createdAt,
      spec,
      state,
      deletionAt,
      material,
      policy: policyText,
    });
    this.#keys.set(arn, key);
    return key;
  }

  find(arn: string): Key | undefined {
    return this.#keys.get(arn);
  }

  /** The keys of one account and region. */
  list({ accountId, region }: Scope): Key[] {
    return [...this.#keys.values()].filter((key) => key.accountId === accountId && key.region === region);
  }

  /**
   * The key that a KeyId parameter names: a key id or alias of the caller's own account and region, or an ARN.
   * @throws AwsServiceError NotFoundException, InvalidArnException
   */
  resolve(name: string, scope: Scope): Key {
    const arn = this.#toKeyArn(name, scope);
    const key = arn === undefined ? undefined : this.#keys.get(arn);
    if (key === undefined) {
      const what = ALIAS.test(name) || ALIAS_ARN.test(name) ? 'Alias' : 'Key';
      throw new AwsServiceError('NotFoundException', `${what} '${name}' does not exist`);
    }
    return key;
  }

  /** Points an alias at a key; `existing` says whether it has to exist already. */
  setAlias(alias: string, key: Key): void {
    const arn = `arn:aws:kms:${key.region}:${key.accountId}:${alias}`;
    this.#state.put('kms-alias', arn, { keyArn: key.arn });
    this.#aliases.set(arn, key.arn);
  }

  /** The aliases of one account and region, with the key that each points to. */
  aliases({
    accountId,
    region,
  }: Scope): { readonly name: string; readonly arn: string; readonly keyArn: string }[] {
    const prefix = `arn:aws:kms:${region}:${accountId}:`;
    return [...this.#aliases]
      .filter(([arn]) => arn.startsWith(prefix))
      .map(([arn, keyArn]) => ({ name: arn.slice(prefix.length), arn, keyArn }));
  }

  #toKeyArn(name: string, { accountId, region }: Scope): string | undefined {
    const own = `arn:aws:kms:${region}:${accountId}:`;
    if (ALIAS.test(name)) return this.#aliases.get(own + name);
    if (KEY_ID.test(name)) return `${own}key/${name}`;
    const arnRegion = KEY_ARN.exec(name)?.[1] ?? ALIAS_ARN.exec(name)?.[1];
    if (arnRegion === undefined) throw new AwsServiceError('InvalidArnException', `Invalid keyId '${name}'`);
    if (arnRegion !== region) throw new AwsServiceError('NotFoundException', `Invalid arn ${arnRegion}`);
    return ALIAS_ARN.test(name) ? this.#aliases.get(name) : name;
  }

  #load(record: z.output<typeof recordSchema>): void {
    const [, region, accountId, keyId] = KEY_ARN.exec(record.arn) ?? [];
    if (region === undefined || accountId === undefined || keyId === undefined) return;
    this.#keys.set(record.arn, {
      arn: record.arn,
      keyId,
      accountId,
      region,
      description: record.description,
      createdAt: record.createdAt,
      spec: record.spec,
      material: Buffer.from(record.material, 'base64'),
      policyText: record.policy,
      policy: parseKeyPolicy(record.policy),
      state: record.state,
      deletionAt: record.deletionAt,
    });
  }
}
