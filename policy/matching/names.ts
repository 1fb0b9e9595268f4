import { normaliseOn } from '../../shared/addresses.ts';

/** Names an account or contract for comparison: CAIP-10, in lower case on Ethereum's networks. */
export const nameAccount = (network: string, address: string): string =>
  `${network}:${normaliseOn(network, address)}`;

/** Writes an account by CAIP-10 or an asset by CAIP-19 for comparison. */
export const normaliseName = (name: string): string => normaliseOn(name, name);

const TOKEN = /^(eip155:[0-9]+)\/(?:erc20|erc721|erc1155):(0x[0-9a-f]{40})(?:\/[0-9]+)?$/;

/**
 * Names what calls move whose bytes do not say which standard the token is of, for a token of one standard by CAIP-19
 * in lower case: `eip155:1/token:0x…` for `eip155:1/erc20:0x…`. Undefined for other assets.
 */
export function nameAmbiguous(asset: string): string | undefined {
  const [, network, contract] = TOKEN.exec(asset) ?? [];
  return network === undefined || contract === undefined ? undefined : `${network}/token:${contract}`;
}
