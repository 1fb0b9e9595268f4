import type { Command } from '../common/command.ts';
import { openRunContext } from './run-context.ts';
import { readRunPlace, readStage, RUN_OPTIONS, STAGE_OPTION, YES_OPTION } from './run-options.ts';
import { applyRun } from './run-role.ts';

export const applyCommand: Command = {
  name: 'vault apply',
  summary:
    'Do the steps of your role that are ready, after you have seen what they change; a run that was cut off is taken up by the next.',
  positionals: '',
  options: {
    ...RUN_OPTIONS,
    ...STAGE_OPTION,
    ...YES_OPTION,
  },
  settings: ['root'],
  examples: [
    'holdfast vault apply --role infrastructure --statement-key keys/infrastructure.statement.pem',
    'holdfast vault apply --role node-1 --statement-key keys/node-1.statement.pem --authority-key keys/node-1.authority.pem',
    'holdfast vault apply --role infrastructure --stage 1 --statement-key keys/infrastructure.statement.pem',
    'holdfast vault apply --role node-2 --aws-profile node-2 --statement-key keys/node-2.statement.pem --yes --json',
  ],
  async run(input) {
    const place = await readRunPlace(input);
    const stage = readStage(input, place);
    using run = await openRunContext(input, place);
    return await applyRun(input, run, stage);
  },
};
