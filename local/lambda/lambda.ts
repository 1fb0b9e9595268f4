import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  buildRequestContext,
  type Caller,
  evaluateResourcePolicy,
  type IdentityDecision,
  parseKeyPolicy,
  type RequestContext,
} from '../../attestation/key-policy/index.ts';
import type { PrincipalDirectory } from '../aws/directory.ts';
import type { StateStore } from '../aws/plumbing.ts';
import { lambdaError } from './errors.ts';
import {
  arnOf,
  type FunctionSettings,
  functionSchema,
  type LambdaFunction,
  type PermissionStatement,
} from './records.ts';
import { type RunResult, runFunction, type RuntimeEndpoint } from './runtime/run.ts';
import { readZip } from './zip.ts';

export interface LambdaOptions {
  readonly state: StateStore;
  readonly directory: PrincipalDirectory;
  /** Folder for code; a temporary one when left out. */
  readonly folder?: string;
  /** Clock in milliseconds since 1970. */
  readonly clock: () => number;
  /** Where functions find the local AWS, known once it listens. */
  readonly endpoint: () => RuntimeEndpoint;
  /** Waits in milliseconds before an asynchronous invocation is tried again; one and two minutes with Lambda. */
  readonly retryDelays?: readonly number[];
  /** Called after every invocation, with what the function wrote. */
  readonly onInvocation?: (invocation: InvocationRecord) => void;
}

/** One try of an invocation. */
export interface InvocationRecord extends RunResult {
  readonly functionArn: string;
  readonly requestId: string;
  /** From 1. */
  readonly attempt: number;
}

export interface NewFunction {
  readonly name: string;
  readonly accountId: string;
  readonly region: string;
  readonly settings: FunctionSettings;
  readonly zip: Uint8Array;
  readonly tags?: Readonly<Record<string, string>>;
}

/** Result of an invocation that was waited for. */
export interface InvocationResult extends RunResult {
  readonly requestId: string;
}

/** Who asks for a function, for its policy and theirs. */
export interface InvocationCaller {
  readonly caller: Caller;
  readonly identity: IdentityDecision;
  readonly context: RequestContext;
}

const FUNCTION = 'lambda-function';
/** Invocations that run at once, in all accounts. */
const MAX_CONCURRENT = 16;
/** Asynchronous invocations that wait. */
const MAX_QUEUED = 256;
export const MAX_EVENT_BYTES = 6 * 1024 * 1024;
export const MAX_ASYNC_EVENT_BYTES = 1024 * 1024;
const RETRY_DELAYS: readonly number[] = [1000, 2000];
/** Lambda's limit for what is uploaded as it is. */
const MAX_ZIP_BYTES = 50 * 1024 * 1024;
/** Names that only the runtime may set. Source: Lambda Developer Guide, "Reserved environment variables". */
const RESERVED =
  /^(?:_HANDLER|_X_AMZN_TRACE_ID|AWS_DEFAULT_REGION|AWS_REGION|AWS_EXECUTION_ENV|AWS_LAMBDA_.*|AWS_ACCESS_KEY.*|AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|LAMBDA_TASK_ROOT|LAMBDA_RUNTIME_DIR)$/;

/**
 * Functions of all accounts, without a question of who may, but for {@link mayInvoke}: for resource providers in this process,
 * and below the operations that clients ask for. Every refusal is an AwsServiceError under Lambda's name.
 */
export class Lambda {
  readonly #options: LambdaOptions;
  readonly #folder: string;
  readonly #functions = new Map<string, LambdaFunction>();
  readonly #running = new Set<Promise<unknown>>();
  readonly #ending = new AbortController();
  #concurrent = 0;

