import { TransactionError } from '../errors.ts';

/** How a network of Bitcoin writes its addresses and names its coin. */
export interface BitcoinNetwork {
  /** CAIP-2: `bip122:` and the first 16 bytes of the genesis block's id. */
  readonly id: string;
  /** CAIP-19 of its coin, by SLIP-44: 0, and 1 where it is worth nothing. */
  readonly asset: string;
  /** Human-readable part of Bech32 addresses (BIP-173). */
  readonly prefix: string;
  /** Version bytes of Base58Check addresses. */
  readonly versions: { readonly p2pkh: number; readonly p2sh: number };
}

const MAIN = { coin: 0, prefix: 'bc', versions: { p2pkh: 0x00, p2sh: 0x05 } };
const TEST = { coin: 1, prefix: 'tb', versions: { p2pkh: 0x6f, p2sh: 0xc4 } };

const NETWORKS: ReadonlyMap<string, typeof MAIN> = new Map([
  ['bip122:000000000019d6689c085ae165831e93', MAIN],
  // testnet3, testnet4, signet, regtest
  ['bip122:000000000933ea01ad0ee984209779ba', TEST],
  ['bip122:00000000da84f2bafbbc53dee25a72ae', TEST],
  ['bip122:00000008819873e925422c1ff0f99f7c', TEST],
  ['bip122:0f9188f13cb7b2c71f2a335e3a4fc328', { ...TEST, prefix: 'bcrt' }],
]);

/**
 * Returns the one network of Bitcoin that a key serves; a PSBT names none.
 *
 * @param networks by CAIP-2, of all chains
 * @throws TransactionError TRANSACTION_NETWORK_MISMATCH, TRANSACTION_UNSUPPORTED
 */
export function selectNetwork(networks: readonly string[]): BitcoinNetwork {
  const [id, ...others] = networks.filter((network) => network.startsWith('bip122:'));
  if (id === undefined || others.length > 0) {
    throw new TransactionError(
      'TRANSACTION_NETWORK_MISMATCH',
      'expected a key of exactly one bip122 network',
      {
        found: networks,
      },
    );
  }
  const parameters = NETWORKS.get(id);
  if (parameters === undefined) {
    throw new TransactionError('TRANSACTION_UNSUPPORTED', 'expected a network of Bitcoin', { found: id });
  }
  const { coin, prefix, versions } = parameters;
  return { id, asset: `${id}/slip44:${coin}`, prefix, versions };
}
