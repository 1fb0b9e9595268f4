import type { ConfigurationStatus } from '../../admin/vault/steps/configuration/index.ts';
import type { VaultStatus } from '../../admin/vault/steps/index.ts';
import type { UpgradeStatus } from '../../admin/vault/steps/upgrade/index.ts';

/** Says when a step was done, why its statement is not believed, for what it waits, or else what it is. */
function detailOf({ time, code, state, waitsFor, summary }: VaultStatus['steps'][number]): string {
  return time ?? code ?? (state === 'waiting' ? `for ${waitsFor.join(', ')}` : summary);
}

/** One line about a step. */
export function describeStepStatus(one: VaultStatus['steps'][number]): string {
  return `${one.state.padEnd(8)} ${one.step.padEnd(36)} ${detailOf(one)}`;
}

/** Lines about a role: how far it is, and for whom it waits. */
export function describeRoleStatus({
  role,
  done,
  of,
  next,
  waitsFor,
}: VaultStatus['roles'][number]): readonly string[] {
  return [
    `${role}: ${done} of ${of} done${next.length === 0 ? '' : `; next: ${next.join(', ')}`}`,
    ...waitsFor.map((one) => `  waits for ${one.role}, who has to do ${one.step}`),
  ];
}

/**
 * One line about the release that runs, and an upgrade that is under way.
 * @param isServing whether infrastructure has stated that nodes serve; asked only where there was no upgrade
 */
export function describeUpgradeState(
  { running, upgrade, direction, isUnderWay }: UpgradeStatus,
  isServing = true,
): string {
  if (upgrade === null || direction === null)
    return isServing
      ? `the nodes run release ${running}; nothing is being upgraded`
      : `no node serves yet, and nothing is being upgraded; the ceremony ("holdfast vault status") brings release ${running}`;
  const { from, to, attempt } = upgrade;
  const name = `upgrade ${attempt}, from ${from} to ${to}`;
  if (isUnderWay)
    return direction === 'forward'
      ? `${name}, is under way; said to run: ${running}`
      : `${name}, is being rolled back`;
  return direction === 'forward'
    ? `the nodes run release ${running} since ${name}`
    : `the nodes run release ${running}: ${name}, was rolled back`;
}

/** One line about the configuration of a node: what there is, whether it runs, and who has to do something before it does. */
export function describeConfiguration({
  node,
  version,
  digest,
  time,
  running,
  change,
  isLeap,
  counts,
  waitsFor,
}: ConfigurationStatus): string {
  const { clients, approvers, keys, rules } = counts;
  return [
    `node ${node}: configuration ${version}, stated ${time}, ${running === null ? 'not said to run' : `said to run: ${running}`}`,
    `clients: ${clients}, approvers: ${approvers}, keys: ${keys}, rules: ${rules}`,
    ...(change === 0
      ? []
      : [
          `change ${change} of the rules${isLeap ? ' (VAULT_CHANGE_LEAP: too far ahead, and not counted)' : ''}`,
        ]),
    `SHA-384 ${digest}`,
    ...(waitsFor === null ? [] : [`waits for ${waitsFor}`]),
  ].join('; ');
}
