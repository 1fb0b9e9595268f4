import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type AuthenticatedRequest, AwsServiceError, optional, parseInput } from '../aws/plumbing.ts';
import { authorize, placeOf } from './authorize.ts';
import { Invocation } from './invocation.ts';
import type { ManagedHost, ManagedHosts } from './managed-hosts.ts';

const DOCUMENT = 'AWS-RunShellScript';
const PLUGIN = 'aws:runShellScript';
/** Commands that are remembered; the oldest is forgotten first. */
const MAX_COMMANDS = 1_000;
const DEFAULT_DELIVERY_SECONDS = 3_600;
const DEFAULT_EXECUTION_SECONDS = 3_600;

const instanceId = z.string().regex(/^i-[0-9a-f]{8}(?:[0-9a-f]{9})?$/);
const commandId = z.uuid();
const sendSchema = z.object({
  DocumentName: z.string().min(1).max(256),
  InstanceIds: z.array(instanceId).min(1).max(50),
  Parameters: z.object({
    commands: z.array(z.string().max(8_192)).min(1).max(1),
    executionTimeout: optional(z.tuple([z.string().regex(/^[0-9]{1,6}$/)])),
    workingDirectory: optional(z.array(z.literal('')).max(1)),
  }),
  TimeoutSeconds: optional(z.int().min(30).max(2_592_000)),
  Comment: optional(z.string().max(100)),
});
const getSchema = z.object({
  CommandId: commandId,
  InstanceId: instanceId,
  PluginName: optional(z.string().min(4).max(500)),
});
const listSchema = z.object({
  CommandId: optional(commandId),
  InstanceId: optional(instanceId),
  Details: optional(z.boolean()),
  MaxResults: optional(z.int().min(1).max(50)),
});
const cancelSchema = z.object({ CommandId: commandId });

interface Command {
  readonly id: string;
  readonly accountId: string;
  readonly region: string;
  readonly comment: string;
  readonly line: string;
  readonly requestedAt: number;
  readonly invocations: readonly Invocation[];
}

/** Run Command of Systems Manager: one line, on instances of the caller's account. Commands end with the process. */
export class RunCommand {
  readonly #hosts: ManagedHosts;
  readonly #clock: () => number;
  readonly #commands = new Map<string, Command>();

  constructor(hosts: ManagedHosts, clock: () => number) {
    this.#hosts = hosts;
    this.#clock = clock;
  }

