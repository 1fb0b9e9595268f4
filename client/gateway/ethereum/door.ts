import type { KeyInfo, SignRequest } from '../../../shared/api/bodies.ts';
import { InternalError } from '../../../shared/errors.ts';
import { NodeSigner, type SigningNodes } from '../node-signer.ts';
import type {
  GatewayProtocol,
  GatewayRecord,
  GatewayRefusal,
  GatewayRequest,
  GatewayResponse,
} from '../protocol.ts';
import type { EthereumSection } from './config.ts';
import { AccountDirectory } from './directory.ts';
import { EthereumDoorError } from './errors.ts';
import { parseCall, refuseBody, respond, respondRefused, type RpcResponse } from './json-rpc.ts';
import { callMethod, type MethodContext } from './methods.ts';
import { refuse } from './refuse-node.ts';
import { listPublicKeys, signData } from './web3signer.ts';

/** The longest body: a batch of transactions with their data. */
const MAX_BODY_BYTES = 256 * 1024;
const JSON_TYPE = { 'content-type': 'application/json' } as const;
const TEXT_TYPE = { 'content-type': 'text/plain; charset=utf-8' } as const;
const SIGN = /^\/api\/v1\/eth1\/sign\/([^/?]{1,200})$/;
const ANSWERED = 'OK';

/** The nodes as the door asks them, in the name of one client. */
export interface EthereumNodes extends SigningNodes {
  keys(): Promise<readonly KeyInfo[]>;
}

export interface EthereumDoorOptions {
  readonly nodes: EthereumNodes;
  readonly section: Omit<EthereumSection, 'listen'>;
}

type Record = { -readonly [K in keyof GatewayRecord]: GatewayRecord[K] };

/**
 * Creates Ethereum's JSON-RPC for accounts (`POST /`) and Web3Signer's interface for eth1 in front of verified nodes. Every
 * payload goes to the enclave as a whole; signed transactions are put together here, after their signature has verified.
 */
export function createEthereumProtocol({ nodes, section }: EthereumDoorOptions): GatewayProtocol {
  const node = new NodeSigner(nodes);
  const directory = new AccountDirectory(() => nodes.keys(), section.keys);
  return {
    name: 'ethereum',
    maxBodyBytes: MAX_BODY_BYTES,
    isAuthenticated: false,
    handle: async (request) => {
      const record: Record = { client: section.client, code: ANSWERED };
      const context: MethodContext = {
        node: {
          sign: (asked) => {
            record.payload = joinPayloads(record.payload, asked.payload);
            return node.sign(asked);
          },
        },
        directory,
        section,
        onKey: (id) => void (record.key = id),
      };
      return { ...(await route(request, context, record)), record };
    },
    refuse: refuseUnread,
  };
}

type Answer = Omit<GatewayResponse, 'record'>;

/** Writes a payload in hex behind those of the same batch, with commas in between. */
function joinPayloads(before: string | undefined, payload: SignRequest['payload']): string {
  const hex = readHex(payload);
  return before === undefined ? hex : `${before},${hex}`;
}

function readHex(payload: SignRequest['payload']): string {
  const { kind } = payload;
  if (kind === 'ethereum-transaction') return payload.transaction;
  if (kind === 'ethereum-message') return payload.message;
  if (kind === 'ethereum-authorization') return payload.authorization;
  if (kind === 'ethereum-typed-data') return Buffer.from(payload.document).toString('hex');
  throw new InternalError(`the door asks for no payload of kind ${kind}`);
}

async function route(request: GatewayRequest, context: MethodContext, record: Record): Promise<Answer> {
  const { method, target } = request;
  const sign = SIGN.exec(target);
  if (method === 'GET' && target === '/upcheck') return { status: 200, headers: TEXT_TYPE, body: 'OK' };
  try {
    if (method === 'GET' && target === '/api/v1/eth1/publicKeys') {
      record.operation = 'publicKeys';
      return { status: 200, headers: JSON_TYPE, body: JSON.stringify(await listPublicKeys(context)) };
    }
    if (method === 'POST' && target === '/') {
      assertFromProgram(request);
      return await answerCalls(request, context, record);
    }
    if (method === 'POST' && sign !== null) {
      assertFromProgram(request);
      record.operation = 'eth1/sign';
      const signature = await signData(sign[1] ?? '', request.body, context);
      return { status: 200, headers: TEXT_TYPE, body: signature };
    }
    throw new EthereumDoorError(
      'RPC_METHOD_UNSUPPORTED',
      'the door has no such path; keys are reloaded by no request',
    );
  } catch (error) {
    const { code, status, message } = refuse(error);
    record.code = code;
    return { status, headers: TEXT_TYPE, body: `${code}: ${message}` };
  }
}

/**
 * Refuses what a page in a browser could send: a body whose type needs no question to the server first, or any request that
 * names its origin.
 */
function assertFromProgram({ rawHeaders }: GatewayRequest): void {
  const values = (name: string) =>
    rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
  const [type, ...others] = values('content-type');
  const isJson = /^application\/json *(?:;|$)/i.test(type ?? '') && others.length === 0;
  if (isJson && values('origin').length === 0) return;
  throw new EthereumDoorError(
    'RPC_ORIGIN_REFUSED',
    'expected content-type application/json, and no origin: the door is for programs',
  );
}

/** Carries out the requests of a body one after the other, in their order. */
async function answerCalls(
  { body, signal }: GatewayRequest,
  context: MethodContext,
  record: Record,
): Promise<Answer> {
  const responses: RpcResponse[] = [];
  const operations: string[] = [];
  let isBatch = false;
  try {
    const call = parseCall(body);
    isBatch = call.isBatch;
    for (const item of call.items) {
      // Nobody waits for what is left: nothing more is signed.
      if (signal.aborted) break;
      if ('error' in item) {
        const refusal = refuse(item.error);
        record.code = refusal.code;
        responses.push(respondRefused(item.id, refusal));
        continue;
      }
      const { id, method, params } = item.request;
      operations.push(method);
      responses.push(
        await callMethod(method, params, context).then(
          (result) => respond(id, result),
          (error: unknown) => {
            const refusal = refuse(error);
            record.code = refusal.code;
            return respondRefused(id, refusal);
          },
        ),
      );
    }
  } catch (error) {
    const refusal = refuseBody(error);
    record.code = refusal.code;
    responses.push(respondRefused(null, refusal));
    isBatch = false;
  }
  record.operation = operations.join(',');
  return { status: 200, headers: JSON_TYPE, body: JSON.stringify(isBatch ? responses : responses[0]) };
}

function refuseUnread({ code, status }: GatewayRefusal): Omit<GatewayResponse, 'onDelivery' | 'record'> {
  return { status, headers: TEXT_TYPE, body: `${code}: the door did not take the request` };
}
