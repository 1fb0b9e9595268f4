import { parseManifest } from '../../../shared/documents/manifest.ts';
import { encodeConfiguration } from '../derive/configuration.ts';
import { digestOf } from '../exchange/index.ts';
import { roleOfNode } from '../index.ts';
import type { StepContext } from './context.ts';
import { deriveFrom, readManifestBytes } from './node-configuration.ts';
import { assertOneRelease } from './node-release.ts';
import { signByAuthorities } from './sign-configuration.ts';
import type { Step } from './step.ts';
import { needStatementsOfNodes, ofAllNodes } from './support.ts';

/** Step that signs a node's second configuration: the order to initialise is gone, and the nodes know each other's logs. */
export function nodeFinalConfiguration(
  vault: StepContext['vault'],
  node: number,
): Step<'final-configuration'> {
  const role = roleOfNode(node);
  const isWitnessed = vault.parts.peerWitnesses !== null;
  const derive = async (context: StepContext) =>
    encodeConfiguration(
      await deriveFrom(context, node, {
        version: 2,
        orderUntil: null,
        verifierKeys: isWitnessed ? await readVerifierKeys(context) : [],
      }),
    );
  return {
    id: `${role}/final-configuration`,
    role,
    name: 'final-configuration',
    stage: 2,
    summary: 'sign the configuration without the order, by which the node stays',
    needs: isWitnessed ? ofAllNodes(vault, 'narrow') : [`${role}/narrow`],
    async inspect(context) {
      await assertOneRelease(context);
      const stated = await context.exchange.statement(role, 'final-configuration');
      if (stated?.facts.configuration === digestOf(await derive(context))) return { state: 'done' };
      return {
        state: 'ready',
        changes: [
          `signs configuration 2 of node ${node}, without the order to initialise`,
          ...(isWitnessed ? ['with the logs of the other nodes, which have to cosign its own'] : []),
        ],
      };
    },
    async apply(context) {
      const payload = await derive(context);
      const manifest = parseManifest(await readManifestBytes(context, node));
      return {
        facts: { configuration: digestOf(payload), version: 2 },
        files: [{ name: 'configuration.json', bytes: signByAuthorities(payload, manifest, context) }],
      };
    },
  };
}

/** Verifier keys of all nodes' logs and cosignatures, as their admins have seen them attested. */
export async function readVerifierKeys(context: StepContext): Promise<readonly string[]> {
  const stated = await needStatementsOfNodes(context, 'narrow');
  return stated.flatMap(({ statement: { facts } }) => [facts.log, facts.witness]);
}
