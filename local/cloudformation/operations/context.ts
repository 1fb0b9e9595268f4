import { z } from 'zod';
import { partitionOf } from '../../../shared/aws/partitions.ts';
import { assertAllowed } from '../../aws/authorization.ts';
import type { PrincipalDirectory } from '../../aws/directory.ts';
import { AwsServiceError, parseInput, type AuthenticatedRequest } from '../../aws/plumbing.ts';
import { validationError } from '../errors.ts';
import type { ResourceRegistry } from '../resources/registry.ts';
import type { StackRunner } from '../stacks/runner.ts';
import type { Stack } from '../stacks/stack-record.ts';
import type { Place, StackStore } from '../stacks/stack-store.ts';

/** Object in S3 that a TemplateURL names. */
export interface ObjectLocation {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string;
}

/** Reads an object as the caller of a request, whose permissions decide; at most so many bytes. */
export type ObjectReader = (
  request: AuthenticatedRequest,
  location: ObjectLocation,
  maxBytes: number,
) => Promise<Uint8Array>;

/** State and parts that CloudFormation's operations work with. */
export interface CloudFormationContext {
  readonly store: StackStore;
  readonly runner: StackRunner;
  readonly registry: ResourceRegistry;
  readonly directory: PrincipalDirectory;
  readonly readObject?: ObjectReader;
}

/** Operation of the stand-in: returns the content of a response's result, or nothing. */
export type CloudFormationOperation = (
  context: CloudFormationContext,
  request: AuthenticatedRequest,
) => unknown;

/** Reads an operation's input; CloudFormation has one name for all its refusals. @throws AwsServiceError ValidationError */
export function readInput<Schema extends z.ZodType>(
  schema: Schema,
  request: AuthenticatedRequest,
): z.output<Schema> {
  try {
    return parseInput(schema, request.input);
  } catch (error) {
    if (error instanceof AwsServiceError) throw validationError(error.message);
    throw error;
  }
}

/** Schema of a boolean of the query protocol. */
export const flagSchema = z
  .enum(['true', 'false'])
  .transform((text) => text === 'true')
  .optional();

/** Schema of a whole number of the query protocol. */
export const numberSchema = z
  .string()
  .regex(/^[0-9]{1,9}$/)
  .transform(Number)
  .optional();

/** Schema of a stack's name or ARN. */
export const stackNameSchema = z
  .string()
  .min(1)
  .max(2048)
  .regex(/^(?:[a-zA-Z][-a-zA-Z0-9]*|arn:[-a-zA-Z0-9:/._+]*)$/);

/** Account and Region of a request. */
export function placeOf({ credential, region }: AuthenticatedRequest): Place {
  return { accountId: credential.caller.accountId, region };
}

/** ARN of the resources of CloudFormation in a place: `…:stack/NAME/…`. */
export function arnOf({ accountId, region }: Place, rest: string): string {
  return `arn:${partitionOf(region)?.id ?? 'aws'}:cloudformation:${region}:${accountId}:${rest}`;
}

/** Asserts that the caller may do the request's operation with a stack, named or with its id. */
export function authorizeStack(
  request: AuthenticatedRequest,
  nameOrId: string,
  keys: Readonly<Record<string, string | undefined>> = {},
): void {
  const resource = nameOrId.startsWith('arn:') ? nameOrId : arnOf(placeOf(request), `stack/${nameOrId}/*`);
  assertAllowed(request, { action: `cloudformation:${request.operation}`, resource, keys });
}

/** Finds the stack that a request names, when the caller may. @throws AwsServiceError ValidationError, AccessDenied */
export function findStack(
  { store }: CloudFormationContext,
  request: AuthenticatedRequest,
  nameOrId: string,
  keys: Readonly<Record<string, string | undefined>> = {},
): Stack {
  const stack = store.find(placeOf(request), nameOrId);
  authorizeStack(request, stack?.id ?? nameOrId, keys);
  if (stack === undefined) throw stackNotFound(nameOrId);
  return stack;
}

/** Refusal for a stack that is not there. */
export function stackNotFound(nameOrId: string): AwsServiceError {
  return validationError(`Stack with id ${nameOrId} does not exist`);
}

/** Cuts a list into pages; the token is the position. @throws AwsServiceError ValidationError */
export function pageOf<Item>(
  items: readonly Item[],
  token: string | undefined,
  size: number,
): { readonly page: readonly Item[]; readonly next: string | undefined } {
  const start = token === undefined ? 0 : Number(Buffer.from(token, 'base64url').toString('utf8'));
  if (!Number.isSafeInteger(start) || start < 0 || start > items.length) {
    throw validationError('The specified pagination token is not valid');
  }
  const end = start + size;
  return {
    page: items.slice(start, end),
    next: end < items.length ? Buffer.from(String(end)).toString('base64url') : undefined,
  };
}
