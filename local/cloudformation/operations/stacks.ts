import { z } from 'zod';
import { AwsServiceError, type AuthenticatedRequest } from '../../aws/plumbing.ts';
import { validationError } from '../errors.ts';
import type { Stack } from '../stacks/stack-record.ts';
import {
  authorizeStack,
  findStack,
  flagSchema,
  numberSchema,
  placeOf,
  readInput,
  stackNameSchema,
  type CloudFormationContext,
} from './context.ts';
import {
  actorOf,
  alreadyExists,
  assertUpdatable,
  newOperation,
  newStack,
  planFor,
  readWanted,
  shapeMembers,
  snapshotOf,
} from './stack-input.ts';
import { assertPolicyAllows, parseStackPolicy } from './stack-policy.ts';

/** Name of a stack that is to be made. */
export const newNameSchema = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[a-zA-Z][-a-zA-Z0-9]*$/);

const createSchema = z.object({
  StackName: newNameSchema,
  ...shapeMembers,
  DisableRollback: flagSchema,
  OnFailure: z.enum(['DO_NOTHING', 'ROLLBACK', 'DELETE']).optional(),
  TimeoutInMinutes: numberSchema,
  EnableTerminationProtection: flagSchema,
  StackPolicyBody: z.string().min(1).max(16_384).optional(),
});
const updateSchema = z.object({
  StackName: stackNameSchema,
  ...shapeMembers,
  DisableRollback: flagSchema,
  StackPolicyBody: z.string().min(1).max(16_384).optional(),
  StackPolicyDuringUpdateBody: z.string().min(1).max(16_384).optional(),
});
const stackSchema = z.object({ StackName: stackNameSchema });
const deleteSchema = stackSchema.extend({
  RoleARN: z.string().min(20).max(2048).optional(),
  ClientRequestToken: shapeMembers.ClientRequestToken,
  RetainResources: z.union([z.array(z.string()), z.literal('').transform(() => [])]).optional(),
  DeletionMode: z.literal('STANDARD').optional(),
});
const protectionSchema = stackSchema.extend({
  EnableTerminationProtection: z.enum(['true', 'false']).transform((text) => text === 'true'),
});
const policySchema = stackSchema.extend({ StackPolicyBody: z.string().min(1).max(16_384).optional() });

/** Source: AWS CloudFormation API Reference, "CreateStack". */
export async function createStack(
  context: CloudFormationContext,
  request: AuthenticatedRequest,
): Promise<object> {
  const input = readInput(createSchema, request);
  const { StackName: name, OnFailure: onFailure, DisableRollback: disabled } = input;
  authorizeStack(request, name, {
    'cloudformation:TemplateUrl': input.TemplateURL,
    'cloudformation:RoleArn': input.RoleARN,
  });
  if (onFailure !== undefined && disabled !== undefined) {
    throw validationError('Either DisableRollback or OnFailure can be specified, not both.');
  }
  if (context.store.find(placeOf(request), name) !== undefined) throw alreadyExists(name);
  const empty = newStack(request, name, 'CREATE_IN_PROGRESS');
  const { shape } = await readWanted(context, request, input, empty);
  planFor(context, empty, shape);
  const actor = actorOf(context, request, shape.roleArn);
  if (input.StackPolicyBody !== undefined) parseStackPolicy(input.StackPolicyBody);
  // Reading the template takes its time, in which another may have made the stack.
  if (context.store.find(placeOf(request), name) !== undefined) throw alreadyExists(name);
  const { TimeoutInMinutes: minutes } = input;
  const stack = context.store.save({
    ...empty,
    shape,
    terminationProtection: input.EnableTerminationProtection ?? false,
    disableRollback: disabled ?? onFailure === 'DO_NOTHING',
    ...(minutes === undefined ? {} : { timeoutInMinutes: minutes }),
    ...(input.StackPolicyBody === undefined ? {} : { stackPolicy: input.StackPolicyBody }),
    operation: newOperation(request, {
      kind: 'create',
      phase: 'apply',
      actor,
      onFailure: onFailure ?? (disabled === true ? 'DO_NOTHING' : 'ROLLBACK'),
      ...(minutes === undefined ? {} : { deadline: request.now + minutes * 60_000 }),
      ...(input.ClientRequestToken === undefined ? {} : { clientToken: input.ClientRequestToken }),
    }),
  });
  begin(context, stack);
  return { StackId: stack.id };
}

/** Source: AWS CloudFormation API Reference, "UpdateStack". */
export async function updateStack(
  context: CloudFormationContext,
  request: AuthenticatedRequest,
): Promise<object> {
  const input = readInput(updateSchema, request);
  const known = findStack(context, request, input.StackName, {
    'cloudformation:TemplateUrl': input.TemplateURL,
    'cloudformation:RoleArn': input.RoleARN,
  });
  assertUpdatable(known);
  const { shape } = await readWanted(context, request, input, known);
  const stack = context.store.get(known.id) ?? known;
  assertUpdatable(stack);
  const plan = planFor(context, stack, shape);
  if (!plan.isChange) throw validationError('No updates are to be performed.');
  assertPolicyAllows(input.StackPolicyDuringUpdateBody ?? stack.stackPolicy, plan.changes);
  const actor = actorOf(context, request, shape.roleArn);
  if (input.StackPolicyBody !== undefined) parseStackPolicy(input.StackPolicyBody);
  const updated = context.store.save({
    ...stack,
    status: 'UPDATE_IN_PROGRESS',
    reason: undefined,
    updatedAt: request.now,
    shape,
    disableRollback: input.DisableRollback ?? false,
    ...(input.StackPolicyBody === undefined ? {} : { stackPolicy: input.StackPolicyBody }),
    operation: newOperation(request, {
      kind: 'update',
      phase: 'apply',
      actor,
      previous: snapshotOf(stack),
      ...(input.ClientRequestToken === undefined ? {} : { clientToken: input.ClientRequestToken }),
    }),
  });
  begin(context, updated);
  return { StackId: stack.id };
}

