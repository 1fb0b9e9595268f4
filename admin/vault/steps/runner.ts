import { HoldfastError } from '../../../shared/errors.ts';
import type { Role } from '../roles.ts';
import { assertOwnAccount } from './account.ts';
import { firstCeremony } from './ceremony.ts';
import type { StepContext } from './context.ts';
import { StepError } from './errors.ts';
import type { Awaited, Ceremony, Step, StepState } from './step.ts';
import { findMissing, formatTime } from './support.ts';

/** Step and what a run would do with it. */
export interface PlannedStep {
  readonly step: Step;
  readonly state:
    | StepState
    /** Done by the same run after others of the role: what exactly, those have to show. */
    | { readonly state: 'next'; readonly after: readonly string[] };
}

/** What a run says while it goes on. */
export type RunEvent =
  | { readonly event: 'step-begun'; readonly step: string; readonly changes: readonly string[] }
  | { readonly event: 'step-done'; readonly step: string; readonly sequence: number };

/** Outcome of a run: what was done, and for what the role waits now. */
export interface RunOutcome {
  readonly done: readonly string[];
  readonly waitsFor: readonly Awaited[];
  /** Steps that the next run shows before it does them: nobody has seen yet what they change. */
  readonly left: readonly string[];
  /** Whether all steps of the role are done. */
  readonly isComplete: boolean;
  /** Whether all steps of the role are done that are of the run's stage; left out where it is of all stages. */
  readonly isStageComplete?: boolean;
}

/**
 * Plans what a run of the role would do now. Nothing is changed, but that CloudFormation is asked to compute changes.
 *
 * @throws StepError VAULT_OTHER_ACCOUNT, VAULT_UPGRADE_UNDER_WAY; AdminError AWS_…; what a step refuses is in its state
 */
export async function planRole(
  context: StepContext,
  ceremony: Ceremony = firstCeremony(context.vault),
): Promise<readonly PlannedStep[]> {
  await assertOwnAccount(context).catch(async (error: unknown) => {
    if (error instanceof HoldfastError && isOfMachine(error)) await assertKnownOffline(context, ceremony);
    throw error;
  });
  const takenOver = await ceremony.begin?.(context);
  const planned: PlannedStep[] = [];
  const open = new Set<string>();
  const earlier = new Set<string>();
  for (const step of stepsOfRole(ceremony, context.role)) {
    const state: PlannedStep['state'] =
      takenOver?.has(step.name) === true ? { state: 'done' } : await planStep(step, open, context, ceremony);
    if (state.state !== 'done') open.add(step.id);
    if (isOfStage(step, ceremony))
      planned.push({ step, state: waitForEarlier(state, context.role, earlier) });
    else if (state.state !== 'done') earlier.add(step.id);
  }
  return planned;
}

/**
 * Asserts what a role's steps need that no account is asked for: whoever signs in to AWS only to be told that a release is
 * missing was told the wrong thing first.
 *
 * @throws ExchangeError STATEMENT_…; StepError VAULT_RELEASE_KEY_UNKNOWN; ReleaseError RELEASE_…
 */
async function assertKnownOffline(context: StepContext, ceremony: Ceremony): Promise<void> {
  const own = stepsOfRole(ceremony, context.role);
  const ofOthers = own.flatMap(({ needs }) => needs).filter((id) => !id.startsWith(`${context.role}/`));
  await findMissing(context, [...new Set(ofOthers)], ceremony.counts);
  if (own.some(({ name }) => name === 'release')) await context.release();
}

/** Steps of a role in their order, but for those of a stage after the one of the run. */
function stepsOfRole({ steps, stage = 2 }: Ceremony, of: Role): readonly Step[] {
  return steps.filter(({ role, stage: own }) => role === of && own <= stage);
}

/** Whether a run does a step, and not one of another stage. */
function isOfStage(step: Step, { stage = step.stage }: Ceremony): boolean {
  return step.stage === stage;
}

/** Has a step wait for those of an earlier stage that the same run does not do. */
function waitForEarlier(
  state: PlannedStep['state'],
  role: Role,
  earlier: ReadonlySet<string>,
): PlannedStep['state'] {
  if (state.state !== 'next') return state;
  const missing = state.after.filter((id) => earlier.has(id));
  return missing.length === 0
    ? state
    : { state: 'waiting', waitsFor: missing.map((step) => ({ role, step })) };
}

async function planStep(
  step: Step,
  open: ReadonlySet<string>,
  context: StepContext,
  ceremony: Ceremony,
): Promise<PlannedStep['state']> {
  const own = step.needs.filter((id) => open.has(id));
  const missing = [
    ...(await findMissing(
      context,
      step.needs.filter((id) => !id.startsWith(`${context.role}/`)),
      ceremony.counts,
    )),
    ...(await findTooFew(context, step, ceremony.counts)),
  ];
  if (missing.length > 0) return { state: 'waiting', waitsFor: missing };
  if (own.length > 0) return { state: 'next', after: own };
  try {
    return await inspectStep(step, context, ceremony);
  } catch (error) {
    if (!(error instanceof HoldfastError) || isOfMachine(error)) throw error;
    return { state: 'refused', code: error.code, message: error.message, details: error.details };
  }
}

