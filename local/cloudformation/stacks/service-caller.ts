import { randomBytes, randomUUID } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { IdentityPolicy } from '../../../attestation/key-policy/index.ts';
import {
  AwsServiceError,
  bodyOfBytes,
  type AwsService,
  type FilePart,
  type RestRequest,
  type RestService,
} from '../../aws/plumbing.ts';
import type { Credential } from '../../aws/directory.ts';
import type { RestAnswer, RestCall, ServiceCalls } from '../resources/provider.ts';
import type { Actor } from './stack-record.ts';

/** Calls services in process, with the policies of an actor. */
export interface ServiceClient {
  as(actor: Actor, region: string): ServiceCalls;
}

/** Service that calls for the actor, as policies name it. */
const CALLED_VIA = 'cloudformation.amazonaws.com';

/** Maximum of a file that an answer is: more than a template, or a function's code. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** Makes the client of services. */
export function makeServiceClient(services: readonly AwsService[], clock: () => number): ServiceClient {
  const find = (name: string): AwsService => {
    const service = services.find((one) => one.name === name);
    if (service === undefined) throw new AwsServiceError('UnknownService', `There is no ${name} here`);
    return service;
  };
  return {
    as: (actor, region) => ({
      async call(name, operation, input) {
        const service = find(name);
        const operations = service.protocol === 'rest' ? {} : service.operations;
        const handle = Object.hasOwn(operations, operation) ? operations[operation] : undefined;
        if (handle === undefined) {
          throw new AwsServiceError('UnknownOperationException', `${name} has no ${operation} here`);
        }
        const output = await handle({
          operation,
          // As it comes over the wire: without members that are undefined.
          input: JSON.parse(JSON.stringify(service.protocol === 'query' ? asText(input) : input)) as unknown,
          credential: credentialOf(actor),
          region,
          sourceIp: actor.sourceIp,
          now: clock(),
          calledVia: CALLED_VIA,
        });
        return (output ?? {}) as Readonly<Record<string, unknown>>;
      },
      async send(name, request) {
        const service = find(name);
        if (service.protocol !== 'rest') throw new TypeError(`${name} does not go by method and path`);
        return await sendTo(service, request, {
          credential: credentialOf(actor),
          region,
          sourceIp: actor.sourceIp,
          now: clock(),
        });
      },
    }),
  };
}

/** Sends a request to a service that goes by method and path, in process. */
export async function sendTo(
  service: RestService,
  { method, path, query = '', headers = {}, body = '' }: RestCall,
  {
    credential,
    region,
    sourceIp,
    now,
  }: Pick<RestRequest, 'region' | 'sourceIp' | 'now'> & { readonly credential: Credential },
): Promise<RestAnswer> {
  const host = 'localhost';
  const bytes = typeof body === 'string' ? Buffer.from(body, 'utf8') : body;
  const head = { method, path, query, headers: new Map([['host', host], ...Object.entries(headers)]) };
  const response = await service.handle({
    ...head,
    host,
    operation: service.route(head),
    region,
    sourceIp,
    now,
    calledVia: CALLED_VIA,
    credential,
    isUrl: false,
    body: bodyOfBytes(bytes),
    requestId: randomUUID(),
  });
  const { status, headers: fields, body: content } = response;
  const whole = content instanceof Uint8Array ? content : await readPart(content);
  return { status, headers: fields, body: whole };
}

async function readPart({ path, start, length }: FilePart): Promise<Uint8Array> {
  if (length > MAX_FILE_BYTES) {
    throw new AwsServiceError('EntityTooLarge', `expected at most ${MAX_FILE_BYTES} bytes, found ${length}`);
  }
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, start);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Values as the form of the query protocol has them: text, apart from lists and objects. */
function asText(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asText);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, asText(member)]));
  }
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
}

/** Credential of an actor for calls in process; nothing is ever signed with its secret. */
function credentialOf({ caller, policies, userId, issuedAt }: Actor): Credential {
  return {
    accessKeyId: 'ASIAINPROCESS',
    secretAccessKey: randomBytes(30).toString('base64'),
    caller,
    policies: policies as readonly IdentityPolicy[],
    userId,
    issuedAt,
  };
}
