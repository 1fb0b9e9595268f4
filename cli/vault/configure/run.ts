import { vaultPrefix } from '../../../admin/vault/index.ts';
import { changeCeremony } from '../../../admin/vault/steps/configuration/index.ts';
import type { Ceremony } from '../../../admin/vault/steps/index.ts';
import type { Command, CommandInput, Outcome } from '../../common/command.ts';
import { openRunContext, type RunContext } from '../run-context.ts';
import { readRunPlace, RUN_OPTIONS, YES_OPTION } from '../run-options.ts';
import { applyRun, planRun } from '../run-role.ts';
import { CLIENT_OPTIONS } from '../upgrade/options.ts';
import { readUpgradeClient } from '../upgrade/quorum-client.ts';
import { PROPOSAL_OPTIONS, readProposal } from './proposal.ts';

const AS_NODE =
  '--role node-1 --statement-key keys/node-1.statement.pem --authority-key keys/node-1.authority.pem';
const RESTARTS = '--role infrastructure --statement-key keys/infrastructure.statement.pem';
const OPTIONS = { ...RUN_OPTIONS, ...PROPOSAL_OPTIONS, ...CLIENT_OPTIONS } as const;

export const configurePlanCommand: Command = {
  name: 'vault configure plan',
  summary: 'Say in words what "vault configure apply" would change now, and change nothing.',
  positionals: '',
  options: OPTIONS,
  settings: ['root'],
  examples: [
    `holdfast vault configure plan --rules rules.yaml ${AS_NODE}`,
    `holdfast vault configure plan ${RESTARTS} --json`,
  ],
  async run(input) {
    return await withChange(input, async (run, ceremony) => await planRun(run, { ceremony }));
  },
};

export const configureApplyCommand: Command = {
  name: 'vault configure apply',
  summary:
    'Give the nodes other clients, people, keys or rules after the ceremony: your part of it, after you have seen what it changes.',
  positionals: '',
  options: { ...OPTIONS, ...YES_OPTION },
  settings: ['root'],
  examples: [
    'cp vault.yaml rules.yaml',
    `holdfast vault configure apply --rules rules.yaml ${AS_NODE}`,
    `holdfast vault configure apply --configuration signed.json ${AS_NODE}`,
    `holdfast vault configure apply ${RESTARTS}`,
  ],
  async run(input) {
    return await withChange(input, async (run, ceremony) => await applyRun(input, run, { ceremony }));
  },
};

/** Runs `act` with everything that a role's part of a change needs, and closes it. @throws as openRunContext, readProposal */
async function withChange(
  input: CommandInput,
  act: (run: RunContext, ceremony: Ceremony) => Promise<Outcome>,
): Promise<Outcome> {
  const place = await readRunPlace(input);
  const proposal = await readProposal(input, place.role);
  using run = await openRunContext(input, place);
  const { vault } = run.context;
  const client = await readUpgradeClient(
    input,
    run,
    (node) => `Holdfast: ${vaultPrefix(vault)} has another configuration, node ${node} signs.`,
  );
  const change = { proposal, withoutKeys: input.texts('without-key'), client };
  return await act(run, changeCeremony(vault, change));
}