/** Finds the steps of others that a step waits for until enough of them are done. */
async function findTooFew(
  context: StepContext,
  { needsSome }: Step,
  counts: Ceremony['counts'],
): Promise<readonly Awaited[]> {
  if (needsSome === undefined) return [];
  const missing = await findMissing(context, needsSome.of, counts);
  return needsSome.of.length - missing.length >= needsSome.count ? [] : missing;
}

/** Looks at a step, for which its statement counts too: what nobody was told is not done. */
async function inspectStep(step: Step, context: StepContext, { counts }: Ceremony): Promise<StepState> {
  const state = await step.inspect(context);
  if (state.state !== 'done') return state;
  const told = await context.exchange.statement(step.role, step.name);
  return told === undefined || !counts(told)
    ? { state: 'ready', changes: ['tells the others that it is done'] }
    : state;
}

/** Whether nothing can be found out at all, so that a plan would be none. */
function isOfMachine({ code }: HoldfastError): boolean {
  return ['AWS_CREDENTIALS', 'AWS_CREDENTIALS_EXPIRED', 'AWS_UNREACHABLE', 'INTERRUPTED'].includes(code);
}

/**
 * Decides what becomes of a step that is ready, by what a person was shown of it before they agreed: only that is done.
 * `leave`: what it waited for has come since, and the next run shows it.
 */
export function decideAgreed(
  shown: PlannedStep['state'] | undefined,
  changes: readonly string[],
  isShownFirst = false,
): 'do' | 'leave' | 'refuse' {
  if (shown?.state === 'next') return isShownFirst ? 'leave' : 'do';
  if (shown?.state === 'waiting') return 'leave';
  const isShown = shown?.state === 'ready' && JSON.stringify(shown.changes) === JSON.stringify(changes);
  return isShown ? 'do' : 'refuse';
}

export interface ApplyOptions {
  /** What a person was shown and has agreed to; left out: to whatever is ready. */
  readonly agreed?: readonly PlannedStep[] | undefined;
  /** The vault's first ceremony when left out. */
  readonly ceremony?: Ceremony;
}

/**
 * Does all steps of the role that are ready, in their order, and tells the others of each as soon as it is done: a run that
 * is cut off anywhere is taken up by the next.
 *
 * @throws StepError VAULT_PLAN_CHANGED where that has become something else; what a step refuses, also of a part that it has
 *   left. What was done before stays done and told
 */
export async function applyRole(
  context: StepContext,
  report: (event: RunEvent) => void,
  { agreed, ceremony = firstCeremony(context.vault) }: ApplyOptions = {},
): Promise<RunOutcome> {
  await assertOwnAccount(context);
  const takenOver = await ceremony.begin?.(context);
  const shown = new Map(agreed?.map(({ step, state }) => [step.id, state]));
  const done: string[] = [];
  const waitsFor: Awaited[] = [];
  const left: string[] = [];
  const open = new Set<string>();
  const earlier = new Set<string>();
  const { stage } = ceremony;
  for (const step of stepsOfRole(ceremony, context.role)) {
    if (takenOver?.has(step.name) === true) continue;
    const missing = [
      ...(await findMissing(context, step.needs, ceremony.counts)),
      ...(await findTooFew(context, step, ceremony.counts)),
    ];
    const state: StepState =
      missing.length > 0
        ? { state: 'waiting', waitsFor: missing }
        : await inspectStep(step, context, ceremony);
    if (state.state === 'done') continue;
    if (!isOfStage(step, ceremony)) {
      earlier.add(step.id);
      continue;
    }
    if (state.state === 'waiting') {
      open.add(step.id);
      // What comes after the first that waits, waits for that too.
      if (waitsFor.length === 0)
        waitsFor.push(...state.waitsFor.filter((one) => one.role !== context.role || earlier.has(one.step)));
      continue;
    }
    if (state.state === 'refused') throw new TypeError('expected a refusal to be thrown');
    const decision =
      agreed === undefined ? 'do' : decideAgreed(shown.get(step.id), state.changes, step.isShownFirst);
    if (decision === 'refuse') throw planChanged(step, state.changes);
    if (decision === 'leave') {
      open.add(step.id);
      left.push(step.id);
      continue;
    }
    report({ event: 'step-begun', step: step.id, changes: state.changes });
    const base = (await context.exchange.statement(step.role, step.name))?.sequence ?? 0;
    const { refusal, ...told } = await step.apply(context);
    const { sequence } = await context.exchange.publish({ role: step.role, step: step.name }, told, {
      privateKey: context.statementKey,
      time: formatTime(context.clock()),
      base,
    });
    if (refusal !== undefined) throw refusal;
    done.push(step.id);
    report({ event: 'step-done', step: step.id, sequence });
  }
  if (stage === undefined) return { done, waitsFor, left, isComplete: open.size === 0 };
  // Of the last stage, with nothing left of those before, it is the end of all.
  const isComplete = open.size === 0 && earlier.size === 0 && stage === 2;
  return { done, waitsFor, left, isComplete, isStageComplete: open.size === 0 };
}

function planChanged({ id }: Step, changes: readonly string[]): StepError {
  return new StepError('VAULT_PLAN_CHANGED', 'what is to be done is no longer what was shown', {
    step: id,
    changes,
  });
}
