import { deriveStacks } from '../derive/stacks.ts';
import type { Role } from '../index.ts';
import type { StepContext } from './context.ts';
import { type FoundStack, inspectStack, type StackOrder } from './stack/index.ts';
import type { StepState } from './step.ts';

/** Orders the stacks of one template and role, with the values that vault.yaml leaves open. */
export async function orderStacks(
  context: StepContext,
  { role, template }: { readonly role: Role; readonly template: 'infrastructure' | 'node' | 'host' },
  openOf: (node: number | null) => Readonly<Record<string, string>> = () => ({}),
): Promise<readonly StackOrder[]> {
  const { text, policy } = await context.template(template);
  return deriveStacks(context.vault)
    .filter((stack) => stack.role === role && stack.template === template)
    .map(({ name, region, node, stage, parameters, initial }) => ({
      name,
      region,
      template: text,
      policy,
      isProtected: stage === 1,
      parameters: { ...parameters, ...openOf(node) },
      initial,
    }));
}

/** Stack that was looked at, and what was ordered. */
export interface InspectedStack {
  readonly order: StackOrder;
  readonly found: FoundStack;
}

/** Compares stacks with their orders, and says in words what would change. @throws StepError, AdminError */
export async function inspectStacks(orders: readonly StackOrder[], context: StepContext): Promise<StepState> {
  return describeStacks(await lookAtStacks(orders, context));
}

/** Compares stacks with their orders. @throws StepError, AdminError */
export async function lookAtStacks(
  orders: readonly StackOrder[],
  context: StepContext,
): Promise<readonly InspectedStack[]> {
  const inspected: InspectedStack[] = [];
  for (const order of orders) inspected.push({ order, found: await inspectStack(order, context) });
  return inspected;
}

/** Says in words what would change about stacks. */
export function describeStacks(inspected: readonly InspectedStack[]): StepState {
  const changes: string[] = [];
  for (const { order, found } of inspected) {
    if (found.kind === 'same') continue;
    if (found.kind === 'ours')
      changes.push(`goes on with the change of stack ${order.name} that is under way`);
    else if (found.kind === 'empty')
      changes.push(`removes the empty stack ${order.name} that a failed attempt has left, and makes it anew`);
    else if (found.kind === 'unguarded')
      changes.push(`guards stack ${order.name} from being deleted or emptied`);
    else changes.push(`stack ${order.name} in ${order.region}:`, ...found.changes.map((text) => `  ${text}`));
  }
  return changes.length === 0 ? { state: 'done' } : { state: 'ready', changes };
}
