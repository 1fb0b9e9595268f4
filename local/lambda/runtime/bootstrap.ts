/**
 * What runs a function in a process of its own, as Lambda's runtime for Node does: it is told the invocation over a channel,
 * loads the handler from the folder that LAMBDA_TASK_ROOT names, and tells the result.
 * Source: Lambda Developer Guide, "Define Lambda function handler in Node.js", "Node.js context object".
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Invocation, as it is told. */
export interface Invocation {
  readonly event: string;
  readonly handler: string;
  readonly requestId: string;
  readonly functionArn: string;
  /** Milliseconds since 1970. */
  readonly deadline: number;
  /** True where the runtime still takes callbacks: before nodejs24.x. */
  readonly takesCallbacks: boolean;
}

/** Result, as it is told: JSON of what the handler returned, or of its error. */
export type InvocationResult =
  { readonly ok: true; readonly payload: string } | { readonly ok: false; readonly payload: string };

type Callback = (error: unknown, result?: unknown) => void;
type Handler = (event: unknown, context: object, callback?: Callback) => unknown;

class RuntimeError extends Error {
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

process.once('message', (invocation: Invocation) => {
  const tell = (result: InvocationResult): void => {
    process.send?.(result, () => process.exit(0));
  };
  const fail = (error: unknown): void => tell({ ok: false, payload: JSON.stringify(describe(error)) });
  process.once('uncaughtException', fail);
  process.once('unhandledRejection', (reason) =>
    fail(new RuntimeError('Runtime.UnhandledPromiseRejection', String(reason))),
  );
  run(invocation)
    .then((result) => tell({ ok: true, payload: JSON.stringify(result) ?? 'null' }))
    .catch(fail);
});

async function run(invocation: Invocation): Promise<unknown> {
  const handler = await load(invocation.handler);
  if (handler.length >= 3 && !invocation.takesCallbacks) {
    throw new RuntimeError(
      'Runtime.CallbackHandlerDeprecated',
      'AWS Lambda does not support callback-based function handlers when using Node.js 24 or later.',
    );
  }
  const event = JSON.parse(invocation.event) as unknown;
  return await new Promise((resolve, reject) => {
    const callback: Callback = (error, result) => {
      if (error === undefined || error === null) resolve(result);
      else reject(error);
    };
    const context = makeContext(invocation, callback);
    const result = invocation.takesCallbacks ? handler(event, context, callback) : handler(event, context);
    if (isThenable(result)) result.then(resolve, reject);
    // Without a promise the callback tells, or nothing does: then the invocation ends with null.
    else if (!invocation.takesCallbacks || handler.length < 3) resolve(result ?? null);
    else process.once('beforeExit', () => resolve(null));
  });
}

function makeContext({ requestId, functionArn, deadline }: Invocation, done: Callback): object {
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: process.env['AWS_LAMBDA_FUNCTION_NAME'],
    functionVersion: '$LATEST',
    invokedFunctionArn: functionArn,
    memoryLimitInMB: process.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'],
    awsRequestId: requestId,
    logGroupName: process.env['AWS_LAMBDA_LOG_GROUP_NAME'],
    logStreamName: process.env['AWS_LAMBDA_LOG_STREAM_NAME'],
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    done,
    succeed: (result: unknown) => done(undefined, result),
    fail: (error: unknown) => done(error ?? 'failed'),
  };
}

/** Loads the handler that `file.name` names; names may be nested, the file in a folder. */
async function load(name: string): Promise<Handler> {
  const root = process.env['LAMBDA_TASK_ROOT'] ?? '';
  const slash = name.lastIndexOf('/') + 1;
  const dot = name.indexOf('.', slash);
  if (dot < 0 || name.split('/').includes('..'))
    throw new RuntimeError('Runtime.MalformedHandlerName', 'Bad handler');
  const module = await importModule(join(root, name.slice(0, dot)), name.slice(slash, dot));
  const found = name
    .slice(dot + 1)
    .split('.')
    .reduce<unknown>((value, part) => (isObject(value) ? value[part] : undefined), module);
  if (found === undefined || found === null) {
    throw new RuntimeError('Runtime.HandlerNotFound', `${name} is undefined or not exported`);
  }
  if (typeof found !== 'function')
    throw new RuntimeError('Runtime.HandlerNotFound', `${name} is not a function`);
  return found as Handler;
}

async function importModule(path: string, name: string): Promise<unknown> {
  const file = ['', '.js', '.mjs', '.cjs']
    .map((end) => path + end)
    .find((candidate) => existsSync(candidate));
  try {
    if (file === undefined)
      throw new RuntimeError('Runtime.ImportModuleError', `Error: Cannot find module '${name}'`);
    if (file.endsWith('.mjs') || (file.endsWith('.js') && isModuleFolder())) {
      return await import(pathToFileURL(file).href);
    }
    return createRequire(pathToFileURL(file))(file) as unknown;
  } catch (error) {
    if (error instanceof RuntimeError) throw error;
    if (error instanceof SyntaxError)
      throw new RuntimeError('Runtime.UserCodeSyntaxError', `SyntaxError: ${error.message}`);
    if (
      isObject(error) &&
      (error['code'] === 'MODULE_NOT_FOUND' || error['code'] === 'ERR_MODULE_NOT_FOUND')
    ) {
      throw new RuntimeError(
        'Runtime.ImportModuleError',
        `Error: ${String(error['message']).split('\n')[0]}`,
      );
    }
    throw error;
  }
}

function isModuleFolder(): boolean {
  try {
    const text = readFileSync(join(process.env['LAMBDA_TASK_ROOT'] ?? '', 'package.json'), 'utf8');
    return (JSON.parse(text) as { type?: string }).type === 'module';
  } catch {
    return false;
  }
}

/** Error as the runtime tells it. */
function describe(error: unknown): object {
  if (error instanceof Error) {
    return {
      errorType: error instanceof RuntimeError ? error.type : error.name,
      errorMessage: error.message,
      trace: (error.stack ?? '').split('\n'),
    };
  }
  return { errorType: typeof error, errorMessage: String(error), trace: [] };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return isObject(value) && typeof value['then'] === 'function';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
