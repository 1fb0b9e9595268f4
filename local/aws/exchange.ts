import { createReadStream } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { AwsServiceError, type AwsResponse } from '../../shared/aws-json/index.ts';
import { dnsSuffixOf, PARTITIONS } from '../../shared/aws/partitions.ts';
import type { RequestHead } from '../../shared/aws-sigv4/index.ts';
import type { BodyBudget } from '../../shared/http/index.ts';
import type { Credential, PrincipalDirectory } from './directory.ts';
import type { SinkRequest } from './received-body.ts';
import type { RestResponse } from './service.ts';

/**
 * Maximum of a body in memory: an attestation document of its longest, 262,144 bytes, in base64, beside a ciphertext and
 * an encryption context.
 */
export const MAX_BODY_BYTES = 512 * 1024;
/** Deadline of a body in memory in milliseconds, from the request's head on. */
const MEMORY_DEADLINE = 10_000;

/** One request on its way, and what is known of it for the event. */
export interface Exchange {
  readonly directory: PrincipalDirectory;
  readonly request: SinkRequest;
  readonly response: ServerResponse;
  readonly head: RequestHead;
  readonly budget: BodyBudget;
  readonly requestId: string;
  readonly sourceIp: string;
  readonly now: number;
  readonly event: { service: string; operation: string; caller?: string };
}

export function findCredential({ directory }: Exchange): (accessKeyId: string) => Credential | undefined {
  return (accessKeyId) => directory.find(accessKeyId);
}

/**
 * Reads a body into memory. Must be called in the turn in which the request came: see WholeRequest.readBody. A body that is
 * not whole at its deadline ends the connection.
 * @throws AwsServiceError RequestEntityTooLargeException, ThrottlingException
 */
export function readBody(
  { request, response, budget }: Exchange,
  maxBytes = MAX_BODY_BYTES,
): Promise<Uint8Array> {
  if (request.contentLength > maxBytes) {
    throw new AwsServiceError('RequestEntityTooLargeException', 'Request size exceeded', 413);
  }
  const body = request.readBody(response, budget);
  if (body === undefined) throw new AwsServiceError('ThrottlingException', 'Rate exceeded');
  const timer = setTimeout(() => request.socket.destroy(), MEMORY_DEADLINE);
  response.once('close', () => clearTimeout(timer));
  return body.finally(() => clearTimeout(timer));
}

/** Host name of an endpoint, taken apart. */
export interface EndpointHost {
  readonly service: string;
  /** Absent for a service's global name. */
  readonly region?: string;
  /** What stands before the service's name: a bucket. */
  readonly prefix?: string;
}

const REGIONAL = /^(?:(.+)\.)?([a-z0-9]+)\.([a-z]{2,4}(?:-[a-z]+){1,2}-[0-9]{1,2})\.([a-z0-9.-]+)$/;
const GLOBAL = /^(?:(.+)\.)?(iam|sts|s3)\.([a-z0-9.-]+)$/;

/** Reads a host name of AWS's; undefined for any other. */
export function parseEndpointHost(host: string): EndpointHost | undefined {
  const [name = ''] = host.toLowerCase().split(':');
  const [, prefix, service, region, suffix] = REGIONAL.exec(name) ?? [];
  if (service !== undefined && region !== undefined) {
    if (suffix !== dnsSuffixOf(region)) return undefined;
    return { service, region, ...(prefix === undefined ? {} : { prefix }) };
  }
  const [, bucket, globalService, globalSuffix] = GLOBAL.exec(name) ?? [];
  if (globalService === undefined || !PARTITIONS.some(({ dnsSuffix }) => dnsSuffix === globalSuffix)) {
    return undefined;
  }
  return { service: globalService, ...(bucket === undefined ? {} : { prefix: bucket }) };
}

/** Sends a response whose body is in memory. */
export function send(response: ServerResponse, { status, headers, body }: AwsResponse): void {
  if (!begin(response, status, headers)) return;
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

/** Sends a response of bytes, or of a part of a file. */
export function sendRest(response: ServerResponse, { status, headers, body }: RestResponse): void {
  if (body instanceof Uint8Array) {
    // RFC 9110, 8.6: no length beside 204 and 304.
    const length = status === 204 || status === 304 ? {} : { 'Content-Length': String(body.length) };
    send(response, { status, headers: { ...length, ...headers }, body });
    return;
  }
  const { path, start, length } = body;
  if (!begin(response, status, { ...headers, 'Content-Length': String(length) })) return;
  if (response.req.method === 'HEAD' || length === 0) {
    response.end();
    return;
  }
  // A file that cannot be read, or a client that goes away, ends the connection before the length that was announced.
  pipeline(createReadStream(path, { start, end: start + length - 1 }), response, () => undefined);
}

function begin(response: ServerResponse, status: number, headers: Readonly<Record<string, string>>): boolean {
  if (response.destroyed || response.headersSent) return false;
  // The rest of a body that was too long is not read.
  if (!response.req.complete) response.setHeader('Connection', 'close');
  response.writeHead(status, headers);
  return true;
}
