import type { Command } from '../common/command.ts';
import { openRunContext } from './run-context.ts';
import { readRunPlace, readStage, RUN_OPTIONS, STAGE_OPTION } from './run-options.ts';
import { planRun } from './run-role.ts';

export const planCommand: Command = {
  name: 'vault plan',
  summary:
    'Say what "vault apply" would do now: CloudFormation computes the changes, and nothing is carried out.',
  positionals: '',
  options: { ...RUN_OPTIONS, ...STAGE_OPTION },
  settings: ['root'],
  examples: [
    'holdfast vault plan --role node-1 --statement-key keys/node-1.statement.pem',
    'HOLDFAST_STATEMENT_KEY=keys/infrastructure.statement.pem holdfast vault plan --role infrastructure --aws-profile infra --json',
  ],
  async run(input) {
    const place = await readRunPlace(input);
    const stage = readStage(input, place);
    using run = await openRunContext(input, place);
    return await planRun(run, stage);
  },
};
