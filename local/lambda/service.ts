import { z } from 'zod';
import { buildRequestContext, evaluateIdentityPolicies } from '../../attestation/key-policy/index.ts';
import { JsonError, parseJson } from '../../shared/json/index.ts';
import type { AwsServiceError } from '../../shared/aws-json/index.ts';
import { decodeUri, parseQuery, type RequestHead, SignatureRefusal } from '../../shared/aws-sigv4/index.ts';
import type { Credential } from '../aws/directory.ts';
import {
  blob,
  callerArn,
  globalContext,
  optional,
  parseInput,
  type RestRequest,
  type RestResponse,
  type RestService,
} from '../aws/plumbing.ts';
import { mayReadObject, type S3 } from '../s3/index.ts';
import { lambdaError } from './errors.ts';
import { type Lambda, policyText } from './lambda.ts';
import {
  arnOf,
  type FunctionSettings,
  type LambdaFunction,
  type PermissionStatement,
  RUNTIMES,
} from './records.ts';

/** Largest body: a package of code in base64. */
const MAX_BODY_BYTES = 12 * 1024 * 1024;
const MAX_JSON_DEPTH = 16;
const MAX_ZIP_BYTES = 8 * 1024 * 1024;
const LOG_TAIL_BYTES = 4096;

interface LambdaRequest extends RestRequest {
  readonly credential: Credential;
  /** Names of the path, decoded. */
  readonly names: readonly string[];
}

type Operation = (parts: Parts, request: LambdaRequest) => Promise<RestResponse> | RestResponse;

interface Parts {
  readonly lambda: Lambda;
  readonly s3: S3;
}

interface Route {
  readonly method: string;
  readonly pattern: RegExp;
  readonly run: Operation;
}

const codeSchema = {
  ZipFile: optional(blob(1, MAX_ZIP_BYTES)),
  S3Bucket: optional(z.string().min(3).max(63)),
  S3Key: optional(z.string().min(1).max(1024)),
  S3ObjectVersion: optional(z.string().min(1).max(1024)),
};
const settingsInput = {
  Runtime: optional(z.enum(RUNTIMES)),
  Handler: optional(z.string().max(128)),
  Role: optional(z.string().max(256)),
  Description: optional(z.string().max(256)),
  Timeout: optional(z.int().min(1).max(900)),
  MemorySize: optional(z.int().min(128).max(10_240)),
  Environment: optional(
    z.object({ Variables: optional(z.record(z.string().regex(/^[A-Za-z][A-Za-z0-9_]+$/), z.string())) }),
  ),
};
const createSchema = z.object({
  FunctionName: z.string().min(1).max(140),
  Code: z.object(codeSchema),
  PackageType: optional(z.enum(['Zip'])),
  Architectures: optional(z.array(z.enum(['x86_64', 'arm64'])).length(1)),
  Tags: optional(z.record(z.string(), z.string())),
  ...settingsInput,
});
const updateSchema = z.object(settingsInput);
const permissionSchema = z.object({
  StatementId: z.string().regex(/^[a-zA-Z0-9-_]{1,100}$/),
  Action: z.string().regex(/^(?:lambda:[*]|lambda:[a-zA-Z]+|[*])$/),
  Principal: z.string().min(1).max(256),
  SourceArn: optional(z.string().max(512)),
  SourceAccount: optional(z.string().regex(/^[0-9]{12}$/)),
  PrincipalOrgID: optional(z.string().max(64)),
});

const FUNCTIONS = String.raw`^/2015-03-31/functions`;
/**
 * Operations by method and path. Absent are versions, aliases, layers, images, event sources, destinations, and streamed
 * responses.
 */
