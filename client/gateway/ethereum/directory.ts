import type { KeyInfo } from '../../../shared/api/bodies.ts';
import { type EthereumAccountKey, listAccountKeys } from '../../ethereum/signer.ts';

/** Milliseconds for which an account that was not found is not asked for again. */
const REFRESH_MS = 5_000;

/**
 * Accounts that a door serves, as the nodes have last listed their keys. One that is not among them has the nodes asked, at
 * most every five seconds: whoever reaches the door may ask for any.
 */
export class AccountDirectory {
  readonly #list: () => Promise<readonly KeyInfo[]>;
  readonly #named: ReadonlySet<string> | undefined;
  readonly #now: () => number;
  #accounts: readonly EthereumAccountKey[] = [];
  #asking: Promise<void> | undefined;
  #askedAt = -Infinity;

  /**
   * @param list asks the nodes for their keys
   * @param named ids of the keys that are served; undefined: all
   * @param now milliseconds of a monotonic clock
   */
  constructor(
    list: () => Promise<readonly KeyInfo[]>,
    named: readonly string[] | undefined,
    now: () => number = () => performance.now(),
  ) {
    this.#list = list;
    this.#named = named && new Set(named);
    this.#now = now;
  }

  /** Lists the accounts, at most five seconds old. */
  async list(): Promise<readonly EthereumAccountKey[]> {
    if (this.#now() - this.#askedAt >= REFRESH_MS) await this.#refresh();
    return this.#accounts;
  }

  /** Finds an account by its address or uncompressed public key (64 bytes), in lower-case hex without 0x. */
  async find(name: string): Promise<EthereumAccountKey | undefined> {
    return this.#findKnown(name) ?? (await this.list().then(() => this.#findKnown(name)));
  }

  #findKnown(name: string): EthereumAccountKey | undefined {
    return this.#accounts.find(
      (account) => account.address.slice(2).toLowerCase() === name || account.uncompressed === name,
    );
  }

  async #refresh(): Promise<void> {
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
    await this.#asking;
  }

  async #ask(): Promise<void> {
    const keys = await this.#list();
    this.#accounts = listAccountKeys(keys).filter(({ id }) => this.#named?.has(id) !== false);
    this.#askedAt = this.#now();
  }
}
