import type { KeyType, KeyUsage, PoolKeyType } from '../../../shared/algorithms.ts';
import type { KeyInfo } from '../../../shared/api/bodies.ts';
import type { Grants, PoolKey } from '../../../shared/api/pool-keys.ts';
import { aliasNotFound, keyNotFound } from '../../../shared/kms/index.ts';
import { NodeRefusal } from '../../errors.ts';
import type { NodeClient } from '../../node-client.ts';
import { specOf } from './algorithms.ts';
import { builtInAlias, deriveKeyId, type KmsKeyName } from './key-names.ts';

/** How long a list serves for names that were known before, in milliseconds. */
const LIST_MS = 2_000;

interface Common {
  /** Id by which KMS clients name the key. */
  readonly id: string;
  readonly type: KeyType | PoolKeyType;
  readonly usage: KeyUsage;
  readonly aliases: readonly string[];
  /** What permits name for the client; undefined where the node does not say. */
  readonly grants: Grants | undefined;
}
/** A key of a pool, which one node has. */
export interface PoolKnown extends Common {
  readonly kind: 'pool';
  readonly key: PoolKey;
  readonly node: NodeClient;
}
/** A key of the configuration, which whichever node answers serves. */
export interface ConfigurationKnown extends Common {
  readonly kind: 'configuration';
  readonly key: KeyInfo;
}
export type KnownKey = PoolKnown | ConfigurationKnown;

interface Listed {
  readonly keys: ReadonlyMap<string, KnownKey>;
  readonly aliases: ReadonlyMap<string, KnownKey>;
  readonly at: number;
  /** Nodes that gave no list, with their errors. */
  readonly missing: readonly { readonly node: NodeClient; readonly error: unknown }[];
}

export interface KnownKeysOptions {
  /** The nodes, in their order: pools' keys are made on the first. */
  readonly nodes: readonly NodeClient[];
  /** Namespace of the nodes' manifests. */
  readonly namespace: string;
  readonly clock: () => number;
}

/** The keys that one client may use, by the names that KMS has for them, and the node that has each. */
export class KnownKeys {
  readonly #options: KnownKeysOptions;
  #listed: Listed | undefined;
  #listing: Promise<Listed> | undefined;

  constructor(options: KnownKeysOptions) {
    this.#options = options;
  }

