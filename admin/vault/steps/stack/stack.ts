import type { Stack } from '@aws-sdk/client-cloudformation';
import { askAws } from '../../../aws/index.ts';
import { digestOf } from '../../exchange/index.ts';
import type { StepContext } from '../context.ts';
import { StepError } from '../errors.ts';
import { assertKeeps, describeChanges } from './changes.ts';
import { deleteChangeSet, executeChangeSet, prepareChangeSet, readChangeSet } from './change-set.ts';
import { describeStack, findFirstCause, readEvents, readTemplateOf } from './describe.ts';
import { guardStack, isGuarded } from './stack-policy.ts';
import { assertOwnStack, hasParameters, type OrderedStack, type StackOrder } from './order.ts';

/** Status of a stack that is a name and a change set, and nothing else. */
const IN_REVIEW = 'REVIEW_IN_PROGRESS';
/** Status of a stack, or of a resource, that is no more. */
const GONE = 'DELETE_COMPLETE';
/** Status of a stack that is neither as before nor as ordered; only `continue-update-rollback` leads out of it. */
const STUCK = 'UPDATE_ROLLBACK_FAILED';
const POLL_MS = 2000;
/** Time in which a stack of ours is made or changed, in milliseconds: instances and their checks take minutes. */
const DEADLINE_MS = 3_600_000;
/** Clocks of this machine and of AWS may differ by this much, in milliseconds. */
const CLOCK_SLACK_MS = 60_000;

/** Stack as it is, compared with the one that is ordered. */
export type FoundStack =
  | { readonly kind: 'same'; readonly stack: Stack }
  /** Being changed by the run of this role that was cut off. */
  | { readonly kind: 'ours'; readonly stack: Stack }
  /** Empty, as a first attempt that failed has left it: CloudFormation makes no stack in its place. */
  | { readonly kind: 'empty'; readonly stack: Stack }
  /** As ordered, but without what guards it: a run was cut off before that, or somebody has taken it away. */
  | { readonly kind: 'unguarded'; readonly stack: Stack }
  | {
      readonly kind: 'other';
      /** Whether there is no such stack yet. */
      readonly isNew: boolean;
      readonly changes: readonly string[];
    };

/** What the journal knows of a stack's change. */
interface Remembered {
  /** Digest-like text of the order that the change set was made for. */
  readonly order: string;
  readonly changeSet: string;
  /** Milliseconds since 1970 at which it was carried out; null: not yet. */
  readonly executed: number | null;
  /** Number of resources that it touches. */
  readonly total: number;
}

/**
 * Compares a stack with an order, and has CloudFormation compute what would change.
 *
 * @throws StepError VAULT_STACK_BUSY, VAULT_STACK_FAILED, VAULT_STACK_OTHER_VAULT, VAULT_WOULD_DESTROY, VAULT_WOULD_REOPEN;
 *   AdminError AWS_…
 */
export async function inspectStack(order: StackOrder, context: StepContext): Promise<FoundStack> {
  const client = await context.aws.cloudFormation(order.region);
  const ordered = { client, order };
  const found = await describeStack(client, order.name, context.signal);
  const status = found?.StackStatus ?? IN_REVIEW;
  if (found !== undefined) assertOwnStack(found, order);
  const remembered = recall(order, context);
  if (found !== undefined && isMoving(status)) {
    if (remembered !== undefined && remembered.changeSet === found.ChangeSetId)
      return { kind: 'ours', stack: found };
    throw new StepError('VAULT_STACK_BUSY', 'another run is changing the stack', {
      stack: order.name,
      status,
    });
  }
  if (found !== undefined && canBeUpdated(status)) {
    const template = await readTemplateOf(client, order.name, context.signal);
    if (template === order.template && hasParameters(found, order))
      return await compareGuards(ordered, found, context);
  } else if (found !== undefined && status !== IN_REVIEW) {
    await assertEmpty(ordered, found, context);
    return { kind: 'empty', stack: found };
  }
  const existing = canBeUpdated(status) ? found : undefined;
  const kept =
    remembered === undefined ? undefined : await readChangeSet(ordered, remembered.changeSet, context);
  const prepared = kept ?? (await prepareChangeSet(ordered, existing, context));
  if (prepared === undefined) {
    if (found === undefined) throw new TypeError('expected changes where there is no stack');
    return await compareGuards(ordered, found, context);
  }
  await remember(order, { changeSet: prepared.id, executed: null, total: prepared.changes.length }, context);
  try {
    assertKeeps(order.name, prepared.changes);
  } catch (error) {
    await discardChangeSet(order, context);
    throw error;
  }
  return { kind: 'other', isNew: existing === undefined, changes: describeChanges(prepared.changes) };
}