  /** Source: AWS Systems Manager API Reference, "SendCommand". */
  send(request: AuthenticatedRequest): object {
    const input = parseInput(sendSchema, request.input);
    if (input.DocumentName !== DOCUMENT) {
      throw new AwsServiceError('InvalidDocument', "The specified SSM document doesn't exist.");
    }
    const { accountId, region } = placeOf(request);
    authorize(request, `arn:aws:ssm:${region}::document/${DOCUMENT}`);
    for (const id of input.InstanceIds)
      authorize(request, `arn:aws:ec2:${region}:${accountId}:instance/${id}`);
    const hosts = input.InstanceIds.map((id) => this.#find(id, { accountId, region }));
    const [line = ''] = input.Parameters.commands;
    const executionSeconds = Number(input.Parameters.executionTimeout?.[0] ?? DEFAULT_EXECUTION_SECONDS);
    const command: Command = {
      id: randomUUID(),
      accountId,
      region,
      comment: input.Comment ?? '',
      line,
      requestedAt: request.now,
      invocations: hosts.map(
        (host) =>
          new Invocation({
            host,
            line,
            deliveryMs: (input.TimeoutSeconds ?? DEFAULT_DELIVERY_SECONDS) * 1_000,
            executionMs: executionSeconds * 1_000,
            clock: this.#clock,
          }),
      ),
    };
    this.#commands.set(command.id, command);
    const [oldest] = this.#commands.keys();
    if (this.#commands.size > MAX_COMMANDS && oldest !== undefined) this.#commands.delete(oldest);
    return { Command: summarise(command, 'Pending') };
  }

  /** Source: AWS Systems Manager API Reference, "GetCommandInvocation". */
  get(request: AuthenticatedRequest): object {
    const input = parseInput(getSchema, request.input);
    authorize(request, '*');
    const command = this.#commandOf(request, input.CommandId);
    const invocation = command?.invocations.find(({ host }) => host.instanceId === input.InstanceId);
    if (command === undefined || invocation?.ask() !== true) {
      throw new AwsServiceError(
        'InvocationDoesNotExist',
        'The command ID and managed node ID you specified did not match any invocations.',
      );
    }
    return describe(command, invocation);
  }

  /** Source: AWS Systems Manager API Reference, "ListCommandInvocations". */
  list(request: AuthenticatedRequest): object {
    const input = parseInput(listSchema, request.input);
    authorize(request, '*');
    const { accountId, region } = placeOf(request);
    const found = [...this.#commands.values()]
      .filter((command) => command.accountId === accountId && command.region === region)
      .filter(({ id }) => input.CommandId === undefined || id === input.CommandId)
      .flatMap((command) => command.invocations.map((invocation) => ({ command, invocation })))
      .filter(
        ({ invocation }) => input.InstanceId === undefined || invocation.host.instanceId === input.InstanceId,
      )
      .toReversed()
      .slice(0, input.MaxResults ?? 50);
    return {
      CommandInvocations: found.map(({ command, invocation }) => ({
        ...head(command),
        InstanceId: invocation.host.instanceId,
        InstanceName: '',
        RequestedDateTime: command.requestedAt / 1_000,
        Status: invocation.status,
        StatusDetails: invocation.statusDetails,
        CommandPlugins: input.Details === true ? [describePlugin(invocation)] : [],
      })),
    };
  }

  /** Source: AWS Systems Manager API Reference, "CancelCommand". */
  cancel(request: AuthenticatedRequest): object {
    const input = parseInput(cancelSchema, request.input);
    authorize(request, '*');
    const command = this.#commandOf(request, input.CommandId);
    if (command === undefined)
      throw new AwsServiceError('InvalidCommandId', "The specified command ID isn't valid.");
    for (const invocation of command.invocations) invocation.cancel();
    return {};
  }

  #find(id: string, place: { readonly accountId: string; readonly region: string }): ManagedHost {
    const host = this.#hosts.find(id, place);
    if (host !== undefined) return host;
    throw new AwsServiceError(
      'InvalidInstanceId',
      `Instances [[${id}]] not in a valid state for account ${place.accountId}`,
    );
  }

  #commandOf(request: AuthenticatedRequest, id: string): Command | undefined {
    const { accountId, region } = placeOf(request);
    const command = this.#commands.get(id);
    return command?.accountId === accountId && command.region === region ? command : undefined;
  }
}

function head({ id, comment }: Command) {
  return { CommandId: id, Comment: comment, DocumentName: DOCUMENT, DocumentVersion: '$DEFAULT' };
}

function summarise(command: Command, status: string) {
  return {
    ...head(command),
    InstanceIds: command.invocations.map(({ host }) => host.instanceId),
    Parameters: { commands: [command.line] },
    RequestedDateTime: command.requestedAt / 1_000,
    Status: status,
    StatusDetails: status,
    TargetCount: command.invocations.length,
    Targets: [],
  };
}

function describe(command: Command, invocation: Invocation) {
  const { host, status, statusDetails, responseCode, stdout, stderr, startedAt, endedAt } = invocation;
  return {
    ...head(command),
    InstanceId: host.instanceId,
    PluginName: PLUGIN,
    ResponseCode: responseCode,
    ExecutionStartDateTime: formatTime(startedAt),
    ExecutionEndDateTime: formatTime(endedAt),
    Status: status,
    StatusDetails: statusDetails,
    StandardOutputContent: stdout,
    StandardOutputUrl: '',
    StandardErrorContent: stderr,
    StandardErrorUrl: '',
  };
}

function describePlugin({ status, statusDetails, responseCode, stdout }: Invocation) {
  return {
    Name: PLUGIN,
    Status: status,
    StatusDetails: statusDetails,
    ResponseCode: responseCode,
    Output: stdout.slice(0, 2_500),
  };
}

function formatTime(time: number | undefined): string {
  return time === undefined ? '' : new Date(time).toISOString();
}