const ROUTES: Readonly<Record<string, Route>> = {
  CreateFunction: { method: 'POST', pattern: new RegExp(`${FUNCTIONS}/?$`), run: createFunction },
  ListFunctions: { method: 'GET', pattern: new RegExp(`${FUNCTIONS}/?$`), run: listFunctions },
  GetFunction: { method: 'GET', pattern: new RegExp(`${FUNCTIONS}/([^/]+)$`), run: getFunction },
  DeleteFunction: { method: 'DELETE', pattern: new RegExp(`${FUNCTIONS}/([^/]+)$`), run: deleteFunction },
  GetFunctionConfiguration: {
    method: 'GET',
    pattern: new RegExp(`${FUNCTIONS}/([^/]+)/configuration$`),
    run: getFunctionConfiguration,
  },
  UpdateFunctionConfiguration: {
    method: 'PUT',
    pattern: new RegExp(`${FUNCTIONS}/([^/]+)/configuration$`),
    run: updateFunctionConfiguration,
  },
  UpdateFunctionCode: {
    method: 'PUT',
    pattern: new RegExp(`${FUNCTIONS}/([^/]+)/code$`),
    run: updateFunctionCode,
  },
  Invoke: { method: 'POST', pattern: new RegExp(`${FUNCTIONS}/([^/]+)/invocations$`), run: invoke },
  AddPermission: { method: 'POST', pattern: new RegExp(`${FUNCTIONS}/([^/]+)/policy$`), run: addPermission },
  GetPolicy: { method: 'GET', pattern: new RegExp(`${FUNCTIONS}/([^/]+)/policy$`), run: getPolicy },
  RemovePermission: {
    method: 'DELETE',
    pattern: new RegExp(`${FUNCTIONS}/([^/]+)/policy/([^/]+)$`),
    run: removePermission,
  },
};

/** Creates AWS Lambda over functions; code may lie in S3. */
export function createLambdaService(parts: Parts): RestService {
  return {
    protocol: 'rest',
    name: 'lambda',
    pathEncoding: 'twice',
    maxSkew: 300_000,
    maxBodyBytes: MAX_BODY_BYTES,
    route: routeOf,
    async handle(request) {
      const { credential } = request;
      const route = ROUTES[request.operation];
      if (credential === undefined || route === undefined) throw notFound();
      const names = (route.pattern.exec(request.path) ?? []).slice(1).map((name) => decodeUri(name) ?? name);
      const response = await route.run(parts, { ...request, credential, names });
      return { ...response, headers: { 'x-amzn-RequestId': request.requestId, ...response.headers } };
    },
    encodeError,
  };
}

function routeOf({ method, path }: RequestHead): string {
  const found = Object.entries(ROUTES).find(
    ([, route]) => route.method === method && route.pattern.test(path),
  );
  if (found === undefined) throw notFound();
  return found[0];
}

function encodeError(
  error: AwsServiceError,
  { requestId, now }: { requestId: string; now: number },
): RestResponse {
  // Lambda answers every refusal of a signature with 403.
  const status = error instanceof SignatureRefusal ? 403 : error.status;
  const body = { Type: status >= 500 ? 'Service' : 'User', Message: error.message, message: error.message };
  return {
    status,
    headers: {
      'Content-Type': 'application/json',
      'x-amzn-ErrorType': error.code,
      'x-amzn-RequestId': requestId,
      Date: new Date(now).toUTCString(),
    },
    body: Buffer.from(JSON.stringify(body)),
  };
}

function notFound(): Error {
  return lambdaError('ResourceNotFoundException', 'The resource you requested does not exist.');
}

function json(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): RestResponse {
  return {
    status,
    headers: { 'Content-Type': 'application/json', ...headers },
    body: Buffer.from(JSON.stringify(value)),
  };
}

async function readInput<Schema extends z.ZodType>(
  request: LambdaRequest,
  schema: Schema,
): Promise<z.output<Schema>> {
  const body = await request.body.bytes(MAX_BODY_BYTES);
  try {
    return parseInput(schema, parseJson(body, { maxBytes: MAX_BODY_BYTES, maxDepth: MAX_JSON_DEPTH }));
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw lambdaError('InvalidRequestContentException', 'Could not parse request body into json');
  }
}

const FULL_ARN =
  /^arn:aws[a-z-]*:lambda:([a-z0-9-]+):([0-9]{12}):function:([A-Za-z0-9-_]{1,64})(?::\$LATEST)?$/;
const PARTIAL_ARN = /^(?:([0-9]{12}):)?(?:function:)?([A-Za-z0-9-_]{1,64})(?::\$LATEST)?$/;