/** Says of a stack that is as ordered whether it is guarded, too. */
async function compareGuards(stack: OrderedStack, found: Stack, context: StepContext): Promise<FoundStack> {
  return { kind: (await isGuarded(stack, found, context)) ? 'same' : 'unguarded', stack: found };
}

/**
 * Makes a stack what is ordered, by the change set that was shown, and waits for its end. A second time changes nothing,
 * and a run after one that was cut off goes on with the change that is under way.
 *
 * @throws StepError VAULT_STACK_…, VAULT_WOULD_…, VAULT_STEP_UNFINISHED; AdminError AWS_…
 */
export async function applyStack(order: StackOrder, context: StepContext): Promise<Stack> {
  const client = await context.aws.cloudFormation(order.region);
  let found = await inspectStack(order, context);
  if (found.kind === 'empty') {
    await removeEmpty({ client, order }, found.stack, context);
    found = await inspectStack(order, context);
  }
  if (found.kind === 'same') return found.stack;
  if (found.kind === 'other') {
    const remembered = recall(order, context);
    if (remembered === undefined) throw new TypeError('expected the change set of the inspection');
    // Noted before it is asked for: a run that is cut off in between finds a change set that nobody has carried out.
    await remember(order, { ...remembered, executed: context.clock() }, context);
    await executeChangeSet({ client, order }, remembered.changeSet, context);
  }
  const stack = found.kind === 'unguarded' ? found.stack : await awaitStack({ client, order }, context);
  await guardStack({ client, order }, stack, context);
  return stack;
}

/** Forgets a change set that was shown and not agreed to. */
async function discardChangeSet(order: StackOrder, context: StepContext): Promise<void> {
  const remembered = recall(order, context);
  if (remembered === undefined || remembered.executed !== null) return;
  const client = await context.aws.cloudFormation(order.region);
  await deleteChangeSet({ client, order }, remembered.changeSet, context);
  await context.journal.set(nameOf(order), undefined);
}

async function awaitStack({ client, order }: OrderedStack, context: StepContext): Promise<Stack> {
  const remembered = recall(order, context);
  const begin = remembered?.executed ?? context.clock();
  const deadline = context.clock() + DEADLINE_MS;
  const total = remembered?.total ?? 1;
  for (;;) {
    const stack = await describeStack(client, order.name, context.signal);
    const status = stack?.StackStatus ?? GONE;
    // For a moment after the order, the stack may still be as the change before has left it.
    if (isAsOrdered(status) && stack?.ChangeSetId === remembered?.changeSet && stack !== undefined)
      return stack;
    const events = await readEvents(
      client,
      stack?.StackId ?? order.name,
      begin - CLOCK_SLACK_MS,
      context.signal,
    );
    const isOver = !isMoving(status) && stack?.ChangeSetId === remembered?.changeSet;
    if (stack === undefined || (isOver && status !== IN_REVIEW)) {
      throw new StepError('VAULT_STACK_FAILED', 'CloudFormation has not made the stack as ordered', {
        stack: order.name,
        status,
        cause: findFirstCause(events) ?? null,
      });
    }
    const done = events.filter(({ ResourceStatus: each }) => each?.endsWith('_COMPLETE') === true).length;
    const last = events.at(-1);
    context.progress(
      `${order.name}: ${last?.LogicalResourceId ?? ''} ${last?.ResourceStatus ?? status}`,
      Math.min(done, total),
      total,
    );
    if (context.clock() >= deadline) {
      throw new StepError('VAULT_STEP_UNFINISHED', 'the stack has not come to rest in time', {
        stack: order.name,
        status,
      });
    }
    await context.sleep(POLL_MS);
  }
}

