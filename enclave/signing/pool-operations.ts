import { randomBytes } from 'node:crypto';
import { listGrants, type Policy, seesPool } from '../../policy/index.ts';
import type { Algorithm } from '../../shared/algorithms.ts';
import type { KeyInfo } from '../../shared/api/bodies.ts';
import type { PoolAction } from '../../shared/api/pool-digest.ts';
import type {
  CreatePoolKeyRequest,
  DataKeyRequest,
  DecryptRequest,
  DeriveSecretRequest,
  EncryptRequest,
  MacRequest,
  PoolKey,
  PoolKeyChange,
  PoolList,
  ReEncryptRequest,
  VerifyMacRequest,
} from '../../shared/api/pool-keys.ts';
import type { Configuration } from '../../shared/documents/configuration.ts';
import type { PoolOperation } from '../../shared/operations.ts';
import type { HeldKey } from '../keys/index.ts';
import {
  assertEnabled,
  decryptWith,
  describeKey,
  digestCreation,
  encryptWith,
  PoolError,
  type PoolKeyRecord,
  type PoolKeys,
} from '../pools/index.ts';
import type { CarriedOut, CarryOut, PipelineRequest, PoolKeyInRequest } from './carry-out.ts';
import { createTurns } from './turns.ts';

/** Keys that clients have the node make, by way of the pipeline. Ids are those of keys of pools, byte strings raw. */
export interface PoolOperations {
  /** Lists the pools that a client sees, their keys, and keys of the configuration that some permit names for it. */
  list(client: string): PoolList;
  /** Describes a key, and seals that a request has named it. @throws PoolError POOL_KEY_UNKNOWN; StoreError */
  describe(client: string, id: string): Promise<PoolKey>;
  /** Makes a key; the same token and body give the same key again. */
  create(client: string, pool: string, request: CreatePoolKeyRequest): Promise<CarriedOut<PoolKey>>;
  change(client: string, id: string, change: PoolKeyChange): Promise<CarriedOut<PoolKey>>;
  encrypt(client: string, id: string, request: EncryptRequest): Promise<CarriedOut<Uint8Array>>;
  decrypt(client: string, id: string, request: DecryptRequest): Promise<CarriedOut<Uint8Array>>;
  reEncrypt(client: string, id: string, request: ReEncryptRequest): Promise<ReEncrypted>;
  dataKey(client: string, id: string, request: DataKeyRequest): Promise<CarriedOut<DataKey>>;
  mac(client: string, id: string, request: MacRequest): Promise<CarriedOut<Uint8Array>>;
  verifyMac(client: string, id: string, request: VerifyMacRequest): Promise<CarriedOut<boolean>>;
  deriveSecret(client: string, id: string, request: DeriveSecretRequest): Promise<CarriedOut<Uint8Array>>;
}

/** What was decided on a decryption whose plaintext stays inside, and the encryption that followed. */
export interface ReEncrypted {
  readonly decryption: CarriedOut<Uint8Array>;
  readonly encryption: CarriedOut<Uint8Array>;
}

export interface DataKey {
  readonly ciphertext: Uint8Array;
  readonly plaintext: Uint8Array;
}

export interface PoolOperationsParts {
  readonly configuration: Pick<Configuration, 'pools'>;
  readonly policy: Policy;
  readonly pools: PoolKeys;
  readonly carryOut: CarryOut;
  readonly findPoolKey: (client: string, key: string) => PoolKeyInRequest | undefined;
  /** Tells whether a request would be permitted by a rule now, rates aside, and by which. */
  readonly findPermit: (request: PipelineRequest) => string | undefined;
  readonly listKeys: () => readonly KeyInfo[];
  /** Seals changes that no entry of the log tells of. */
  readonly seal: () => Promise<void>;
}

const bytesOf = (hex: string): Uint8Array => Buffer.from(hex, 'hex');

