import type { Stack } from '@aws-sdk/client-cloudformation';
import type { Role } from '../index.ts';
import type { StepContext } from './context.ts';
import { StepError } from './errors.ts';
import { describeStack, outputsOf, type StackOrder } from './stack/index.ts';

/** Statuses of a stack in which nothing is, though its name is there. */
const EMPTY: readonly string[] = ['REVIEW_IN_PROGRESS', 'ROLLBACK_IN_PROGRESS', 'ROLLBACK_COMPLETE'];

/**
 * Asserts that the stack about which a role has stated something is there, and is the very one. Whoever deletes a stack of
 * stage 1 leaves its keys and buckets, and the next one of its name would have others, which no manifest names.
 *
 * @param stated outputs of the stack, as the role's statement has them; undefined: nothing was stated
 * @throws StepError VAULT_STACK_GONE; AdminError AWS_…
 */
export async function assertStackStays(
  context: StepContext,
  role: Role,
  { name, region }: Pick<StackOrder, 'name' | 'region'>,
  stated: Readonly<Record<string, string>> | undefined,
): Promise<void> {
  if (stated === undefined) return;
  const client = await context.aws.cloudFormation(region);
  const stack = await describeStack(client, name, context.signal);
  const differing = findDiffering(stack, stated);
  if (differing === undefined) return;
  throw new StepError(
    'VAULT_STACK_GONE',
    'the stack that the role has stated is gone: nothing was made in its place',
    {
      role,
      stack: name,
      status: stack?.StackStatus ?? null,
      output: differing,
      expected: stated[differing] ?? '',
      actual: stack === undefined ? null : (outputsOf(stack).get(differing) ?? null),
    },
  );
}

function findDiffering(
  stack: Stack | undefined,
  stated: Readonly<Record<string, string>>,
): string | undefined {
  const isThere = stack !== undefined && !EMPTY.includes(stack.StackStatus ?? '');
  const outputs = isThere ? outputsOf(stack) : new Map<string, string>();
  return Object.keys(stated).find((output) => outputs.get(output) !== stated[output]);
}
