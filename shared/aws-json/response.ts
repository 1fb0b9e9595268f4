import type { AwsServiceError } from './errors.ts';
import { CONTENT_TYPE } from './request.ts';

/** A response, not written yet. */
export interface AwsResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface ResponseOptions {
  readonly requestId: string;
  /** Milliseconds since 1970; SDKs correct their clocks by it. */
  readonly now: number;
}

/**
 * Encodes a success. There always is a body: every SDK takes HTTP 200 without one for a success whose members are all
 * absent.
 */
export function encodeOutput(output: unknown, options: ResponseOptions): AwsResponse {
  return encode(200, output ?? {}, {}, options);
}

/**
 * Encodes a refusal. Its name is in `__type` and in x-amzn-ErrorType, because some SDKs read the one and some the
 * other.
 */
export function encodeError(
  { code, message, status }: AwsServiceError,
  options: ResponseOptions,
): AwsResponse {
  return encode(status, { __type: code, message }, { 'x-amzn-ErrorType': code }, options);
}

function encode(
  status: number,
  value: unknown,
  more: Readonly<Record<string, string>>,
  { requestId, now }: ResponseOptions,
): AwsResponse {
  const body = Buffer.from(JSON.stringify(value), 'utf8');
  return {
    status,
    headers: {
      'Content-Type': CONTENT_TYPE,
      'Content-Length': String(body.length),
      Date: new Date(now).toUTCString(),
      'x-amzn-RequestId': requestId,
      ...more,
    },
    body,
  };
}
