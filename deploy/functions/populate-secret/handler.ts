import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { LambdaContext, WriteLog } from '../lambda.ts';
import { PopulateError } from './errors.ts';
import { parseAddress, parseRequest, type ResponseAddress } from './event.ts';
import { nameVersion, populateSecret } from './populate.ts';
import { type Outcome, type PutOnce, sendResponse } from './response.ts';

export interface HandlerOptions {
  readonly client: Pick<SecretsManagerClient, 'send'>;
  readonly random: (bytes: number) => Uint8Array;
  readonly log: WriteLog;
  /** Puts a response; by https when left out. */
  readonly putOnce?: PutOnce;
}

/** Milliseconds that are kept for the response, of those that Lambda gives. */
const RESPONSE_MS = 15_000;
/** Milliseconds before Lambda's end at which the last attempt of a response is given up. */
const MARGIN_MS = 1_000;

/**
 * Makes the handler of the custom resource `Custom::PopulateSecret`. Whatever happens, CloudFormation is told within the
 * time of the function; a deletion deletes nothing.
 */
export function createHandler({ client, random, log, putOnce }: HandlerOptions) {
  return async (event: unknown, context: LambdaContext): Promise<void> => {
    const end = context.getRemainingTimeInMillis() - MARGIN_MS;
    const started = performance.now();
    // Nobody can be told of an event without an address: the invocation fails, which its caller sees.
    const address = parseAddress(event);
    const outcome = await act(event, address, {
      client,
      random,
      signal: AbortSignal.timeout(Math.max(0, end - RESPONSE_MS)),
    });
    const signal = AbortSignal.timeout(Math.max(0, Math.floor(end - (performance.now() - started))));
    const isTaken = await sendResponse(address, outcome, {
      signal,
      ...(putOnce === undefined ? {} : { putOnce }),
    });
    log({ request: address.requestId, resource: address.logicalResourceId, status: outcome.status, isTaken });
  };
}

async function act(
  event: unknown,
  address: ResponseAddress,
  options: Parameters<typeof populateSecret>[2],
): Promise<Outcome> {
  let physicalResourceId = address.physicalResourceId ?? address.requestId;
  try {
    const request = parseRequest(event);
    // Another secret is another resource: CloudFormation then sends a deletion for the one before, which deletes nothing.
    physicalResourceId = nameVersion(address, request.secretId, 0).slice(0, 32);
    if (request.type === 'Delete')
      return {
        status: 'SUCCESS',
        physicalResourceId: address.physicalResourceId ?? physicalResourceId,
        reason: 'kept',
      };
    await beforeAbort(populateSecret(request, address, options), options.signal);
    return { status: 'SUCCESS', physicalResourceId, reason: 'populated' };
  } catch (error) {
    return { status: 'FAILED', physicalResourceId, reason: describe(error, options.signal) };
  }
}

/** Fails when the time is over, whether or not the work heeds the signal. */
async function beforeAbort(work: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason as Error);
  signal.addEventListener('abort', stop, { once: true });
  try {
    await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', stop);
    // Its end interests nobody once the time is over.
    work.catch(() => undefined);
  }
}

/** The code, and of AWS the name of its error: a message may quote more. */
function describe(error: unknown, signal: AbortSignal): string {
  if (error instanceof PopulateError) return `${error.code}: ${error.message}`;
  const name = signal.aborted ? 'the time was over' : error instanceof Error ? error.name : 'unknown';
  return `POPULATE_UNAVAILABLE: Secrets Manager: ${name}`;
}
