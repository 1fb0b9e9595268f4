import { AwsServiceError, verifySignature } from '../../shared/aws-json/index.ts';
import {
  ChunkReader,
  isChunked,
  parseQuery,
  verifyHead,
  type VerifiedSignature,
} from '../../shared/aws-sigv4/index.ts';
import { callerArn, type Credential } from './directory.ts';
import { type Exchange, findCredential, parseEndpointHost, readBody, sendRest } from './exchange.ts';
import { assertHash, bodyOfBytes, EMPTY_HASH, type ReceivedBody, receiveToFile } from './received-body.ts';
import type { RestService } from './service.ts';

const UNSIGNED = 'UNSIGNED-PAYLOAD';
const HASH = /^(?:[0-9a-f]{64}|UNSIGNED-PAYLOAD)$/;

interface Authenticated {
  /** Absent for an anonymous request. */
  readonly verified?: VerifiedSignature<Credential>;
  readonly body: ReceivedBody;
}

/** Answers a request of a service that goes by method and path. @throws AwsServiceError */
export async function answerRest(exchange: Exchange, service: RestService): Promise<void> {
  const { head, event, sourceIp, now, response, requestId } = exchange;
  event.service = service.name;
  event.operation = service.route(head);
  const { bodyFolder } = service;
  const { verified, body } = await (bodyFolder === undefined
    ? readWhole(exchange, service)
    : readToFile(exchange, service, bodyFolder));
  const host = head.headers.get('host') ?? '';
  const result = await service.handle({
    ...head,
    host,
    operation: event.operation,
    credential: verified?.credential,
    isUrl: verified?.isUrl ?? false,
    region: verified?.region ?? parseEndpointHost(host)?.region ?? 'us-east-1',
    sourceIp,
    now,
    body,
    requestId,
  });
  sendRest(response, { ...result, headers: { Date: new Date(now).toUTCString(), ...result.headers } });
}

/** Reads a body into memory, and authenticates it with its head. */
async function readWhole(exchange: Exchange, service: RestService): Promise<Authenticated> {
  const body = await readBody(exchange, service.maxBodyBytes);
  const scope = scopeOf(exchange, service);
  const verified = verifySignature({ ...exchange.head, body }, findCredential(exchange), scope);
  exchange.event.caller = callerArn(verified.credential.caller);
  return { verified, body: bodyOfBytes(body) };
}

/**
 * Authenticates a head, and then only reads its body: the signature covers the hash that the head announces. Anonymous
 * requests have no body that anybody would read.
 */
async function readToFile(exchange: Exchange, service: RestService, folder: string): Promise<Authenticated> {
  const { request, response, head, event } = exchange;
  const isUrl = parseQuery(head.query).some(([name]) => name === 'X-Amz-Signature');
  const isSigned = head.headers.has('authorization') || isUrl;
  const contentSha256 = readContentHash(head.headers);
  if (!isSigned) return { body: bodyOfBytes(new Uint8Array()) };
  const scope = scopeOf(exchange, service);
  const verified = verifyHead(head, contentSha256, findCredential(exchange), scope);
  event.caller = callerArn(verified.credential.caller);
  const hasBody = request.contentLength > 0 || head.headers.has('transfer-encoding');
  if (!hasBody) {
    if (!isChunked(contentSha256)) assertHash(contentSha256, EMPTY_HASH);
    return { verified, body: bodyOfBytes(new Uint8Array()) };
  }
  const body = await receiveToFile(request, response, {
    folder,
    maxBytes: service.maxBodyBytes,
    contentSha256,
    ...(isChunked(contentSha256) ? { chunks: readerOfChunks(contentSha256, head.headers, verified) } : {}),
  });
  return { verified, body };
}

function scopeOf({ head, now }: Exchange, { name, maxSkew, pathEncoding, bodyFolder }: RestService) {
  const region = parseEndpointHost(head.headers.get('host') ?? '')?.region;
  return {
    service: name,
    now,
    maxSkew,
    pathEncoding,
    takesUrls: bodyFolder !== undefined,
    ...(region === undefined ? {} : { region }),
  };
}

/** Hash of the body as its head announces it. A pre-signed URL and an anonymous request announce none. */
function readContentHash(headers: ReadonlyMap<string, string>): string {
  const claimed = headers.get('x-amz-content-sha256');
  if (claimed === undefined && headers.has('authorization')) {
    throw new AwsServiceError(
      'InvalidRequest',
      'Missing required header for this request: x-amz-content-sha256',
    );
  }
  if (claimed === undefined || HASH.test(claimed) || isChunked(claimed)) return claimed ?? UNSIGNED;
  throw new AwsServiceError(
    'InvalidArgument',
    'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.',
  );
}

function readerOfChunks(
  kind: string,
  headers: ReadonlyMap<string, string>,
  signature: VerifiedSignature<Credential>,
): (write: (piece: Uint8Array) => void) => ChunkReader {
  const announced = headers.get('x-amz-decoded-content-length') ?? '';
  if (!/^[0-9]{1,15}$/.test(announced)) {
    throw new AwsServiceError(
      'MissingContentLength',
      'You must provide the x-amz-decoded-content-length HTTP header.',
      411,
    );
  }
  const encodings = (headers.get('content-encoding') ?? '').split(',').map((name) => name.trim());
  if (!encodings.includes('aws-chunked')) {
    throw new AwsServiceError('InvalidRequest', 'A body in chunks has Content-Encoding aws-chunked.');
  }
  return (write) => new ChunkReader({ kind, length: Number(announced), signature, write });
}
