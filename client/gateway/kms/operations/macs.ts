import { AwsServiceError, parseInput } from '../../../../shared/aws-json/index.ts';
import {
  assertUsage,
  deriveSecretSchema,
  invalidMac,
  macSchema,
  randomSchema,
  verifyMacSchema,
} from '../../../../shared/kms/index.ts';
import { algorithmOf } from '../algorithms.ts';
import {
  assertNoDryRun,
  assertNoGrantTokens,
  assertNoRecipient,
  assertPoolKey,
  base64,
  findKey,
  type KmsContext,
  type KmsResult,
  showKey,
  toHex,
} from '../context.ts';

type MacInput = ReturnType<typeof macSchema.parse>;

/** Source: AWS KMS API Reference, "GenerateMac". */
export async function generateMac(context: KmsContext, value: unknown): Promise<KmsResult> {
  const input = parseInput(macSchema, value);
  const { key, arn, request } = await findMacKey(context, input, 'GenerateMac');
  const { mac } = await context.ask(() => key.node.pools.mac(key.id, request), true);
  return { output: { Mac: base64(mac), MacAlgorithm: input.MacAlgorithm, KeyId: arn }, key: key.id };
}

/** Source: AWS KMS API Reference, "VerifyMac". Compared inside the node. */
export async function verifyMac(context: KmsContext, value: unknown): Promise<KmsResult> {
  const input = parseInput(verifyMacSchema, value);
  const { key, arn, request } = await findMacKey(context, input, 'VerifyMac');
  // The node takes no MAC that is longer than the longest.
  if (input.Mac.length > 64) throw invalidMac();
  const mac = toHex(input.Mac);
  const { valid } = await context.ask(() => key.node.pools.verifyMac(key.id, { ...request, mac }), true);
  if (!valid) throw invalidMac();
  return { output: { MacValid: true, MacAlgorithm: input.MacAlgorithm, KeyId: arn }, key: key.id };
}

/** Source: AWS KMS API Reference, "GenerateRandom". Bytes of the node's generator. */
export async function generateRandom(context: KmsContext, value: unknown): Promise<KmsResult> {
  const input = parseInput(randomSchema, value);
  assertNoRecipient(input.Recipient);
  if (input.CustomKeyStoreId !== undefined)
    throw new AwsServiceError('CustomKeyStoreNotFoundException', 'There are no custom key stores here.');
  const bytes = await context.ask(
    () => context.quorum.withNode((node) => node.pools.random(input.NumberOfBytes), { isRepeatable: true }),
    true,
  );
  return { output: { Plaintext: base64(bytes) } };
}

/** Source: AWS KMS API Reference, "DeriveSharedSecret". */
export async function deriveSharedSecret(context: KmsContext, value: unknown): Promise<KmsResult> {
  const input = parseInput(deriveSecretSchema, value);
  assertNoGrantTokens(input.GrantTokens);
  assertNoRecipient(input.Recipient);
  assertNoDryRun('DeriveSharedSecret', input.DryRun);
  const key = await findKey(context, input.KeyId);
  const { arn } = assertKey(context, key, 'DeriveSharedSecret', {
    usage: 'KEY_AGREEMENT',
    algorithm: 'ECDH',
  });
  assertPoolKey(key, context.scope);
  if (input.PublicKey.length > 1024)
    throw new AwsServiceError('ValidationException', 'PublicKey is not one of the key spec.');
  const publicKey = toHex(input.PublicKey);
  const { secret } = await context.ask(() => key.node.pools.deriveSecret(key.id, { publicKey }), true);
  const output = {
    KeyId: arn,
    SharedSecret: base64(secret),
    KeyAgreementAlgorithm: 'ECDH',
    KeyOrigin: 'AWS_KMS',
  };
  return { output, key: key.id };
}

async function findMacKey(context: KmsContext, input: MacInput, operation: string) {
  assertNoGrantTokens(input.GrantTokens);
  assertNoDryRun(operation, input.DryRun);
  const key = await findKey(context, input.KeyId);
  const needed = { usage: 'GENERATE_VERIFY_MAC', algorithm: input.MacAlgorithm } as const;
  const { arn } = assertKey(context, key, operation, needed);
  assertPoolKey(key, context.scope);
  const algorithm = algorithmOf(input.MacAlgorithm);
  if (algorithm === undefined) throw new TypeError(`no algorithm of a node is ${input.MacAlgorithm}`);
  return { key, arn, request: { algorithm, message: toHex(input.Message) } };
}

function assertKey(
  { scope }: KmsContext,
  key: Parameters<typeof showKey>[0],
  operation: string,
  needed: Parameters<typeof assertUsage>[2],
) {
  const shown = showKey(key, scope);
  assertUsage(operation, shown, needed);
  return shown;
}
