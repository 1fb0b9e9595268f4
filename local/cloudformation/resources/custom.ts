import { createHash } from 'node:crypto';
import { z } from 'zod';
import { AwsServiceError } from '../../aws/plumbing.ts';
import { PartlyMade } from '../stacks/failure.ts';
import type { Made } from '../stacks/stack-record.ts';
import { isList, isObject, objectOf, type TemplateObject, type TemplateValue } from '../template/value.ts';
import type { ResourceContext, ResourceProvider } from './provider.ts';
import type { ResponseBox } from './response-box.ts';
import { neededText, numberOf } from './values.ts';

/** Source: CloudFormation User Guide, "Custom resource request and response reference". */
const responseSchema = z.object({
  Status: z.enum(['SUCCESS', 'FAILED']),
  Reason: z.string().optional(),
  PhysicalResourceId: z.string().min(1).max(1024).optional(),
  StackId: z.string(),
  RequestId: z.string(),
  LogicalResourceId: z.string(),
  NoEcho: z.boolean().optional(),
  Data: z.record(z.string(), z.json()).nullish(),
});
type Response = z.output<typeof responseSchema>;

const MAX_RESPONSE_BYTES = 4096;
const MAX_TIMEOUT = 3600;

/** What a function is asked. */
interface Question {
  readonly type: 'Create' | 'Update' | 'Delete';
  readonly physicalId?: string;
  readonly before?: TemplateObject;
}

/**
 * Makes the provider of custom resources: a function is asked, and puts its response to a URL that it was given. Whatever
 * id it responds with is the resource's; another one after an update is another resource, and the former is deleted at
 * the end.
 */
export function customProvider(box: ResponseBox): ResourceProvider {
  return {
    properties: {},
    required: ['ServiceToken'],
    attributes: [],
    async create(context) {
      const response = await ask(box, context, { type: 'Create' }).catch((error: unknown) => {
        // Nobody knows what a function has made that says nothing.
        if (error instanceof NoResponse) throw new PartlyMade(unanswered(context), error.message);
        throw error;
      });
      const made = madeOf(context, response);
      if (response.Status === 'FAILED') throw new PartlyMade(made, failure(response));
      if (response.PhysicalResourceId === undefined) throw new PartlyMade(made, 'Invalid PhysicalResourceId');
      return made;
    },
    async update(context, { made, properties: before }) {
      const response = await ask(box, context, { type: 'Update', physicalId: made.physicalId, before });
      if (response.Status === 'FAILED') throw refusal(failure(response));
      if (response.PhysicalResourceId === undefined) throw refusal('Invalid PhysicalResourceId');
      return madeOf(context, response);
    },
    async delete(context, { made }) {
      const response = await ask(box, context, { type: 'Delete', physicalId: made.physicalId });
      if (response.Status === 'FAILED') throw refusal(failure(response));
    },
  };
}

class NoResponse extends AwsServiceError {
  constructor(message: string) {
    super('ValidationError', message);
  }
}

function refusal(message: string): AwsServiceError {
  // Shown as it is, without the words of a resource handler.
  return new AwsServiceError('ValidationError', message);
}

function failure({ Reason: reason = '', RequestId: id }: Response): string {
  return `Received response status [FAILED] from custom resource. Message returned: ${reason} (RequestId: ${id})`;
}

function unanswered(context: ResourceContext): Made {
  const id = context.uniqueName(128);
  return { physicalId: id, reference: id, attributes: {} };
}

function madeOf(context: ResourceContext, { PhysicalResourceId: id, Data: data }: Response): Made {
  const physicalId = id ?? unanswered(context).physicalId;
  return { physicalId, reference: physicalId, attributes: data ?? {} };
}

async function ask(box: ResponseBox, context: ResourceContext, question: Question): Promise<Response> {
  const { properties, place, logicalId, type, token } = context;
  const functionArn = neededText(properties, 'ServiceToken');
  const seconds = numberOf(properties, 'ServiceTimeout') ?? MAX_TIMEOUT;
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > MAX_TIMEOUT) {
    throw refusal(`ServiceTimeout must be a whole number from 1 to ${MAX_TIMEOUT}`);
  }
  const [, region] = /^arn:aws[a-z-]*:lambda:([a-z0-9-]+):[0-9]{12}:function:/.exec(functionArn) ?? [];
  if (region !== place.region)
    throw refusal(`Invalid service token: ${functionArn} is no function of this Region`);
  const requestId = requestIdOf(token, question.type);
  const slot = box.open(place.region, requestId);
  const event = {
    RequestType: question.type,
    ServiceToken: functionArn,
    ResponseURL: slot.url,
    StackId: place.stackId,
    RequestId: requestId,
    LogicalResourceId: logicalId,
    ResourceType: type,
    ...(question.physicalId === undefined ? {} : { PhysicalResourceId: question.physicalId }),
    ResourceProperties: asTexts(properties),
    ...(question.before === undefined ? {} : { OldResourceProperties: asTexts(question.before) }),
  };
  await context.send('lambda', {
    method: 'POST',
    path: `/2015-03-31/functions/${encodeURIComponent(functionArn)}/invocations`,
    headers: { 'x-amz-invocation-type': 'Event', 'content-type': 'application/json' },
    body: JSON.stringify(event),
  });
  return parseResponse(await waitFor(slot, context, seconds, requestId), { requestId, place, logicalId });
}

async function waitFor(
  slot: ReturnType<ResponseBox['open']>,
  { signal }: ResourceContext,
  seconds: number,
  requestId: string,
): Promise<Uint8Array> {
  const timeout = AbortSignal.timeout(seconds * 1000);
  try {
    return await slot.wait(AbortSignal.any([signal, timeout]));
  } catch (error) {
    if (!timeout.aborted || signal.aborted) throw error;
    throw new NoResponse(
      `CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId [${requestId}].`,
    );
  }
}

function parseResponse(
  bytes: Uint8Array,
  {
    requestId,
    place,
    logicalId,
  }: Pick<ResourceContext, 'place' | 'logicalId'> & { readonly requestId: string },
): Response {
  if (bytes.length > MAX_RESPONSE_BYTES) throw new NoResponse('Response object is too long.');
  const result = responseSchema.safeParse(readJson(bytes));
  if (!result.success) throw new NoResponse('Invalid response object: expected the members of a response');
  const response = result.data;
  const wrong = Object.entries({
    StackId: place.stackId,
    RequestId: requestId,
    LogicalResourceId: logicalId,
  }).find(([name, value]) => response[name as 'StackId'] !== value);
  if (wrong !== undefined)
    throw new NoResponse(`Invalid response object: Value of property ${wrong[0]} must match the request`);
  return response;
}

function readJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

/** Properties as functions get them: every number and boolean is text. */
function asTexts(value: TemplateValue): TemplateValue {
  if (isList(value)) return value.map(asTexts);
  if (isObject(value))
    return objectOf(Object.entries(value).map(([name, member]) => [name, asTexts(member)]));
  return value === null ? value : String(value);
}

/** Id of a request, the same when its step is repeated. */
function requestIdOf(token: string, type: string): string {
  const hex = createHash('sha256').update(`request/${type}/${token}`).digest('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}
