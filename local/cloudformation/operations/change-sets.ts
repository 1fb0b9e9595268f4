import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { AwsServiceError, type AuthenticatedRequest } from '../../aws/plumbing.ts';
import { validationError } from '../errors.ts';
import { makeMask, type Mask } from '../stacks/no-echo.ts';
import type { Change, ChangeSet, Stack } from '../stacks/stack-record.ts';
import {
  arnOf,
  authorizeStack,
  findStack,
  flagSchema,
  pageOf,
  placeOf,
  readInput,
  stackNameSchema,
  stackNotFound,
  type CloudFormationContext,
} from './context.ts';
import { showParameters, showTags } from './described.ts';
import {
  actorOf,
  alreadyExists,
  assertUpdatable,
  newOperation,
  newStack,
  planFor,
  readWanted,
  revisionOf,
  shapeMembers,
  snapshotOf,
} from './stack-input.ts';
import { assertPolicyAllows } from './stack-policy.ts';
import { begin, newNameSchema } from './stacks.ts';

const nameSchema = z
  .string()
  .min(1)
  .max(1600)
  .regex(/^(?:[a-zA-Z][-a-zA-Z0-9]{0,127}|arn:[-a-zA-Z0-9:/]*)$/);
const createSchema = z.object({
  StackName: stackNameSchema,
  ChangeSetName: newNameSchema,
  ...shapeMembers,
  Description: z.string().min(1).max(1024).optional(),
  ChangeSetType: z.enum(['CREATE', 'UPDATE', 'IMPORT']).optional(),
  OnStackFailure: z.enum(['DO_NOTHING', 'ROLLBACK', 'DELETE']).optional(),
});
const namedSchema = z.object({
  ChangeSetName: nameSchema,
  StackName: stackNameSchema.optional(),
});
const describeSchema = namedSchema.extend({
  IncludePropertyValues: flagSchema,
  NextToken: z.string().min(1).max(1024).optional(),
});
const executeSchema = namedSchema.extend({
  ClientRequestToken: shapeMembers.ClientRequestToken,
  DisableRollback: flagSchema,
});
const listSchema = z.object({
  StackName: stackNameSchema,
  NextToken: z.string().min(1).max(1024).optional(),
});

const NOTHING_CHANGES =
  "The submitted information didn't contain changes. Submit different information to create a change set.";
/** Changes of one page, as AWS sends. */
const PAGE = 100;
const MAX_CHANGE_SETS = 1000;

/** Source: AWS CloudFormation API Reference, "CreateChangeSet". */
export async function createChangeSet(
  context: CloudFormationContext,
  request: AuthenticatedRequest,
): Promise<object> {
  const input = readInput(createSchema, request);
  const { StackName: stackName, ChangeSetName: name, ChangeSetType: kind = 'UPDATE' } = input;
  const known = context.store.find(placeOf(request), stackName);
  authorizeStack(request, known?.id ?? stackName, {
    'cloudformation:ChangeSetName': name,
    'cloudformation:TemplateUrl': input.TemplateURL,
    'cloudformation:RoleArn': input.RoleARN,
  });
  if (kind === 'IMPORT') throw validationError('Resources are not imported by this stand-in');
  const empty = findOrBegin(context, request, known, { kind, stackName });
  const { shape } = await readWanted(context, request, input, empty);
  const stack = context.store.get(empty.id) ?? empty;
  if (kind === 'UPDATE') assertUpdatable(stack);
  if (known === undefined && context.store.find(placeOf(request), stackName) !== undefined) {
    throw alreadyExists(stackName);
  }
  const others = context.store.changeSets(stack.id);
  if (others.some((other) => other.name === name)) {
    throw new AwsServiceError(
      'AlreadyExistsException',
      `ChangeSet ${name} already exists for stack ${stack.id}`,
    );
  }
  if (others.length >= MAX_CHANGE_SETS) {
    throw new AwsServiceError('LimitExceededException', `Stack ${stack.id} has too many change sets`);
  }
  const { changes, isChange } = planFor(context, stack, shape);
  actorOf(context, request, shape.roleArn);
  if (known === undefined) {
    context.store.save(stack);
    context.runner.showStack(stack.id, 'User Initiated');
  }
  const changeSet = context.store.saveChangeSet({
    id: arnOf(placeOf(request), `changeSet/${name}/${randomUUID()}`),
    name,
    stackId: stack.id,
    stackName: stack.name,
    kind,
    createdAt: request.now,
    ...(input.Description === undefined ? {} : { description: input.Description }),
    ...(isChange
      ? { status: 'CREATE_COMPLETE', executionStatus: 'AVAILABLE' }
      : { status: 'FAILED', reason: NOTHING_CHANGES, executionStatus: 'UNAVAILABLE' }),
    shape,
    changes: [...changes],
    basis: revisionOf(stack),
    ...(input.OnStackFailure === undefined ? {} : { onFailure: input.OnStackFailure }),
  });
  return { Id: changeSet.id, StackId: stack.id };
}

