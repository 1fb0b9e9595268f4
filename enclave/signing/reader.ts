import type { Algorithm } from '../../shared/algorithms.ts';
import { isBlindPayload, type Payload } from '../../shared/api/bodies.ts';
import type { Configuration } from '../../shared/documents/configuration.ts';
import { type DecodedPayload, type DecodingContext, decodePayload } from '../../policy/transactions/index.ts';
import type { Keyring } from '../keyring/index.ts';

/** A payload, and what it is to be signed with. */
export interface SigningRequestToRead {
  readonly key: string;
  readonly algorithm: Algorithm;
  readonly payload: Payload;
}

/**
 * Reads what a request asks to have signed, with the public key and the networks of the key that it names. Undefined
 * where the node holds no such key and the payload cannot be read without one: the policy then refuses the request.
 *
 * @throws TransactionError
 */
export type ReadPayload = (request: SigningRequestToRead) => DecodedPayload | undefined;

const NO_KEY = new Uint8Array();

/** Creates the reader of a node's payloads. */
export function createReader({ keys }: Configuration, keyring: Keyring): ReadPayload {
  const networksOf = new Map(keys.map(({ id }) => [id, [] as readonly string[]]));
  const listOwnKeys = (): DecodingContext['ownKeys'] =>
    keys.flatMap(({ id }) => {
      const publicKey = keyring.publicKey(id);
      return publicKey === undefined ? [] : [{ id, publicKey }];
    });
  return ({ key, algorithm, payload }) => {
    const publicKey = keyring.publicKey(key);
    if (publicKey === undefined && !isBlindPayload(payload)) return undefined;
    return decodePayload(payload, {
      algorithm,
      publicKey: publicKey ?? NO_KEY,
      networks: networksOf.get(key) ?? [],
      get ownKeys() {
        return listOwnKeys();
      },
    });
  };
}
