import { z } from 'zod';
import type { TemplateObject, TemplateValue } from '../template/value.ts';

const valueSchema = z.json() as z.ZodType<TemplateValue>;
const objectSchema = z.record(z.string(), z.json()) as unknown as z.ZodType<TemplateObject>;
const policySchema = z.enum(['Delete', 'Retain', 'RetainExceptOnCreate', 'Snapshot']);

/** What a resource is outside of its stack: what its provider made. */
const madeSchema = z.object({
  physicalId: z.string(),
  /** Value of `Ref`. */
  reference: z.string(),
  /** Values of `Fn::GetAtt`. */
  attributes: objectSchema,
});

const resourceSchema = z.object({
  logicalId: z.string(),
  type: z.string(),
  status: z.string(),
  reason: z.string().optional(),
  updatedAt: z.number(),
  /** Present from the first success of its making on. */
  made: madeSchema.optional(),
  properties: objectSchema,
  dependsOn: z.array(z.string()),
  deletionPolicy: policySchema,
  updateReplacePolicy: policySchema,
  /** Operation that brought the resource to what it is. */
  settledBy: z.string().optional(),
  /** Step that was begun and is not over: repeated after a crash. */
  pending: z
    .object({
      operation: z.string(),
      action: z.enum(['create', 'update', 'replace', 'delete']),
      properties: objectSchema,
      token: z.string(),
    })
    .optional(),
});

const outputSchema = z.object({
  key: z.string(),
  value: z.string(),
  description: z.string().optional(),
  exportName: z.string().optional(),
});

/** What a template and its parameters make of a stack; an update that fails goes back to it. */
const shapeSchema = z.object({
  description: z.string().optional(),
  templateText: z.string(),
  parameters: z.record(z.string(), z.string()),
  tags: z.record(z.string(), z.string()),
  capabilities: z.array(z.string()),
  outputs: z.array(outputSchema),
  roleArn: z.string().optional(),
});

/** Principal for whom an operation calls other services: the one who asked for it, or the stack's service role. */
const actorSchema = z.object({
  caller: z.discriminatedUnion('type', [
    z.object({ type: z.literal('root'), accountId: z.string() }),
    z.object({ type: z.literal('user'), accountId: z.string(), arn: z.string() }),
    z.object({
      type: z.literal('session'),
      accountId: z.string(),
      roleArn: z.string(),
      sessionArn: z.string(),
    }),
  ]),
  /** Identity policies as they were parsed. */
  policies: z.unknown(),
  userId: z.string(),
  issuedAt: z.number(),
  /** Whether the actor is the stack's service role rather than the one who asked. */
  isServiceRole: z.boolean(),
  sourceIp: z.string(),
});

const operationSchema = z.object({
  id: z.string(),
  kind: z.enum(['create', 'update', 'delete']),
  phase: z.enum(['apply', 'cleanup', 'rollback', 'rollback-cleanup', 'delete']),
  /** ClientRequestToken of the request, which its events carry. */
  clientToken: z.string().optional(),
  actor: actorSchema,
  onFailure: z.enum(['ROLLBACK', 'DELETE', 'DO_NOTHING']),
  startedAt: z.number(),
  /** Deadline of a creation, milliseconds since 1970. */
  deadline: z.number().optional(),
  /** Stack as it was before an update. */
  previous: z
    .object({ shape: shapeSchema, resources: z.record(z.string(), resourceSchema), status: z.string() })
    .optional(),
  /** Resources that were replaced or left out, deleted at the end. */
  obsolete: z.array(resourceSchema),
  /** Logical ids that a deletion leaves alone. */
  retained: z.array(z.string()),
});

export const stackSchema = z.object({
  id: z.string(),
  name: z.string(),
  accountId: z.string(),
  region: z.string(),
  createdAt: z.number(),
  updatedAt: z.number().optional(),
  deletedAt: z.number().optional(),
  status: z.string(),
  reason: z.string().optional(),
  shape: shapeSchema,
  terminationProtection: z.boolean(),
  disableRollback: z.boolean(),
  timeoutInMinutes: z.number().optional(),
  stackPolicy: z.string().optional(),
  changeSetId: z.string().optional(),
  resources: z.record(z.string(), resourceSchema),
  operation: operationSchema.optional(),
  /** Rollback of an update that has failed, for one that goes on with it. */
  interrupted: operationSchema.optional(),
});

export type Made = Readonly<z.output<typeof madeSchema>>;
export type StackResource = Readonly<z.output<typeof resourceSchema>>;
export type StackOutput = Readonly<z.output<typeof outputSchema>>;
export type StackShape = Readonly<z.output<typeof shapeSchema>>;
export type Actor = Readonly<z.output<typeof actorSchema>>;
export type StackOperation = Readonly<z.output<typeof operationSchema>>;
export type Stack = Readonly<z.output<typeof stackSchema>>;

const changeSchema = z.object({
  action: z.enum(['Add', 'Modify', 'Remove']),
  logicalId: z.string(),
  physicalId: z.string().optional(),
  type: z.string(),
  replacement: z.enum(['True', 'False', 'Conditional']).optional(),
  policyAction: z.string().optional(),
  scope: z.array(z.string()),
  details: z.array(
    z.object({
      attribute: z.string(),
      name: z.string().optional(),
      requiresRecreation: z.enum(['Never', 'Conditionally', 'Always']),
      path: z.string().optional(),
      before: valueSchema.optional(),
      after: valueSchema.optional(),
      evaluation: z.enum(['Static', 'Dynamic']),
      source: z.string().optional(),
      causingEntity: z.string().optional(),
    }),
  ),
});

export const changeSetSchema = z.object({
  id: z.string(),
  name: z.string(),
  stackId: z.string(),
  stackName: z.string(),
  kind: z.enum(['CREATE', 'UPDATE']),
  createdAt: z.number(),
  description: z.string().optional(),
  status: z.string(),
  reason: z.string().optional(),
  executionStatus: z.string(),
  shape: shapeSchema,
  changes: z.array(changeSchema),
  /** State of the stack that the changes were derived from: its revision. */
  basis: z.string(),
  onFailure: z.enum(['ROLLBACK', 'DELETE', 'DO_NOTHING']).optional(),
});

export type Change = Readonly<z.output<typeof changeSchema>>;
export type ChangeSet = Readonly<z.output<typeof changeSetSchema>>;

export const eventSchema = z.object({
  id: z.string(),
  stackId: z.string(),
  stackName: z.string(),
  logicalId: z.string(),
  physicalId: z.string(),
  type: z.string(),
  status: z.string(),
  reason: z.string().optional(),
  properties: z.string().optional(),
  clientToken: z.string().optional(),
  at: z.number(),
});

export type StackEvent = Readonly<z.output<typeof eventSchema>>;
