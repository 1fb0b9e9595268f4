import { TransactionError } from '../errors.ts';
import type { DecodingContext } from '../transaction.ts';

/**
 * Names the network of a chain id, which the key has to serve.
 *
 * @throws TransactionError TRANSACTION_NETWORK_MISMATCH; always for chain id 0, which names no chain
 */
export function requireNetwork(chainId: bigint, context: DecodingContext): string {
  const network = `eip155:${chainId}`;
  if (chainId === 0n || !context.networks.includes(network)) {
    throw new TransactionError('TRANSACTION_NETWORK_MISMATCH', `the key does not serve ${network}`, {
      expected: context.networks,
      found: network,
    });
  }
  return network;
}

/**
 * Requires that the key serves some Ethereum network, where a payload names none.
 *
 * @throws TransactionError TRANSACTION_NETWORK_MISMATCH
 */
export function requireAnyNetwork(context: DecodingContext): void {
  if (!context.networks.some((network) => network.startsWith('eip155:') && network !== 'eip155:0')) {
    throw new TransactionError('TRANSACTION_NETWORK_MISMATCH', 'the key serves no Ethereum network', {
      expected: 'eip155',
      found: context.networks,
    });
  }
}
