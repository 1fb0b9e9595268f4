import type { CloudFormationClient, Stack, StackEvent } from '@aws-sdk/client-cloudformation';
import { askAws } from '../../../aws/index.ts';

/** Pages of events that are read at most: a stack of ours makes some ten a page. */
const MAX_EVENT_PAGES = 20;
const MAX_REASON_LENGTH = 500;

/** Finds a stack by name or id. @throws AdminError AWS_… */
export async function describeStack(
  client: CloudFormationClient,
  name: string,
  signal: AbortSignal,
): Promise<Stack | undefined> {
  const { DescribeStacksCommand } = await import('@aws-sdk/client-cloudformation');
  const command = new DescribeStacksCommand({ StackName: name });
  const { Stacks: stacks = [] } = await askAws(
    'cloudformation:DescribeStacks',
    client.send(command, { abortSignal: signal }),
    // A stack that does not exist is a validation error, the only one that a well-formed name can have.
    { ValidationError: () => ({ $metadata: {}, Stacks: [] }) },
  );
  return stacks.find(({ StackStatus: status }) => status !== 'DELETE_COMPLETE');
}

/** Reads the template that a stack has, as it was given. @throws AdminError AWS_… */
export async function readTemplateOf(
  client: CloudFormationClient,
  name: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { GetTemplateCommand } = await import('@aws-sdk/client-cloudformation');
  const command = new GetTemplateCommand({ StackName: name, TemplateStage: 'Original' });
  const answer = await askAws('cloudformation:GetTemplate', client.send(command, { abortSignal: signal }));
  return answer.TemplateBody;
}

/** Reads the events of a stack since a time, the oldest first. @throws AdminError AWS_… */
export async function readEvents(
  client: CloudFormationClient,
  name: string,
  since: number,
  signal: AbortSignal,
): Promise<readonly StackEvent[]> {
  const { DescribeStackEventsCommand } = await import('@aws-sdk/client-cloudformation');
  const events: StackEvent[] = [];
  let next: string | undefined;
  for (let page = 0; page < MAX_EVENT_PAGES; page += 1) {
    const command = new DescribeStackEventsCommand({ StackName: name, NextToken: next });
    const answer = await askAws(
      'cloudformation:DescribeStackEvents',
      client.send(command, { abortSignal: signal }),
    );
    const found = answer.StackEvents ?? [];
    const recent = found.filter(({ Timestamp: time }) => (time?.getTime() ?? 0) >= since);
    events.push(...recent);
    next = answer.NextToken;
    if (next === undefined || recent.length < found.length) break;
  }
  return events.toReversed();
}

/** First failure of a stack: which resource, and what AWS said of it. */
export interface FirstCause {
  readonly resource: string;
  readonly type: string;
  readonly status: string;
  readonly reason: string;
}

/** Finds the failure that all others follow from. */
export function findFirstCause(events: readonly StackEvent[]): FirstCause | undefined {
  const failed = events.filter(({ ResourceStatus: status }) => status?.endsWith('_FAILED') === true);
  // What is cut short because another has failed says so; the stack itself fails last.
  const cause =
    failed.find(
      (event) =>
        event.ResourceStatusReason?.includes('cancelled') !== true &&
        event.PhysicalResourceId !== event.StackId,
    ) ?? failed[0];
  if (cause === undefined) return undefined;
  return {
    resource: cause.LogicalResourceId ?? '',
    type: cause.ResourceType ?? '',
    status: cause.ResourceStatus ?? '',
    reason: (cause.ResourceStatusReason ?? '').slice(0, MAX_REASON_LENGTH),
  };
}
