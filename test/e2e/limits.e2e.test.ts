import { parseEther, parseGwei, serializeTransaction } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NodeClient } from '../../client/index.ts';
import type { ControlScript } from '../../local/hostile-parent/scripts.ts';
import type { SignRequest } from '../../shared/api/bodies.ts';
import { codeOf, DecisionNode, ETHER, ETHEREUM, permitTransfers } from './support/decision-node.ts';

const LIMIT = 10;
const KEYS = ['burst', 'crash', 'unlogged'];

let nonce = 0;
/** Makes a request for a transfer of one ether, each with a nonce of its own. */
function transfer(key: string): SignRequest {
  nonce += 1;
  const transaction = serializeTransaction({
    type: 'eip1559',
    chainId: 1,
    nonce,
    to: '0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045',
    value: parseEther('1'),
    gas: 21_000n,
    maxFeePerGas: parseGwei('30'),
    maxPriorityFeePerGas: parseGwei('1'),
  }).slice(2);
  return { key, algorithm: 'ecdsa-secp256k1', payload: { kind: 'ethereum-transaction', transaction } };
}

/** Sends requests at the same time; counts the outcomes by their codes. */
async function storm(client: NodeClient, key: string, count: number): Promise<Record<string, number>> {
  const outcomes: Record<string, number> = {};
  const one = async () => {
    const code = await codeOf(client.sign(transfer(key)));
    outcomes[code] = (outcomes[code] ?? 0) + 1;
  };
  await Promise.all(Array.from({ length: count }, one));
  return outcomes;
}

let place: DecisionNode;
let client: NodeClient;

beforeAll(async () => {
  place = await DecisionNode.open(
    KEYS.map((id) => ({ id, type: 'secp256k1', networks: [ETHEREUM] })),
    KEYS.map((key) =>
      permitTransfers(key, key, 'ethereum-transaction', {
        limits: [
          {
            id: 'daily',
            asset: ETHER,
            max: String(parseEther(String(LIMIT))),
            seconds: 86_400,
            per: 'key',
            fees: false,
          },
        ],
      }),
    ),
  );
  await place.start();
  client = await place.connect();
});

afterAll(() => place.close());

describe('a limit of ten transfers', () => {
  it('holds under 32 requests at the same time', async () => {
    expect(await storm(client, 'burst', 32)).toEqual({ SIGNED: LIMIT, LIMIT_EXCEEDED: 32 - LIMIT });
    client = await place.restart();
    expect(await storm(client, 'burst', 4)).toEqual({ LIMIT_EXCEEDED: 4 });
  });

  it('holds when the enclave is killed in the midst of requests, again and again', async () => {
    let signed = 0;
    for (const [requests, delayMs] of [
      [3, 0],
      [3, 40],
      [4, 120],
      [3, 250],
    ] as const) {
      const stormed = storm(client, 'crash', requests);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      await place.node?.enclave.terminate();
      // A request that met the dying node is tried again by its client, and finds nobody.
      signed += (await stormed)['SIGNED'] ?? 0;
      client = await place.restart();
    }
    signed += (await storm(client, 'crash', 32))['SIGNED'] ?? 0;
    expect(signed).toBeLessThanOrEqual(LIMIT);
    expect(await storm(client, 'crash', 2)).toEqual({ LIMIT_EXCEEDED: 2 });
  });
});

describe('a parent that does not take the log', () => {
  /** Lets the node start, and meets every later commit with a reply of its own. */
  const afterStart = (reply: ControlScript, hasStarted: () => boolean): ControlScript => {
    return (exchange) =>
      hasStarted() && exchange.request.type === 'store-commit' ? reply(exchange) : exchange.honest();
  };

  it.each([
    ['refuses it', () => ({ type: 'error', code: 'STORE_FAILED' }) as const],
    ['hangs up', () => 'hang-up' as const],
    ['says that it was done before it was done', () => ({ type: 'status' }) as const],
  ] as const satisfies readonly (readonly [string, ControlScript])[])(
    'gets no signature: it %s',
    async (_, reply) => {
      let hasStarted = false;
      client = await place.restart({ onControl: afterStart(reply, () => hasStarted) });
      hasStarted = true;
      const code = await codeOf(client.sign(transfer('unlogged')));
      expect(code).toMatch(/^(?:STORE_[A-Z_]+|ANSWER_LOST|NODE_UNREACHABLE|PARENT_[A-Z_]+)$/);
      await expect(place.node?.enclave.exited).resolves.toMatchObject({ code: 1 });
      client = await place.restart();
      expect(await codeOf(client.sign(transfer('unlogged')))).toBe('SIGNED');
    },
  );
});
