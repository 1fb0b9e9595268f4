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

/** Reads payloads with the public keys and the networks of the node's keys. */
export interface PayloadReader {
  /** Returns what a decoder knows beside the payload; `publicKey` is empty where the node holds no such key. */
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

/** Creates the reader of a node's payloads. */
export function createReader({ keys }: Configuration, keyring: Keyring): PayloadReader {
  const networksOf = new Map(keys.map(({ id, networks }) => [id, networks]));
  const listOwnKeys = (): DecodingContext['ownKeys'] =>
    keys.flatMap(({ id }) => {
      const publicKey = keyring.publicKey(id);
      return publicKey === undefined ? [] : [{ id, publicKey }];
    });
  const contextOf = ({ key, algorithm }: SigningRequestToRead): DecodingContext => ({
    algorithm,
    publicKey: keyring.publicKey(key) ?? NO_KEY,
    networks: networksOf.get(key) ?? [],
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
