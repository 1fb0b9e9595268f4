import { encodeConfiguration } from '../derive/configuration.ts';
import { digestOf } from '../exchange/index.ts';
import { roleOfNode } from '../index.ts';
import { assertNotOver, isOver } from './configuration/newest.ts';
import type { StepContext } from './context.ts';
import { deriveFrom, hasFunction } from './node-configuration.ts';
import { assertOneRelease } from './node-release.ts';
import { planConfiguration, signPlanned, type SigningOrder } from './sign-configuration.ts';
import type { Step } from './step.ts';
import { needStatement, needStatementsOfNodes, ofAllNodes } from './support.ts';

/**
 * Step that signs the configuration by which a node knows the logs of the others, and cosigns them. Cosignatures are not
 * required yet: the first node to ask would ask nodes that do not know its log.
 */
export function nodePeersConfiguration(
  vault: StepContext['vault'],
  node: number,
): Step<'peers-configuration'> {
  const role = roleOfNode(node);
  return {
    id: `${role}/peers-configuration`,
    role,
    name: 'peers-configuration',
    stage: 2,
    summary: 'sign the configuration by which your node knows the logs of the others',
    needs: [`${role}/configuration`, ...ofAllNodes(vault, 'narrow')],
    isShownFirst: hasFunction(vault, node),
    async inspect(context) {
      if (await isOver(context, node, 'peers-configuration')) return { state: 'done' };
      await assertOneRelease(context);
      const stated = await context.exchange.statement(role, 'peers-configuration');
      const order = await orderPeers(context, node);
      if (
        stated !== undefined &&
        stated.facts.configuration === digestOf(await order.derive(stated.facts.version))
      )
        return { state: 'done' };
      const { version, changes } = await planConfiguration(context, order);
      const final = await deriveFinal(context, node, version + 1);
      return {
        state: 'ready',
        changes: [
          `signs configuration ${version} of node ${node}, without the order to initialise, with the logs of the other nodes`,
          ...changes,
          // Signed by the same run, after this one: shown here.
          `and then configuration ${version + 1}, by which the others have to cosign, and which changes nothing else`,
          `  SHA-384 ${digestOf(final)}`,
        ],
      };
    },
    async apply(context) {
      await assertNotOver(context, node, 'peers-configuration');
      const { version, digest, envelope } = await signPlanned(context, await orderPeers(context, node));
      return {
        facts: { configuration: digest, version },
        files: [{ name: 'configuration.json', bytes: envelope }],
      };
    },
  };
}

async function orderPeers(context: StepContext, node: number): Promise<SigningOrder> {
  const { facts } = await needStatement(context, roleOfNode(node), 'configuration');
  const inputs = { orderUntil: null, verifierKeys: await readVerifierKeys(context), isCosigned: false };
  return {
    node,
    step: 'peers-configuration',
    version: facts.version + 1,
    derive: async (version) => encodeConfiguration(await deriveFrom(context, node, { version, ...inputs })),
  };
}

/** Derives the bytes of the configuration by which a node stays. */
export async function deriveFinal(context: StepContext, node: number, version: number): Promise<Uint8Array> {
  const isWitnessed = context.vault.parts.peerWitnesses !== null;
  return encodeConfiguration(
    await deriveFrom(context, node, {
      version,
      orderUntil: null,
      verifierKeys: isWitnessed ? await readVerifierKeys(context) : [],
    }),
  );
}

/** Verifier keys of all nodes' logs and cosignatures, as their admins have seen them attested. */
export async function readVerifierKeys(context: StepContext): Promise<readonly string[]> {
  const stated = await needStatementsOfNodes(context, 'narrow');
  return stated.flatMap(({ statement: { facts } }) => [facts.log, facts.witness]);
}
