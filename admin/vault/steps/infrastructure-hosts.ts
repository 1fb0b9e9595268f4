import { roleOfNode } from '../index.ts';
import type { StepContext } from './context.ts';
import { applyStack, readOutput } from './stack/index.ts';
import { inspectStacks, orderStacks } from './stacks.ts';
import type { Step } from './step.ts';
import { needStatement, ofAllNodes } from './support.ts';

const PLACE = { role: 'infrastructure', template: 'host' } as const;

/** Step that makes the parent hosts, one a node. */
export function infrastructureHosts(vault: StepContext['vault']): Step<'hosts'> {
  return {
    id: 'infrastructure/hosts',
    role: 'infrastructure',
    name: 'hosts',
    stage: 2,
    summary: 'make the stacks with the parent hosts, one a node',
    needs: ['infrastructure/baseline', ...ofAllNodes(vault, 'kms-stack')],
    inspect: async (context) => await inspectStacks(await order(context), context),
    async apply(context) {
      const hosts = [];
      for (const [index, one] of (await order(context)).entries()) {
        const stack = await applyStack(one, context);
        hosts.push({
          node: index + 1,
          instanceId: readOutput(stack, 'InstanceId'),
          address: readOutput(stack, 'PrivateIp'),
        });
      }
      return { facts: { hosts }, files: [] };
    },
  };
}

async function order(context: StepContext) {
  const { facts } = await needStatement(context, 'infrastructure', 'baseline');
  const open = new Map<number, Readonly<Record<string, string>>>();
  for (const { node, roleName, instanceProfileArn } of facts.hosts) {
    const { facts: own } = await needStatement(context, roleOfNode(node), 'kms-stack');
    open.set(node, {
      KeyArn: own.keyArn,
      NodeBucketName: own.bucket,
      RoleName: roleName,
      InstanceProfileArn: instanceProfileArn,
      SecurityGroupId: facts.securityGroupId,
    });
  }
  return await orderStacks(context, PLACE, (node) => open.get(node ?? 0) ?? {});
}
