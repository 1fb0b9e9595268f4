import type { GetCommandInvocationCommandOutput, SendCommandCommandOutput } from '@aws-sdk/client-ssm';
import { askAws } from '../../aws/index.ts';
import type { StepContext } from './context.ts';
import { StepError } from './errors.ts';

const POLL_MS = 2000;
/** Time that a host has for one command, in seconds: it fetches an image, and waits for a node. */
const COMMAND_SECONDS = 1_200;
/** Time in which an instance that was just made appears in Systems Manager, in milliseconds. */
const APPEAR_MS = 600_000;
const PROGRAM = '/opt/holdfast/bin/holdfast';
const BUSY = 'DEPLOYMENT_BUSY';
const MAX_OUTPUT = 24_000;

/** States of an invocation that has not come to its end. */
const MOVING: readonly string[] = ['Pending', 'InProgress', 'Delayed', 'Cancelling'];

/** Host that runs a command, and who it is in words. */
export interface CommandedHost {
  readonly node: number;
  readonly instanceId: string;
  readonly region: string;
}

/**
 * Has a host put a deployment in force, by the one line that is ever sent to it, and gives what it printed.
 *
 * @param address `s3://BUCKET/deployments/NODE/ID`
 * @throws StepError VAULT_DEPLOY_MALFORMED, VAULT_STEP_UNFINISHED; AdminError AWS_…
 */
export async function deployOnHost(
  host: CommandedHost,
  address: string,
  context: StepContext,
): Promise<unknown> {
  const deadline = context.clock() + COMMAND_SECONDS * 1000;
  for (;;) {
    const output = await runOnHost(host, `${PROGRAM} parent deploy ${address} --json`, context);
    const answer = parseOutput(host, output);
    // A run that was cut off may have left one at work there, which comes to its end by itself.
    if (!isBusy(answer) || context.clock() >= deadline) return answer;
    await context.sleep(POLL_MS);
  }
}

async function runOnHost(host: CommandedHost, line: string, context: StepContext): Promise<string> {
  const { GetCommandInvocationCommand } = await import('@aws-sdk/client-ssm');
  const client = await context.aws.ssm(host.region);
  const CommandId = await sendCommand(host, line, context);
  const begin = context.clock();
  for (;;) {
    const found = await askAws<GetCommandInvocationCommandOutput | undefined>(
      'ssm:GetCommandInvocation',
      client.send(new GetCommandInvocationCommand({ CommandId, InstanceId: host.instanceId }), {
        abortSignal: context.signal,
      }),
      // Said for a moment after the order.
      { InvocationDoesNotExist: () => undefined },
    );
    const status = found?.Status ?? 'Pending';
    if (!MOVING.includes(status)) {
      const output = found?.StandardOutputContent ?? '';
      if (output !== '') return output;
      throw new StepError('VAULT_DEPLOY_MALFORMED', 'the host has answered nothing', {
        node: host.node,
        status,
        reason: (found?.StandardErrorContent ?? '').slice(-500),
      });
    }
    const seconds = Math.round((context.clock() - begin) / 1000);
    context.progress(`host of node ${host.node}: ${status}`, seconds, COMMAND_SECONDS);
    if (seconds >= COMMAND_SECONDS) {
      throw new StepError('VAULT_STEP_UNFINISHED', 'the host has not come to an end in time', {
        node: host.node,
        status,
      });
    }
    await context.sleep(POLL_MS);
  }
}

async function sendCommand(host: CommandedHost, line: string, context: StepContext): Promise<string> {
  const { SendCommandCommand } = await import('@aws-sdk/client-ssm');
  const client = await context.aws.ssm(host.region);
  const begin = context.clock();
  for (;;) {
    const command = new SendCommandCommand({
      DocumentName: 'AWS-RunShellScript',
      InstanceIds: [host.instanceId],
      Comment: `holdfast vault, node ${host.node}`,
      TimeoutSeconds: 600,
      Parameters: { commands: [line], executionTimeout: [String(COMMAND_SECONDS)] },
    });
    const sent = await askAws<SendCommandCommandOutput>(
      'ssm:SendCommand',
      client.send(command, { abortSignal: context.signal }),
      {
        // InvalidInstanceId is the answer for an instance whose agent has not reported yet, as for one that does not exist.
        InvalidInstanceId: () => ({ $metadata: {} }),
      },
    );
    const id = sent.Command?.CommandId;
    if (id !== undefined) return id;
    const waited = context.clock() - begin;
    context.progress(`host of node ${host.node}: not ready for commands yet`, waited, APPEAR_MS);
    if (waited >= APPEAR_MS) {
      throw new StepError('VAULT_STEP_UNFINISHED', 'the host does not take commands', {
        node: host.node,
        instance: host.instanceId,
      });
    }
    await context.sleep(POLL_MS);
  }
}

function parseOutput({ node }: CommandedHost, output: string): unknown {
  try {
    if (output.length < MAX_OUTPUT) return JSON.parse(output) as unknown;
  } catch {
    // Said below.
  }
  throw new StepError('VAULT_DEPLOY_MALFORMED', 'the host has not answered with one JSON object', {
    node,
    length: output.length,
  });
}

function isBusy(answer: unknown): boolean {
  const error = (answer as { error?: { code?: unknown } } | null)?.error;
  return error?.code === BUSY;
}
