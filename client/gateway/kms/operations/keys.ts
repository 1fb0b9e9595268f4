import { encodePublicKey } from '../../../../shared/public-keys.ts';
import { AwsServiceError, parseInput } from '../../../../shared/aws-json/index.ts';
import {
  assertEnabled,
  assertPair,
  createKeySchema,
  describeKeySchema,
  describeKind,
  describeMetadata,
  keyPolicySchema,
  keySchema,
  pageSchema,
  keyPageSchema,
  paginate,
  policyNotFound,
  publicKeySchema,
  readKeyKind,
  readTags,
} from '../../../../shared/kms/index.ts';
import { poolTypeOf, usageOf } from '../algorithms.ts';
import {
  arnOf,
  assertNoGrantTokens,
  assertPoolKey,
  base64,
  describeKey,
  type KmsContext,
  type KmsResult,
  showKey,
  toHex,
} from '../context.ts';
import { KmsRefusal } from '../errors.ts';
import type { KnownKey } from '../known-keys.ts';
import { renderKeyPolicy } from '../key-policy.ts';

const MOST_KEYS = 1000;

/** Source: AWS KMS API Reference, "CreateKey". The key is made in the credential's pool, on the first node. */
export async function createKey(context: KmsContext, value: unknown): Promise<KmsResult> {
  const input = parseInput(createKeySchema, value);
  if (input.Policy !== undefined)
    throw new AwsServiceError(
      'UnsupportedOperationException',
      "A key's policy is the node's configuration: Policy cannot be given.",
    );
  const { spec, usage } = readKeyKind(input, 'refused');
  const type = poolTypeOf(spec);
  const poolUsage = usageOf(usage);
  if (type === undefined || poolUsage === undefined)
    throw new AwsServiceError('UnsupportedOperationException', `No node makes keys of KeySpec ${spec}.`);
  const tags = Object.entries(readTags(input.Tags ?? [])).map(([key, tag]) => ({ key, value: tag }));
  if (context.pool === undefined)
    throw new KmsRefusal(
      'AccessDeniedException',
      400,
      'refused',
      'POLICY_DENIED',
      'the credential has no pool',
    );
  const { key, onDelivery } = await context.creations.create({
    accessKeyId: context.accessKeyId,
    pool: context.pool,
    key: { type, usage: poolUsage, description: input.Description ?? '', tags },
    invocation: context.invocation,
    isClientGone: context.isClientGone,
  });
  const [node] = context.nodes;
  if (node === undefined) throw new TypeError('the door has no node');
  const known = context.keys.add(key, node);
  return {
    output: { KeyMetadata: describeMetadata(showKey(known, context.scope)) },
    key: key.id,
    onDelivery,
  };
}

/** Source: AWS KMS API Reference, "DescribeKey". */
export async function describe(context: KmsContext, value: unknown): Promise<KmsResult> {
  const input = parseInput(describeKeySchema, value);
  assertNoGrantTokens(input.GrantTokens);
  const key = await describeKey(context, input.KeyId);
  return { output: { KeyMetadata: describeMetadata(showKey(key, context.scope)) }, key: nameOf(key) };
}

/** Source: AWS KMS API Reference, "GetPublicKey". */
export async function getPublicKey(context: KmsContext, value: unknown): Promise<KmsResult> {
  const input = parseInput(publicKeySchema, value);
  assertNoGrantTokens(input.GrantTokens);
  const key = await describeKey(context, input.KeyId);
  const shown = showKey(key, context.scope);
  assertPair(shown);
  assertEnabled(shown);
  const output = { KeyId: shown.arn, PublicKey: base64(publicKeyOf(key)), ...describeKind(shown) };
  return { output, key: nameOf(key) };
}

/** Source: AWS KMS API Reference, "ListKeys". All keys that the client may use on one page, unless a Limit is sent. */
export async function listKeys(context: KmsContext, value: unknown): Promise<KmsResult> {
  const input = parseInput(pageSchema, value);
  const keys = await context.ask(() => context.keys.list(), true);
  const { items, rest } = paginate(keys, ({ id }) => id, input, pageSizeOf(input, MOST_KEYS));
  const output = {
    Keys: items.map((key) => ({ KeyId: key.id, KeyArn: arnOf(key, context.scope) })),
    ...rest,
  };
  return { output };
}

/** Source: AWS KMS API Reference, "ListResourceTags". */
export async function listResourceTags(context: KmsContext, value: unknown): Promise<KmsResult> {
  const input = parseInput(keyPageSchema, value);
  const key = await describeKey(context, input.KeyId);
  const tags = key.kind === 'pool' ? key.key.tags : [];
  const { items, rest } = paginate(tags, (tag) => tag.key, input, pageSizeOf(input, 50));
  const output = { Tags: items.map((tag) => ({ TagKey: tag.key, TagValue: tag.value })), ...rest };
  return { output, key: nameOf(key) };
}

/** Source: AWS KMS API Reference, "GetKeyPolicy". What the node's configuration permits the client, as a policy. */
export async function getKeyPolicy(context: KmsContext, value: unknown): Promise<KmsResult> {
  const input = parseInput(keyPolicySchema, value);
  const key = await describeKey(context, input.KeyId);
  if (input.PolicyName !== 'default') throw policyNotFound();
  // What permits name is in lists alone, and of keys that were just made in the next one.
  const listed = (await context.ask(() => context.keys.list(), true)).find(({ id }) => id === key.id);
  const output = { Policy: renderKeyPolicy(listed ?? key, context), PolicyName: 'default' };
  return { output, key: nameOf(key) };
}

/** Source: AWS KMS API Reference, "ListKeyPolicies". */
export async function listKeyPolicies(context: KmsContext, value: unknown): Promise<KmsResult> {
  const input = parseInput(keyPageSchema, value);
  const key = await describeKey(context, input.KeyId);
  return { output: { PolicyNames: ['default'], Truncated: false }, key: nameOf(key) };
}

/** Source: AWS KMS API Reference, "GetKeyRotationStatus". No key here is replaced under its id. */
export async function getKeyRotationStatus(context: KmsContext, value: unknown): Promise<KmsResult> {
  const key = await describeKey(context, parseInput(keySchema, value).KeyId);
  assertPoolKey(key, context.scope);
  const shown = showKey(key, context.scope);
  return { output: { KeyId: shown.arn, KeyRotationEnabled: false }, key: nameOf(key) };
}

/** SubjectPublicKeyInfo in hex of a key that has one. */
export function publicKeyOf(known: KnownKey): string {
  if (known.kind === 'pool') return known.key.publicKey ?? '';
  const { type, publicKey } = known.key;
  const plain = type === 'frost-ed25519' ? 'ed25519' : type;
  if (plain !== 'ed25519' && plain !== 'p256' && plain !== 'p384' && plain !== 'secp256k1')
    throw new TypeError(`no kind of KMS is ${type}`);
  return toHex(encodePublicKey({ type: plain, publicKey: Buffer.from(publicKey ?? '', 'hex') }));
}

/** Name of a key in the log: its id in the configuration, or that of a pool's key. */
export function nameOf(key: KnownKey): string {
  return key.key.id;
}

/** One page for all, unless the client asks for pages. */
export function pageSizeOf(
  { Limit: limit }: { readonly Limit?: number | undefined },
  most: number,
): { readonly usual: number; readonly most: number } {
  return limit === undefined ? { usual: Infinity, most: Infinity } : { usual: most, most };
}
