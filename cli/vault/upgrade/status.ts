import { Exchange } from '../../../admin/vault/exchange/index.ts';
import { describeRoles } from '../../../admin/vault/index.ts';
import {
  describeUpgrade,
  openUpgradeJournal,
  type UpgradeStatus,
} from '../../../admin/vault/steps/upgrade/index.ts';
import type { UpgradeStop } from '../../../admin/upgrade/index.ts';
import type { Command, Outcome } from '../../common/command.ts';
import { printable } from '../../common/printable.ts';
import { openExchangeFolder } from '../exchange-folder.ts';
import { readVaultFile, VAULT_OPTION } from '../options.ts';
import { EXCHANGE_OPTION, exchangeFolder, WORK_OPTION, workFolder } from '../run-options.ts';
import { describeRoleStatus, describeStepStatus, describeUpgradeState } from '../status-lines.ts';
import { forgetfulMemory, openWorkFolder } from '../work-folder.ts';

export const upgradeStatusCommand: Command = {
  name: 'vault upgrade status',
  summary:
    'Show how far an upgrade is, who waits for whom, and until when the old image is admitted: from the signed statements alone.',
  positionals: '',
  options: { ...VAULT_OPTION, ...EXCHANGE_OPTION, ...WORK_OPTION },
  examples: [
    'holdfast vault upgrade status',
    'holdfast vault upgrade status --exchange /mnt/shared/exchange --json',
  ],
  async run(input) {
    const vault = await readVaultFile(input);
    const keys = new Map(describeRoles(vault.document).map((one) => [one.role, one.statementKey]));
    const folder = openExchangeFolder(exchangeFolder(input, vault));
    const exchange = new Exchange(folder, forgetfulMemory(), { vault: vault.digest, keys });
    const status = await describeUpgrade(vault.document, exchange, Date.now());
    // Where a run has stopped, its own machine alone knows.
    const { journal } = await openWorkFolder(workFolder(input, vault, 'infrastructure'), vault.digest);
    const stop = status.isUnderWay ? openUpgradeJournal({ journal }).stopped() : null;
    const isServing = (await exchange.statement('infrastructure', 'start')) !== undefined;
    return describe(status, stop, isServing);
  },
};

function describe(status: UpgradeStatus, stop: UpgradeStop | null, isServing: boolean): Outcome {
  const { steps, roles, nodes, isOverdue, left, outruled } = status;
  const refused = steps.filter(({ state }) => state === 'refused');
  const lines = [
    describeUpgradeState(status, isServing),
    ...(steps.length === 0
      ? []
      : ['', ...steps.map(describeStepStatus), '', ...roles.flatMap(describeRoleStatus)]),
    ...(nodes.length === 0 ? [] : ['']),
    ...nodes.map(({ node, until, overlap, rebuilt }) =>
      until === null
        ? `node ${node}: its admin has named no day${overlap === null ? ' yet' : ` (${overlap})`}`
        : `node ${node}: the old image until ${until} (${overlap ?? ''}); its admin ${rebuilt === true ? 'has' : 'has not'} rebuilt the new one`,
    ),
    ...nodes.flatMap(({ reminder }) => (reminder === null ? [] : [`REMINDER ${reminder}`])),
    ...(outruled === null
      ? []
      : [
          `infrastructure has told of the ${outruled} image; what the admins have told of their own keys holds (node by node above)`,
        ]),
    ...left.map(
      (node) =>
        `LEFT node ${node}, which was down when the others went back: when its host is up, infrastructure runs "vault upgrade rollback" once more`,
    ),
    ...(stop === null
      ? []
      : [
          `STOPPED at node ${stop.node}, at ${stop.at}: ${stop.code}. Mend the cause and run "vault upgrade resume", or "vault upgrade rollback"`,
        ]),
    ...refused.map(({ step, code }) => `refused ${code ?? ''}: the statement ${step} is not to be believed`),
  ];
  return {
    ok: refused.length === 0 && !isOverdue && left.length === 0 && stop === null,
    text: lines.map(printable).join('\n'),
    data: { ...status, isServing, stopped: stop },
  };
}
