import type { Algorithm, KeyType } from '../../../shared/algorithms.ts';
import type { KeyInfo } from '../../../shared/api/bodies.ts';
import { type Account, toAccount } from './account.ts';

/** Types of keys that Tezos has accounts for: the tag of the curve, and the algorithm that signs. */
const TYPES: Partial<Record<KeyType, { readonly tag: number; readonly algorithm: Algorithm }>> = {
  ed25519: { tag: 0, algorithm: 'ed25519' },
  'frost-ed25519': { tag: 0, algorithm: 'frost-ed25519' },
  secp256k1: { tag: 1, algorithm: 'ecdsa-secp256k1' },
  p256: { tag: 2, algorithm: 'ecdsa-p256-sha256' },
  'bls12-381': { tag: 3, algorithm: 'bls12-381-pop' },
};

/** A key of the nodes that clients know by its hash. */
export interface ServedKey extends Account {
  /** Id of the key in the nodes' configuration. */
  readonly id: string;
  readonly type: KeyType;
  readonly algorithm: Algorithm;
}

/** Lists the accounts of a node's keys, in the order of the node's. */
export function listServedKeys(
  keys: readonly KeyInfo[],
  named: ReadonlySet<string> | undefined,
): readonly ServedKey[] {
  return keys.flatMap(({ id, type, publicKey }) => {
    const found = TYPES[type];
    if (found === undefined || publicKey === null || named?.has(id) === false) return [];
    const account = toAccount({ tag: found.tag, bytes: Buffer.from(publicKey, 'hex') });
    return [{ id, type, algorithm: found.algorithm, ...account }];
  });
}

/** Milliseconds for which a key that was not found is not asked for again. */
const REFRESH_MS = 5_000;

/**
 * The keys that a door serves, as the nodes have last listed them. A hash that is not among them has the nodes asked, at
 * most every five seconds: whoever reaches the door may ask for any hash.
 */
export class KeyDirectory {
  readonly #list: () => Promise<readonly KeyInfo[]>;
  readonly #named: ReadonlySet<string> | undefined;
  readonly #now: () => number;
  #keys: ReadonlyMap<string, ServedKey> = new Map();
  #asking: Promise<void> | undefined;
  #askedAt = -Infinity;

  /**
   * @param list asks the nodes for their keys
   * @param named ids of the keys that are served; undefined: all
   * @param now milliseconds of a monotonic clock
   */
  constructor(
    list: () => Promise<readonly KeyInfo[]>,
    named: ReadonlySet<string> | undefined,
    now: () => number = () => performance.now(),
  ) {
    this.#list = list;
    this.#named = named;
    this.#now = now;
  }

  /** Finds a key by its hash; undefined where the nodes have none. Rejects where the nodes cannot be asked. */
  async find(hash: string): Promise<ServedKey | undefined> {
    const known = this.#keys.get(hash);
    if (known !== undefined) return known;
    if (this.#asking === undefined && this.#now() - this.#askedAt < REFRESH_MS) return undefined;
    await this.refresh();
    return this.#keys.get(hash);
  }

  /** Asks the nodes for their keys; one question at a time. */
  async refresh(): Promise<readonly ServedKey[]> {
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
    await this.#asking;
    return [...this.#keys.values()];
  }

  async #ask(): Promise<void> {
    const keys = listServedKeys(await this.#list(), this.#named);
    this.#keys = new Map(keys.map((key) => [key.hash, key]));
    this.#askedAt = this.#now();
  }
}
