import { request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ResponseAddress } from './event.ts';

/** What CloudFormation is told. */
export interface Outcome {
  readonly status: 'SUCCESS' | 'FAILED';
  readonly physicalResourceId: string;
  /** Shown in the stack's events; required with FAILED. */
  readonly reason: string;
}

/** Puts a body to a pre-signed URL once. @returns the HTTP status */
export type PutOnce = (url: URL, body: string, signal: AbortSignal) => Promise<number>;

const MAX_REASON = 500;
const ATTEMPT_MS = 5_000;
const PAUSES_MS = [0, 250, 500, 1_000, 2_000, 4_000];

/**
 * Tells CloudFormation how a request has ended, again and again until it is taken or the time is over: a stack waits an hour
 * for a response that does not come.
 *
 * @returns whether it was taken
 *
 * Source: AWS CloudFormation User Guide, "Custom resource request and response reference": 4,096 bytes at most.
 */
export async function sendResponse(
  address: ResponseAddress,
  outcome: Outcome,
  { putOnce = putByHttps, signal }: { readonly putOnce?: PutOnce; readonly signal: AbortSignal },
): Promise<boolean> {
  const body = JSON.stringify({
    Status: outcome.status,
    Reason: outcome.reason.slice(0, MAX_REASON),
    PhysicalResourceId: outcome.physicalResourceId,
    StackId: address.stackId,
    RequestId: address.requestId,
    LogicalResourceId: address.logicalResourceId,
    NoEcho: true,
    Data: {},
  });
  for (const pause of PAUSES_MS) {
    try {
      await sleep(pause, undefined, { signal });
      const status = await putOnce(
        address.url,
        body,
        AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_MS)]),
      );
      if (status >= 200 && status < 300) return true;
    } catch {
      if (signal.aborted) return false;
    }
  }
  return false;
}

/** Puts by https, with an empty content type: the URL was signed without one. */
const putByHttps: PutOnce = (url, body, signal) =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': '', 'content-length': Buffer.byteLength(body) };
    const sent = request(url, { method: 'PUT', headers, signal }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