/** ARN of the function that a request names: by its name, its ARN, or a part of it. */
function namedArn({ region, credential }: LambdaRequest, text: string): string {
  const [, ofRegion, ofAccount, full] = FULL_ARN.exec(text) ?? [];
  if (ofRegion !== undefined && ofAccount !== undefined && full !== undefined) {
    return arnOf({ region: ofRegion, accountId: ofAccount, name: full });
  }
  const [, accountId = credential.caller.accountId, name] = PARTIAL_ARN.exec(text) ?? [];
  if (name === undefined) {
    throw lambdaError(
      'InvalidParameterValueException',
      `Value '${text}' at 'functionName' is not a function's name.`,
    );
  }
  return arnOf({ region, accountId, name });
}

/**
 * Finds the function that a request names, where the caller may do this to it.
 * @throws AwsServiceError AccessDeniedException, ResourceNotFoundException
 */
function open({ lambda }: Parts, request: LambdaRequest, action: string): LambdaFunction {
  const arn = namedArn(request, request.names[0] ?? '');
  const found = lambda.find(arn);
  if (found !== undefined && found.region !== request.region) throw notFound();
  const identity = decideOwn(request, action, arn);
  const { credential } = request;
  const context = globalContext(request);
  const isAllowed =
    found === undefined
      ? identity === 'allow' && arn.split(':')[4] === credential.caller.accountId
      : lambda.mayInvoke(found, { caller: credential.caller, identity, context }, action);
  if (!isAllowed) throw denied(request, action, arn);
  return lambda.get(arn);
}

function decideOwn(
  request: LambdaRequest,
  action: string,
  resource: string,
  more: Record<string, string> = {},
) {
  const { caller, policies } = request.credential;
  if (caller.type === 'root') return 'allow';
  const context = buildRequestContext([...globalContext(request), ...Object.entries(more)]);
  return evaluateIdentityPolicies(policies, { action, resource, context });
}

function denied({ credential }: LambdaRequest, action: string, resource: string): Error {
  return lambdaError(
    'AccessDeniedException',
    `User: ${callerArn(credential.caller)} is not authorized to perform: ${action} on resource: ${resource}`,
  );
}

async function createFunction(parts: Parts, request: LambdaRequest): Promise<RestResponse> {
  const input = await readInput(request, createSchema);
  const arn = namedArn(request, input.FunctionName);
  const [, , , region = '', accountId = '', , name = ''] = arn.split(':');
  const isOwn = region === request.region && accountId === request.credential.caller.accountId;
  if (!isOwn || decideOwn(request, 'lambda:CreateFunction', arn) !== 'allow') {
    throw denied(request, 'lambda:CreateFunction', arn);
  }
  const { Runtime: runtime, Handler: handler, Role: role } = input;
  if (runtime === undefined || handler === undefined || role === undefined) {
    throw lambdaError(
      'InvalidParameterValueException',
      'Runtime, Handler and Role are mandatory parameters for functions created with deployment packages.',
    );
  }
  permitPassRole(request, role);
  const settings: FunctionSettings = {
    runtime,
    handler,
    role,
    description: input.Description ?? '',
    timeout: input.Timeout ?? 3,
    memory: input.MemorySize ?? 128,
    variables: input.Environment?.Variables ?? {},
    architecture: input.Architectures?.[0] ?? 'x86_64',
  };
  const zip = await readCode(parts, request, input.Code);
  const created = parts.lambda.createFunction({
    name,
    accountId,
    region,
    settings,
    zip,
    tags: input.Tags ?? {},
  });
  return json(describe(created), 201);
}

/** Whoever gives a function a role has to be allowed to: otherwise a function would be a way to any role. */
function permitPassRole(request: LambdaRequest, role: string): void {
  const passed = { 'iam:PassedToService': 'lambda.amazonaws.com' };
  const isOwn = role.split(':')[4] === request.credential.caller.accountId;
  if (!isOwn || decideOwn(request, 'iam:PassRole', role, passed) !== 'allow') {
    throw denied(request, 'iam:PassRole', role);
  }
}

