import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectNode, connectQuorum, type NodeClientOptions, type QuorumClient } from '../../client/index.ts';
import { formatWitnessKey } from '../../client/witness-key.ts';
import type { Program } from '../nitro-host/index.ts';
import { loadApprovers } from '../testbed/decision-configuration.ts';
import { type LocalConfigurationInput, localConfiguration } from '../testbed/local-configuration.ts';
import type { WitnessKeys } from '../testbed/quorum-configuration.ts';
import { CLIENT } from '../testbed/scenario.ts';
import type { TestQuorum } from '../testbed/test-quorum.ts';
import type { Testbed } from '../testbed/testbed.ts';

/** Milliseconds within which a node reaches the others and learns of the epoch in force. */
export const CATCH_UP_MS = 60_000;
export const POLL_MS = 200;

/** Waits until a node has a channel with every other one. @throws Error when it has not in time */
export async function waitForPeers(client: QuorumClient): Promise<void> {
  const deadline = Date.now() + CATCH_UP_MS;
  for (;;) {
    const { node, peers } = await client.status();
    if (peers.every(({ state }) => state === 'connected')) return;
    if (Date.now() > deadline) throw new Error(`node ${node} does not reach the others`);
    await sleep(POLL_MS);
  }
}

/** Waits until each of these nodes has a channel with every other one: what one of them sees says nothing of the rest. */
export async function waitForAllPeers(nodes: readonly NodeClientOptions[]): Promise<void> {
  for (const node of nodes) {
    const client = await connectQuorum({ nodes: [node] });
    await waitForPeers(client).finally(() => client.close());
  }
}

/** What the configurations of all nodes say of each other as witnesses. */
export interface Witnessing {
  /** Keys that each node attests, by its number. */
  readonly keys?: ReadonlyMap<number, WitnessKeys>;
  /** How many of the others must cosign, by the number of the node that waits for them. */
  readonly witnesses?: ReadonlyMap<number, LocalConfigurationInput['witnesses']>;
}

/** Has each admin let the image in; then each authority signs the configurations of its node, a version after the other. */
export async function openConfigurations(testbed: Testbed, quorum: TestQuorum, program: Program) {
  const pcrs = await testbed.host.measure(program.folder);
  const approvers = await loadApprovers(join(testbed.stateDirectory, 'approvers'));
  for (const { testNode } of quorum.members) await testNode.allow(pcrs, { initialise: true });
  let version = 0;
  const sign = async ({ keys, witnesses }: Witnessing) => {
    version += 1;
    for (const { node, testNode: member } of quorum.members) {
      const others = quorum.members
        .filter((each) => each.node !== node)
        .map((each) => {
          const named = keys?.get(each.node);
          const { manifestBytes } = each.testNode;
          return { node: each.node, manifestBytes, ...(named === undefined ? {} : { keys: named }) };
        });
      const input = { member, others, pcrs, clientId: CLIENT, approvers };
      const wanted = witnesses?.get(node);
      const body = localConfiguration(wanted === undefined ? input : { ...input, witnesses: wanted });
      await member.configure({ ...body, version });
    }
  };
  return { pcrs, sign };
}

/** Reads the verifier keys that a node attests. */
export async function attestKeys(options: NodeClientOptions): Promise<WitnessKeys> {
  const client = await connectNode(options);
  const { binding } = await client.attest();
  client.close();
  const witness = 'log' in binding ? formatWitnessKey(binding) : undefined;
  if (!('log' in binding) || witness === undefined) throw new Error('expected a node that witnesses');
  return { log: binding.log.key, witness };
}
