import { askAws } from '../../aws/index.ts';
import { describeRole, roleOfNode } from '../index.ts';
import type { StepContext } from './context.ts';
import { StepError } from './errors.ts';

/** Place of an object in the bucket of a node. */
export interface NodeObject {
  readonly node: number;
  readonly bucket: string;
  readonly key: string;
}

/** Whether a node's bucket has an object. @throws AdminError AWS_… */
export async function isInBucket(context: StepContext, { node, bucket, key }: NodeObject): Promise<boolean> {
  const { HeadObjectCommand } = await import('@aws-sdk/client-s3');
  const client = await openClient(context, node);
  const command = new HeadObjectCommand({ Bucket: bucket, Key: key });
  return await askAws<boolean>(
    's3:HeadObject',
    client.send(command, { abortSignal: context.signal }).then(() => true),
    { NotFound: () => false, NoSuchKey: () => false },
  );
}

/**
 * Puts an object that nothing overwrites. What is there already has to be the same: whoever else may write to the bucket
 * would have the function be theirs, or of another manifest.
 *
 * @throws StepError VAULT_OBJECT_DIFFERS; AdminError AWS_…
 */
export async function putInBucket(
  context: StepContext,
  object: NodeObject,
  bytes: Uint8Array,
): Promise<void> {
  if (await isInBucket(context, object)) {
    await assertSame(context, object, bytes);
    return;
  }
  const { PutObjectCommand } = await import('@aws-sdk/client-s3');
  const client = await openClient(context, object.node);
  const command = new PutObjectCommand({
    Bucket: object.bucket,
    Key: object.key,
    Body: bytes,
    IfNoneMatch: '*',
  });
  await askAws('s3:PutObject', client.send(command, { abortSignal: context.signal }));
}

async function assertSame(
  context: StepContext,
  { node, bucket, key }: NodeObject,
  bytes: Uint8Array,
): Promise<void> {
  const { GetObjectCommand } = await import('@aws-sdk/client-s3');
  const client = await openClient(context, node);
  const object = { Bucket: bucket, Key: key };
  // One byte more shows that the object is longer, without fetching all of it.
  const command = new GetObjectCommand({ ...object, Range: `bytes=0-${bytes.length}` });
  const read = client
    .send(command, { abortSignal: context.signal })
    .then(async ({ Body: body }) => (await body?.transformToByteArray()) ?? new Uint8Array());
  if (Buffer.compare(await askAws('s3:GetObject', read), bytes) === 0) return;
  throw new StepError('VAULT_OBJECT_DIFFERS', 'the bucket holds another object of this name', object);
}

async function openClient(context: StepContext, node: number) {
  return await context.aws.s3(describeRole(context.vault, roleOfNode(node)).region);
}
