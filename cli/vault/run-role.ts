import {
  applyRole,
  type Ceremony,
  planRole,
  type PlannedStep,
  type RunEvent,
  type RunOutcome,
  type StepContext,
} from '../../admin/vault/steps/index.ts';
import {
  type ConfigurationStatus,
  describeConfigurations,
} from '../../admin/vault/steps/configuration/index.ts';
import { HoldfastError } from '../../shared/errors.ts';
import type { CommandInput, Outcome } from '../common/command.ts';
import { confirm } from '../common/confirm.ts';
import { CliError } from '../common/errors.ts';
import { printable } from '../common/printable.ts';
import { describePlan, describePlanned } from './planned.ts';
import type { RunContext } from './run-context.ts';
import { describeConfiguration } from './status-lines.ts';

/** What a run of a role is about, where it is not the vault's first ceremony. */
export interface RunOptions {
  readonly ceremony?: Ceremony;
  /** Context of the plan, where another one than that of the run itself. */
  readonly planning?: StepContext;
  /** Called when a person has agreed to what is ready, before anything of it is done. */
  readonly onAgreed?: () => Promise<void>;
  /** Lines that a person is shown above the plan. */
  readonly notes?: readonly string[];
}

/** Says what a run of the role would do now. */
export async function planRun(
  { context, finishProgress }: Pick<RunContext, 'context' | 'finishProgress'>,
  { ceremony, planning = context, notes = [] }: RunOptions = {},
): Promise<Outcome> {
  const planned = await planRole(planning, ceremony);
  finishProgress();
  const outcome = describePlanned(planned);
  return { ...outcome, text: [...notes.map(printable), outcome.text].join('\n') };
}

/**
 * Does the steps of a role that are ready, after a person has been shown what they change and has agreed.
 *
 * @throws CliError DECLINED; StepError; what a step refuses
 */
export async function applyRun(
  input: CommandInput,
  run: Pick<RunContext, 'context' | 'finishProgress'>,
  { ceremony, planning = run.context, onAgreed, notes = [] }: RunOptions = {},
): Promise<Outcome> {
  const planned = await planRole(planning, ceremony);
  run.finishProgress();
  const refused = planned.find(({ state }) => state.state === 'refused');
  if (refused !== undefined) return describeRefusal(refused, planned);
  if (planned.some(({ state }) => state.state === 'ready')) await agree(input, planned, notes);
  await onAgreed?.();
  const report = (event: RunEvent) => {
    run.finishProgress();
    input.io.stderr.write(`${describeEvent(event)}\n`);
  };
  // What changes while somebody reads was not agreed to; whoever says yes beforehand agrees to whatever is ready.
  const outcome: RunOutcome = await applyRole(run.context, report, {
    agreed: input.flag('yes') ? undefined : planned,
    ...(ceremony === undefined ? {} : { ceremony }),
  });
  run.finishProgress();
  // A run that has nothing to do says what is there, in place of that alone.
  const there = outcome.done.length === 0 ? await describeThere(run.context) : [];
  return describeOutcome(outcome, there, ceremony?.stage);
}

/** Shows what would be done, and asks. @throws CliError DECLINED */
async function agree(
  { io, flag }: CommandInput,
  planned: readonly PlannedStep[],
  notes: readonly string[],
): Promise<void> {
  const text = [...notes.map(printable), describePlan(planned)].join('\n');
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

/** Configurations of the nodes; none where somebody's are not to be believed, which "vault status" says. */
async function describeThere({ vault, exchange }: StepContext): Promise<readonly ConfigurationStatus[]> {
  try {
    return await describeConfigurations(vault, exchange);
  } catch (error) {
    if (error instanceof HoldfastError) return [];
    throw error;
  }
}

function describeOutcome(
  { done, waitsFor, left, isComplete, isStageComplete }: RunOutcome,
  there: readonly ConfigurationStatus[],
  stage: Ceremony['stage'],
): Outcome {
  const lines = [
    done.length === 0 ? 'nothing was to do: nothing was changed' : `done: ${done.join(', ')}`,
    ...there.map(describeConfiguration),
    ...waitsFor.map(({ role, step }) => `waits for ${role}, who has to do ${step}`),
    ...left.map((step) => `run it again, to see and to do ${step}`),
    ...(isComplete
      ? ['all steps of this role are done']
      : isStageComplete === true && stage !== undefined
        ? [`all steps of stage ${stage} of this role are done`]
        : []),
  ];
  return {
    ok: true,
    text: lines.map(printable).join('\n'),
    data: {
      done,
      waitsFor,
      left,
      isComplete,
      configurations: there,
      ...(isStageComplete === undefined ? {} : { stage, isStageComplete }),
    },
  };
}
