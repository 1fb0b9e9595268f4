import { type FrostGroup } from '../shared/frost/index.ts';
import { type Payload } from '../shared/node/api.ts';
import { aggregateSignature, type GroupSignature } from './aggregation.ts';
import { type NodeClient } from './node-client.ts';

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
  const shares = await Promise.all(
    nodes.map((node, index) =>
      node.frostRound2({ key, handle: first[index]?.handle ?? '', payload, commitments }),
    ),
  );
  return aggregateSignature(group, payload, commitments, shares);
}