/**
 * Asserts that nothing is left in a stack whose first attempt failed.
 *
 * @throws StepError VAULT_STACK_FAILED, VAULT_STACK_ROLLBACK_FAILED
 */
async function assertEmpty(
  { client, order }: OrderedStack,
  stack: Stack,
  { signal }: StepContext,
): Promise<void> {
  const { DescribeStackResourcesCommand } = await import('@aws-sdk/client-cloudformation');
  const name = stack.StackId ?? order.name;
  const { StackResources: resources = [] } = await askAws(
    'cloudformation:DescribeStackResources',
    client.send(new DescribeStackResourcesCommand({ StackName: name }), { abortSignal: signal }),
  );
  if (stack.StackStatus === STUCK) {
    throw new StepError(
      'VAULT_STACK_ROLLBACK_FAILED',
      'CloudFormation could not bring the stack back to what it was before its last change',
      {
        stack: order.name,
        resources: resources
          .filter(({ ResourceStatus: status }) => status?.endsWith('_FAILED') === true)
          .map(({ LogicalResourceId: id, ResourceStatusReason: reason = '' }) => `${id ?? ''}: ${reason}`),
        cause: (stack.StackStatusReason ?? '').slice(0, 500),
      },
    );
  }
  const left = resources.filter(({ ResourceStatus: status }) => status !== GONE);
  if (stack.StackStatus === 'ROLLBACK_COMPLETE' && left.length === 0) return;
  const events = await readEvents(client, name, 0, signal);
  throw new StepError(
    'VAULT_STACK_FAILED',
    'the stack is in a state out of which only a person can bring it',
    {
      stack: order.name,
      status: stack.StackStatus,
      left: left.map(({ LogicalResourceId: id, ResourceType: type }) => `${id ?? ''} (${type ?? ''})`),
      cause: findFirstCause(events) ?? null,
    },
  );
}

/** Removes the name of a stack in which nothing is: the one thing that is ever deleted here. */
async function removeEmpty(
  { client, order }: OrderedStack,
  stack: Stack,
  context: StepContext,
): Promise<void> {
  const { DeleteStackCommand } = await import('@aws-sdk/client-cloudformation');
  const name = stack.StackId ?? order.name;
  await askAws(
    'cloudformation:DeleteStack',
    client.send(new DeleteStackCommand({ StackName: name }), { abortSignal: context.signal }),
  );
  const deadline = context.clock() + DEADLINE_MS;
  while ((await describeStack(client, name, context.signal)) !== undefined) {
    if (context.clock() >= deadline)
      throw new StepError('VAULT_STEP_UNFINISHED', 'the empty stack is not gone in time', {
        stack: order.name,
      });
    await context.sleep(POLL_MS);
  }
}

function recall(order: StackOrder, { journal }: StepContext): Remembered | undefined {
  const value = journal.get(nameOf(order)) as Remembered | undefined;
  return value?.order === describeOrder(order) ? value : undefined;
}

async function remember(
  order: StackOrder,
  value: Omit<Remembered, 'order'>,
  { journal }: StepContext,
): Promise<void> {
  await journal.set(nameOf(order), { ...value, order: describeOrder(order) });
}

/** Text that is the same for the same order. */
function describeOrder(order: StackOrder): string {
  return digestOf(Buffer.from(JSON.stringify(order)));
}

const nameOf = ({ name }: StackOrder): string => `stack/${name}`;

/** Whether a stack is as its last change wanted it. */
function isAsOrdered(status: string): boolean {
  return ['CREATE_COMPLETE', 'UPDATE_COMPLETE'].includes(status);
}

/** Whether a stack can be updated: a failed update has left it as it was. */
function canBeUpdated(status: string): boolean {
  return isAsOrdered(status) || status === 'UPDATE_ROLLBACK_COMPLETE';
}

/** Whether something goes on in a stack. One in review is at rest, whatever its name. */
function isMoving(status: string): boolean {
  return status.endsWith('_IN_PROGRESS') && status !== IN_REVIEW;
}
