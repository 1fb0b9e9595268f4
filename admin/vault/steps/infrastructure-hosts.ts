import type { Stack } from '@aws-sdk/client-cloudformation';
import type { Facts } from '../exchange/index.ts';
import { roleOfNode } from '../index.ts';
import type { StepContext } from './context.ts';
import { applyStack, readOutput } from './stack/index.ts';
import { describeStacks, type InspectedStack, lookAtStacks, orderStacks } from './stacks.ts';
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
    async inspect(context) {
      const { inspected, moved } = await lookAtHosts(context);
      const state = describeStacks(inspected);
      if (state.state !== 'done' || moved.length === 0) return state;
      return {
        state: 'ready',
        changes: moved.map(
          ({ node, instanceId }) => `tells the others that node ${node} is on ${instanceId}`,
        ),
      };
    },
    async apply(context) {
      const hosts = [];
      for (const [index, one] of (await order(context)).entries())
        hosts.push(readHost(index, await applyStack(one, context)));
      return { facts: { hosts }, files: [] };
    },
  };
}

/** Whether the stack of a host is gone, or was made in another's place by a run that was cut off before the others knew. */
export async function lacksHost(context: StepContext): Promise<boolean> {
  const { inspected, moved } = await lookAtHosts(context);
  const isUnmade = ({ found }: InspectedStack) =>
    found.kind === 'empty' || found.kind === 'ours' || (found.kind === 'other' && found.isNew);
  return moved.length > 0 || inspected.some(isUnmade);
}

/** Compares the stacks with their orders, and the hosts in them with those that the others were told of. */
async function lookAtHosts(context: StepContext) {
  const inspected = await lookAtStacks(await order(context), context);
  const stated = await context.exchange.statement('infrastructure', 'hosts');
  const moved = inspected.flatMap(({ found }, index) => {
    if (stated === undefined || (found.kind !== 'same' && found.kind !== 'unguarded')) return [];
    const host = readHost(index, found.stack);
    return stated.facts.hosts.some((one) => isSameHost(one, host)) ? [] : [host];
  });
  return { inspected, moved };
}

type Host = Facts<'hosts'>['hosts'][number];

function readHost(index: number, stack: Stack): Host {
  return {
    node: index + 1,
    instanceId: readOutput(stack, 'InstanceId'),
    address: readOutput(stack, 'PrivateIp'),
  };
}

function isSameHost(one: Host, other: Host): boolean {
  return one.node === other.node && one.instanceId === other.instanceId && one.address === other.address;
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
