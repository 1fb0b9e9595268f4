import { TransactionError } from '../errors.ts';
import type { Effect, EffectType } from '../transaction.ts';

const NOTHING = { to: null, asset: null, amount: null, contract: null, selector: null, details: {} } as const;

/**
 * The most tokens of one batch, each of which is an effect. Half of what a transaction can have, because an effect whose
 * numbers all have 78 digits takes about 500 bytes in an entry of the log.
 */
export const MAX_BATCH_TOKENS = 64;

/** @throws TransactionError TRANSACTION_TOO_LARGE beyond {@link MAX_BATCH_TOKENS} */
export function assertBatchSize(tokens: number): void {
  if (tokens > MAX_BATCH_TOKENS) {
    throw new TransactionError('TRANSACTION_TOO_LARGE', `${tokens} tokens in one batch`, {
      maximum: MAX_BATCH_TOKENS,
    });
  }
}

/** Makes an effect; fields that are not given do not apply. */
export function makeEffect(type: EffectType, fields: Partial<Omit<Effect, 'type'>>): Effect {
  return { type, ...NOTHING, ...fields };
}

/** Names a network's own coin by CAIP-19: `slip44:60` on every network of eip155. */
export function nameCoin(network: string): string {
  return `${network}/slip44:60`;
}

/**
 * The standard that a contract's tokens follow. `token` is a namespace of ours for what two standards share: the
 * selectors of `approve(address,uint256)` and `transferFrom(address,address,uint256)` are the same in ERC-20, whose
 * number is an amount, and in ERC-721, whose number is a token's id; the bytes do not say which. Its asset is never
 * equal to an `erc20` one, so that no rule on an amount of an ERC-20 token takes an id for an amount by mistake. Whoever
 * knows what the contract is names the `token` asset in a rule, and with it how its number is to be read.
 */
export type TokenStandard = 'erc20' | 'erc721' | 'erc1155' | 'token';

/**
 * Names a contract's tokens by CAIP-19, the address with the checksum of EIP-55. Ids of ERC-1155 are assets of their
 * own, whose amounts have nothing in common: `eip155:1/erc1155:0x…/7`.
 */
export function nameToken(network: string, standard: TokenStandard, contract: string, id?: bigint): string {
  return `${network}/${standard}:${contract}${id === undefined ? '' : `/${id}`}`;
}
