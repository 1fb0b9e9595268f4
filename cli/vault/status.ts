import { Exchange } from '../../admin/vault/exchange/index.ts';
import { describeRoles } from '../../admin/vault/index.ts';
import { describeStatus, type VaultStatus } from '../../admin/vault/steps/index.ts';
import { describeUpgrade, type UpgradeStatus } from '../../admin/vault/steps/upgrade/index.ts';
import { HoldfastError } from '../../shared/errors.ts';
import {
  type ConfigurationStatus,
  describeConfigurations,
} from '../../admin/vault/steps/configuration/index.ts';
import type { Command, Outcome } from '../common/command.ts';
import { printable } from '../common/printable.ts';
import { openExchangeFolder } from './exchange-folder.ts';
import { readVaultFile, VAULT_OPTION } from './options.ts';
import { EXCHANGE_OPTION, exchangeFolder } from './run-options.ts';
import {
  describeConfiguration,
  describeRoleStatus,
  describeStepStatus,
  describeUpgradeState,
} from './status-lines.ts';
import { forgetfulMemory } from './work-folder.ts';

export const statusCommand: Command = {
  name: 'vault status',
  summary:
    'Show what is done, by whom and when, what is next, and who waits for whom: from the signed statements alone.',
  positionals: '',
  options: { ...VAULT_OPTION, ...EXCHANGE_OPTION },
  examples: ['holdfast vault status', 'holdfast vault status --exchange /mnt/shared/exchange --json'],
  async run(input) {
    const vault = await readVaultFile(input);
    const keys = new Map(describeRoles(vault.document).map((one) => [one.role, one.statementKey]));
    const folder = openExchangeFolder(exchangeFolder(input, vault));
    const exchange = new Exchange(folder, forgetfulMemory(), { vault: vault.digest, keys });
    const status = await describeStatus(vault.document, exchange);
    // A statement that is not to be believed is shown by the ceremony's own part.
    const upgrade = await orCode(describeUpgrade(vault.document, exchange, Date.now()));
    const configurations = await orCode(describeConfigurations(vault.document, exchange));
    return describe(status, upgrade, configurations);
  },
};

/** Result, or the code of the refusal. */
async function orCode<Result extends object>(result: Promise<Result>): Promise<Result | string> {
  return await result.catch((error: unknown) => {
    if (error instanceof HoldfastError) return error.code;
    throw error;
  });
}

function describe(
  status: VaultStatus,
  upgrade: UpgradeStatus | string,
  configurations: readonly ConfigurationStatus[] | string,
): Outcome {
  const { steps, roles, isComplete } = status;
  const refused = steps.filter(({ state }) => state === 'refused');
  const told = typeof upgrade === 'string' ? undefined : upgrade;
  const { running = null, upgrade: name = null, direction, isUnderWay = false } = told ?? {};
  const data = {
    ...status,
    release: running,
    upgrade: name === null ? null : { ...name, direction, isUnderWay },
    configurations: typeof configurations === 'string' ? null : configurations,
  };
  const lines = [
    ...steps.map(describeStepStatus),
    '',
    ...roles.flatMap(describeRoleStatus),
    ...(isComplete ? ['the ceremony is complete'] : []),
    ...(typeof configurations === 'string' ? [] : configurations.map(describeConfiguration)),
    ...(told === undefined || name === null ? [] : [describeUpgradeState(told)]),
    ...(isUnderWay ? ['  "holdfast vault upgrade status" says who waits for whom'] : []),
    ...refused.map(({ step, code }) => `refused ${code ?? ''}: the statement ${step} is not to be believed`),
    ...(typeof upgrade === 'string'
      ? [`refused ${upgrade}: a statement of an upgrade is not to be believed`]
      : []),
    ...(typeof configurations === 'string'
      ? [`refused ${configurations}: a configuration is not to be believed`]
      : []),
  ];
  return {
    ok: refused.length === 0 && told !== undefined && typeof configurations !== 'string',
    text: lines.map(printable).join('\n'),
    data,
  };
}
