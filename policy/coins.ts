/** A chain's own asset, as people name it. */
export interface Coin {
  readonly symbol: string;
  /** Decimal places of its unit: 18 of ETH. */
  readonly decimals: number;
}

/** Coins of the chains' main networks by CAIP-19; those of test networks have no worth, and no name here. */
const COINS: ReadonlyMap<string, Coin> = new Map([
  ['eip155:1/slip44:60', { symbol: 'ETH', decimals: 18 }],
  ['bip122:000000000019d6689c085ae165831e93/slip44:0', { symbol: 'BTC', decimals: 8 }],
  ['tezos:NetXdQprcVkpaWU/slip44:1729', { symbol: 'XTZ', decimals: 6 }],
  ['solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp/slip44:501', { symbol: 'SOL', decimals: 9 }],
]);

/** Finds the coin that an asset is; undefined for tokens, and for coins of other networks. */
export const findCoin = (asset: string): Coin | undefined => COINS.get(asset);

/** Splits an amount in the smallest unit into whole coins and the digits behind the point, without zeros at their end. */
export function splitAmount(amount: bigint, { decimals }: Coin): { whole: bigint; fraction: string } {
  const scale = 10n ** BigInt(decimals);
  const fraction = (amount % scale).toString().padStart(decimals, '0').replace(/0+$/, '');
  return { whole: amount / scale, fraction };
}

/** Writes an amount for people: coins in their own unit, other assets in their smallest unit. */
export function describeAmount(amount: bigint, asset: string | null): string {
  if (asset === null) return String(amount);
  const coin = findCoin(asset);
  if (coin === undefined) return `${amount} of ${asset}`;
  const { whole, fraction } = splitAmount(amount, coin);
  return `${whole}${fraction === '' ? '' : `.${fraction}`} ${coin.symbol}`;
}