async function readCode(
  { s3 }: Parts,
  request: LambdaRequest,
  {
    ZipFile: zip,
    S3Bucket: bucket,
    S3Key: key,
    S3ObjectVersion: versionId,
  }: {
    ZipFile?: Uint8Array | undefined;
    S3Bucket?: string | undefined;
    S3Key?: string | undefined;
    S3ObjectVersion?: string | undefined;
  },
): Promise<Uint8Array> {
  const isInS3 = bucket !== undefined && key !== undefined;
  if ((zip !== undefined) === isInS3) {
    throw lambdaError('InvalidParameterValueException', 'Please provide a source for function code.');
  }
  if (zip !== undefined) return zip;
  if (!mayReadObject(s3, request, bucket ?? '', key ?? '', versionId)) {
    throw lambdaError(
      'AccessDeniedException',
      'Your access has been denied by S3, please make sure your request credentials have permission to GetObject for the given bucket and key.',
    );
  }
  const content = await s3.getObject(bucket ?? '', key ?? '', versionId);
  if (content === undefined) {
    throw lambdaError(
      'InvalidParameterValueException',
      'Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.',
    );
  }
  return content;
}

function listFunctions({ lambda }: Parts, request: LambdaRequest): RestResponse {
  if (decideOwn(request, 'lambda:ListFunctions', '*') !== 'allow')
    throw denied(request, 'lambda:ListFunctions', '*');
  const functions = lambda.list(request.credential.caller.accountId, request.region);
  return json({ Functions: functions.map(describe) });
}

function getFunction(parts: Parts, request: LambdaRequest): RestResponse {
  const found = open(parts, request, 'lambda:GetFunction');
  return json({ Configuration: describe(found), Code: { RepositoryType: 'S3' }, Tags: found.tags });
}

function getFunctionConfiguration(parts: Parts, request: LambdaRequest): RestResponse {
  return json(describe(open(parts, request, 'lambda:GetFunctionConfiguration')));
}

async function updateFunctionConfiguration(parts: Parts, request: LambdaRequest): Promise<RestResponse> {
  const found = open(parts, request, 'lambda:UpdateFunctionConfiguration');
  const input = await readInput(request, updateSchema);
  if (input.Role !== undefined) permitPassRole(request, input.Role);
  const changes = Object.entries({
    runtime: input.Runtime,
    handler: input.Handler,
    role: input.Role,
    description: input.Description,
    timeout: input.Timeout,
    memory: input.MemorySize,
    variables: input.Environment === undefined ? undefined : (input.Environment.Variables ?? {}),
  }).filter(([, value]) => value !== undefined);
  const settings = Object.fromEntries(changes) as Partial<FunctionSettings>;
  return json(describe(parts.lambda.updateSettings(arnOf(found), settings)));
}

async function updateFunctionCode(parts: Parts, request: LambdaRequest): Promise<RestResponse> {
  const found = open(parts, request, 'lambda:UpdateFunctionCode');
  const input = await readInput(request, z.object(codeSchema));
  return json(describe(parts.lambda.updateCode(arnOf(found), await readCode(parts, request, input))));
}

function deleteFunction(parts: Parts, request: LambdaRequest): RestResponse {
  parts.lambda.deleteFunction(arnOf(open(parts, request, 'lambda:DeleteFunction')));
  return { status: 204, headers: {}, body: new Uint8Array() };
}

async function invoke(parts: Parts, request: LambdaRequest): Promise<RestResponse> {
  const found = open(parts, request, 'lambda:InvokeFunction');
  const qualifier = parseQuery(request.query).find(([name]) => name === 'Qualifier')?.[1];
  if (qualifier !== undefined && qualifier !== '$LATEST') throw notFound();
  const body = await request.body.bytes(MAX_BODY_BYTES);
  const event = body.length === 0 ? '{}' : Buffer.from(body).toString('utf8');
  const type = request.headers.get('x-amz-invocation-type') ?? 'RequestResponse';
  if (type === 'DryRun') return { status: 204, headers: {}, body: new Uint8Array() };
  if (type === 'Event') {
    parts.lambda.invokeLater(arnOf(found), event);
    return { status: 202, headers: {}, body: new Uint8Array() };
  }
  if (type !== 'RequestResponse') {
    throw lambdaError('InvalidParameterValueException', `Value '${type}' at 'invocationType' is none.`);
  }
  const { payload, error, log } = await parts.lambda.invoke(arnOf(found), event);
  const wantsLog = request.headers.get('x-amz-log-type') === 'Tail';
  return {
    status: 200,
    headers: {
      'Content-Type': 'application/json',
      'X-Amz-Executed-Version': '$LATEST',
      ...(error === undefined ? {} : { 'X-Amz-Function-Error': error }),
      ...(wantsLog
        ? { 'X-Amz-Log-Result': Buffer.from(log).subarray(-LOG_TAIL_BYTES).toString('base64') }
        : {}),
    },
    body: Buffer.from(payload),
  };
}

