import { createHash, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { parseKeyPolicy, type KeyPolicy } from '../../../attestation/key-policy/index.ts';
import {
  arnPrefix,
  describeMetadata,
  invalidKeyId,
  KEY_SPEC_NAMES,
  KEY_STATES,
  KEY_USAGES,
  keyNotFound,
  parseKeyArn,
  parseKeyName,
  specDetails,
  type KeyDescription,
  type Scope,
  type Tags,
} from '../../../shared/kms/index.ts';
import type { StateStore } from '../../aws/plumbing.ts';
import { generateMaterial, type KeyMaterial } from './key-material.ts';

const materialSchema = z.object({ id: z.string(), material: z.string(), createdAt: z.number() });
const recordSchema = z.object({
  arn: z.string(),
  description: z.string(),
  createdAt: z.number(),
  spec: z
    .enum(KEY_SPEC_NAMES)
    // Keys were kept without a kind when there was only one.
    .default('SYMMETRIC_DEFAULT'),
  usage: z.enum(KEY_USAGES).optional(),
  /** Key material, base64, in the only field for it before keys could be rotated. */
  material: z.string().optional(),
  materials: z.array(materialSchema).optional(),
  policy: z.string(),
  state: z.enum(KEY_STATES),
  deletionAt: z.number().optional(),
  tags: z.record(z.string(), z.string()).default({}),
  rotation: z.object({ periodInDays: z.number(), enabledAt: z.number() }).optional(),
});

/** Key of the stand-in. */
export interface Key extends KeyDescription {
  /** Generations of material, oldest first; all but the last open what they have sealed, and seal no more. */
  readonly materials: readonly KeyMaterial[];
  readonly policyText: string;
  readonly policy: KeyPolicy;
  readonly tags: Tags;
  /** Automatic rotation; present while enabled. */
  readonly rotation?: { readonly periodInDays: number; readonly enabledAt: number } | undefined;
}

/** Fields of a key that CreateKey gives. */
export type NewKey = Pick<Key, 'description' | 'policyText' | 'createdAt' | 'spec' | 'usage' | 'tags'> & {
  readonly multiRegion: boolean;
};

/** Keys of all accounts and Regions, kept in the state store. */
export class KeyStore {
  readonly #state: StateStore;
  readonly #keys = new Map<string, Key>();

  constructor(state: StateStore) {
    this.#state = state;
    for (const { value } of state.list('kms-key')) this.#load(recordSchema.parse(value));
  }

  async create(scope: Scope, { multiRegion, ...options }: NewKey): Promise<Key> {
    const keyId = multiRegion ? `mrk-${randomUUID().replaceAll('-', '')}` : randomUUID();
    return this.save({
      ...scope,
      ...options,
      keyId,
      arn: `${arnPrefix(scope)}key/${keyId}`,
      materials: [await generateMaterial(options.spec, options.createdAt)],
      policy: parseKeyPolicy(options.policyText),
      state: 'Enabled',
    });
  }

  /** Saves a key as it is now; durable when it returns. */
  save(key: Key): Key {
    const { arn, description, createdAt, spec, usage, state, deletionAt, policyText, tags, rotation } = key;
    this.#state.put('kms-key', arn, {
      arn,
      description,
      createdAt,
      spec,
      usage,
      state,
      deletionAt,
      tags,
      rotation,
      materials: key.materials.map(({ id, bytes, createdAt: madeAt }) => ({
        id,
        material: Buffer.from(bytes).toString('base64'),
        createdAt: madeAt,
      })),
      policy: policyText,
    } satisfies z.input<typeof recordSchema>);
    this.#keys.set(arn, key);
    return key;
  }

  find(arn: string): Key | undefined {
    return this.#keys.get(arn);
  }

  /** Lists the keys of one account and Region. */
  list({ accountId, region }: Scope): Key[] {
    return [...this.#keys.values()].filter((key) => key.accountId === accountId && key.region === region);
  }

  /** Finds the key with an ARN. @throws AwsServiceError NotFoundException */
  get(arn: string): Key {
    const key = this.#keys.get(arn);
    if (key === undefined) throw keyNotFound(arn);
    return key;
  }

  /**
   * Finds the key that a KeyId parameter names in an operation that takes no aliases.
   * @throws AwsServiceError NotFoundException, InvalidArnException
   */
  resolve(name: string, scope: Scope): Key {
    const { type, arn } = parseKeyName(name, scope);
    if (type === 'alias') throw invalidKeyId(name);
    return this.get(arn);
  }

  #load(record: z.output<typeof recordSchema>): void {
    const { arn, material = '', policy, ...rest } = record;
    const place = parseKeyArn(arn);
    if (place === undefined) return;
    const materials = record.materials?.map(({ id, createdAt, ...kept }) => ({
      id,
      createdAt,
      bytes: Buffer.from(kept.material, 'base64'),
    }));
    this.#keys.set(arn, {
      ...rest,
      ...place,
      arn,
      usage: record.usage ?? specDetails(record.spec).usages[0],
      materials: materials ?? [
        { id: legacyId(arn), createdAt: record.createdAt, bytes: Buffer.from(material, 'base64') },
      ],
      policyText: policy,
      policy: parseKeyPolicy(policy),
    });
  }
}

/** Material that a key uses now. */
export function currentMaterial({ arn, materials }: Key): KeyMaterial {
  const material = materials.at(-1);
  if (material === undefined) throw new TypeError(`expected key material of ${arn}, found none`);
  return material;
}

/** Describes a key as KeyMetadata. */
export function showKey(key: Key): object {
  return describeMetadata(key, currentMaterial(key).id);
}

/** Id of material that was kept without one. */
function legacyId(arn: string): string {
  return createHash('sha256').update(arn).digest('hex');
}
