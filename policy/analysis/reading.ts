import { hexToBytes } from '@noble/hashes/utils.js';
import type { Algorithm } from '../../shared/algorithms.ts';
import { isBlindPayload, type Payload } from '../../shared/api/payloads.ts';
import type { Configuration } from '../../shared/documents/configuration.ts';
import { decodePayload, type Transaction } from '../transactions/index.ts';
import { AnalysisError } from './errors.ts';

/** Public keys by the id of their key: raw Ed25519, or compressed SEC1; hex. */
export type PublicKeys = ReadonlyMap<string, string>;

/** Gathers the public keys that a configuration pins, and those that were given; what was given goes first. */
export function gatherPublicKeys({ keys }: Configuration, given: PublicKeys = new Map()): PublicKeys {
  const pinned = keys.flatMap(({ id, publicKey }) =>
    publicKey === undefined ? [] : [[id, publicKey] as const],
  );
  return new Map([...pinned, ...given]);
}

/**
 * Reads what a request asks to have signed, as a node with these keys does. Undefined for a key that the configuration
 * does not name: rules then refuse the request.
 *
 * @throws TransactionError; AnalysisError PUBLIC_KEY_UNKNOWN
 */
export function readTransaction(
  request: { readonly key: string; readonly algorithm: Algorithm; readonly payload: Payload },
  { keys, pools = [] }: Configuration,
  publicKeys: PublicKeys,
): Transaction | undefined {
  const { key, algorithm, payload } = request;
  // Keys of pools serve no network.
  const networks =
    keys.find(({ id }) => id === key)?.networks ?? (pools.some(({ id }) => id === key) ? [] : undefined);
  if (networks === undefined) return undefined;
  const publicKey = publicKeys.get(key);
  if (publicKey === undefined && !isBlindPayload(payload)) {
    throw new AnalysisError('PUBLIC_KEY_UNKNOWN', 'the public key of a key is not known', { key });
  }
  return decodePayload(payload, {
    algorithm,
    publicKey: hexToBytes(publicKey ?? ''),
    networks,
    ownKeys: keys.flatMap(({ id }) => {
      const own = publicKeys.get(id);
      return own === undefined ? [] : [{ id, publicKey: hexToBytes(own) }];
    }),
  }).transaction;
}

/** Tells whether a configuration's end is past. @param now milliseconds since 1970 */
export function isOver({ notAfter }: Pick<Configuration, 'notAfter'>, now: number): boolean {
  return notAfter !== undefined && !(now <= Date.parse(notAfter));
}
