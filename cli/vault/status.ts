import { Exchange } from '../../admin/vault/exchange/index.ts';
import { describeRoles } from '../../admin/vault/index.ts';
import { describeStatus, type VaultStatus } from '../../admin/vault/steps/index.ts';
import type { Command, Outcome } from '../common/command.ts';
import { printable } from '../common/printable.ts';
import { openExchangeFolder } from './exchange-folder.ts';
import { readVaultFile, VAULT_OPTION } from './options.ts';
import { EXCHANGE_OPTION, exchangeFolder } from './run-options.ts';
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
    return describe(await describeStatus(vault.document, exchange));
  },
};

/** Says when a step was done, why its statement is not believed, for what it waits, or else what it is. */
function detailOf({ time, code, state, waitsFor, summary }: VaultStatus['steps'][number]): string {
  return time ?? code ?? (state === 'waiting' ? `for ${waitsFor.join(', ')}` : summary);
}

function describe(status: VaultStatus): Outcome {
  const { steps, roles, isComplete } = status;
  const refused = steps.filter(({ state }) => state === 'refused');
  const lines = [
    ...steps.map((one) => `${one.state.padEnd(8)} ${one.step.padEnd(32)} ${detailOf(one)}`),
    '',
    ...roles.flatMap(({ role, done, of, next, waitsFor }) => [
      `${role}: ${done} of ${of} done${next.length === 0 ? '' : `; next: ${next.join(', ')}`}`,
      ...waitsFor.map((one) => `  waits for ${one.role}, who has to do ${one.step}`),
    ]),
    ...(isComplete ? ['the ceremony is complete'] : []),
    ...refused.map(({ step, code }) => `refused ${code ?? ''}: the statement ${step} is not to be believed`),
  ];
  return { ok: refused.length === 0, text: lines.map(printable).join('\n'), data: status };
}
