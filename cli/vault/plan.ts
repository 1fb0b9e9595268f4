import { planRole, type PlannedStep } from '../../admin/vault/steps/index.ts';
import type { Command, Outcome } from '../common/command.ts';
import { printable } from '../common/printable.ts';
import { openRunContext } from './run-context.ts';
import { readRunPlace, RUN_OPTIONS } from './run-options.ts';

export const planCommand: Command = {
  name: 'vault plan',
  summary:
    'Say what "vault apply" would do now: CloudFormation computes the changes, and nothing is carried out.',
  positionals: '',
  options: RUN_OPTIONS,
  settings: ['root'],
  examples: [
    'holdfast vault plan --role node-1 --statement-key keys/node-1.statement.pem',
    'HOLDFAST_STATEMENT_KEY=keys/infrastructure.statement.pem holdfast vault plan --role infrastructure --aws-profile infra --json',
  ],
  async run(input) {
    const place = await readRunPlace(input);
    using run = await openRunContext(input, place);
    const planned = await planRole(run.context);
    run.finishProgress();
    return describePlanned(planned);
  },
};

function describePlanned(planned: readonly PlannedStep[]): Outcome {
  return {
    ok: !planned.some(({ state }) => state.state === 'refused'),
    text: describePlan(planned),
    data: {
      steps: planned.map(({ step: { id, stage, summary }, state }) => ({
        step: id,
        stage,
        summary,
        ...state,
      })),
    },
  };
}

/** Words for what a run would do. */
export function describePlan(planned: readonly PlannedStep[]): string {
  return planned.flatMap(describeStep).map(printable).join('\n');
}

function describeStep({ step: { id, summary }, state }: PlannedStep): readonly string[] {
  const line = (word: string) => `${word.padEnd(9)}${id}: ${summary}`;
  switch (state.state) {
    case 'done':
      return [line('done')];
    case 'ready':
      return [line('to do'), ...state.changes.map((text) => `           ${text}`)];
    case 'next':
      return [line('then')];
    case 'waiting':
      return [
        line('waits'),
        ...state.waitsFor.map(({ role, step }) => `           for ${role}, who has to do ${step}`),
      ];
    case 'refused':
    default:
      return [line('REFUSED'), `           ${state.code}: ${state.message}`];
  }
}
