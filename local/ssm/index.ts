import type { AuthenticatedRequest, JsonService } from '../aws/plumbing.ts';
import { RunCommand } from './commands.ts';
import { describeInstances } from './inventory.ts';
import type { ManagedHosts } from './managed-hosts.ts';
import { getParameter, getParameters } from './parameters.ts';

export { type ManagedHost, ManagedHosts } from './managed-hosts.ts';

export interface SsmOptions {
  readonly hosts: ManagedHosts;
  readonly clock: () => number;
}

/** Creates AWS Systems Manager as far as a deployment needs it: Run Command, and the public parameters of machine images. */
export function createSsmService({ hosts, clock }: SsmOptions): JsonService {
  const commands = new RunCommand(hosts, clock);
  return {
    name: 'ssm',
    targetPrefix: 'AmazonSSM',
    operations: {
      CancelCommand: (request: AuthenticatedRequest) => commands.cancel(request),
      DescribeInstanceInformation: (request: AuthenticatedRequest) => describeInstances(hosts, request),
      GetCommandInvocation: (request: AuthenticatedRequest) => commands.get(request),
      GetParameter: getParameter,
      GetParameters: getParameters,
      ListCommandInvocations: (request: AuthenticatedRequest) => commands.list(request),
      SendCommand: (request: AuthenticatedRequest) => commands.send(request),
    },
  };
}
