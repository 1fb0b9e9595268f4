import { type FrostGroup } from '../shared/frost/index.ts';
import { type BlindPayload } from '../shared/api/bodies.ts';
import { aggregateSignature, type GroupSignature } from './aggregation.ts';
import { ClientError } from './errors.ts';
import { type NodeClient } from './node-client.ts';
import { findFaultyCommitments } from './signer-values.ts';

/**
 * Signs with the nodes of a quorum: both rounds of FROST, then the aggregation of the shares and the verification of the
 * signature. Each node decides by its own policy, and one refusal ends the signing.
 *
 * @param nodes clients of at least `group.threshold` nodes, each of which holds a share
 * @param key the id of the share in the configuration of every node
 * @param payload what to sign; hex in lower case
 * @throws NodeRefusal with the code of the first node that refuses
 * @throws ClientError AGGREGATION_FAILED with the signers at fault in `details.signers`, and the codes of a connection
 * @throws AttestationError where a node has restarted and does not attest any more
 * @throws TypeError for a payload that is not hex as a node takes it
 *
 * Source: RFC 9591 section 5.
 *
 * @example
 * ```ts
 * import { createPrivateKey } from 'node:crypto';
 * import { readFile } from 'node:fs/promises';
 * import { AWS_NITRO_ROOT_G1, parsePcrFile } from '@holdfast-nodes/holdfast/attestation';
 * import { connectNode, dealShares, sealShare, signWithGroup } from '@holdfast-nodes/holdfast/client';
 *
 * const pcrs = parsePcrFile(await readFile('pcr.json'));
 * const manifest = await readFile('manifest.json');
 * const privateKey = createPrivateKey(await readFile('client.pem'));
 * const nodes = await Promise.all(
 *   ['https://node-1.example:8443', 'https://node-2.example:8443'].map((url) =>
 *     connectNode({ url, trust: { root: AWS_NITRO_ROOT_G1, pcrs, manifest }, clientId: 'backend', privateKey }),
 *   ),
 * );
 * const { group, shares } = dealShares({ type: 'frost-ed25519', threshold: 2, participants: 2 });
 * for (const [index, node] of nodes.entries()) {
 *   await node.importShare('treasury', (importKey, destination) =>
 *     sealShare(group, shares[index], importKey, destination),
 *   );
 * }
 * const payload = { kind: 'message', message: Buffer.from('a transfer').toString('hex') };
 * const { signature } = await signWithGroup(nodes, group, 'treasury', payload);
 * console.log(signature.length); // 64
 * for (const node of nodes) node.close();
 * ```
 */
export async function signWithGroup(
  nodes: readonly Pick<NodeClient, 'frostRound1' | 'frostRound2'>[],
  group: FrostGroup,
  key: string,
  payload: BlindPayload,
): Promise<GroupSignature> {
  const first = await Promise.all(nodes.map((node) => node.frostRound1(key)));
  const commitments = first
    .map(({ commitment }) => commitment)
    .toSorted((a, b) => a.participant - b.participant);
  // Checked before round two: each node would refuse a list with a faulty commitment, without naming the signer.
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

/**
 * Refuses to go on when a signer is at fault.
 *
 * @throws ClientError AGGREGATION_FAILED
 */
function assertSigners(faulty: readonly number[]): void {
  if (faulty.length === 0) return;
  throw new ClientError(
    'AGGREGATION_FAILED',
    'details.signers have sent values of which no signature can be made',
    {
      signers: faulty,
    },
  );
}
