import { randomBytes } from 'node:crypto';
import {
  type ciphertextResponseSchema,
  createPoolKeyRequestSchema,
  dataKeyRequestSchema,
  decryptRequestSchema,
  deriveSecretRequestSchema,
  encryptRequestSchema,
  macRequestSchema,
  type macResponseSchema,
  type plaintextResponseSchema,
  type PoolKey,
  poolKeyChangeSchema,
  type poolKeyResponseSchema,
  randomRequestSchema,
  type randomResponseSchema,
  reEncryptRequestSchema,
  type secretResponseSchema,
  verifyMacRequestSchema,
  type verifyMacResponseSchema,
} from '../../shared/api/pool-keys.ts';
import type * as z from 'zod';
import type { CarriedOut, PoolOperations } from '../signing/index.ts';
import type { Route, RouteInput } from './router.ts';

const POOL = '([a-z0-9][a-z0-9._-]{0,62})';
const KEY = '([0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})';

/** The response to a request on keys of pools, as its schema has it. */
type Response<Schema extends z.ZodType> = z.infer<Schema>;

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/**
 * Creates the routes to keys of pools; shared/api/pool-keys.ts lists them. Each translates between JSON and the
 * pipeline, which decides.
 *
 * @param configuration version of the configuration in force
 */
export function createPoolRoutes(pools: PoolOperations | undefined, configuration: number): Route[] {
  if (pools === undefined) return [];
  const decided = ({ rule, receipt }: CarriedOut<unknown>) => ({ rule, configuration, receipt });
  const describe = (outcome: CarriedOut<PoolKey>): Response<typeof poolKeyResponseSchema> => ({
    key: outcome.result,
    ...decided(outcome),
  });
  const encrypted = (outcome: CarriedOut<Uint8Array>): Response<typeof ciphertextResponseSchema> => ({
    ciphertext: hex(outcome.result),
    ...decided(outcome),
  });
  return [
    route('GET', '/v1/pools', ({ client }) => pools.list(client)),
    route('POST', `/v1/pools/${POOL}/keys`, async ({ client, captures: [pool = ''], parse }) =>
      describe(await pools.create(client, pool, parse(createPoolKeyRequestSchema))),
    ),
    route('GET', `/v1/pool-keys/${KEY}`, ({ client, captures: [id = ''] }) => pools.describe(client, id)),
    route('POST', `/v1/pool-keys/${KEY}/changes`, async ({ client, captures: [id = ''], parse }) =>
      describe(await pools.change(client, id, parse(poolKeyChangeSchema))),
    ),
    route('POST', `/v1/pool-keys/${KEY}/encrypt`, async ({ client, captures: [id = ''], parse }) =>
      encrypted(await pools.encrypt(client, id, parse(encryptRequestSchema))),
    ),
    route(
      'POST',
      `/v1/pool-keys/${KEY}/decrypt`,
      async ({ client, captures: [id = ''], parse }): Promise<Response<typeof plaintextResponseSchema>> => {
        const outcome = await pools.decrypt(client, id, parse(decryptRequestSchema));
        return { plaintext: hex(outcome.result), ...decided(outcome) };
      },
    ),
    route(
      'POST',
      `/v1/pool-keys/${KEY}/re-encrypt`,
      async ({ client, captures: [id = ''], parse }): Promise<Response<typeof ciphertextResponseSchema>> => {
        const { decryption, encryption } = await pools.reEncrypt(client, id, parse(reEncryptRequestSchema));
        return { ...encrypted(encryption), decryption: decided(decryption) };
      },
    ),
    route(
      'POST',
      `/v1/pool-keys/${KEY}/data-key`,
      async ({ client, captures: [id = ''], parse }): Promise<Response<typeof ciphertextResponseSchema>> => {
        const body = parse(dataKeyRequestSchema);
        const outcome = await pools.dataKey(client, id, body);
        const { ciphertext, plaintext } = outcome.result;
        const shown = body.plaintext ? { plaintext: hex(plaintext) } : {};
        plaintext.fill(0);
        return { ciphertext: hex(ciphertext), ...shown, ...decided(outcome) };
      },
    ),
    route(
      'POST',
      `/v1/pool-keys/${KEY}/mac`,
      async ({ client, captures: [id = ''], parse }): Promise<Response<typeof macResponseSchema>> => {
        const outcome = await pools.mac(client, id, parse(macRequestSchema));
        return { mac: hex(outcome.result), ...decided(outcome) };
      },
    ),
    route(
      'POST',
      `/v1/pool-keys/${KEY}/verify-mac`,
      async ({ client, captures: [id = ''], parse }): Promise<Response<typeof verifyMacResponseSchema>> => {
        const outcome = await pools.verifyMac(client, id, parse(verifyMacRequestSchema));
        return { valid: outcome.result, ...decided(outcome) };
      },
    ),
    route(
      'POST',
      `/v1/pool-keys/${KEY}/derive-secret`,
      async ({ client, captures: [id = ''], parse }): Promise<Response<typeof secretResponseSchema>> => {
        const outcome = await pools.deriveSecret(client, id, parse(deriveSecretRequestSchema));
        return { secret: hex(outcome.result), ...decided(outcome) };
      },
    ),
    route('POST', '/v1/random', ({ parse }): Response<typeof randomResponseSchema> => {
      const { bytes } = parse(randomRequestSchema);
      return { bytes: randomBytes(bytes).toString('hex') };
    }),
  ];
}

function route(method: Route['method'], path: string, act: (input: RouteInput) => unknown): Route {
  return { method, path: new RegExp(`^${path}$`), isSigned: true, act };
}
