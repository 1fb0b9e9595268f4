import { digestOf } from '../exchange/index.ts';
import { roleOfNode } from '../index.ts';
import { assertNotOver, isOver } from './configuration/newest.ts';
import type { StepContext } from './context.ts';
import { hasFunction } from './node-configuration.ts';
import { deriveFinal } from './node-peers-configuration.ts';
import { assertOneRelease } from './node-release.ts';
import { planConfiguration, signPlanned, type SigningOrder } from './sign-configuration.ts';
import type { Step } from './step.ts';
import { needStatement, ofAllNodes } from './support.ts';

/** Step that signs the configuration by which a node stays: without the order to initialise, and cosigned where it is to be. */
export function nodeFinalConfiguration(
  vault: StepContext['vault'],
  node: number,
): Step<'final-configuration'> {
  const role = roleOfNode(node);
  const isWitnessed = vault.parts.peerWitnesses !== null;
  const orderFinal = async (context: StepContext): Promise<SigningOrder> => {
    const { facts } = await needStatement(
      context,
      role,
      isWitnessed ? 'peers-configuration' : 'configuration',
    );
    return {
      node,
      step: 'final-configuration',
      version: facts.version + 1,
      derive: async (version) => await deriveFinal(context, node, version),
    };
  };
  return {
    id: `${role}/final-configuration`,
    role,
    name: 'final-configuration',
    stage: 2,
    summary: 'sign the configuration without the order, by which the node stays',
    // The configuration is known before the policy is narrowed, so that one run shows both; nodes start with it after that.
    needs: isWitnessed
      ? [`${role}/peers-configuration`, ...ofAllNodes(vault, 'narrow')]
      : [`${role}/configuration`, `${role}/gate`, 'infrastructure/start'],
    // With peer witnesses, the plan of peers-configuration has shown this one already.
    isShownFirst: hasFunction(vault, node) && !isWitnessed,
    async inspect(context) {
      if (await isOver(context, node, 'final-configuration')) return { state: 'done' };
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
          ...(isWitnessed ? ['with the other nodes, which have to cosign its log'] : []),
          ...describeOutside(vault),
          ...changes,
        ],
      };
    },
    async apply(context) {
      await assertNotOver(context, node, 'final-configuration');
      const { version, digest, envelope } = await signPlanned(context, await orderFinal(context));
      return {
        facts: { configuration: digest, version },
        files: [{ name: 'configuration.json', bytes: envelope }],
      };
    },
  };
}

/** Says how many outside witnesses have to cosign from then on. */
function describeOutside({ parts: { witnesses } }: StepContext['vault']): readonly string[] {
  if (witnesses === null) return [];
  return [
    `with ${witnesses.servers.length} outside witnesses, ${witnesses.threshold} of which have to cosign its log`,
  ];
}
