import type { Stack } from '@aws-sdk/client-cloudformation';
import { askAws } from '../../../aws/index.ts';
import type { StepContext } from '../context.ts';
import type { OrderedStack, StackOrder } from './order.ts';

/** Whether a stack is guarded as ordered: by its policy, and where it is to be, from its deletion. */
export async function isGuarded(stack: OrderedStack, found: Stack, context: StepContext): Promise<boolean> {
  return isProtected(stack.order, found) && (await hasStackPolicy(stack, context));
}

function isProtected({ isProtected: isWanted = false }: StackOrder, found: Stack): boolean {
  return !isWanted || found.EnableTerminationProtection === true;
}

/** Whether a stack has the policy that guards it. */
async function hasStackPolicy({ client, order }: OrderedStack, { signal }: StepContext): Promise<boolean> {
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
 * what holds a key or data, whoever orders it. A stack of stage 1 is protected from its deletion, too.
 */
export async function guardStack(stack: OrderedStack, found: Stack, context: StepContext): Promise<void> {
  if (!isProtected(stack.order, found)) {
    const { UpdateTerminationProtectionCommand } = await import('@aws-sdk/client-cloudformation');
    const command = new UpdateTerminationProtectionCommand({
      StackName: stack.order.name,
      EnableTerminationProtection: true,
    });
    await askAws(
      'cloudformation:UpdateTerminationProtection',
      stack.client.send(command, { abortSignal: context.signal }),
    );
  }
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
