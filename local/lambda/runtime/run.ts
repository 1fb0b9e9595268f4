import { fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { siblingModule } from '../../../shared/sibling-module.ts';
import type { AwsCredentials } from '../../aws/index.ts';
import type { LambdaFunction } from '../records.ts';
import { arnOf } from '../records.ts';
import { readZip } from '../zip.ts';
import type { Invocation, InvocationResult } from './bootstrap.ts';

/** Where functions find the local AWS. */
export interface RuntimeEndpoint {
  /** `https://127.0.0.1:port`: with an address for a host every SDK names buckets in the path. */
  readonly url: string;
  /** Authority of its certificate, PEM. */
  readonly caPem: string;
}

export interface RunOptions {
  readonly lambda: LambdaFunction;
  readonly zip: Uint8Array;
  /** JSON of the event. */
  readonly event: string;
  readonly requestId: string;
  readonly credentials: AwsCredentials;
  readonly endpoint: RuntimeEndpoint;
  readonly signal: AbortSignal;
}

/** What an invocation left behind. */
export interface RunResult {
  /** JSON. */
  readonly payload: string;
  /** Absent for a success. */
  readonly error?: 'Unhandled';
  /** Last of what the function wrote to its standard output and error. */
  readonly log: string;
}

const MAX_LOG_BYTES = 64 * 1024;
/** Largest result of an invocation, as with Lambda. */
const MAX_RESULT_BYTES = 6 * 1024 * 1024;
const BOOTSTRAP = fileURLToPath(siblingModule(import.meta.url, 'bootstrap'));
/** Packages that Lambda's runtime brings. */
const RUNTIME_PACKAGES = ['@aws-sdk', '@smithy'];

/**
 * Runs one invocation in a process and a folder of its own, both of which end with it. The process has the environment that
 * Lambda gives it and nothing of ours, and is killed with all it started when its time is over.
 */
export async function runFunction(options: RunOptions): Promise<RunResult> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-lambda-'));
  try {
    unpack(folder, options);
    return await runIn(folder, options);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function unpack(folder: string, { zip, endpoint }: RunOptions): void {
  const task = join(folder, 'task');
  mkdirSync(task, { mode: 0o700 });
  for (const { path, content } of readZip(zip)) {
    mkdirSync(dirname(join(task, path)), { recursive: true });
    writeFileSync(join(task, path), content);
  }
  writeFileSync(join(folder, 'ca.pem'), endpoint.caPem);
  mkdirSync(join(folder, 'node_modules'));
  const modules = findModules();
  for (const name of RUNTIME_PACKAGES) symlinkSync(join(modules, name), join(folder, 'node_modules', name));
}

function findModules(): string {
  const path = createRequire(import.meta.url).resolve('@aws-sdk/client-s3/package.json');
  return join(dirname(path), '../..');
}

async function runIn(folder: string, options: RunOptions): Promise<RunResult> {
  const { lambda, event, requestId, signal } = options;
  const { handler, timeout, memory, runtime } = lambda.settings;
  const child = fork(BOOTSTRAP, [], {
    cwd: join(folder, 'task'),
    env: environmentOf(folder, options),
    execArgv: [`--max-old-space-size=${memory}`],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // A group of its own, so that what the function has started ends with it.
    detached: true,
  });
  let log = `START RequestId: ${requestId} Version: $LATEST\n`;
  const append = (text: string): void => {
    log = (log + text).slice(-MAX_LOG_BYTES);
  };
  child.stdout?.setEncoding('utf8').on('data', append);
  child.stderr?.setEncoding('utf8').on('data', append);
  let timedOut = false;
  const kill = (): void => {
    if (child.pid === undefined || child.exitCode !== null) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // ESRCH: the process group has ended by itself.
    }
  };
  const timer = setTimeout(() => {
    timedOut = true;
    kill();
  }, timeout * 1000);
  signal.addEventListener('abort', kill, { once: true });
  const started = Date.now();
  const invocation: Invocation = {
    event,
    handler,
    requestId,
    functionArn: arnOf(lambda),
    deadline: started + timeout * 1000,
    takesCallbacks: runtime !== 'nodejs24.x',
  };
  try {
    const result = await new Promise<InvocationResult | undefined>((resolve) => {
      let told: InvocationResult | undefined;
      child.once('message', (message) => {
        told = message as InvocationResult;
      });
      child.once('error', () => resolve(undefined));
      child.once('close', () => resolve(told));
      // A process that ends before it has read is no error of ours.
      child.send(invocation, () => undefined);
    });
    append(
      `END RequestId: ${requestId}\nREPORT RequestId: ${requestId}\tDuration: ${Date.now() - started} ms\n`,
    );
    return { ...judge(result, timedOut, options), log };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', kill);
    // What the function left running.
    kill();
  }
}

function judge(
  result: InvocationResult | undefined,
  timedOut: boolean,
  { lambda, requestId }: RunOptions,
): Omit<RunResult, 'log'> {
  const failure = (errorType: string, errorMessage: string): Omit<RunResult, 'log'> => ({
    payload: JSON.stringify({ errorType, errorMessage }),
    error: 'Unhandled',
  });
  if (timedOut) {
    const seconds = lambda.settings.timeout.toFixed(2);
    return failure(
      'Sandbox.Timedout',
      `RequestId: ${requestId} Error: Task timed out after ${seconds} seconds`,
    );
  }
  if (result === undefined) {
    return failure(
      'Runtime.ExitError',
      `RequestId: ${requestId} Error: Runtime exited without providing a reason`,
    );
  }
  const size = Buffer.byteLength(result.payload);
  if (size > MAX_RESULT_BYTES) {
    return failure(
      'Function.ResponseSizeTooLarge',
      `Response payload size exceeded maximum allowed payload size (${MAX_RESULT_BYTES} bytes).`,
    );
  }
  return result.ok ? { payload: result.payload } : { payload: result.payload, error: 'Unhandled' };
}

/** Source: Lambda Developer Guide, "Using Lambda environment variables", "Defined runtime environment variables". */
function environmentOf(
  folder: string,
  { lambda, credentials, endpoint }: RunOptions,
): Record<string, string> {
  const { settings, name, region } = lambda;
  return {
    ...settings.variables,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken ?? '',
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EXECUTION_ENV: `AWS_Lambda_${settings.runtime}`,
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(settings.memory),
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: 'local',
    _HANDLER: settings.handler,
    LAMBDA_TASK_ROOT: join(folder, 'task'),
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    PATH: dirname(process.execPath),
    HOME: folder,
    AWS_ENDPOINT_URL: endpoint.url,
    NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
  };
}
