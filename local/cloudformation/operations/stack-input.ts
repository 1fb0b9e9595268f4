import { createHash, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { assertAllowed } from '../../aws/authorization.ts';
import { AwsServiceError, type AuthenticatedRequest } from '../../aws/plumbing.ts';
import { validationError } from '../errors.ts';
import { planChanges, type Plan } from '../stacks/plan-changes.ts';
import type { Actor, Stack, StackOperation, StackShape } from '../stacks/stack-record.ts';
import { assertRules, makeScope } from '../stacks/template-scope.ts';
import { resolveParameters } from '../template/parameters.ts';
import type { Template } from '../template/template.ts';
import { assertCapabilities } from './capabilities.ts';
import { arnOf, flagSchema, placeOf, type CloudFormationContext } from './context.ts';
import { readChecked, readTemplateText, templateMembers } from './template-source.ts';

const emptyList = z.literal('').transform(() => []);
const parameterSchema = z
  .object({
    ParameterKey: z.string().min(1).max(255),
    ParameterValue: z.string().max(4096).optional(),
    UsePreviousValue: flagSchema,
    ResolvedValue: z.string().optional(),
  })
  .transform(({ ParameterKey: key, ParameterValue: value, UsePreviousValue: usePreviousValue }) => ({
    key,
    value,
    usePreviousValue,
  }));
const tagSchema = z.object({ Key: z.string().min(1).max(128), Value: z.string().max(256) });

/** Members that CreateStack, UpdateStack and CreateChangeSet have in common. */
export const shapeMembers = {
  ...templateMembers,
  Parameters: z.union([z.array(parameterSchema).max(200), emptyList]).optional(),
  Capabilities: z
    .union([z.array(z.enum(['CAPABILITY_IAM', 'CAPABILITY_NAMED_IAM', 'CAPABILITY_AUTO_EXPAND'])), emptyList])
    .optional(),
  Tags: z.union([z.array(tagSchema).max(50), emptyList]).optional(),
  RoleARN: z.string().min(20).max(2048).optional(),
  // StackPolicyURL, StackPolicyDuringUpdateURL and ResourceTypes restrict what an operation may do at AWS: the stand-in
  // implements none of them, and refuses a request that has one.
  StackPolicyURL: z.undefined().optional(),
  StackPolicyDuringUpdateURL: z.undefined().optional(),
  ResourceTypes: z.undefined().optional(),
  ClientRequestToken: z
    .string()
    .min(1)
    .max(128)
    .regex(/^[a-zA-Z0-9][-a-zA-Z0-9]*$/)
    .optional(),
};
const shapeSchema = z.object(shapeMembers);
type ShapeInput = z.output<typeof shapeSchema>;

/** Stack as a request wants it, checked as far as nothing has to be done. */
export interface WantedStack {
  readonly template: Template;
  readonly shape: StackShape;
}

/**
 * Reads the stack that a request wants: template, parameters, capabilities, rules.
 * @throws AwsServiceError ValidationError, InsufficientCapabilitiesException
 */
export async function readWanted(
  context: CloudFormationContext,
  request: AuthenticatedRequest,
  input: ShapeInput,
  stack: Stack,
): Promise<WantedStack> {
  const isNew = Object.keys(stack.resources).length === 0 && stack.shape.templateText === '';
  const templateText = await readTemplateText(
    context,
    request,
    input,
    isNew ? undefined : stack.shape.templateText,
  );
  const template = readChecked(context, templateText);
  const parameters = resolveParameters(template.parameters, {
    given: input.Parameters ?? [],
    previous: isNew ? undefined : stack.shape.parameters,
  });
  const ssm = [...template.parameters].find(([, { ssm: isHeld }]) => isHeld);
  if (ssm !== undefined) {
    throw validationError(`Parameter ${ssm[0]}: values in Systems Manager are not read by this stand-in`);
  }
  assertCapabilities(template, input.Capabilities ?? []);
  const place = {
    accountId: stack.accountId,
    region: stack.region,
    stackId: stack.id,
    stackName: stack.name,
  };
  const none = { reference: () => undefined, attribute: () => undefined, exported: () => undefined };
  assertRules(template, makeScope({ template, place, parameters, values: none }));
  const roleArn = input.RoleARN ?? stack.shape.roleArn;
  return {
    template,
    shape: {
      ...(template.description === undefined ? {} : { description: template.description }),
      templateText,
      parameters,
      tags:
        input.Tags === undefined
          ? stack.shape.tags
          : Object.fromEntries(input.Tags.map(({ Key, Value }) => [Key, Value])),
      capabilities: input.Capabilities ?? [],
      outputs: [],
      ...(roleArn === undefined ? {} : { roleArn }),
    },
  };
}

/** Derives the changes that a wanted shape brings to a stack. @throws AwsServiceError ValidationError */
export function planFor({ store, registry }: CloudFormationContext, stack: Stack, shape: StackShape): Plan {
  return planChanges({
    registry,
    stack,
    shape,
    exported: (wanted) =>
      store
        .list(stack)
        .filter(({ status, id }) => status !== 'DELETE_COMPLETE' && id !== stack.id)
        .flatMap((other) => other.shape.outputs)
        .find(({ exportName }) => exportName === wanted)?.value,
  });
}

/** Makes a stack that has no resources yet. */
export function newStack(request: AuthenticatedRequest, name: string, status: string): Stack {
  const place = placeOf(request);
  return {
    id: arnOf(place, `stack/${name}/${randomUUID()}`),
    name,
    ...place,
    createdAt: request.now,
    status,
    shape: { templateText: '', parameters: {}, tags: {}, capabilities: [], outputs: [] },
    terminationProtection: false,
    disableRollback: false,
    resources: {},
  };
}

/** Revision of a stack: another as soon as anything of it is another. */
export function revisionOf({ shape, resources, status }: Stack): string {
  return createHash('sha256')
    .update(JSON.stringify([shape, resources, status]))
    .digest('hex');
}

/**
 * Decides for whom a stack's operation calls other services: its service role, or whoever asks.
 * @throws AwsServiceError ValidationError, AccessDenied
 */
export function actorOf(
  { directory }: CloudFormationContext,
  request: AuthenticatedRequest,
  roleArn: string | undefined,
): Actor {
  const { caller, policies, userId, issuedAt } = request.credential;
  const { sourceIp, now } = request;
  if (roleArn === undefined) {
    return { caller, policies: [...policies], userId, issuedAt, isServiceRole: false, sourceIp };
  }
  const service = 'cloudformation.amazonaws.com';
  assertAllowed(request, {
    action: 'iam:PassRole',
    resource: roleArn,
    keys: { 'iam:PassedToService': service },
  });
  const role = directory.findRole(roleArn);
  if (role?.accountId !== caller.accountId || !directory.trustsService(roleArn, service, now)) {
    throw validationError(`Role ${roleArn} is invalid or cannot be assumed`);
  }
  const session = 'AWSCloudFormation';
  return {
    caller: {
      type: 'session',
      accountId: role.accountId,
      roleArn,
      sessionArn: `arn:aws:sts::${role.accountId}:assumed-role/${role.name}/${session}`,
    },
    policies: [...role.policies],
    userId: `${role.id}:${session}`,
    issuedAt: now,
    isServiceRole: true,
    sourceIp: 'cloudformation.amazonaws.com',
  };
}

/** Makes the record of an operation that begins now. */
export function newOperation(
  request: AuthenticatedRequest,
  fields: Pick<StackOperation, 'kind' | 'phase' | 'actor'> & Partial<StackOperation>,
): StackOperation {
  return {
    id: randomUUID(),
    onFailure: 'ROLLBACK',
    startedAt: request.now,
    obsolete: [],
    retained: [],
    ...fields,
  };
}

/** Stack as it is before an update, for its rollback. */
export function snapshotOf({ shape, resources, status }: Stack): NonNullable<StackOperation['previous']> {
  return { shape, resources, status };
}

/** States in which a stack takes an update. */
const UPDATABLE = [
  'CREATE_COMPLETE',
  'UPDATE_COMPLETE',
  'UPDATE_ROLLBACK_COMPLETE',
  'IMPORT_COMPLETE',
  'UPDATE_FAILED',
  'CREATE_FAILED',
];

/** Asserts that a stack takes an update now. @throws AwsServiceError ValidationError */
export function assertUpdatable(stack: Stack): void {
  if (UPDATABLE.includes(stack.status) && stack.operation === undefined) return;
  throw validationError(`Stack:${stack.id} is in ${stack.status} state and can not be updated.`);
}

/** Refusal of a stack whose name is taken. */
export function alreadyExists(name: string): AwsServiceError {
  return new AwsServiceError('AlreadyExistsException', `Stack [${name}] already exists`);
}
