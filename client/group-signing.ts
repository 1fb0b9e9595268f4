import { type FrostGroup } from '../shared/frost/index.ts';
import { type Payload } from '../shared/api/bodies.ts';
import { aggregateSignature, type GroupSignature } from './aggregation.ts';
import { ClientError } from './errors.ts';
import { type NodeClient } from './node-client.ts';
import { findFaultyCommitments } from './signer-values.ts';

/**
 * Has the nodes of a quorum sign together: both rounds of FROST, then the shares put together and verified. Each node
 * decides by its own policy; one refusal ends it.
 *
 * @param key the share's id in the configuration of every node
 * @throws NodeRefusal, ClientError
 */
export async function signWithGroup(
  nodes: readonly Pick<NodeClient, 'frostRound1' | 'frostRound2'>[],
  group: FrostGroup,
  key: string,
  payload: Payload,
): Promise<GroupSignature> {
  const first = await Promise.all(nodes.map((node) => node.frostRound1(key)));
  const commitments = first
    .map(({ commitment }) => commitment)
    .toSorted((a, b) => a.participant - b.participant);
  // Before the others get to see them: each would refuse the list, and could not say whose fault that is.
  assertSigners(findFaultyCommitments(group, commitments));
  const shares = await Promise.all(
    nodes.map((node, index) =>
      node.frostRound2({ key, handle: first[index]?.handle ?? '', payload, commitments }),
    ),
  );
  assertSigners(
    first.flatMap(({ commitment: { participant } }, index) =>
      shares[index]?.participant === participant ? [] : [participant],
    ),
  );
  return aggregateSignature(group, payload, commitments, shares);
}

/** @throws ClientError AGGREGATION_FAILED where somebody is at fault */
function assertSigners(faulty: readonly number[]): void {
  if (faulty.length === 0) return;
  throw new ClientError('AGGREGATION_FAILED', 'signers have sent what no signature can be made of', {
    signers: faulty,
  });
}
