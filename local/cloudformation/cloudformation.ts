import type { PrincipalDirectory } from '../aws/directory.ts';
import type { AwsService, QueryService, StateStore } from '../aws/plumbing.ts';
import * as changeSets from './operations/change-sets.ts';
import type { CloudFormationContext, CloudFormationOperation, ObjectReader } from './operations/context.ts';
import * as described from './operations/described.ts';
import * as stacks from './operations/stacks.ts';
import * as templates from './operations/templates.ts';
import type { ResourceRegistry } from './resources/registry.ts';
import { StackRunner } from './stacks/runner.ts';
import { makeServiceClient } from './stacks/service-caller.ts';
import { StackStore } from './stacks/stack-store.ts';

export interface CloudFormationOptions {
  readonly state: StateStore;
  readonly directory: PrincipalDirectory;
  /** Clock in milliseconds since 1970. */
  readonly clock: () => number;
  readonly registry: ResourceRegistry;
  /** Services that resources are made in; more may be added until the first request. */
  readonly services: readonly AwsService[];
  /** Reader of templates in S3; TemplateURL is refused when left out. */
  readonly readObject?: ObjectReader;
}

/** CloudFormation of all accounts and Regions. */
export interface CloudFormation {
  readonly service: QueryService;
  /** Goes on with the operations that an earlier process has begun; called once, when all services are there. */
  resume(): void;
  /** Waits until no stack has an operation under way. */
  settled(): Promise<void>;
  /** Stops after the steps under way; the next process goes on with the rest. */
  close(): Promise<void>;
}

const OPERATIONS: Readonly<Record<string, CloudFormationOperation>> = {
  ContinueUpdateRollback: stacks.continueUpdateRollback,
  CreateChangeSet: changeSets.createChangeSet,
  CreateStack: stacks.createStack,
  DeleteChangeSet: changeSets.deleteChangeSet,
  DeleteStack: stacks.deleteStack,
  DescribeChangeSet: changeSets.describeChangeSet,
  DescribeStackEvents: described.describeStackEvents,
  DescribeStackResource: described.describeStackResource,
  DescribeStackResources: described.describeStackResources,
  DescribeStacks: described.describeStacks,
  ExecuteChangeSet: changeSets.executeChangeSet,
  GetStackPolicy: stacks.getStackPolicy,
  GetTemplate: templates.getTemplate,
  GetTemplateSummary: templates.getTemplateSummary,
  ListChangeSets: changeSets.listChangeSets,
  ListExports: described.listExports,
  ListStackResources: described.listStackResources,
  ListStacks: described.listStacks,
  SetStackPolicy: stacks.setStackPolicy,
  UpdateStack: stacks.updateStack,
  UpdateTerminationProtection: stacks.updateTerminationProtection,
  ValidateTemplate: templates.validateTemplate,
};

/** Creates AWS CloudFormation: stacks whose resources are made in the other stand-ins, by the caller's permissions. */
export function createCloudFormation(options: CloudFormationOptions): CloudFormation {
  const { state, directory, clock, registry, services, readObject } = options;
  const store = new StackStore(state);
  const runner = new StackRunner({ store, registry, clock, services: makeServiceClient(services, clock) });
  const context: CloudFormationContext = {
    store,
    runner,
    registry,
    directory,
    ...(readObject === undefined ? {} : { readObject }),
  };
  return {
    service: {
      protocol: 'query',
      name: 'cloudformation',
      version: '2010-05-15',
      namespace: 'http://cloudformation.amazonaws.com/doc/2010-05-15/',
      operations: Object.fromEntries(
        Object.entries(OPERATIONS).map(([name, operation]) => [
          name,
          (request) => operation(context, request),
        ]),
      ),
    },
    resume: () => runner.resume(),
    settled: () => runner.settled(),
    close: () => runner.stop(),
  };
}
