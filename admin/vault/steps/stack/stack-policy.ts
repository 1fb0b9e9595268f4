import { askAws } from '../../../aws/index.ts';
import type { StepContext } from '../context.ts';
import type { OrderedStack } from './order.ts';

/** Whether a stack has the policy that guards it. */
export async function hasStackPolicy(
  { client, order }: OrderedStack,
  { signal }: StepContext,
): Promise<boolean> {
  const { GetStackPolicyCommand } = await import('@aws-sdk/client-cloudformation');
  const command = new GetStackPolicyCommand({ StackName: order.name });
  const { StackPolicyBody: body } = await askAws(
    'cloudformation:GetStackPolicy',
    client.send(command, { abortSignal: signal }),
  );
  return body !== undefined && isSameJson(body, order.policy);
}

/**
 * Puts the policy that guards a stack, where it has another one: from then on CloudFormation refuses to remove or replace
 * what holds a key or data, whoever orders it.
 */
export async function guardStack(stack: OrderedStack, context: StepContext): Promise<void> {
  if (await hasStackPolicy(stack, context)) return;
  const { SetStackPolicyCommand } = await import('@aws-sdk/client-cloudformation');
  const { client, order } = stack;
  const command = new SetStackPolicyCommand({ StackName: order.name, StackPolicyBody: order.policy });
  await askAws('cloudformation:SetStackPolicy', client.send(command, { abortSignal: context.signal }));
}

function isSameJson(one: string, other: string): boolean {
  try {
    return JSON.stringify(JSON.parse(one)) === JSON.stringify(JSON.parse(other));
  } catch {
    return false;
  }
}