  constructor(options: LambdaOptions) {
    this.#options = options;
    this.#folder = options.folder ?? mkdtempSync(join(tmpdir(), 'holdfast-lambda-code-'));
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    for (const { id, value } of options.state.list(FUNCTION)) {
      this.#functions.set(id, functionSchema.parse(value));
    }
    const named = new Set([...this.#functions.values()].map(({ code }) => code.file));
    for (const file of readdirSync(this.#folder)) if (!named.has(file)) this.#removeCode(file);
  }

  /** @throws AwsServiceError ResourceConflictException, InvalidParameterValueException */
  createFunction({ name, accountId, region, settings, zip, tags = {} }: NewFunction): LambdaFunction {
    if (this.find(arnOf({ name, accountId, region })) !== undefined) {
      throw lambdaError('ResourceConflictException', `Function already exist: ${name}`);
    }
    assertSettings(settings);
    const code = this.#keepCode(zip);
    return this.#save({ name, accountId, region, settings, code, policy: [], tags, ...this.#stamp() });
  }

  find(arn: string): LambdaFunction | undefined {
    return this.#functions.get(arn);
  }

  /** @throws AwsServiceError ResourceNotFoundException */
  get(arn: string): LambdaFunction {
    const found = this.find(arn);
    if (found === undefined) throw lambdaError('ResourceNotFoundException', `Function not found: ${arn}`);
    return found;
  }

  /** Lists functions of an account in a Region, by name. */
  list(accountId: string, region: string): LambdaFunction[] {
    return [...this.#functions.values()]
      .filter((one) => one.accountId === accountId && one.region === region)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @throws AwsServiceError ResourceNotFoundException, InvalidParameterValueException */
  updateCode(arn: string, zip: Uint8Array): LambdaFunction {
    const former = this.get(arn);
    const code = this.#keepCode(zip);
    const updated = this.#save({ ...former, code, ...this.#stamp() });
    this.#removeCode(former.code.file);
    return updated;
  }

  /** @throws AwsServiceError ResourceNotFoundException, InvalidParameterValueException */
  updateSettings(arn: string, settings: Partial<FunctionSettings>): LambdaFunction {
    const former = this.get(arn);
    const changed = { ...former.settings, ...settings };
    assertSettings(changed);
    return this.#save({ ...former, settings: changed, ...this.#stamp() });
  }

  /** @throws AwsServiceError ResourceNotFoundException */
  deleteFunction(arn: string): void {
    const { code } = this.get(arn);
    this.#options.state.delete(FUNCTION, arn);
    this.#functions.delete(arn);
    this.#removeCode(code.file);
  }

  /** @throws AwsServiceError ResourceNotFoundException, ResourceConflictException, InvalidParameterValueException */
  addPermission(arn: string, statement: PermissionStatement): void {
    const found = this.get(arn);
    if (found.policy.some(({ Sid }) => Sid === statement.Sid)) {
      throw lambdaError(
        'ResourceConflictException',
        `The statement id (${statement.Sid}) provided already exists.`,
      );
    }
    const changed = { ...found, policy: [...found.policy, statement] };
    try {
      parseKeyPolicy(policyText(changed));
    } catch {
      throw lambdaError('InvalidParameterValueException', 'The provided principal was invalid.');
    }
    this.#save(changed);
  }

  /** @throws AwsServiceError ResourceNotFoundException */
  removePermission(arn: string, sid: string): void {
    const found = this.get(arn);
    const policy = found.policy.filter(({ Sid }) => Sid !== sid);
    if (policy.length === found.policy.length) {
      throw lambdaError('ResourceNotFoundException', `Statement ${sid} is not found in resource policy.`);
    }
    this.#save({ ...found, policy });
  }

  /** True where the function's policy and the caller's own let an action pass; `lambda:InvokeFunction` when left out. */
  mayInvoke(
    found: LambdaFunction,
    { caller, identity, context }: InvocationCaller,
    action = 'lambda:InvokeFunction',
  ): boolean {
    const policy = found.policy.length === 0 ? undefined : parseKeyPolicy(policyText(found));
    const asked = { action, caller, identity, context, resource: arnOf(found), ownerId: found.accountId };
    return evaluateResourcePolicy(policy, asked).decision === 'allow';
  }

  /** {@link mayInvoke} for a service, which speaks for an account or a resource. */
  mayServiceInvoke(
    found: LambdaFunction,
    service: string,
    source: Readonly<Record<string, string>>,
  ): boolean {
    const context = buildRequestContext(Object.entries(source));
    return this.mayInvoke(found, { caller: { type: 'service', name: service }, identity: 'none', context });
  }

  /**
   * Invokes a function and waits for its result, which may be an error of the function.
   * @param event JSON
   * @throws AwsServiceError ResourceNotFoundException, TooManyRequestsException, InvalidRequestContentException,
   *   InvalidParameterValueException for a role that is not there
   */
  async invoke(arn: string, event: string): Promise<InvocationResult> {
    const requestId = randomUUID();
    assertEvent(event, MAX_EVENT_BYTES);
    return { ...(await this.#run(this.get(arn), event, requestId, 1)), requestId };
  }

  /**
   * Invokes a function some time, and again, twice, when it fails. Returns the id of the request.
   * @throws AwsServiceError ResourceNotFoundException, TooManyRequestsException, InvalidRequestContentException
   */
  invokeLater(arn: string, event: string): string {
    this.get(arn);
    assertEvent(event, MAX_ASYNC_EVENT_BYTES);
    if (this.#running.size >= MAX_QUEUED) throw tooMany();
    const requestId = randomUUID();
    const work = this.#retry(arn, event, requestId).catch(() => undefined);
    this.#running.add(work);
    void work.finally(() => this.#running.delete(work));
    return requestId;
  }

  /** Ends every invocation. */
  async close(): Promise<void> {
    this.#ending.abort();
    await Promise.allSettled(this.#running);
    if (this.#options.folder === undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  async #retry(arn: string, event: string, requestId: string): Promise<void> {
    const delays = [...(this.#options.retryDelays ?? RETRY_DELAYS)];
    for (let attempt = 1; !this.#ending.signal.aborted; attempt += 1) {
      const found = this.find(arn);
      if (found === undefined) return;
      const failed = await this.#run(found, event, requestId, attempt).then(
        ({ error }) => error !== undefined,
        () => true,
      );
      const delay = delays.shift();
      if (!failed || delay === undefined) return;
      await this.#wait(delay);
    }
  }

  #wait(milliseconds: number): Promise<void> {
    const { signal } = this.#ending;
    return new Promise((resolve) => {
      const timer = setTimeout(done, milliseconds);
      function done(): void {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      }
      signal.addEventListener('abort', done);
      if (signal.aborted) done();
    });
  }

  async #run(found: LambdaFunction, event: string, requestId: string, attempt: number): Promise<RunResult> {
    if (this.#concurrent >= MAX_CONCURRENT || this.#ending.signal.aborted) throw tooMany();
    const credentials = this.#credentialsOf(found);
    this.#concurrent += 1;
    const work = runFunction({
      lambda: found,
      zip: readFileSync(join(this.#folder, found.code.file)),
      event,
      requestId,
      credentials,
      endpoint: this.#options.endpoint(),
      signal: this.#ending.signal,
    });
    this.#running.add(work);
    try {
      const result = await work;
      this.#options.onInvocation?.({ ...result, functionArn: arnOf(found), requestId, attempt });
      return result;
    } finally {
      this.#running.delete(work);
      this.#concurrent -= 1;
      this.#options.directory.revoke(credentials.accessKeyId);
    }
  }

  #credentialsOf({ settings, name }: LambdaFunction) {
    try {
      return this.#options.directory.assumeRole({ roleArn: settings.role, sessionName: name });
    } catch {
      throw lambdaError(
        'InvalidParameterValueException',
        'The role defined for the function cannot be assumed by Lambda.',
      );
    }
  }

  #keepCode(zip: Uint8Array): LambdaFunction['code'] {
    if (zip.length > MAX_ZIP_BYTES) {
      throw lambdaError('RequestTooLargeException', 'Unzipped size must be smaller than 262144000 bytes');
    }
    readZip(zip);
    const file = randomUUID();
    writeFileSync(join(this.#folder, file), zip, { mode: 0o600, flag: 'wx', flush: true });
    return { file, size: zip.length, sha256: createHash('sha256').update(zip).digest('base64') };
  }

  #removeCode(file: string): void {
    rmSync(join(this.#folder, file), { force: true });
  }

  #stamp(): Pick<LambdaFunction, 'modifiedAt' | 'revisionId'> {
    return { modifiedAt: this.#options.clock(), revisionId: randomUUID() };
  }

  #save(changed: LambdaFunction): LambdaFunction {
    this.#options.state.put(FUNCTION, arnOf(changed), changed);
    this.#functions.set(arnOf(changed), changed);
    return changed;
  }
}

/** Policy of a function as JSON. */
export function policyText({ policy }: LambdaFunction): string {
  return JSON.stringify({ Version: '2012-10-17', Id: 'default', Statement: policy });
}

function assertSettings({ variables, handler }: FunctionSettings): void {
  const reserved = Object.keys(variables).filter((name) => RESERVED.test(name));
  if (reserved.length > 0) {
    throw lambdaError(
      'InvalidParameterValueException',
      `Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: ${reserved.join(', ')}`,
    );
  }
  const size = Buffer.byteLength(JSON.stringify(variables));
  if (size > 4096) {
    throw lambdaError(
      'InvalidParameterValueException',
      'Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit.',
    );
  }
  if (handler.split('/').includes('..')) {
    throw lambdaError('InvalidParameterValueException', 'The handler leaves the folder of the function.');
  }
}

function assertEvent(event: string, maxBytes: number): void {
  if (Buffer.byteLength(event) > maxBytes) {
    throw lambdaError(
      'RequestTooLargeException',
      `Request must be smaller than ${maxBytes} bytes for the InvokeFunction operation`,
    );
  }
  try {
    JSON.parse(event);
  } catch {
    throw lambdaError(
      'InvalidRequestContentException',
      'Could not parse request body into json: Could not parse payload into json',
    );
  }
}

function tooMany(): Error {
  return lambdaError('TooManyRequestsException', 'Rate Exceeded.');
}