/** Creates the operations on keys of pools. Each is one decision, which the log has before its result leaves. */
export function createPoolOperations(parts: PoolOperationsParts): PoolOperations {
  const { configuration, policy, pools, carryOut, findPoolKey, findPermit } = parts;
  const inTurn = createTurns();

  const request = (
    client: string,
    key: string,
    asked: {
      readonly operation: PoolOperation;
      readonly algorithm: Algorithm | null;
      readonly action: PoolAction;
    },
  ): PipelineRequest => ({ ...asked, client, key, poolKey: findPoolKey(client, key) });

  /** Uses a key for what its rule permits: `act` computes with the key, and nothing else. */
  function use<Result>(
    client: string,
    id: string,
    asked: { readonly operation: PoolOperation; readonly algorithm: Algorithm; readonly action: PoolAction },
    act: (key: HeldKey) => Result,
  ): Promise<CarriedOut<Result>> {
    return carryOut.now(request(client, id, asked), {
      act: () => act(requireEnabled(pools, id)),
      onEntry: () => pools.use(id),
    });
  }

  const encrypt = (
    client: string,
    id: string,
    { algorithm, context }: Pick<EncryptRequest, 'algorithm' | 'context'>,
    plaintext: Uint8Array,
  ) =>
    use(client, id, { operation: 'encrypt', algorithm, action: { action: 'encrypt', context } }, (key) =>
      encryptWith({ id, key, algorithm, context }, plaintext),
    );

  const decrypt = (client: string, id: string, { algorithm, ciphertext, context }: DecryptRequest) => {
    const action = { action: 'decrypt', ciphertext, context } as const;
    return use(client, id, { operation: 'decrypt', algorithm, action }, (key) =>
      decryptWith({ id, key, algorithm, context }, bytesOf(ciphertext)),
    );
  };

  async function create(
    client: string,
    pool: string,
    body: CreatePoolKeyRequest,
  ): Promise<CarriedOut<PoolKey>> {
    const { type, usage, token } = body;
    const asked: PipelineRequest = {
      operation: 'create-key',
      client,
      key: pool,
      algorithm: null,
      poolKey: { pool, id: null, type, usage },
      action: { action: 'create', ...body },
    };
    const known = pools.findCreated(client, pool, token);
    if (known === undefined) return describe(await make(asked, pool, body), client);
    const action = {
      act: () => requireSame(known, pool, body),
      madeKey: ({ id }: PoolKeyRecord) => id,
    };
    // A creation that is repeated was paid for: a rate that is used up does not keep its key from its client.
    const rule = known.request === digestCreation(pool, body) ? findPermit(asked) : undefined;
    const repeated =
      rule === undefined ? await carryOut.now(asked, action) : await carryOut.repeat(asked, rule, action);
    return describe(repeated, client);
  }

  async function make(
    asked: PipelineRequest,
    pool: string,
    body: CreatePoolKeyRequest,
  ): Promise<CarriedOut<PoolKeyRecord>> {
    let made: HeldKey | undefined;
    let secret: Uint8Array | undefined;
    let isHeld = false;
    try {
      const { result, ...rest } = await carryOut.now(asked, {
        act: async () => {
          pools.assertRoom(pool, body);
          made = await pools.generate(body.type, body.usage);
          return pools.describeNew(made, body, { client: asked.client, pool });
        },
        madeKey: ({ record }) => record.id,
        onEntry: (created) => {
          secret = pools.insert(created);
          isHeld = true;
        },
      });
      secret?.fill(0);
      return { ...rest, result: result.record };
    } finally {
      if (!isHeld) made?.destroy();
    }
  }

  return {
    list: (client) => ({
      pools: (configuration.pools ?? [])
        .filter(({ id }) => seesPool(policy, client, id))
        .map(({ id, types, maximum, deletionDays }) => ({
          id,
          types: [...types],
          maximum,
          deletionDays,
          grants: listGrants(policy, client, id),
          keys: pools.list(id).map((record) => describeKey(record, client)),
        })),
      keys: parts.listKeys().flatMap((key) => {
        const grants = listGrants(policy, client, key.id);
        return grants.operations.length === 0 ? [] : [{ ...key, grants }];
      }),
    }),
    describe: async (client, id) => {
      if (findPoolKey(client, id) === undefined) throw unknown(id);
      // Who has seen a key counts on it: another creation must not be answered with the same one.
      if (pools.name(id)) await parts.seal();
      const found = pools.find(id);
      if (found === undefined) throw unknown(id);
      return describeKey(found.record, client);
    },
    // Creations of one token come one after another: the second one finds what the first has made.
    create: (client, pool, body) =>
      inTurn(`${client} ${pool} ${body.token}`, () => create(client, pool, body)),
    change: async (client, id, change) => {
      let changed: PoolKeyRecord | undefined;
      const action = { action: 'change', ...change } as const;
      const asked = request(client, id, { operation: 'administer-key', algorithm: null, action });
      const { result: planned, ...rest } = await carryOut.now(asked, {
        act: () => pools.plan(id, change),
        onEntry: () => {
          changed = pools.change(id, change);
        },
      });
      return { ...rest, result: describeKey(changed ?? planned, client) };
    },
    encrypt: (client, id, body) => encrypt(client, id, body, bytesOf(body.plaintext)),
    decrypt,
    reEncrypt: async (client, id, { from, to }) => {
      const decryption = await decrypt(client, id, from);
      try {
        return { decryption, encryption: await encrypt(client, to.key, to, decryption.result) };
      } finally {
        decryption.result.fill(0);
      }
    },
    dataKey: (client, id, body) => {
      const algorithm = 'aes-256-gcm';
      const action = { action: 'data-key', ...body } as const;
      return use(client, id, { operation: 'encrypt', algorithm, action }, (key) => {
        const plaintext = new Uint8Array(randomBytes(body.bytes));
        const { context } = body;
        return { plaintext, ciphertext: encryptWith({ id, key, algorithm, context }, plaintext) };
      });
    },
    mac: (client, id, { algorithm, message }) =>
      use(client, id, { operation: 'mac', algorithm, action: { action: 'mac' } }, (key) =>
        key.mac(algorithm, bytesOf(message)),
      ),
    verifyMac: (client, id, { algorithm, message, mac }) =>
      use(client, id, { operation: 'mac', algorithm, action: { action: 'verify-mac', mac } }, (key) =>
        key.verifyMac(algorithm, bytesOf(message), bytesOf(mac)),
      ),
    deriveSecret: (client, id, { publicKey }) => {
      const algorithm = 'ecdh';
      const action = { action: 'derive-secret', publicKey } as const;
      return use(client, id, { operation: 'derive-secret', algorithm, action }, (key) =>
        key.deriveSecret(algorithm, bytesOf(publicKey)),
      );
    },
  };
}

const describe = ({ result, ...rest }: CarriedOut<PoolKeyRecord>, client: string): CarriedOut<PoolKey> => ({
  ...rest,
  result: describeKey(result, client),
});

/** Returns a key that may be used. @throws PoolError POOL_KEY_UNKNOWN, KEY_DISABLED, KEY_PENDING_DELETION */
function requireEnabled(pools: PoolKeys, id: string): HeldKey {
  const found = pools.find(id);
  if (found === undefined) throw unknown(id);
  assertEnabled(found.record);
  return found.key();
}

/** Returns the key that a creation has made, for the same creation. @throws PoolError TOKEN_REUSED */
function requireSame(known: PoolKeyRecord, pool: string, body: CreatePoolKeyRequest): PoolKeyRecord {
  if (known.request === digestCreation(pool, body)) return known;
  throw new PoolError('TOKEN_REUSED', 'the token was used for another creation', { key: known.id });
}

function unknown(key: string): PoolError {
  return new PoolError('POOL_KEY_UNKNOWN', 'the node has no such key of a pool', { key });
}
