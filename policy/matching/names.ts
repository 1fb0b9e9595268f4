import { normaliseOn } from '../../shared/addresses.ts';

/** Names an account or contract for comparison: CAIP-10, in lower case on Ethereum's networks. */
export const nameAccount = (network: string, address: string): string =>
  `${network}:${normaliseOn(network, address)}`;

/** Writes an account by CAIP-10 or an asset by CAIP-19 for comparison. */
export const normaliseName = (name: string): string => normaliseOn(name, name);
