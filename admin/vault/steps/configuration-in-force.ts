import { roleOfNode } from '../index.ts';
import type { StepContext } from './context.ts';
import type { DeployOrder } from './deploy-node.ts';
import { needStatement } from './support.ts';
import { isSameUpgrade, type UpgradeState, upgradeOf } from './upgrade/state.ts';

/** Configuration that a node is to run: the step whose statement has it, and its version. */
export interface ConfigurationInForce {
  readonly step: DeployOrder['configuration'];
  readonly version: number;
}

/**
 * Finds the configuration that a node is to run while no upgrade is under way: the newest change of its rules, where that came
 * after everything else that it was to run.
 *
 * @throws ExchangeError STATEMENT_…
 */
export async function findConfigurationInForce(
  context: StepContext,
  node: number,
  state: Pick<UpgradeState, 'closed'>,
): Promise<ConfigurationInForce> {
  const led = await findLedTo(context, node, state);
  const changed = await context.exchange.statement(roleOfNode(node), 'change-configuration');
  return changed !== undefined && changed.facts.version > led.version
    ? { step: 'change-configuration', version: changed.facts.version }
    : led;
}

/**
 * Finds the configuration to which the ceremonies have led: that of the upgrade, or of the roll back, which
 * has ended last, and the final one of the ceremony before the first. One of an upgrade that never came to be does not count.
 *
 * @throws ExchangeError STATEMENT_…
 */
async function findLedTo(
  context: StepContext,
  node: number,
  { closed }: Pick<UpgradeState, 'closed'>,
): Promise<ConfigurationInForce> {
  const role = roleOfNode(node);
  if (closed === undefined) {
    const { facts } = await needStatement(context, role, 'final-configuration');
    return { step: 'final-configuration', version: facts.version };
  }
  const step = closed.image === 'new' ? 'upgrade-configuration' : 'upgrade-rollback';
  const stated = await context.exchange.statement(role, step);
  if (stated !== undefined && isSameUpgrade(upgradeOf(stated), closed.upgrade))
    return { step, version: stated.facts.version };
  // A further upgrade has begun, and its configuration accepts the release that runs too.
  const begun = await needStatement(context, role, 'upgrade-configuration');
  return { step: 'upgrade-configuration', version: begun.facts.version };
}
