import { roleOfNode } from '../index.ts';
import type { StepContext } from './context.ts';
import { isInBucket, type NodeObject, putInBucket } from './node-bucket.ts';
import { orderNodeStack } from './node-kms-stack.ts';
import { applyStack, readOutput } from './stack/index.ts';
import { inspectStacks } from './stacks.ts';
import type { Step } from './step.ts';
import { needStatement, readManifestBytes } from './support.ts';

/** Step that gives a node's stack the function that signs configurations: its code and the manifest go into the bucket. */
export function nodeSigningFunction(node: number): Step<'signing-function'> {
  const role = roleOfNode(node);
  return {
    id: `${role}/signing-function`,
    role,
    name: 'signing-function',
    stage: 1,
    summary: 'give the stack the function that signs configurations',
    needs: [`${role}/manifest`],
    async inspect(context) {
      const { key } = await context.signingFunction();
      if (!(await isInBucket(context, await place(context, node, key))))
        return { state: 'ready', changes: [`uploads the function ${key}, and puts it into the stack`] };
      return await inspectStacks([await orderNodeStack(context, node, key)], context);
    },
    async apply(context) {
      const { key, zip } = await context.signingFunction();
      const manifest = await place(context, node, 'manifest.json');
      await putInBucket(context, manifest, await readManifestBytes(context, node));
      await putInBucket(context, { ...manifest, key }, zip);
      const stack = await applyStack(await orderNodeStack(context, node, key), context);
      return { facts: { code: key, name: readOutput(stack, 'ConfigSigningFunctionName') }, files: [] };
    },
  };
}

async function place(context: StepContext, node: number, key: string): Promise<NodeObject> {
  const { facts } = await needStatement(context, roleOfNode(node), 'kms-stack');
  return { node, bucket: facts.bucket, key };
}