function findOrBegin(
  context: CloudFormationContext,
  request: AuthenticatedRequest,
  known: Stack | undefined,
  { kind, stackName }: { readonly kind: 'CREATE' | 'UPDATE'; readonly stackName: string },
): Stack {
  if (kind === 'UPDATE') {
    if (known === undefined) throw validationError(`Stack [${stackName}] does not exist`);
    assertUpdatable(known);
    return known;
  }
  if (known === undefined) {
    if (stackName.startsWith('arn:')) throw stackNotFound(stackName);
    return newStack(request, stackName, 'REVIEW_IN_PROGRESS');
  }
  if (known.status !== 'REVIEW_IN_PROGRESS') {
    throw validationError(
      `Stack [${known.name}] already exists and cannot be created again with the changeSet type CREATE.`,
    );
  }
  return known;
}

/** Finds a change set by its ARN, or by its name and its stack's. @throws AwsServiceError ChangeSetNotFound */
function findChangeSet(
  context: CloudFormationContext,
  request: AuthenticatedRequest,
  { ChangeSetName: name, StackName: stackName }: z.output<typeof namedSchema>,
): { readonly stack: Stack; readonly changeSet: ChangeSet | undefined } {
  if (!name.startsWith('arn:')) {
    if (stackName === undefined)
      throw validationError('StackName must be specified if ChangeSetName is not specified as an ARN.');
    const stack = findStack(context, request, stackName, { 'cloudformation:ChangeSetName': name });
    return { stack, changeSet: context.store.changeSets(stack.id).find((one) => one.name === name) };
  }
  const place = placeOf(request);
  const found = context.store
    .list(place)
    .flatMap((stack) => context.store.changeSets(stack.id).map((changeSet) => ({ stack, changeSet })))
    .find(({ changeSet }) => changeSet.id === name);
  authorizeStack(request, found?.stack.id ?? name, { 'cloudformation:ChangeSetName': found?.changeSet.name });
  if (found === undefined) throw changeSetNotFound(name);
  return found;
}

function changeSetNotFound(name: string): AwsServiceError {
  return new AwsServiceError('ChangeSetNotFound', `ChangeSet [${name}] does not exist`, 404);
}

/** Execution status as it is now: what was derived from another state of the stack is obsolete. */
function executionStatusOf(stack: Stack, { executionStatus, basis }: ChangeSet): string {
  return executionStatus === 'AVAILABLE' && basis !== revisionOf(stack) ? 'OBSOLETE' : executionStatus;
}

/** Source: AWS CloudFormation API Reference, "DescribeChangeSet". */
export function describeChangeSet(context: CloudFormationContext, request: AuthenticatedRequest): object {
  const input = readInput(describeSchema, request);
  const { stack, changeSet } = findChangeSet(context, request, input);
  if (changeSet === undefined) throw changeSetNotFound(input.ChangeSetName);
  const { page, next } = pageOf(changeSet.changes, input.NextToken, PAGE);
  const { shape } = changeSet;
  const mask = makeMask(shape, stack.shape);
  return {
    ChangeSetName: changeSet.name,
    ChangeSetId: changeSet.id,
    StackId: changeSet.stackId,
    StackName: changeSet.stackName,
    Description: changeSet.description,
    Parameters: showParameters(shape),
    CreationTime: new Date(changeSet.createdAt),
    ExecutionStatus: executionStatusOf(stack, changeSet),
    Status: changeSet.status,
    StatusReason: changeSet.reason,
    NotificationARNs: [],
    RollbackConfiguration: {},
    Capabilities: shape.capabilities,
    Tags: showTags(shape.tags),
    Changes: page.map((change) => ({
      Type: 'Resource',
      ResourceChange: showChange(change, mask, input.IncludePropertyValues ?? false),
    })),
    NextToken: next,
    IncludeNestedStacks: false,
    OnStackFailure: changeSet.onFailure,
  };
}

