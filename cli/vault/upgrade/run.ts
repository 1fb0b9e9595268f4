import {
  findUpgradeState,
  nameRollBack,
  nameUpgrade,
  openUpgradeJournal,
  rollBackCeremony,
  upgradeCeremony,
} from '../../../admin/vault/steps/upgrade/index.ts';
import { type Command, type CommandInput, UsageError } from '../../common/command.ts';
import { openRunContext } from '../run-context.ts';
import { readRunPlace, type RunPlace, YES_OPTION } from '../run-options.ts';
import { applyRun, planRun } from '../run-role.ts';
import { openUpgrade } from './open-upgrade.ts';
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
    const { place, version } = await readPlace(input);
    using run = await openRunContext(input, place);
    const { vault, exchange } = run.context;
    const name = nameUpgrade(await findUpgradeState(vault, exchange), version);
    const { upgrade } = await openUpgrade(input, place, run, name);
    return await planRun(run, { ceremony: upgradeCeremony(vault, upgrade) });
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
    const { place, version } = await readPlace(input);
    using run = await openRunContext(input, place);
    const { vault, exchange } = run.context;
    const name = nameUpgrade(await findUpgradeState(vault, exchange), version);
    const { upgrade, remember } = await openUpgrade(input, place, run, name);
    return await applyRun(input, run, { ceremony: upgradeCeremony(vault, upgrade), onAgreed: remember });
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
    const { place } = await readPlace(input);
    using run = await openRunContext(input, place);
    const { vault, exchange } = run.context;
    const name = await nameRollBack(vault, exchange, await findUpgradeState(vault, exchange));
    const { upgrade } = await openUpgrade(input, place, run, name);
    return await applyRun(input, run, { ceremony: rollBackCeremony(vault, upgrade) });
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
    const { place } = await readPlace(input);
    if (place.role !== 'infrastructure')
      throw new UsageError(
        '--role is infrastructure, whose run has stopped: every other role goes on by apply',
      );
    using run = await openRunContext(input, place);
    const { vault, exchange, journal } = run.context;
    const name = nameUpgrade(await findUpgradeState(vault, exchange), undefined);
    const { upgrade } = await openUpgrade(input, place, run, name);
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
  },
};

async function readPlace(
  input: CommandInput,
): Promise<{ readonly place: RunPlace; readonly version: string | undefined }> {
  const version = readVersion(input);
  return { place: await readRunPlace(input), version };
}
