import {
  AwsServiceError,
  type AwsResponse,
  encodeError,
  encodeOutput,
  joinHeaders,
  parseBody,
  parseTarget,
  unknownTarget,
  verifySignature,
} from '../../../shared/aws-json/index.ts';
import { parseManifest } from '../../../shared/documents/manifest.ts';
import type { Scope } from '../../../shared/kms/index.ts';
import type { GatewayNodes } from '../nodes.ts';
import {
  CARRIED_OUT,
  type GatewayProtocol,
  type GatewayRefusal,
  type GatewayRequest,
  type GatewayResponse,
} from '../protocol.ts';
import type { KmsContext, KmsResult } from './context.ts';
import { Creations } from './creations.ts';
import { KmsRefusal, toKmsRefusal } from './errors.ts';
import { KnownKeys } from './known-keys.ts';
import { type KmsOperation, OPERATIONS } from './operations/index.ts';
import { askPatiently } from './patience.ts';
import { Repeats } from './repeats.ts';

/** Prefix of X-Amz-Target for KMS. */
const TARGET_PREFIX = 'TrentService';
/** Longest body: a tag list of its longest beside a description; attestation documents are refused anyway. */
const MAX_BODY_BYTES = 512 * 1024;
const MAX_JSON_DEPTH = 8;
const INVOCATION_HEADER = 'amz-sdk-invocation-id';
const INVOCATION = /^[\x21-\x7e]{8,128}$/;
/** Header in which SDKs number the tries of a call: `attempt=2; max=4`. */
const TRY_HEADER = 'amz-sdk-request';
const TRY = /(?:^|;) *attempt=([0-9]{1,9}) *(?:;|$)/;
const KMS = 'kms';

/** A credential of the door's own. */
export interface DoorCredential {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** The client of the nodes' configuration in whose name the door asks. */
  readonly client: string;
  /** Pool in which CreateKey makes keys. */
  readonly pool?: string | undefined;
}

export interface KmsDoorOptions {
  readonly nodes: GatewayNodes;
  readonly credentials: readonly DoorCredential[];
  readonly scope: Scope;
  /** Milliseconds for which the door asks again by itself while nothing is carried out. */
  readonly waitMs: number;
  /** Milliseconds since 1970. Default: Date.now. */
  readonly clock?: () => number;
}

/** What the door keeps of one client of the nodes' configuration. */
interface ClientState {
  readonly keys: KnownKeys;
  readonly creations: Creations;
}

/**
 * Creates the protocol of a KMS door: AWS JSON 1.1 with Signature Version 4 by credentials of its own, whose operations a
 * policy node decides and carries out. Keys by id, ARN, alias or alias's ARN; errors by AWS's names with the node's code
 * in the message; one decision for all tries of one call.
 */
export function createKmsDoor(options: KmsDoorOptions): GatewayProtocol {
  const { clock = Date.now } = options;
  const door = new KmsDoor(options, clock);
  return {
    name: KMS,
    maxBodyBytes: MAX_BODY_BYTES,
    isAuthenticated: true,
    handle: (request) => door.handle(request),
    refuse: (refusal) => refuse(refusal, clock()),
  };
}

/** What an operation has given to one of its tries. */
type Dispatched = Omit<KmsResult, 'onDelivery'> & Pick<GatewayResponse, 'onDelivery'>;

/** What is known of a request, for the log, before it is carried out. */
interface Noted {
  client?: string;
  operation?: string;
  key?: string | undefined;
}

class KmsDoor {
  readonly #options: KmsDoorOptions;
  readonly #clock: () => number;
  readonly #credentials: ReadonlyMap<string, DoorCredential>;
  readonly #clients: ReadonlyMap<string, ClientState>;
  readonly #repeats: Repeats;

