import type { Stack } from '@aws-sdk/client-cloudformation';
import { describeRole, stackNames } from '../index.ts';
import type { StepContext } from './context.ts';
import { StepError } from './errors.ts';
import { hostRoleOf } from './host-role.ts';
import { applyStack, readOutput } from './stack/index.ts';
import { inspectStacks, orderStacks } from './stacks.ts';
import { assertStackStays } from './stated-stack.ts';
import type { Step } from './step.ts';

const PLACE = { role: 'infrastructure', template: 'infrastructure' } as const;

/** Step that makes what hosts need and what outlives them: their roles, the bucket, the network's rules. */
export const infrastructureBaseline: Step<'baseline'> = {
  id: 'infrastructure/baseline',
  role: 'infrastructure',
  name: 'baseline',
  stage: 1,
  summary: 'make the stack with the roles of the hosts and the bucket of artifacts',
  needs: [],
  async inspect(context) {
    await assertOwnStack(context);
    return await inspectStacks(await orderStacks(context, PLACE), context);
  },
  async apply(context) {
    await assertOwnStack(context);
    const { account, region } = describeRole(context.vault, 'infrastructure');
    const [order] = await orderStacks(context, PLACE);
    if (order === undefined) throw new TypeError('expected the stack of the infrastructure');
    const stack = await applyStack(order, context);
    const hosts = context.vault.nodes.map(({ node }) => ({
      node,
      roleArn: readHostRole(stack, context, node),
      roleName: readOutput(stack, `RoleName${node}`),
      instanceProfileArn: readOutput(stack, `InstanceProfileArn${node}`),
    }));
    const [bucket, securityGroupId] = [readOutput(stack, 'BucketName'), readOutput(stack, 'SecurityGroupId')];
    return {
      facts: { account, region, bucket, securityGroupId, hosts },
      files: [],
    };
  },
};

/** Asserts that the stack whose bucket was stated is there. @throws StepError VAULT_STACK_GONE */
async function assertOwnStack(context: StepContext): Promise<void> {
  const facts = (await context.exchange.statement('infrastructure', 'baseline'))?.facts;
  const name = stackNames.infrastructure(context.vault);
  const { region } = describeRole(context.vault, 'infrastructure');
  const stated = facts === undefined ? undefined : { BucketName: facts.bucket };
  await assertStackStays(context, 'infrastructure', { name, region }, stated);
}

/** The role's name is fixed, since key policies and buckets of other accounts name it before it is there. */
function readHostRole(stack: Stack, { vault }: StepContext, node: number): string {
  const [expected, actual] = [hostRoleOf(vault, node), readOutput(stack, `RoleArn${node}`)];
  if (actual === expected) return actual;
  throw new StepError('VAULT_OUTPUT_WRONG', "the stack has given a host's role another name", {
    output: `RoleArn${node}`,
    expected,
    actual,
  });
}