/** Shows that an operation begins, and starts it. */
export function begin({ runner }: CloudFormationContext, { id }: Stack): void {
  runner.showStack(id, 'User Initiated');
  runner.start(id);
}

/** Source: AWS CloudFormation API Reference, "DeleteStack". One that is not there is no error. */
export function deleteStack(context: CloudFormationContext, request: AuthenticatedRequest): undefined {
  const input = readInput(deleteSchema, request);
  const stack = context.store.find(placeOf(request), input.StackName);
  authorizeStack(request, stack?.id ?? input.StackName, { 'cloudformation:RoleArn': input.RoleARN });
  if (stack === undefined || stack.status === 'DELETE_COMPLETE') return;
  if (stack.terminationProtection) {
    throw validationError(`Stack [${stack.name}] cannot be deleted while TerminationProtection is enabled`);
  }
  if (stack.status === 'DELETE_IN_PROGRESS') return;
  if (stack.operation !== undefined) {
    throw validationError(`Stack [${stack.id}] cannot be deleted while in status ${stack.status}`);
  }
  const retained = input.RetainResources ?? [];
  if (retained.length > 0 && stack.status !== 'DELETE_FAILED') {
    throw validationError(
      `Invalid operation on stack [${stack.id}]. RetainResources can only be specified for a stack in DELETE_FAILED state.`,
    );
  }
  const unknown = retained.filter((id) => stack.resources[id]?.status !== 'DELETE_FAILED');
  if (unknown.length > 0) {
    throw validationError(
      `The following resources to retain do not exist or did not fail: [${unknown.join(', ')}]`,
    );
  }
  assertExportsUnused(context, stack);
  if (stack.status === 'REVIEW_IN_PROGRESS') {
    for (const { id } of context.store.changeSets(stack.id)) context.store.deleteChangeSet(id);
  }
  const actor = actorOf(context, request, input.RoleARN ?? stack.shape.roleArn);
  const deleting = context.store.save({
    ...stack,
    status: 'DELETE_IN_PROGRESS',
    reason: undefined,
    operation: newOperation(request, {
      kind: 'delete',
      phase: 'delete',
      actor,
      retained,
      ...(input.ClientRequestToken === undefined ? {} : { clientToken: input.ClientRequestToken }),
    }),
  });
  begin(context, deleting);
}

function assertExportsUnused({ store }: CloudFormationContext, stack: Stack): void {
  const names = stack.shape.outputs.flatMap(({ exportName }) => exportName ?? []);
  for (const other of store.list(stack)) {
    if (other.id === stack.id || other.status === 'DELETE_COMPLETE') continue;
    const used = names.find(
      (name) => other.shape.templateText.includes(name) && /ImportValue/.test(other.shape.templateText),
    );
    if (used === undefined) continue;
    throw validationError(`Export ${used} cannot be deleted as it is in use by ${other.name}`);
  }
}

/** Source: AWS CloudFormation API Reference, "ContinueUpdateRollback". */
export function continueUpdateRollback(
  context: CloudFormationContext,
  request: AuthenticatedRequest,
): object {
  const { StackName: name } = readInput(stackSchema, request);
  const stack = findStack(context, request, name);
  if (stack.status !== 'UPDATE_ROLLBACK_FAILED' || stack.interrupted === undefined) {
    throw validationError(
      `Stack:${stack.id} is in ${stack.status} state and can not be continued to rollback.`,
    );
  }
  const { interrupted, ...rest } = stack;
  const actor = actorOf(context, request, stack.shape.roleArn);
  const again = context.store.save({
    ...rest,
    status: 'UPDATE_ROLLBACK_IN_PROGRESS',
    reason: undefined,
    operation: { ...interrupted, actor },
  });
  begin(context, again);
  return {};
}

/** Source: AWS CloudFormation API Reference, "UpdateTerminationProtection". */
export function updateTerminationProtection(
  context: CloudFormationContext,
  request: AuthenticatedRequest,
): object {
  const { StackName: name, EnableTerminationProtection: isProtected } = readInput(protectionSchema, request);
  const stack = findStack(context, request, name);
  if (stack.status === 'DELETE_IN_PROGRESS' || stack.status === 'DELETE_COMPLETE') {
    throw validationError(`Stack [${stack.name}] is in ${stack.status} state and can not be updated.`);
  }
  context.store.save({ ...stack, terminationProtection: isProtected });
  return { StackId: stack.id };
}

/** Source: AWS CloudFormation API Reference, "SetStackPolicy". */
export function setStackPolicy(context: CloudFormationContext, request: AuthenticatedRequest): undefined {
  const { StackName: name, StackPolicyBody: body } = readInput(policySchema, request);
  const stack = findStack(context, request, name);
  if (body === undefined) throw new AwsServiceError('ValidationError', 'StackPolicyBody is required here');
  parseStackPolicy(body);
  context.store.save({ ...stack, stackPolicy: body });
}

/** Source: AWS CloudFormation API Reference, "GetStackPolicy". */
export function getStackPolicy(context: CloudFormationContext, request: AuthenticatedRequest): object {
  const { StackName: name } = readInput(stackSchema, request);
  return { StackPolicyBody: findStack(context, request, name).stackPolicy };
}
