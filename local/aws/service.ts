import { z } from 'zod';
import { buildRequestContext, type RequestContext } from '../../attestation/key-policy/index.ts';
import { callerArn, type Credential } from './directory.ts';
import { AwsServiceError } from './errors.ts';

/** A request whose signature was verified. */
export interface AuthenticatedRequest {
  readonly operation: string;
  /** The JSON body, not yet looked at. */
  readonly input: unknown;
  readonly credential: Credential;
  readonly region: string;
  readonly sourceIp: string;
  /** Milliseconds since 1970, by the clock of the local AWS. */
  readonly now: number;
}

/** One AWS service that speaks the JSON 1.1 protocol. */
export interface AwsService {
  /** As in its host name and in a signature's scope. */
  readonly name: string;
  /** What `X-Amz-Target` begins with. */
  readonly targetPrefix: string;
  readonly operations: Readonly<Record<string, (request: AuthenticatedRequest) => unknown>>;
}

/**
 * Reads an operation's input. Members that the schema does not know are left out, as AWS does.
 * @throws AwsServiceError SerializationException for a wrong type, ValidationException for a value out of bounds
 */
export function parseInput<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue?.path.join('.') ?? '';
  if (issue?.code === 'invalid_type' && issue.message !== MISSING) {
    throw new AwsServiceError('SerializationException', `Unexpected type at '${path}'`);
  }
  throw new AwsServiceError(
    'ValidationException',
    `1 validation error detected: Value at '${path}' failed to satisfy constraint: ${issue?.message ?? ''}`,
  );
}

const MISSING = 'Member must not be null';
/** The options that make zod tell a missing member from one of a wrong type. */
export const required = {
  error: (issue: { readonly input?: unknown }): string | undefined =>
    issue.input === undefined || issue.input === null ? MISSING : undefined,
};

/** A member that may be absent or null, which are the same to AWS. */
export function optional<Schema extends z.ZodType>(schema: Schema): z.ZodType<z.output<Schema> | undefined> {
  return schema.nullish().transform((value) => value ?? undefined);
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** A blob: base64 in JSON, bounded in bytes. */
export function blob(min: number, max: number): z.ZodType<Uint8Array> {
  return z
    .string(required)
    .regex(BASE64, { error: 'Member must be base64' })
    .transform((text) => new Uint8Array(Buffer.from(text, 'base64')))
    .refine((bytes) => bytes.length >= min && bytes.length <= max, {
      error: `Member must have length between ${min} and ${max}`,
    });
}

/**
 * The global condition keys that any request carries.
 * Source: IAM User Guide, "AWS global condition context keys".
 */
export function globalContext(request: AuthenticatedRequest): RequestContext {
  const { caller, userId, issuedAt } = request.credential;
  const principalArn = caller.type === 'session' ? caller.roleArn : callerArn(caller);
  const types = { session: 'AssumedRole', user: 'User', root: 'Account' } as const;
  return buildRequestContext([
    ['aws:PrincipalArn', principalArn],
    ['aws:PrincipalAccount', caller.accountId],
    ['aws:PrincipalType', types[caller.type]],
    ['aws:PrincipalIsAWSService', 'false'],
    ['aws:userid', userId],
    ['aws:username', caller.type === 'user' ? principalArn.split('/').at(-1) : undefined],
    ['aws:TokenIssueTime', caller.type === 'session' ? new Date(issuedAt).toISOString() : undefined],
    ['aws:CurrentTime', new Date(request.now).toISOString()],
    ['aws:EpochTime', String(Math.floor(request.now / 1000))],
    ['aws:RequestedRegion', request.region],
    ['aws:SecureTransport', 'true'],
    ['aws:SourceIp', request.sourceIp],
    ['aws:ViaAWSService', 'false'],
  ]);
}
