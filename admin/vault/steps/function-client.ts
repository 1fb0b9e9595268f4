import type { LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import { JsonError, parseJson } from '../../../shared/json/index.ts';
import { askAws } from '../../aws/index.ts';
import { describeRole, roleOfNode } from '../index.ts';
import type { StepContext } from './context.ts';
import { StepError } from './errors.ts';
import { needStatement } from './support.ts';

/** Longest response of the function in bytes: an envelope in base64, or the changes of the largest configuration. */
const MAX_RESPONSE_BYTES = 6 * 1024 * 1024;
const MAX_RESPONSE_DEPTH = 16;
const MAX_SAID_LENGTH = 2000;
/** Names of all variables that the stack gives the function. */
const VARIABLES = [
  'HOLDFAST_BUCKET',
  'HOLDFAST_ENVIRONMENT',
  'HOLDFAST_KEY_ARN',
  'HOLDFAST_NAMESPACE',
  'HOLDFAST_NODE',
  'HOLDFAST_SIGNING_KEY_ARN',
].join(' ');
/** What the stack says the function runs. */
const HANDLER = 'index.handler';

const sha384 = z.string().regex(/^[0-9a-f]{96}$/);
const version = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const refusalSchema = z.object({
  ok: z.literal(false),
  code: z.string().max(128),
  details: z.record(z.string(), z.unknown()),
});
const descriptionSchema = z.object({
  ok: z.literal(true),
  description: z.object({
    digest: sha384,
    against: z.object({ version, digest: sha384 }).nullable(),
    text: z.string(),
    confirmation: sha384,
  }),
});
const signedSchema = z.object({
  ok: z.literal(true),
  signed: z.object({
    envelope: z.base64(),
    key: z.string().regex(/^configurations\/[0-9]{6}\.json$/),
  }),
});

/** What the function says of a configuration, and the digest by which just that change is confirmed. */
export type FunctionDescription = z.infer<typeof descriptionSchema>['description'];

/** Function in a node admin's account that signs configurations with a key in KMS. */
export interface FunctionClient {
  readonly name: string;
  /** Has a configuration, or an envelope around one, described against the newest that the function has signed. */
  describe(configuration: Uint8Array): Promise<FunctionDescription | NotNewer>;
  /** Has it signed as confirmed. @returns the envelope, and its key in the bucket */
  sign(
    configuration: Uint8Array,
    confirmation: string,
  ): Promise<{ readonly envelope: Uint8Array; readonly key: string }>;
}

/** A configuration whose version is not above that of the newest one that the function has signed. */
export interface NotNewer {
  readonly notAbove: number;
}

/**
 * Opens the function of a node's stack, which has to be the one that the admin has put there.
 *
 * @throws StepError VAULT_FUNCTION_CHANGED; AdminError AWS_…. Its calls throw StepError VAULT_SIGNING_REFUSED with the
 *   function's own code, VAULT_SIGNING_MALFORMED
 *
 * Source: deploy/functions/config-signing/protocol.ts
 */
export async function openFunction(context: StepContext, node: number): Promise<FunctionClient> {
  const role = roleOfNode(node);
  const { facts } = await needStatement(context, role, 'signing-function');
  const client = await context.aws.lambda(describeRole(context.vault, role).region);
  await assertFunction(client, facts, context, node);
  const ask = async <Response>(event: object, schema: z.ZodType<Response>): Promise<Response | Refusal> =>
    parseResponse(await invoke(client, facts.name, event, context), schema, node);
  const configurationOf = (bytes: Uint8Array) => ({ configuration: Buffer.from(bytes).toString('base64') });
  return {
    name: facts.name,
    async describe(bytes) {
      const response = await ask({ action: 'describe', ...configurationOf(bytes) }, descriptionSchema);
      if (!isRefusal(response)) return response.description;
      const { inForce } = response.details;
      if (response.code === 'VERSION_NOT_NEWER' && Number.isSafeInteger(inForce))
        return { notAbove: inForce as number };
      throw refused(response, node);
    },
    async sign(bytes, confirmation) {
      const response = await ask({ action: 'sign', ...configurationOf(bytes), confirmation }, signedSchema);
      if (isRefusal(response)) throw refused(response, node);
      const { envelope, key } = response.signed;
      return { envelope: new Uint8Array(Buffer.from(envelope, 'base64')), key };
    },
  };
}

type Refusal = z.infer<typeof refusalSchema>;

/**
 * Asserts that the function runs the code that its admin has put there, and for this node. Whoever may change the function
 * may sign by its key; what can be seen of that is not overlooked.
 *
 * @throws StepError VAULT_FUNCTION_CHANGED
 */
async function assertFunction(
  client: LambdaClient,
  { name, code }: { readonly name: string; readonly code: string },
  context: StepContext,
  node: number,
): Promise<void> {
  const { GetFunctionConfigurationCommand } = await import('@aws-sdk/client-lambda');
  const found = await askAws(
    'lambda:GetFunctionConfiguration',
    client.send(new GetFunctionConfigurationCommand({ FunctionName: name }), { abortSignal: context.signal }),
  );
  const { facts } = await needStatement(context, roleOfNode(node), 'kms-stack');
  const variables = found.Environment?.Variables ?? {};
  const sha256 = Buffer.from(/[0-9a-f]{64}/.exec(code)?.[0] ?? '', 'hex').toString('base64');
  const pairs: readonly (readonly [field: string, expected: unknown, actual: unknown])[] = [
    ['CodeSha256', sha256, found.CodeSha256],
    ['Handler', HANDLER, found.Handler],
    ['Layers', 0, found.Layers?.length ?? 0],
    ['HOLDFAST_NAMESPACE', context.vault.namespace, variables['HOLDFAST_NAMESPACE']],
    ['HOLDFAST_ENVIRONMENT', context.vault.environment, variables['HOLDFAST_ENVIRONMENT']],
    ['HOLDFAST_NODE', String(node), variables['HOLDFAST_NODE']],
    ['HOLDFAST_KEY_ARN', facts.keyArn, variables['HOLDFAST_KEY_ARN']],
    ['HOLDFAST_BUCKET', facts.bucket, variables['HOLDFAST_BUCKET']],
    // Any other variable, such as NODE_OPTIONS, could have Node run other code. What the key at the ARN signs is verified.
    ['Variables', VARIABLES, Object.keys(variables).toSorted().join(' ')],
  ];
  const other = pairs.find(([, expected, actual]) => expected !== actual);
  if (other === undefined) return;
  const [field, expected, actual] = other;
  throw new StepError(
    'VAULT_FUNCTION_CHANGED',
    'the function that signs configurations is not the one that was put into the stack',
    { node, function: name, field, expected, actual },
  );
}

async function invoke(
  client: LambdaClient,
  name: string,
  event: object,
  { signal }: StepContext,
): Promise<{ readonly payload: Uint8Array; readonly failure: string | undefined }> {
  const { InvokeCommand } = await import('@aws-sdk/client-lambda');
  const command = new InvokeCommand({ FunctionName: name, Payload: Buffer.from(JSON.stringify(event)) });
  const { Payload: payload = new Uint8Array(), FunctionError: failure } = await askAws(
    'lambda:InvokeFunction',
    client.send(command, { abortSignal: signal }),
  );
  return { payload, failure };
}

function parseResponse<Response>(
  { payload, failure }: { readonly payload: Uint8Array; readonly failure: string | undefined },
  schema: z.ZodType<Response>,
  node: number,
): Response | Refusal {
  let value: unknown;
  try {
    value = parseJson(payload, { maxBytes: MAX_RESPONSE_BYTES, maxDepth: MAX_RESPONSE_DEPTH });
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw malformed(node, 'JSON', error);
  }
  // A function that has failed responds with an error of the runtime, not with one of its own.
  if (failure !== undefined) throw malformed(node, 'FunctionError');
  const refusal = refusalSchema.safeParse(value);
  if (refusal.success) return refusal.data;
  const response = schema.safeParse(value);
  if (response.success) return response.data;
  throw malformed(node, response.error.issues[0]?.path.join('.') ?? '');
}

function isRefusal(response: object): response is Refusal {
  return (response as { ok?: unknown }).ok === false;
}

function refused({ code, details }: Refusal, node: number): StepError {
  return new StepError('VAULT_SIGNING_REFUSED', 'the function does not sign the configuration', {
    node,
    reason: code,
    said: JSON.stringify(details).slice(0, MAX_SAID_LENGTH),
  });
}

function malformed(node: number, field: string, cause?: unknown): StepError {
  return new StepError(
    'VAULT_SIGNING_MALFORMED',
    'expected a response of config-signing/protocol.ts',
    { node, field },
    cause,
  );
}

/** Reads what lies in the bucket under the key of a signed configuration; undefined where there is nothing. */
export async function readSigned(
  context: StepContext,
  node: number,
  key: string,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  const role = roleOfNode(node);
  const { facts } = await needStatement(context, role, 'kms-stack');
  const client = await context.aws.s3(describeRole(context.vault, role).region);
  const { GetObjectCommand } = await import('@aws-sdk/client-s3');
  // One byte more than the maximum shows that the object is longer, without fetching all of it.
  const command = new GetObjectCommand({ Bucket: facts.bucket, Key: key, Range: `bytes=0-${maxBytes}` });
  return await askAws<Uint8Array | undefined>(
    's3:GetObject',
    client
      .send(command, { abortSignal: context.signal })
      .then(async ({ Body: body }) => await body?.transformToByteArray()),
    { NoSuchKey: () => undefined, NotFound: () => undefined },
  );
}
