import {
  applyRole,
  planRole,
  type PlannedStep,
  type RunEvent,
  type RunOutcome,
} from '../../admin/vault/steps/index.ts';
import type { Command, CommandInput, Outcome } from '../common/command.ts';
import { confirm } from '../common/confirm.ts';
import { CliError } from '../common/errors.ts';
import { printable } from '../common/printable.ts';
import { describePlan } from './plan.ts';
import { openRunContext } from './run-context.ts';
import { readRunPlace, RUN_OPTIONS } from './run-options.ts';

export const applyCommand: Command = {
  name: 'vault apply',
  summary:
    'Do the steps of your role that are ready, after you have seen what they change; a run that was cut off is taken up by the next.',
  positionals: '',
  options: {
    ...RUN_OPTIONS,
    yes: { type: 'boolean', description: 'do not ask; needed where there is no terminal' },
  },
  settings: ['root'],
  examples: [
    'holdfast vault apply --role infrastructure --statement-key keys/infrastructure.statement.pem',
    'holdfast vault apply --role node-1 --statement-key keys/node-1.statement.pem --authority-key keys/node-1.authority.pem',
    'holdfast vault apply --role node-2 --aws-profile node-2 --statement-key keys/node-2.statement.pem --yes --json',
  ],
  async run(input) {
    const place = await readRunPlace(input);
    using run = await openRunContext(input, place);
    const planned = await planRole(run.context);
    run.finishProgress();
    const refused = planned.find(({ state }) => state.state === 'refused');
    if (refused !== undefined) return describeRefusal(refused, planned);
    if (planned.some(({ state }) => state.state === 'ready')) await agree(input, planned);
    const report = (event: RunEvent) => {
      run.finishProgress();
      input.io.stderr.write(`${describeEvent(event)}\n`);
    };
    // What changes while somebody reads was not agreed to; whoever says yes beforehand agrees to whatever is ready.
    const outcome = await applyRole(run.context, report, {
      agreed: input.flag('yes') ? undefined : planned,
    });
    run.finishProgress();
    return describeOutcome(outcome);
  },
};

/** Shows what would be done, and asks. @throws CliError DECLINED */
async function agree({ io, flag }: CommandInput, planned: readonly PlannedStep[]): Promise<void> {
  const text = describePlan(planned);
  if (flag('yes')) {
    io.stderr.write(`${text}\n\n`);
    return;
  }
  if (await confirm(io, text, 'Do all of this?')) return;
  throw new CliError('DECLINED', 'there was nobody to ask (no terminal), and --yes was not given');
}

function describeRefusal({ step, state }: PlannedStep, planned: readonly PlannedStep[]): Outcome {
  if (state.state !== 'refused') throw new TypeError('expected a refusal');
  const { code, message, details } = state;
  return {
    ok: false,
    text: `${describePlan(planned)}\n\nrefused ${code} at ${step.id}: ${printable(message)}\n${printable(JSON.stringify(details))}`,
    data: { error: { code, message, details: { step: step.id, ...details } } },
  };
}

function describeEvent(event: RunEvent): string {
  const lines =
    event.event === 'step-begun'
      ? [`begins ${event.step}`, ...event.changes.map((text) => `  ${text}`)]
      : [`${event.step} is done, and the others can know (statement ${event.sequence})`];
  return lines.map(printable).join('\n');
}

function describeOutcome({ done, waitsFor, left, isComplete }: RunOutcome): Outcome {
  const lines = [
    done.length === 0 ? 'nothing was to do: nothing was changed' : `done: ${done.join(', ')}`,
    ...waitsFor.map(({ role, step }) => `waits for ${role}, who has to do ${step}`),
    ...left.map((step) => `run it again, to see and to do ${step}`),
    ...(isComplete ? ['all steps of this role are done'] : []),
  ];
  return { ok: true, text: lines.map(printable).join('\n'), data: { done, waitsFor, left, isComplete } };
}
