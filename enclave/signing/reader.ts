import type { Algorithm } from '../../shared/algorithms.ts';
import { isBlindPayload, type Payload } from '../../shared/api/bodies.ts';
import { parseChildPath } from '../../shared/api/child-path.ts';
import type { Configuration } from '../../shared/documents/configuration.ts';
import { deriveChildPublicKey, ThresholdError } from '../../shared/frost/index.ts';
import {
  type DecodedPayload,
  type DecodingContext,
  decodePayload,
  TransactionError,
} from '../../policy/transactions/index.ts';
import type { Keyring } from '../keyring/index.ts';
import type { PoolKeys } from '../pools/index.ts';

/** A payload, and what it is to be signed with. */
export interface SigningRequestToRead {
  readonly key: string;
  readonly algorithm: Algorithm;
  readonly payload: Payload;
  /** Path to the child of the key that signs; absent where the key itself does. */
  readonly path?: string | undefined;
  /** The key of a pool that `key` names, where the client sees it. */
  readonly poolKey?: { readonly id: string | null } | undefined;
}

/** Reads payloads with the public keys and the networks of the node's keys. */
export interface PayloadReader {
  /**
   * Returns what a decoder knows beside the payload; `publicKey` is that of the child that signs, and empty where the node
   * holds no such key.
   *
   * @throws TransactionError CHILD_UNSUPPORTED
   */
  contextOf(request: SigningRequestToRead): DecodingContext;
  /**
   * Reads what a request asks to have signed. Undefined where the node holds no such key and the payload cannot be read
   * without one: the policy then refuses the request.
   *
   * @throws TransactionError
   */
  read(request: SigningRequestToRead): DecodedPayload | undefined;
}

const NO_KEY = new Uint8Array();
/** The type of keys that have children. */
const CHILD_TYPE = 'frost-secp256k1-taproot';

/** Creates the reader of a node's payloads. */
export function createReader(
  { keys }: Configuration,
  keyring: Keyring,
  pools?: Pick<PoolKeys, 'find'>,
): PayloadReader {
  const networksOf = new Map(keys.map(({ id, networks }) => [id, networks]));
  const listOwnKeys = (): DecodingContext['ownKeys'] =>
    keys.flatMap(({ id }) => {
      const publicKey = keyring.publicKey(id);
      return publicKey === undefined ? [] : [{ id, publicKey }];
    });
  const suite = keyring.arithmetic.suites[CHILD_TYPE];
  const findKey = ({ key, path, poolKey }: SigningRequestToRead): Uint8Array => {
    const ofPool = poolKey === undefined ? undefined : pools?.find(key);
    const publicKey = ofPool?.key().publicKey ?? keyring.publicKey(key) ?? NO_KEY;
    if (path === undefined) return publicKey;
    if (ofPool !== undefined) throw childless({ key, type: ofPool.record.type });
    const type = keys.find(({ id }) => id === key)?.type;
    if (type !== undefined && type !== CHILD_TYPE) throw childless({ key, type });
    if (publicKey === NO_KEY) return NO_KEY;
    const root = { publicKey, chainCode: keyring.chainCode(key) };
    try {
      return deriveChildPublicKey(suite, root, parseChildPath(path)).publicKey;
    } catch (error) {
      if (!(error instanceof ThresholdError)) throw error;
      throw childless({ key, path }, error);
    }
  };
  const contextOf = (request: SigningRequestToRead): DecodingContext => ({
    algorithm: request.algorithm,
    publicKey: findKey(request),
    networks: networksOf.get(request.key) ?? [],
    // Decoders of one chain alone need them, and a node may hold a thousand.
    get ownKeys() {
      return listOwnKeys();
    },
  });
  return {
    contextOf,
    read: (request) => {
      const context = contextOf(request);
      if (context.publicKey === NO_KEY && !isBlindPayload(request.payload)) return undefined;
      return decodePayload(request.payload, context);
    },
  };
}

function childless(details: Readonly<Record<string, string>>, cause?: unknown): TransactionError {
  return new TransactionError('CHILD_UNSUPPORTED', 'the key has no such child', details, cause);
}
