import { z } from 'zod';
import { assertAllowed } from '../../aws/authorization.ts';
import type { AuthenticatedRequest } from '../../aws/plumbing.ts';
import { validationError } from '../errors.ts';
import { MASK } from '../stacks/no-echo.ts';
import type { Stack, StackEvent, StackResource, StackShape } from '../stacks/stack-record.ts';
import { parseTemplate } from '../template/template.ts';
import {
  arnOf,
  authorizeStack,
  findStack,
  pageOf,
  placeOf,
  readInput,
  stackNameSchema,
  type CloudFormationContext,
} from './context.ts';

const tokenSchema = z.string().min(1).max(1024).optional();
const optionalStackSchema = z.object({ StackName: stackNameSchema.optional(), NextToken: tokenSchema });
const stackSchema = z.object({ StackName: stackNameSchema, NextToken: tokenSchema });
const resourceSchema = z.object({
  StackName: stackNameSchema,
  LogicalResourceId: z.string().min(1).max(255),
});
const resourcesSchema = z.object({
  StackName: stackNameSchema.optional(),
  LogicalResourceId: z.string().min(1).max(255).optional(),
  PhysicalResourceId: z.string().min(1).max(2048).optional(),
});
const listSchema = z.object({
  StackStatusFilter: z.union([z.array(z.string()), z.literal('').transform(() => [])]).optional(),
  NextToken: tokenSchema,
});
const PAGE = 100;

/** Shows the parameters of a stack, those of NoEcho masked. */
export function showParameters({ templateText, parameters }: StackShape): object[] {
  const declarations = templateText === '' ? undefined : parseTemplate(templateText).parameters;
  return Object.entries(parameters).map(([name, value]) => ({
    ParameterKey: name,
    ParameterValue: declarations?.get(name)?.noEcho === true ? MASK : value,
  }));
}

