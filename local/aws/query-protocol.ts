import { AwsServiceError, type AwsResponse, verifySignature } from '../../shared/aws-json/index.ts';
import { SignatureRefusal, type SignatureProblem } from '../../shared/aws-sigv4/index.ts';
import { callerArn } from './directory.ts';
import { type Exchange, findCredential, parseEndpointHost, readBody, send } from './exchange.ts';
import { parseForm } from './form.ts';
import type { QueryService } from './service.ts';
import { element, writeXml, type XmlElement } from './xml.ts';

const FORM = /^application\/x-www-form-urlencoded(?:; ?charset=utf-8)?$/i;

/** Names of the query protocol for refusals of signatures, each with HTTP status 403. */
const NAMES: Readonly<Record<SignatureProblem, string>> = {
  absent: 'MissingAuthenticationToken',
  incomplete: 'IncompleteSignature',
  'unknown-key': 'InvalidClientTokenId',
  'wrong-token': 'InvalidClientTokenId',
  'expired-token': 'ExpiredToken',
  skewed: 'SignatureDoesNotMatch',
  'expired-url': 'SignatureDoesNotMatch',
  'wrong-region': 'SignatureDoesNotMatch',
  'wrong-service': 'SignatureDoesNotMatch',
  headers: 'SignatureDoesNotMatch',
  payload: 'SignatureDoesNotMatch',
  mismatch: 'SignatureDoesNotMatch',
};

/** Answers a request of the query protocol. @throws AwsServiceError */
export async function answerQuery(exchange: Exchange, service: QueryService): Promise<void> {
  const { head, event, sourceIp, now, response, requestId } = exchange;
  event.service = service.name;
  if (head.method !== 'POST' || head.path !== '/' || !FORM.test(head.headers.get('content-type') ?? '')) {
    throw invalidAction('Could not find operation for this request');
  }
  const region = parseEndpointHost(head.headers.get('host') ?? '')?.region;
  const body = await readBody(exchange);
  const verified = verifySignature({ ...head, body }, findCredential(exchange), {
    service: service.name,
    now,
    ...(region === undefined ? {} : { region }),
  });
  event.caller = callerArn(verified.credential.caller);
  const { Action: action, Version: version, ...input } = parseForm(Buffer.from(body).toString('utf8'));
  if (typeof action !== 'string') {
    throw new AwsServiceError('MissingAction', 'The request is missing an action or a required parameter.');
  }
  event.operation = action.slice(0, 64);
  const handle = Object.hasOwn(service.operations, action) ? service.operations[action] : undefined;
  if (handle === undefined || version !== service.version) {
    throw invalidAction(`Could not find operation ${event.operation} for version ${service.version}`);
  }
  const { credential } = verified;
  const output = await handle({
    operation: action,
    input,
    credential,
    region: verified.region,
    sourceIp,
    now,
  });
  const result = output === undefined ? [] : [element(`${action}Result`, output)];
  const metadata = element('ResponseMetadata', { RequestId: requestId });
  const root = {
    name: `${action}Response`,
    content: [...result, metadata],
    namespace: service.namespace,
  };
  send(response, encode(200, root, exchange));
}

/** Encodes a refusal of the query protocol. */
export function encodeQueryError(
  error: AwsServiceError,
  { namespace }: QueryService,
  exchange: Pick<Exchange, 'requestId' | 'now'>,
): AwsResponse {
  const isSignature = error instanceof SignatureRefusal;
  const code = isSignature ? NAMES[error.problem] : error.code;
  const status = isSignature ? 403 : error.status;
  const Type = status >= 500 ? 'Receiver' : 'Sender';
  const root: XmlElement = {
    name: 'ErrorResponse',
    content: [
      element('Error', { Type, Code: code, Message: error.message }),
      element('RequestId', exchange.requestId),
    ],
    namespace,
  };
  return encode(status, root, exchange);
}

function encode(
  status: number,
  root: XmlElement,
  { requestId, now }: Pick<Exchange, 'requestId' | 'now'>,
): AwsResponse {
  const body = writeXml(root);
  return {
    status,
    headers: {
      'Content-Type': 'text/xml',
      'Content-Length': String(body.length),
      Date: new Date(now).toUTCString(),
      'x-amzn-RequestId': requestId,
    },
    body,
  };
}

function invalidAction(message: string): AwsServiceError {
  return new AwsServiceError('InvalidAction', message);
}
