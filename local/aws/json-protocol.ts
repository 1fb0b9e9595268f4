import {
  AwsServiceError,
  encodeOutput,
  parseBody,
  parseTarget,
  unknownTarget,
  verifySignature,
} from '../../shared/aws-json/index.ts';
import { callerArn } from './directory.ts';
import {
  type Exchange,
  findCredential,
  MAX_BODY_BYTES,
  parseEndpointHost,
  readBody,
  send,
} from './exchange.ts';
import type { JsonService } from './service.ts';

const MAX_JSON_DEPTH = 16;

/** Answers a request of AWS JSON 1.1. @throws AwsServiceError */
export async function answerJson(exchange: Exchange, services: readonly JsonService[]): Promise<void> {
  const { head, event, sourceIp, now, requestId, response, request } = exchange;
  const { prefix, operation } = parseTarget(head.method, request.url, head.headers);
  const service = services.find(({ targetPrefix }) => targetPrefix === prefix);
  if (service === undefined) throw unknownTarget();
  event.service = service.name;
  event.operation = operation;
  const endpoint = parseEndpointHost(head.headers.get('host') ?? '');
  if (endpoint !== undefined && endpoint.service !== service.name) throw unknownTarget();
  const body = await readBody(exchange);
  const { credential, region } = verifySignature({ ...head, body }, findCredential(exchange), {
    service: service.name,
    now,
    ...(endpoint?.region === undefined ? {} : { region: endpoint.region }),
  });
  event.caller = callerArn(credential.caller);
  const handle = Object.hasOwn(service.operations, operation) ? service.operations[operation] : undefined;
  if (handle === undefined) throw new AwsServiceError('UnknownOperationException', 'Unknown operation');
  const input = parseBody(body, { maxBytes: MAX_BODY_BYTES, maxDepth: MAX_JSON_DEPTH });
  const output = await handle({ operation, input, credential, region, sourceIp, now });
  send(response, encodeOutput(output, { requestId, now }));
}
