import { type KeyInfo, type SignAnswer, signRequestSchema } from '../../shared/node/api.ts';
import { parsePayload } from '../keys/index.ts';
import type { ApiContext, Authorise } from './context.ts';
import { PolicyError } from './errors.ts';
import type { Route } from './router.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** GET /v1/keys: the public keys of what the configuration names, and how full the store is. */
export function createKeysRoute({ signed, keyring }: ApiContext): Route {
  return {
    method: 'GET',
    path: /^\/v1\/keys$/,
    isSigned: true,
    act: () => {
      const keys: KeyInfo[] = signed.configuration.keys.map(({ id, type }) => {
        const publicKey = keyring.publicKey(id);
        return { id, type, publicKey: publicKey === undefined ? null : hex(publicKey) };
      });
      return { keys, store: keyring.usage };
    },
  };
}

/** POST /v1/sign: decides, then signs with a key that the node holds alone. */
export function createSignRoute({ signed, keyring }: ApiContext, authorise: Authorise): Route {
  return {
    method: 'POST',
    path: /^\/v1\/sign$/,
    isSigned: true,
    act: ({ client, parse }): SignAnswer => {
      const { key: id, algorithm, payload } = parse(signRequestSchema);
      const rule = authorise({ operation: 'sign', client, key: id, algorithm, payload: payload.kind });
      const key = keyring.key(id);
      // A share signs in two rounds, at its own routes.
      if (key === undefined) throw new PolicyError('ALGORITHM_MISMATCH', 'not a key that signs alone');
      const { signature, publicKey, recovery } = key.sign({ algorithm, payload: parsePayload(payload) });
      return {
        signature: hex(signature),
        ...(recovery === undefined ? {} : { recovery }),
        publicKey: hex(publicKey),
        rule,
        configuration: signed.configuration.version,
      };
    },
  };
}
