import { encodeConfiguration } from '../derive/configuration.ts';
import { digestOf } from '../exchange/index.ts';
import { roleOfNode } from '../index.ts';
import type { StepContext } from './context.ts';
import { deriveFrom, hasFunction } from './node-configuration.ts';
import { assertOneRelease } from './node-release.ts';
import { planConfiguration, signPlanned, type SigningOrder } from './sign-configuration.ts';
import type { Step } from './step.ts';
import { needStatement, needStatementsOfNodes, ofAllNodes } from './support.ts';

/** Step that signs a node's second configuration: the order to initialise is gone, and the nodes know each other's logs. */
export function nodeFinalConfiguration(
  vault: StepContext['vault'],
  node: number,
): Step<'final-configuration'> {
  const role = roleOfNode(node);
  const isWitnessed = vault.parts.peerWitnesses !== null;
  const orderFinal = async (context: StepContext): Promise<SigningOrder> => {
    const { facts } = await needStatement(context, role, 'configuration');
    return {
      node,
      step: 'final-configuration',
      version: facts.version + 1,
      derive: async (version) =>
        encodeConfiguration(
          await deriveFrom(context, node, {
            version,
            orderUntil: null,
            verifierKeys: isWitnessed ? await readVerifierKeys(context) : [],
          }),
        ),
    };
  };
  return {
    id: `${role}/final-configuration`,
    role,
    name: 'final-configuration',
    stage: 2,
    summary: 'sign the configuration without the order, by which the node stays',
    // What it says is known before the policy is narrowed, so that both are shown at once; the nodes start with it after that.
    needs: isWitnessed
      ? ofAllNodes(vault, 'narrow')
      : [`${role}/configuration`, `${role}/gate`, 'infrastructure/start'],
    isShownFirst: hasFunction(vault, node),
    async inspect(context) {
      await assertOneRelease(context);
      const stated = await context.exchange.statement(role, 'final-configuration');
      const order = await orderFinal(context);
      if (
        stated !== undefined &&
        stated.facts.configuration === digestOf(await order.derive(stated.facts.version))
      )
        return { state: 'done' };
      const { version, changes } = await planConfiguration(context, order);
      return {
        state: 'ready',
        changes: [
          `signs configuration ${version} of node ${node}, without the order to initialise`,
          ...(isWitnessed ? ['with the logs of the other nodes, which have to cosign its own'] : []),
          ...changes,
        ],
      };
    },
    async apply(context) {
      const { version, digest, envelope } = await signPlanned(context, await orderFinal(context));
      return {
        facts: { configuration: digest, version },
        files: [{ name: 'configuration.json', bytes: envelope }],
      };
    },
  };
}

/** Verifier keys of all nodes' logs and cosignatures, as their admins have seen them attested. */
export async function readVerifierKeys(context: StepContext): Promise<readonly string[]> {
  const stated = await needStatementsOfNodes(context, 'narrow');
  return stated.flatMap(({ statement: { facts } }) => [facts.log, facts.witness]);
}