async function addPermission(parts: Parts, request: LambdaRequest): Promise<RestResponse> {
  const found = open(parts, request, 'lambda:AddPermission');
  const input = await readInput(request, permissionSchema);
  const statement = renderPermission(found, {
    statementId: input.StatementId,
    action: input.Action,
    principal: input.Principal,
    sourceArn: input.SourceArn,
    sourceAccount: input.SourceAccount,
  });
  parts.lambda.addPermission(arnOf(found), statement);
  return json({ Statement: JSON.stringify(statement) }, 201);
}

/** What AddPermission, or AWS::Lambda::Permission, says. */
export interface Permission {
  readonly statementId: string;
  readonly action: string;
  /** A service, an account, or the ARN of a user or role. */
  readonly principal: string;
  readonly sourceArn?: string | undefined;
  readonly sourceAccount?: string | undefined;
}

/** Writes a permission as the statement of a function's policy. */
export function renderPermission(found: LambdaFunction, permission: Permission): PermissionStatement {
  const { statementId, action, principal, sourceArn, sourceAccount } = permission;
  const isService = /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/.test(principal);
  const account = /^[0-9]{12}$/.test(principal) ? `arn:aws:iam::${principal}:root` : principal;
  const condition = {
    ...(sourceArn === undefined ? {} : { ArnLike: { 'AWS:SourceArn': sourceArn } }),
    ...(sourceAccount === undefined ? {} : { StringEquals: { 'AWS:SourceAccount': sourceAccount } }),
  };
  return {
    Sid: statementId,
    Effect: 'Allow',
    Principal: principal === '*' ? '*' : isService ? { Service: principal } : { AWS: account },
    Action: action,
    Resource: arnOf(found),
    ...(Object.keys(condition).length === 0 ? {} : { Condition: condition }),
  };
}

function getPolicy(parts: Parts, request: LambdaRequest): RestResponse {
  const found = open(parts, request, 'lambda:GetPolicy');
  if (found.policy.length === 0) throw notFound();
  return json({ Policy: policyText(found), RevisionId: found.revisionId });
}

function removePermission(parts: Parts, request: LambdaRequest): RestResponse {
  parts.lambda.removePermission(
    arnOf(open(parts, request, 'lambda:RemovePermission')),
    request.names[1] ?? '',
  );
  return { status: 204, headers: {}, body: new Uint8Array() };
}

/** Function as the API shows it. Source: Lambda API Reference, "FunctionConfiguration". */
function describe(found: LambdaFunction): object {
  const { settings, code, modifiedAt } = found;
  const hasVariables = Object.keys(settings.variables).length > 0;
  return {
    FunctionName: found.name,
    FunctionArn: arnOf(found),
    Runtime: settings.runtime,
    Role: settings.role,
    Handler: settings.handler,
    CodeSize: code.size,
    Description: settings.description,
    Timeout: settings.timeout,
    MemorySize: settings.memory,
    LastModified: new Date(modifiedAt).toISOString().replace('Z', '+0000'),
    CodeSha256: code.sha256,
    Version: '$LATEST',
    ...(hasVariables ? { Environment: { Variables: settings.variables } } : {}),
    TracingConfig: { Mode: 'PassThrough' },
    RevisionId: found.revisionId,
    State: 'Active',
    LastUpdateStatus: 'Successful',
    PackageType: 'Zip',
    Architectures: [settings.architecture],
  };
}
