import type { Change, DescribeChangeSetCommandOutput, Stack } from '@aws-sdk/client-cloudformation';
import { askAws } from '../../../aws/index.ts';
import type { StepContext } from '../context.ts';
import { StepError } from '../errors.ts';
import { assertTemplateFits, giveParameters, type OrderedStack } from './order.ts';

const POLL_MS = 1000;
/** Time in which CloudFormation has computed a change set, in milliseconds. */
const DEADLINE_MS = 300_000;
const MAX_PAGES = 20;

/** Change set that CloudFormation has computed, and that nobody has carried out. */
export interface PreparedChangeSet {
  readonly id: string;
  readonly changes: readonly Change[];
}

/**
 * Has CloudFormation compute what an order would change. Nothing is changed by that; a stack that does not exist yet
 * appears in the account under its name, empty, in review.
 *
 * @param existing the stack that is to be changed; undefined: it is to be made
 * @returns undefined where nothing would be changed
 * @throws StepError VAULT_STACK_TOO_LARGE, VAULT_STACK_FAILED, VAULT_STEP_UNFINISHED; AdminError AWS_…
 */
export async function prepareChangeSet(
  { client, order }: OrderedStack,
  existing: Stack | undefined,
  context: StepContext,
): Promise<PreparedChangeSet | undefined> {
  assertTemplateFits(order);
  const { CreateChangeSetCommand } = await import('@aws-sdk/client-cloudformation');
  const suffix = Buffer.from(context.random(8)).toString('hex');
  const command = new CreateChangeSetCommand({
    StackName: order.name,
    ChangeSetName: `holdfast-${suffix}`,
    ChangeSetType: existing === undefined ? 'CREATE' : 'UPDATE',
    TemplateBody: order.template,
    Parameters: giveParameters(order, existing),
    Capabilities: ['CAPABILITY_NAMED_IAM'],
    Description: 'made by holdfast vault',
  });
  const { Id: id } = await askAws(
    'cloudformation:CreateChangeSet',
    client.send(command, { abortSignal: context.signal }),
  );
  if (id === undefined) throw new TypeError('expected the id of a change set');
  const described = await awaitChangeSet({ client, order }, id, context);
  if (described.Status === 'CREATE_COMPLETE') return { id, changes: described.Changes ?? [] };
  await deleteChangeSet({ client, order }, id, context);
  if (isEmpty(described)) return undefined;
  throw new StepError('VAULT_STACK_FAILED', 'CloudFormation does not take the template or its parameters', {
    stack: order.name,
    reason: (described.StatusReason ?? '').slice(0, 500),
  });
}

/**
 * Reads a change set that was prepared before.
 *
 * @returns undefined where it is gone, was carried out, or is no longer fit to be
 */
export async function readChangeSet(
  stack: OrderedStack,
  id: string,
  context: StepContext,
): Promise<PreparedChangeSet | undefined> {
  const found = await describe(stack, id, context);
  if (found?.Status !== 'CREATE_COMPLETE' || found.ExecutionStatus !== 'AVAILABLE') return undefined;
  return { id, changes: found.Changes ?? [] };
}

export async function deleteChangeSet(
  { client, order }: OrderedStack,
  id: string,
  { signal }: StepContext,
): Promise<void> {
  const { DeleteChangeSetCommand } = await import('@aws-sdk/client-cloudformation');
  const command = new DeleteChangeSetCommand({ StackName: order.name, ChangeSetName: id });
  await askAws('cloudformation:DeleteChangeSet', client.send(command, { abortSignal: signal }), {
    ChangeSetNotFoundException: () => ({ $metadata: {} }),
  });
}

/**
 * Has CloudFormation carry a change set out; what follows is to be awaited.
 *
 * @throws StepError VAULT_STACK_BUSY when another change has come between; AdminError AWS_…
 */
export async function executeChangeSet(
  { client, order }: OrderedStack,
  id: string,
  { signal }: StepContext,
): Promise<void> {
  const { ExecuteChangeSetCommand } = await import('@aws-sdk/client-cloudformation');
  const command = new ExecuteChangeSetCommand({ StackName: order.name, ChangeSetName: id });
  const busy = () => {
    throw new StepError('VAULT_STACK_BUSY', 'another change of the stack has come between', {
      stack: order.name,
    });
  };
  await askAws('cloudformation:ExecuteChangeSet', client.send(command, { abortSignal: signal }), {
    InvalidChangeSetStatus: busy,
    InvalidChangeSetStatusException: busy,
    ChangeSetNotFound: busy,
    ChangeSetNotFoundException: busy,
  });
}

async function awaitChangeSet(
  stack: OrderedStack,
  id: string,
  context: StepContext,
): Promise<DescribeChangeSetCommandOutput> {
  const deadline = context.clock() + DEADLINE_MS;
  for (;;) {
    const found = await describe(stack, id, context);
    if (found === undefined || found.Status === 'CREATE_COMPLETE' || found.Status === 'FAILED') {
      return found ?? { $metadata: {}, Status: 'FAILED', StatusReason: 'the change set is gone' };
    }
    if (context.clock() >= deadline) {
      throw new StepError('VAULT_STEP_UNFINISHED', 'CloudFormation has not computed the change in time', {
        stack: stack.order.name,
      });
    }
    await context.sleep(POLL_MS);
  }
}

async function describe(
  { client, order }: OrderedStack,
  id: string,
  { signal }: StepContext,
): Promise<DescribeChangeSetCommandOutput | undefined> {
  const { DescribeChangeSetCommand } = await import('@aws-sdk/client-cloudformation');
  const gone = () => undefined;
  let whole: DescribeChangeSetCommandOutput | undefined;
  const changes: Change[] = [];
  let next: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const command = new DescribeChangeSetCommand({
      StackName: order.name,
      ChangeSetName: id,
      NextToken: next,
    });
    const answer: DescribeChangeSetCommandOutput | undefined = await askAws<
      DescribeChangeSetCommandOutput | undefined
    >('cloudformation:DescribeChangeSet', client.send(command, { abortSignal: signal }), {
      ChangeSetNotFound: gone,
      ChangeSetNotFoundException: gone,
    });
    if (answer === undefined) return undefined;
    whole = answer;
    changes.push(...(answer.Changes ?? []));
    next = answer.NextToken;
    if (next === undefined) return { ...whole, Changes: changes };
  }
  throw new StepError('VAULT_STACK_FAILED', 'a change set has more pages than a stack of ours can have', {
    stack: order.name,
    maximum: MAX_PAGES,
  });
}

function isEmpty({ StatusReason: reason = '' }: DescribeChangeSetCommandOutput): boolean {
  // There is no code for it: these are CloudFormation's sentences, and another one is a failure.
  return /didn't contain changes|No updates are to be performed/i.test(reason);
}
