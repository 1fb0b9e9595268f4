import { type Command, UsageError } from '../common/command.ts';
import { readListen } from './config-file.ts';
import { GATEWAY_OPTIONS, runDoor } from './run-door.ts';

/** Runs the door of Ethereum's JSON-RPC and Web3Signer's interface. */
export const ethereumCommand: Command = {
  name: 'gateway ethereum',
  isStream: true,
  summary:
    "Sign for Ethereum's libraries by keys of attested nodes: JSON-RPC, and Web3Signer's eth1 interface.",
  positionals: '',
  options: GATEWAY_OPTIONS,
  examples: ['holdfast gateway ethereum', 'holdfast gateway ethereum --config gateway.yaml'],
  run: (input) =>
    runDoor(input, async ({ config: { ethereum, clients }, place, nodes }) => {
      if (ethereum === undefined) throw new UsageError('the configuration has no section "ethereum"');
      if (!clients.some(({ id }) => id === ethereum.client))
        throw new UsageError('ethereum.client is none of "clients" of the configuration');
      const { createEthereumProtocol } = await import('../../client/gateway/ethereum/index.ts');
      return {
        protocol: createEthereumProtocol({ nodes: nodes.client(ethereum.client), section: ethereum }),
        listen: await readListen(ethereum.listen, place),
      };
    }),
};