  constructor(options: KmsDoorOptions, clock: () => number) {
    const { nodes, credentials } = options;
    this.#options = options;
    this.#clock = clock;
    this.#repeats = new Repeats(clock);
    this.#credentials = new Map(credentials.map((each) => [each.accessKeyId, each]));
    const { namespace } = parseManifest(nodes.manifest);
    this.#clients = new Map(
      credentials.map(({ client }) => {
        const members = nodes.members(client);
        const keys = new KnownKeys({ nodes: members, namespace, clock });
        return [client, { keys, creations: this.#createCreations(members) }];
      }),
    );
  }

  async handle(request: GatewayRequest): Promise<GatewayResponse> {
    const record: Noted = {};
    try {
      const { output, key, payload, onDelivery } = await this.#dispatch(request, record);
      const response = encodeOutput(output, { requestId: request.id, now: this.#clock() });
      return {
        ...response,
        record: {
          ...record,
          key: key ?? record.key,
          payload: payload && Buffer.from(payload).toString('hex'),
          code: CARRIED_OUT,
        },
        onDelivery,
      };
    } catch (error) {
      const refusal = toKmsRefusal(error);
      return {
        ...encodeRefusal(refusal, request.id, this.#clock()),
        record: { ...record, code: refusal.reason },
      };
    }
  }

  async #dispatch(request: GatewayRequest, record: Noted): Promise<Dispatched> {
    const headers = joinHeaders(request.rawHeaders);
    const { prefix, operation: name } = parseTarget(request.method, request.target, headers);
    if (prefix !== TARGET_PREFIX) throw unknownTarget();
    const { body } = request;
    const { region } = this.#options.scope;
    const { credential } = verifySignature({ headers, body }, (id) => this.#credentials.get(id), {
      service: KMS,
      region,
      now: this.#clock(),
    });
    record.client = credential.client;
    record.operation = name;
    const operation = Object.hasOwn(OPERATIONS, name) ? OPERATIONS[name] : undefined;
    if (operation === undefined)
      throw new AwsServiceError('UnknownOperationException', `The door has no operation ${name}`);
    const input = parseBody(body, { maxBytes: MAX_BODY_BYTES, maxDepth: MAX_JSON_DEPTH });
    record.key = namedKey(input);
    const invocation = readInvocation(headers);
    const context = this.#createContext(credential, request, invocation);
    let isFirst = false;
    const run = () => {
      isFirst = true;
      return operation.run(context, input);
    };
    const { accessKeyId } = credential;
    const result =
      invocation === undefined
        ? await run()
        : await this.#repeats.once({ accessKeyId, id: invocation, operation: name, body }, run, ({ error }) =>
            mayKeep(operation, error),
          );
    const isRetry = !isFirst || isFurtherTry(headers);
    return { ...result, onDelivery: (isDelivered) => result.onDelivery?.(isDelivered, isRetry) };
  }

  #createContext(
    { accessKeyId, client, pool }: DoorCredential,
    { isClientGone, signal }: GatewayRequest,
    invocation: string | undefined,
  ): KmsContext {
    const { nodes, scope, waitMs } = this.#options;
    const state = this.#clients.get(client);
    if (state === undefined) throw new TypeError(`the door has no client ${client}`);
    return {
      scope,
      accessKeyId,
      client,
      pool,
      ...state,
      quorum: nodes.client(client),
      nodes: nodes.members(client),
      invocation,
      isClientGone,
      ask: (act, isRepeatable) =>
        askPatiently(act, { waitMs, isRepeatable, isAbandoned: () => signal.aborted }),
    };
  }

  #createCreations(members: KmsContext['nodes']): Creations {
    const { waitMs } = this.#options;
    const [first] = members;
    if (first === undefined) throw new TypeError('the door has no node');
    // The token makes a repeated creation one, and nobody else waits for it: even without its client it is finished.
    const patience = { waitMs, isRepeatable: true, isAbandoned: () => false };
    return new Creations({
      create: async ({ pool, key }, token) =>
        (await askPatiently(() => first.pools.create(pool, { ...key, token }), patience)).key,
      list: async ({ pool }) => {
        const { pools } = await askPatiently(() => first.pools.list(), patience);
        return pools.find(({ id }) => id === pool)?.keys ?? [];
      },
      clock: this.#clock,
    });
  }
}

/** Whether later tries of a call get its outcome: not where the door asks the SDK to try again. */
function mayKeep({ isKept }: KmsOperation, error: unknown): boolean {
  if (error === undefined) return isKept;
  const { fate, status } = toKmsRefusal(error);
  return fate === 'unknown' || (fate === 'refused' && status < 500);
}

function readInvocation(headers: ReadonlyMap<string, string>): string | undefined {
  const id = headers.get(INVOCATION_HEADER);
  return id !== undefined && INVOCATION.test(id) ? id : undefined;
}

/** Whether an SDK says that the request is not the first try of its call. */
function isFurtherTry(headers: ReadonlyMap<string, string>): boolean {
  return Number(TRY.exec(headers.get(TRY_HEADER) ?? '')?.[1] ?? 1) > 1;
}

/** Name of the key in a request, for the log. */
function namedKey(input: unknown): string | undefined {
  if (typeof input !== 'object' || input === null) return undefined;
  const { KeyId: key, TargetKeyId: target, AliasName: alias } = input as Record<string, unknown>;
  return [key, target, alias].find((name): name is string => typeof name === 'string');
}

function encodeRefusal(refusal: KmsRefusal, requestId: string, now: number): AwsResponse {
  const { retryAfterMs } = refusal;
  const response = encodeError(refusal, { requestId, now });
  if (retryAfterMs === undefined) return response;
  return { ...response, headers: { ...response.headers, 'x-amz-retry-after': String(retryAfterMs) } };
}

/** Errors for what is refused before it is read, by the kernel's codes. */
const REFUSALS = {
  REQUEST_MALFORMED: 'SerializationException',
  PAGE_REFUSED: 'AccessDeniedException',
  REQUEST_TIMEOUT: 'RequestTimeoutException',
  LENGTH_REQUIRED: 'MissingContentLength',
  REQUEST_TOO_LARGE: 'RequestEntityTooLargeException',
  HEADERS_TOO_LARGE: 'RequestHeaderSectionTooLarge',
  INTERNAL: 'InternalFailure',
  OVERLOADED: 'ThrottlingException',
} as const satisfies Record<GatewayRefusal['code'], string>;

function refuse({ id, code, status }: GatewayRefusal, now: number): AwsResponse {
  const isThrottled = code === 'OVERLOADED';
  const refusal = new KmsRefusal(
    REFUSALS[code],
    isThrottled ? 400 : status,
    isThrottled ? 'throttled' : 'refused',
    code,
    isThrottled ? 'the request was not carried out' : '',
  );
  return encodeRefusal(refusal, id, now);
}
