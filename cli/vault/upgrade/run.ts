import {
  findUpgradeState,
  nameRollBack,
  nameUpgrade,
  openUpgradeJournal,
  rollBackCeremony,
  upgradeCeremony,
  type UpgradeName,
  type UpgradeState,
} from '../../../admin/vault/steps/upgrade/index.ts';
import { type Command, type CommandInput, type Outcome, UsageError } from '../../common/command.ts';
import { openRunContext, type RunContext } from '../run-context.ts';
import { readRunPlace, type RunPlace, YES_OPTION } from '../run-options.ts';
import { applyRun, planRun } from '../run-role.ts';
import { type OpenedUpgrade, openUpgrade } from './open-upgrade.ts';
import { LATER_OPTIONS, readVersion, UPGRADE_OPTIONS } from './options.ts';

const ROLLS_OUT =
  '--role infrastructure --statement-key keys/infrastructure.statement.pem --client upgrade-check --key keys/upgrade-check.pem --sign-key upgrade-check';
const AS_NODE =
  '--role node-1 --statement-key keys/node-1.statement.pem --authority-key keys/node-1.authority.pem';

export const upgradePlanCommand: Command = {
  name: 'vault upgrade plan',
  summary: 'Say what "vault upgrade apply" would do now, and change nothing.',
  positionals: '',
  options: UPGRADE_OPTIONS,
  settings: ['root'],
  examples: [
    `holdfast vault upgrade plan --to 1.5.0 --until 2027-01-31 ${AS_NODE}`,
    `holdfast vault upgrade plan --to 1.5.0 ${ROLLS_OUT} --json`,
  ],
  async run(input) {
    const version = readVersion(input);
    return await withRun(input, await readRunPlace(input), async ({ run, state, open }) => {
      const { upgrade } = await open(nameUpgrade(state, version));
      return await planRun(run, { ceremony: upgradeCeremony(run.context.vault, upgrade) });
    });
  },
};

export const upgradeApplyCommand: Command = {
  name: 'vault upgrade apply',
  summary:
    'Go to another release, node by node: do the steps of your role that are ready, after you have seen what they change.',
  positionals: '',
  options: { ...UPGRADE_OPTIONS, ...YES_OPTION },
  settings: ['root'],
  examples: [
    `holdfast vault upgrade apply --to 1.5.0 --until 2027-01-31 ${AS_NODE}`,
    `holdfast vault upgrade apply --to 1.5.0 --canary 2 ${ROLLS_OUT}`,
  ],
  async run(input) {
    const version = readVersion(input);
    return await withRun(input, await readRunPlace(input), async ({ run, state, open }) => {
      const { upgrade, remember } = await open(nameUpgrade(state, version));
      const ceremony = upgradeCeremony(run.context.vault, upgrade);
      return await applyRun(input, run, { ceremony, onAgreed: remember });
    });
  },
};

export const upgradeRollbackCommand: Command = {
  name: 'vault upgrade rollback',
  summary:
    'Go back to the release that the nodes came from, within the overlap: your part of it. Infrastructure begins, and ends it.',
  positionals: '',
  options: { ...LATER_OPTIONS, ...YES_OPTION },
  settings: ['root'],
  examples: [
    `holdfast vault upgrade rollback ${ROLLS_OUT}`,
    `holdfast vault upgrade rollback ${AS_NODE} --yes`,
  ],
  async run(input) {
    return await withRun(input, await readRunPlace(input), async ({ run, state, open }) => {
      const { vault, exchange } = run.context;
      const { upgrade } = await open(await nameRollBack(vault, exchange, state));
      return await applyRun(input, run, { ceremony: rollBackCeremony(vault, upgrade) });
    });
  },
};

export const upgradeResumeCommand: Command = {
  name: 'vault upgrade resume',
  summary:
    'Go on after a stop whose cause is mended: show where and why it stopped, ask, and do what is left.',
  positionals: '',
  options: { ...LATER_OPTIONS, ...YES_OPTION },
  settings: ['root'],
  examples: [`holdfast vault upgrade resume ${ROLLS_OUT}`],
  async run(input) {
    const place = await readRunPlace(input);
    if (place.role !== 'infrastructure')
      throw new UsageError(
        '--role is infrastructure, whose run has stopped: every other role goes on by apply',
      );
    return await withRun(input, place, async ({ run, state, open }) => {
      const { vault, journal } = run.context;
      const { upgrade } = await open(nameUpgrade(state, undefined));
      const memory = openUpgradeJournal(run.context);
      const stop = memory.stopped();
      return await applyRun(input, run, {
        ceremony: upgradeCeremony(vault, upgrade),
        // The plan is shown as if nothing had stopped; the stop itself is forgotten with the yes alone.
        planning: {
          ...run.context,
          journal: {
            get: (key) => (memory.isStop(key) ? undefined : journal.get(key)),
            set: async (key, value) => {
              await journal.set(key, value);
            },
          },
        },
        notes:
          stop === null
            ? ['nothing has stopped']
            : [
                `has stopped at node ${stop.node}, at ${stop.at}: ${stop.code}. Goes on as if that were mended.`,
              ],
        onAgreed: async () => {
          await memory.setStopped(null);
        },
      });
    });
  },
};

/** Run of a role, and how far the upgrades of its vault are. */
interface UpgradeRun {
  readonly run: RunContext;
  readonly state: UpgradeState;
  /** Opens the upgrade that the run is about. */
  readonly open: (name: UpgradeName) => Promise<OpenedUpgrade>;
}

/** Runs `act` with everything that a role's run needs, and closes it. @throws as openRunContext; ExchangeError STATEMENT_… */
async function withRun(
  input: CommandInput,
  place: RunPlace,
  act: (run: UpgradeRun) => Promise<Outcome>,
): Promise<Outcome> {
  using run = await openRunContext(input, place);
  const { vault, exchange } = run.context;
  const state = await findUpgradeState(vault, exchange);
  return await act({ run, state, open: async (name) => await openUpgrade(input, place, run, name) });
}