/** Shows tags as a list. */
export function showTags(tags: Readonly<Record<string, string>>): object[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/** Source: AWS CloudFormation API Reference, "DescribeStacks". */
export function describeStacks(context: CloudFormationContext, request: AuthenticatedRequest): object {
  const input = readInput(optionalStackSchema, request);
  if (input.StackName !== undefined) {
    return { Stacks: [showStack(findStack(context, request, input.StackName))] };
  }
  assertAllowed(request, {
    action: 'cloudformation:DescribeStacks',
    resource: arnOf(placeOf(request), 'stack/*/*'),
  });
  const stacks = context.store.list(placeOf(request)).filter(({ status }) => status !== 'DELETE_COMPLETE');
  const { page, next } = pageOf(stacks, input.NextToken, PAGE);
  return { Stacks: page.map(showStack), NextToken: next };
}

function showStack(stack: Stack): object {
  const { shape } = stack;
  return {
    StackId: stack.id,
    StackName: stack.name,
    ChangeSetId: stack.changeSetId,
    Description: shape.description,
    Parameters: showParameters(shape),
    CreationTime: new Date(stack.createdAt),
    DeletionTime: stack.deletedAt === undefined ? undefined : new Date(stack.deletedAt),
    LastUpdatedTime: stack.updatedAt === undefined ? undefined : new Date(stack.updatedAt),
    RollbackConfiguration: {},
    StackStatus: stack.status,
    StackStatusReason: stack.reason,
    DisableRollback: stack.disableRollback,
    NotificationARNs: [],
    TimeoutInMinutes: stack.timeoutInMinutes,
    Capabilities: shape.capabilities,
    Outputs: shape.outputs.map(({ key, value, description, exportName }) => ({
      OutputKey: key,
      OutputValue: value,
      Description: description,
      ExportName: exportName,
    })),
    RoleARN: shape.roleArn,
    Tags: showTags(shape.tags),
    EnableTerminationProtection: stack.terminationProtection,
    DriftInformation: { StackDriftStatus: 'NOT_CHECKED' },
  };
}

/** Source: AWS CloudFormation API Reference, "ListStacks". */
export function listStacks(context: CloudFormationContext, request: AuthenticatedRequest): object {
  const input = readInput(listSchema, request);
  assertAllowed(request, { action: 'cloudformation:ListStacks', resource: '*' });
  const { StackStatusFilter: wanted = [] } = input;
  const stacks = context.store
    .list(placeOf(request))
    .filter(({ status }) => wanted.length === 0 || wanted.includes(status));
  const { page, next } = pageOf(stacks, input.NextToken, PAGE);
  return {
    StackSummaries: page.map((stack) => ({
      StackId: stack.id,
      StackName: stack.name,
      TemplateDescription: stack.shape.description,
      CreationTime: new Date(stack.createdAt),
      LastUpdatedTime: stack.updatedAt === undefined ? undefined : new Date(stack.updatedAt),
      DeletionTime: stack.deletedAt === undefined ? undefined : new Date(stack.deletedAt),
      StackStatus: stack.status,
      StackStatusReason: stack.reason,
      DriftInformation: { StackDriftStatus: 'NOT_CHECKED' },
    })),
    NextToken: next,
  };
}

/** Source: AWS CloudFormation API Reference, "DescribeStackEvents". Newest first. */
export function describeStackEvents(context: CloudFormationContext, request: AuthenticatedRequest): object {
  const input = readInput(stackSchema, request);
  const stack = findStack(context, request, input.StackName);
  const { page, next } = pageOf(context.store.events(stack.id), input.NextToken, PAGE);
  return { StackEvents: page.map(showEvent), NextToken: next };
}

function showEvent(event: StackEvent): object {
  return {
    StackId: event.stackId,
    EventId: event.id,
    StackName: event.stackName,
    LogicalResourceId: event.logicalId,
    PhysicalResourceId: event.physicalId,
    ResourceType: event.type,
    Timestamp: new Date(event.at),
    ResourceStatus: event.status,
    ResourceStatusReason: event.reason,
    ResourceProperties: event.properties,
    ClientRequestToken: event.clientToken,
  };
}

/** Source: AWS CloudFormation API Reference, "DescribeStackResource". */
export function describeStackResource(context: CloudFormationContext, request: AuthenticatedRequest): object {
  const input = readInput(resourceSchema, request);
  const stack = findStack(context, request, input.StackName);
  const resource = stack.resources[input.LogicalResourceId];
  if (resource === undefined) {
    throw validationError(`Resource ${input.LogicalResourceId} does not exist for stack ${stack.name}`);
  }
  const { Timestamp: at, ...shown } = showResource(stack, resource);
  return { StackResourceDetail: { ...shown, LastUpdatedTimestamp: at } };
}

/** Source: AWS CloudFormation API Reference, "DescribeStackResources". */
export function describeStackResources(
  context: CloudFormationContext,
  request: AuthenticatedRequest,
): object {
  const input = readInput(resourcesSchema, request);
  const { StackName: name, PhysicalResourceId: physicalId, LogicalResourceId: logicalId } = input;
  if ((name === undefined) === (physicalId === undefined)) {
    throw validationError('One and only one of StackName and PhysicalResourceId must be specified');
  }
  const stack =
    name === undefined ? findOwner(context, request, physicalId ?? '') : findStack(context, request, name);
  const resources = Object.values(stack.resources).filter(
    (resource) => logicalId === undefined || resource.logicalId === logicalId,
  );
  return { StackResources: resources.map((resource) => showResource(stack, resource)) };
}

function findOwner(
  { store }: CloudFormationContext,
  request: AuthenticatedRequest,
  physicalId: string,
): Stack {
  const owner = store
    .list(placeOf(request))
    .find(({ resources }) => Object.values(resources).some(({ made }) => made?.physicalId === physicalId));
  authorizeStack(request, owner?.id ?? '*');
  if (owner === undefined) throw validationError(`Stack for ${physicalId} does not exist`);
  return owner;
}

function showResource(
  stack: Stack,
  resource: StackResource,
): { readonly Timestamp: Date } & Record<string, unknown> {
  return {
    StackName: stack.name,
    StackId: stack.id,
    LogicalResourceId: resource.logicalId,
    PhysicalResourceId: resource.made?.physicalId,
    ResourceType: resource.type,
    Timestamp: new Date(resource.updatedAt),
    ResourceStatus: resource.status,
    ResourceStatusReason: resource.reason,
    DriftInformation: { StackResourceDriftStatus: 'NOT_CHECKED' },
  };
}

/** Source: AWS CloudFormation API Reference, "ListStackResources". */
export function listStackResources(context: CloudFormationContext, request: AuthenticatedRequest): object {
  const input = readInput(stackSchema, request);
  const stack = findStack(context, request, input.StackName);
  const { page, next } = pageOf(Object.values(stack.resources), input.NextToken, PAGE);
  return {
    StackResourceSummaries: page.map((resource) => ({
      LogicalResourceId: resource.logicalId,
      PhysicalResourceId: resource.made?.physicalId,
      ResourceType: resource.type,
      LastUpdatedTimestamp: new Date(resource.updatedAt),
      ResourceStatus: resource.status,
      ResourceStatusReason: resource.reason,
      DriftInformation: { StackResourceDriftStatus: 'NOT_CHECKED' },
    })),
    NextToken: next,
  };
}

/** Source: AWS CloudFormation API Reference, "ListExports". */
export function listExports(context: CloudFormationContext, request: AuthenticatedRequest): object {
  const input = readInput(z.object({ NextToken: tokenSchema }), request);
  assertAllowed(request, { action: 'cloudformation:ListExports', resource: '*' });
  const all = context.store
    .list(placeOf(request))
    .filter(({ status }) => status !== 'DELETE_COMPLETE')
    .flatMap(({ id, shape }) =>
      shape.outputs.flatMap(({ exportName, value }) =>
        exportName === undefined ? [] : [{ ExportingStackId: id, Name: exportName, Value: value }],
      ),
    );
  const { page, next } = pageOf(all, input.NextToken, PAGE);
  return { Exports: page, NextToken: next };
}