  /**
   * Lists all keys, as the nodes have them now.
   *
   * @throws the error of a node that makes or has keys of pools, and gives no list: the list would lack them
   */
  async list(): Promise<readonly KnownKey[]> {
    const holders = new Set([...(this.#listed?.keys.values() ?? [])].map((key) => nodeOf(key)));
    const listed = await this.#list();
    const [first] = this.#options.nodes;
    const lost = listed.missing.find(({ node }) => node === first || holders.has(node));
    if (lost !== undefined) throw lost.error;
    return [...listed.keys.values()];
  }

  /**
   * Finds a key by a name. What never changes of it (type, usage, node) may come from an earlier list.
   *
   * @throws AwsServiceError NotFoundException; the error of a node that gives no list and could have the key
   */
  async find(name: KmsKeyName): Promise<KnownKey> {
    const known = this.#lookUp(this.#listed, name);
    const isFresh = this.#listed !== undefined && this.#options.clock() - this.#listed.at < LIST_MS;
    // An alias may have moved; an id means the same key for ever.
    if (known !== undefined && (name.type === 'key' || isFresh)) return known;
    const listed = await this.#list();
    const found = this.#lookUp(listed, name);
    if (found !== undefined) return found;
    const [lost] = listed.missing;
    if (lost !== undefined) throw lost.error;
    throw name.type === 'key' ? keyNotFound(name.arn) : aliasNotFound(name.arn);
  }

  /** Finds a key and what may change of it, as its node has it now. @throws what `find` throws */
  async describe(name: KmsKeyName): Promise<KnownKey> {
    const known = await this.find(name);
    if (known.kind === 'configuration') return known;
    try {
      const key = await known.node.pools.describe(known.id);
      return { ...known, key, aliases: key.aliases };
    } catch (error) {
      if (error instanceof NodeRefusal && error.code === 'POOL_KEY_UNKNOWN') {
        this.forget();
        throw keyNotFound(name.arn);
      }
      throw error;
    }
  }

  /** Takes in a key that a node has just made. */
  add(key: PoolKey, node: NodeClient): PoolKnown {
    const grants = [...(this.#listed?.keys.values() ?? [])].find(
      (each) => each.kind === 'pool' && each.key.pool === key.pool,
    )?.grants;
    const known = poolKnown(key, node, grants);
    if (this.#listed !== undefined)
      this.#listed = { ...this.#listed, keys: new Map([...this.#listed.keys, [key.id, known]]) };
    return known;
  }

  /** Forgets the last list, because something has changed. */
  forget(): void {
    this.#listed = this.#listed && { ...this.#listed, at: -Infinity };
  }

  #lookUp(listed: Listed | undefined, name: KmsKeyName): KnownKey | undefined {
    return name.type === 'key' ? listed?.keys.get(name.id) : listed?.aliases.get(name.alias);
  }

  /** Asks all nodes at once; callers at the same time share one round. */
  async #list(): Promise<Listed> {
    this.#listing ??= this.#ask().finally(() => {
      this.#listing = undefined;
    });
    return await this.#listing;
  }

  async #ask(): Promise<Listed> {
    const { nodes, namespace, clock } = this.#options;
    const at = clock();
    const missing: Listed['missing'][number][] = [];
    const answers = await Promise.all(
      nodes.map(async (node) => ({
        node,
        list: await listOf(node).catch((error: unknown) => void missing.push({ node, error })),
      })),
    );
    const keys = new Map<string, KnownKey>();
    for (const { node, list } of answers) {
      for (const { keys: held, grants } of list?.pools ?? []) {
        for (const key of held) keys.set(key.id, poolKnown(key, node, grants));
      }
      for (const key of list?.keys ?? []) {
        const id = deriveKeyId(namespace, key.id);
        if (keys.has(id) || specOf(key.type) === undefined || key.publicKey === null) continue;
        if (!signsBlindly(key.grants)) continue;
        const aliases = [builtInAlias(key.id)];
        keys.set(id, {
          kind: 'configuration',
          id,
          type: key.type,
          usage: 'sign',
          aliases,
          grants: key.grants,
          key,
        });
      }
    }
    if (answers.every(({ list }) => list === undefined)) throw missing[0]?.error ?? new TypeError('no nodes');
    // A node that was not asked keeps the keys that it was known to have.
    const lost = new Set(missing.map(({ node }) => node));
    for (const [id, key] of this.#listed?.keys ?? []) {
      const node = nodeOf(key);
      if (node !== undefined && lost.has(node) && !keys.has(id)) keys.set(id, key);
    }
    this.#listed = { keys, aliases: mapAliases([...keys.values()]), at, missing };
    return this.#listed;
  }
}

/** Maps aliases to their keys. An alias of two is that of the configuration, and else that of the node which is named first. */
function mapAliases(keys: readonly KnownKey[]): ReadonlyMap<string, KnownKey> {
  const aliases = new Map<string, KnownKey>();
  for (const kind of ['configuration', 'pool'] as const) {
    for (const key of keys) {
      if (key.kind !== kind) continue;
      for (const alias of key.aliases) if (!aliases.has(alias)) aliases.set(alias, key);
    }
  }
  return aliases;
}

function poolKnown(key: PoolKey, node: NodeClient, grants: Grants | undefined): PoolKnown {
  const { id, type, usage, aliases } = key;
  return { kind: 'pool', id, type, usage, aliases, grants, key, node };
}

function nodeOf(key: KnownKey): NodeClient | undefined {
  return key.kind === 'pool' ? key.node : undefined;
}

/** Whether some permit lets the client have a message or a digest signed: what KMS clients send. */
function signsBlindly({ operations, payloads }: Grants): boolean {
  return operations.includes('sign') && (payloads.includes('message') || payloads.includes('digest'));
}

/** Lists what a node has; nothing where its configuration has no pools and no route for them. */
async function listOf(node: NodeClient): Promise<Awaited<ReturnType<NodeClient['pools']['list']>>> {
  try {
    return await node.pools.list();
  } catch (error) {
    if (error instanceof NodeRefusal && error.code === 'NOT_FOUND')
      return { pools: [], keys: await listKeys(node) };
    throw error;
  }
}

/** Lists the keys of a configuration without pools, whose node does not say what permits name for the client. */
async function listKeys(node: NodeClient) {
  const grants: Grants = { operations: ['sign'], algorithms: [], payloads: ['message', 'digest'] };
  return (await node.keys()).map((key) => ({ ...key, grants }));
}
