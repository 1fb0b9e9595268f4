import { askAws } from '../../aws/index.ts';
import { describeRole, roleOfNode } from '../index.ts';
import type { StepContext } from './context.ts';
import { StepError } from './errors.ts';
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
      if (!(await isThere(context, node, key)))
        return { state: 'ready', changes: [`uploads the function ${key}, and puts it into the stack`] };
      return await inspectStacks([await orderNodeStack(context, node, key)], context);
    },
    async apply(context) {
      const { key, zip } = await context.signingFunction();
      await put(context, node, 'manifest.json', await readManifestBytes(context, node));
      await put(context, node, key, zip);
      const stack = await applyStack(await orderNodeStack(context, node, key), context);
      return { facts: { code: key, name: readOutput(stack, 'ConfigSigningFunctionName') }, files: [] };
    },
  };
}

async function place(context: StepContext, node: number, key: string) {
  const { facts } = await needStatement(context, roleOfNode(node), 'kms-stack');
  const client = await context.aws.s3(describeRole(context.vault, roleOfNode(node)).region);
  return { client, object: { Bucket: facts.bucket, Key: key } };
}

async function isThere(context: StepContext, node: number, key: string): Promise<boolean> {
  const { HeadObjectCommand } = await import('@aws-sdk/client-s3');
  const { client, object } = await place(context, node, key);
  return await askAws<boolean>(
    's3:HeadObject',
    client.send(new HeadObjectCommand(object), { abortSignal: context.signal }).then(() => true),
    { NotFound: () => false, NoSuchKey: () => false },
  );
}

/**
 * Puts an object that nothing overwrites. What is there already has to be the same: whoever else may write to the bucket
 * would have the function be theirs, or of another manifest.
 *
 * @throws StepError VAULT_OBJECT_DIFFERS; AdminError AWS_…
 */
async function put(context: StepContext, node: number, key: string, bytes: Uint8Array): Promise<void> {
  if (await isThere(context, node, key)) {
    await assertSame(context, node, key, bytes);
    return;
  }
  const { PutObjectCommand } = await import('@aws-sdk/client-s3');
  const { client, object } = await place(context, node, key);
  const command = new PutObjectCommand({ ...object, Body: bytes, IfNoneMatch: '*' });
  await askAws('s3:PutObject', client.send(command, { abortSignal: context.signal }));
}

async function assertSame(context: StepContext, node: number, key: string, bytes: Uint8Array): Promise<void> {
  const { GetObjectCommand } = await import('@aws-sdk/client-s3');
  const { client, object } = await place(context, node, key);
  // One byte more shows that the object is longer, without fetching all of it.
  const command = new GetObjectCommand({ ...object, Range: `bytes=0-${bytes.length}` });
  const read = client
    .send(command, { abortSignal: context.signal })
    .then(async ({ Body: body }) => (await body?.transformToByteArray()) ?? new Uint8Array());
  if (Buffer.compare(await askAws('s3:GetObject', read), bytes) === 0) return;
  throw new StepError('VAULT_OBJECT_DIFFERS', 'the bucket holds another object of this name', object);
}
