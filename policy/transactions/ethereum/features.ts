/**
 * Properties of Ethereum payloads that a rule has to name before it permits them. The names are stable.
 *
 * | feature                          | what is unusual                                                                |
 * | -------------------------------- | ------------------------------------------------------------------------------ |
 * | `ethereum:any-chain`             | an authorisation of EIP-7702 with chain id 0 holds on every chain              |
 * | `ethereum:blobs`                 | the transaction carries blobs (EIP-4844), which cost gas of their own          |
 * | `ethereum:creation`              | `to` is empty: the data is code that runs and leaves a contract                |
 * | `ethereum:duplicate-access-list` | an address or a storage key stands twice in the access list, and is paid twice |
 * | `ethereum:foreign-funds`         | moves or allows what belongs to another account than the key's                 |
 * | `ethereum:noncanonical-calldata` | a known selector whose arguments are not as the ABI encodes them: contracts    |
 * |                                  | may read them otherwise than we would                                          |
 * | `ethereum:relative-allowance`    | an allowance grows by an amount; what it is afterwards is not in the bytes     |
 * | `ethereum:typed-data-any-chain`  | the domain of a typed-data document names no chain                             |
 * | `ethereum:unlimited-allowance`   | an allowance without an end, or of an amount that is as good as none           |
 */
export const ETHEREUM_FEATURES = [
  'ethereum:any-chain',
  'ethereum:blobs',
  'ethereum:creation',
  'ethereum:duplicate-access-list',
  'ethereum:foreign-funds',
  'ethereum:noncanonical-calldata',
  'ethereum:relative-allowance',
  'ethereum:typed-data-any-chain',
  'ethereum:unlimited-allowance',
] as const;
export type EthereumFeature = (typeof ETHEREUM_FEATURES)[number];

/** Lists features that were found, each once, in the order of their names. */
export function listFeatures(found: ReadonlySet<EthereumFeature>): EthereumFeature[] {
  return ETHEREUM_FEATURES.filter((feature) => found.has(feature));
}
