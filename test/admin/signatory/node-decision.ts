import type { SignatoryImport } from '../../../admin/signatory/index.ts';
import { createPolicyState, decide, preparePolicy } from '../../../policy/index.ts';
import { decodePayload, TransactionError } from '../../../policy/transactions/index.ts';
import { ACCOUNTS, type TezosAlgorithm } from '../../policy/transactions/tezos/samples.ts';
import type { SampleRequest } from './requests.ts';

/** Decides requests as door and node do with what an import gave: by the door's clients, then by decoder and rules. */
export function prepareNode({ configuration, keys }: SignatoryImport) {
  const policy = preparePolicy(configuration);
  return ({ key: address, payload, client }: SampleRequest & { readonly client?: string | undefined }) => {
    const imported = keys.find((each) => each.address === address);
    const entry = configuration.keys.find(({ id }) => id === imported?.key.id);
    if (imported === undefined || entry === undefined) return 'refuses';
    if (imported.clients !== undefined && !imported.clients.includes(client ?? '')) return 'refuses';
    const [algorithm, { raw }] = accountOf(address);
    try {
      const { transaction } = decodePayload(payload, {
        algorithm,
        publicKey: Buffer.from(raw, 'hex'),
        networks: entry.networks,
        ownKeys: [],
      });
      const { outcome } = decide(
        policy,
        {
          operation: 'sign',
          client: 'tezos-door',
          key: entry.id,
          algorithm,
          payload: payload.kind,
          transaction,
        },
        createPolicyState(policy, 0),
        { now: 1_800_000_000_000, monotonic: 1_000 },
      );
      return outcome === 'permitted' ? 'signs' : 'refuses';
    } catch (error) {
      if (error instanceof TransactionError) return 'refuses';
      throw error;
    }
  };
}

function accountOf(address: string): [TezosAlgorithm, (typeof ACCOUNTS)[TezosAlgorithm]] {
  for (const algorithm of Object.keys(ACCOUNTS) as TezosAlgorithm[]) {
    if (ACCOUNTS[algorithm].address === address) return [algorithm, ACCOUNTS[algorithm]];
  }
  throw new Error(`no account ${address}`);
}
