import { secp256k1 } from '@noble/curves/secp256k1.js';
import { NodeRefusal } from '../../../../client/index.ts';
import type { EthereumNodes } from '../../../../client/gateway/ethereum/index.ts';
import { type GatewayLog, startGatewayServer } from '../../../../client/gateway/index.ts';
import { createEthereumProtocol } from '../../../../client/gateway/ethereum/index.ts';
import { decodePayload, type Transaction, TransactionError } from '../../../../policy/transactions/index.ts';
import type { Signed } from '../../../../client/responses.ts';
import type { SignRequest } from '../../../../shared/api/bodies.ts';

/** Throw-away key of a well-known mnemonic (hardhat's first account). */
export const SECRET = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80';
export const ADDRESS = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266';
export const STRANGER = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';

/** What a node would do with a request, in place of signing it. */
export type Interference = (request: SignRequest) => { signature: string; recovery?: number } | undefined;

const RULE = 'signs-all';

/** A node that decodes what it gets as an enclave does, and signs whatever it can read. */
export class TestEnclave implements EthereumNodes {
  readonly requests: SignRequest[] = [];
  readonly transactions: Transaction[] = [];
  interfere: Interference = () => undefined;
  refusal: Error | undefined;

  keys() {
    const publicKey = Buffer.from(secp256k1.getPublicKey(Buffer.from(SECRET.slice(2), 'hex'))).toString(
      'hex',
    );
    return Promise.resolve([
      { id: 'hot', type: 'secp256k1', publicKey },
      { id: 'other', type: 'ed25519', publicKey: 'ab'.repeat(32) },
      { id: 'awaited', type: 'secp256k1', publicKey: null },
    ] as const);
  }

  /** Ids of requests that were resumed. */
  readonly resumed: string[] = [];

  /** Carries out the last request, as if its approvals had come. */
  resume(id: string): Promise<Signed> {
    this.resumed.push(id);
    const request = this.requests.at(-1);
    if (request === undefined)
      return Promise.reject(new NodeRefusal('REQUEST_UNKNOWN', 'nothing waits', { status: 404 }));
    this.refusal = undefined;
    return this.sign(request);
  }

  sign(request: SignRequest): Promise<Signed> {
    this.requests.push(request);
    if (this.refusal !== undefined) return Promise.reject(this.refusal);
    const instead = this.interfere(request);
    if (instead !== undefined) return Promise.resolve({ ...instead, rule: RULE } as Signed);
    const publicKey = secp256k1.getPublicKey(Buffer.from(SECRET.slice(2), 'hex'));
    try {
      const { transaction, signings } = decodePayload(request.payload, {
        algorithm: request.algorithm,
        publicKey,
        networks: ['eip155:1', 'eip155:31337'],
        ownKeys: [],
      });
      this.transactions.push(transaction);
      const input = signings[0]?.input;
      if (input?.kind !== 'digest') throw new Error('no digest');
      return Promise.resolve({ ...signDigest(input.digest), rule: RULE } as Signed);
    } catch (error) {
      if (!(error instanceof TransactionError)) throw error;
      return Promise.reject(new NodeRefusal(error.code, 'refused', { status: 400 }));
    }
  }
}

export function signDigest(digest: Uint8Array, secret = SECRET) {
  const signature = secp256k1.sign(digest, Buffer.from(secret.slice(2), 'hex'), {
    prehash: false,
    format: 'recovered',
  });
  return { signature: Buffer.from(signature.subarray(1)).toString('hex'), recovery: signature[0] ?? 0 };
}

/** Starts a door in front of a test enclave. */
export async function startEthereumDoor(section: { chainId?: number; keys?: string[] } = { chainId: 1 }) {
  const enclave = new TestEnclave();
  const logged: Parameters<GatewayLog['request']>[0][] = [];
  const server = await startGatewayServer({
    listen: { port: 0 },
    protocol: createEthereumProtocol({ nodes: enclave, section: { client: 'backend', ...section } }),
    probes: { readiness: () => ({ isReady: true, code: null, nodes: [] }) },
    log: { request: (event) => logged.push(event), event: () => undefined },
    drainMs: 1_000,
  });
  const url = server.address.url;
  const post = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: response.status, text: await response.text() };
  };
  const call = async (method: string, ...params: unknown[]) =>
    JSON.parse((await post('/', { jsonrpc: '2.0', id: 1, method, params })).text) as {
      result?: unknown;
      error?: { code: number; data: { code: string; field?: string } };
    };
  return { enclave, logged, server, url, post, call };
}