function showChange(change: Change, mask: Mask, withValues: boolean): object {
  const show = (value: Change['details'][number]['before']): string | undefined =>
    !withValues || value === undefined
      ? undefined
      : mask(typeof value === 'string' ? value : JSON.stringify(value));
  return {
    PolicyAction: change.policyAction,
    Action: change.action,
    LogicalResourceId: change.logicalId,
    PhysicalResourceId: change.physicalId,
    ResourceType: change.type,
    Replacement: change.replacement,
    Scope: change.scope,
    Details: change.details.map((detail) => ({
      Target: {
        Attribute: detail.attribute,
        Name: detail.name,
        RequiresRecreation: detail.requiresRecreation,
        ...(withValues
          ? {
              Path: detail.path,
              BeforeValue: show(detail.before),
              AfterValue: show(detail.after),
              AttributeChangeType:
                detail.before === undefined ? 'Add' : detail.after === undefined ? 'Remove' : 'Modify',
            }
          : {}),
      },
      Evaluation: detail.evaluation,
      ChangeSource: detail.source,
      CausingEntity: detail.causingEntity,
    })),
  };
}

/** Source: AWS CloudFormation API Reference, "ListChangeSets". */
export function listChangeSets(context: CloudFormationContext, request: AuthenticatedRequest): object {
  const input = readInput(listSchema, request);
  const stack = findStack(context, request, input.StackName);
  const { page, next } = pageOf(context.store.changeSets(stack.id), input.NextToken, PAGE);
  return {
    Summaries: page.map((changeSet) => ({
      StackId: changeSet.stackId,
      StackName: changeSet.stackName,
      ChangeSetId: changeSet.id,
      ChangeSetName: changeSet.name,
      ExecutionStatus: executionStatusOf(stack, changeSet),
      Status: changeSet.status,
      StatusReason: changeSet.reason,
      CreationTime: new Date(changeSet.createdAt),
      Description: changeSet.description,
      IncludeNestedStacks: false,
    })),
    NextToken: next,
  };
}

/** Source: AWS CloudFormation API Reference, "DeleteChangeSet". One that is not there is no error. */
export function deleteChangeSet(context: CloudFormationContext, request: AuthenticatedRequest): object {
  const input = readInput(namedSchema, request);
  const { changeSet } = findChangeSet(context, request, input);
  if (changeSet !== undefined) context.store.deleteChangeSet(changeSet.id);
  return {};
}

/** Source: AWS CloudFormation API Reference, "ExecuteChangeSet". Other change sets of the stack are deleted. */
export function executeChangeSet(context: CloudFormationContext, request: AuthenticatedRequest): object {
  const input = readInput(executeSchema, request);
  const { stack, changeSet } = findChangeSet(context, request, input);
  if (changeSet === undefined) throw changeSetNotFound(input.ChangeSetName);
  const isNew = changeSet.kind === 'CREATE' && stack.status === 'REVIEW_IN_PROGRESS';
  if (changeSet.status !== 'CREATE_COMPLETE') {
    throw invalidStatus(
      `ChangeSet [${changeSet.id}] cannot be executed in its current status of [${changeSet.status}]`,
    );
  }
  if (!isNew) assertUpdatable(stack);
  const executionStatus = executionStatusOf(stack, changeSet);
  if (executionStatus !== 'AVAILABLE') {
    throw invalidStatus(
      `ChangeSet [${changeSet.id}] cannot be executed in its current execution status of [${executionStatus}]`,
    );
  }
  if (!isNew) assertPolicyAllows(stack.stackPolicy, changeSet.changes);
  const actor = actorOf(context, request, changeSet.shape.roleArn);
  const disabled = input.DisableRollback ?? false;
  const started = context.store.save({
    ...stack,
    status: isNew ? 'CREATE_IN_PROGRESS' : 'UPDATE_IN_PROGRESS',
    reason: undefined,
    ...(isNew ? {} : { updatedAt: request.now }),
    shape: changeSet.shape,
    disableRollback: disabled,
    changeSetId: changeSet.id,
    operation: newOperation(request, {
      kind: isNew ? 'create' : 'update',
      phase: 'apply',
      actor,
      onFailure: changeSet.onFailure ?? (disabled ? 'DO_NOTHING' : 'ROLLBACK'),
      ...(isNew ? {} : { previous: snapshotOf(stack) }),
      ...(input.ClientRequestToken === undefined ? {} : { clientToken: input.ClientRequestToken }),
    }),
  });
  context.store.saveChangeSet({ ...changeSet, executionStatus: 'EXECUTE_COMPLETE' });
  for (const { id } of context.store.changeSets(stack.id)) {
    if (id !== changeSet.id) context.store.deleteChangeSet(id);
  }
  begin(context, started);
  return {};
}

function invalidStatus(message: string): AwsServiceError {
  return new AwsServiceError('InvalidChangeSetStatus', message);
}
