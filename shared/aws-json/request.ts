import { JsonError, parseJson, type JsonLimits } from '../json/index.ts';
import { AwsServiceError } from './errors.ts';

/** The content type of requests and responses of AWS JSON 1.1. */
export const CONTENT_TYPE = 'application/x-amz-json-1.1';

/** Collects header fields by lower-case name, repeated ones joined by a comma (RFC 9110, section 5.3). */
export function joinHeaders(raw: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (let index = 0; index < raw.length; index += 2) {
    const name = (raw[index] ?? '').toLowerCase();
    const value = raw[index + 1] ?? '';
    const previous = headers.get(name);
    headers.set(name, previous === undefined ? value : `${previous},${value}`);
  }
  return headers;
}

/** The service and operation that the head of a request names. */
export interface RequestTarget {
  /** The part of X-Amz-Target before the dot, which names the service: `TrentService` for KMS. */
  readonly prefix: string;
  readonly operation: string;
}

/**
 * Reads the target of a POST to `/`; everything else is refused.
 * @throws AwsServiceError UnknownOperationException with HTTP status 404
 */
export function parseTarget(
  method: string | undefined,
  url: string | undefined,
  headers: ReadonlyMap<string, string>,
): RequestTarget {
  const [prefix = '', operation = ''] = (headers.get('x-amz-target') ?? '').split('.');
  if (method !== 'POST' || url !== '/' || prefix === '' || headers.get('content-type') !== CONTENT_TYPE) {
    throw unknownTarget();
  }
  return { prefix, operation };
}

/** Creates the refusal of a request for another service or operation. */
export function unknownTarget(): AwsServiceError {
  return new AwsServiceError('UnknownOperationException', 'Unknown operation', 404);
}

/**
 * Parses the body of a request.
 * @throws AwsServiceError SerializationException for a body that is not JSON, repeats a member or exceeds the limits
 */
export function parseBody(body: Uint8Array, limits: JsonLimits): unknown {
  try {
    return parseJson(body, limits);
  } catch (error) {
    if (error instanceof JsonError) throw new AwsServiceError('SerializationException', 'Malformed JSON');
    throw error;
  }
}
