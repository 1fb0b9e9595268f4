import { type Algorithm, describeAlgorithm, type KeyUsage } from '../../shared/algorithms.ts';
import { SignerError } from '../signer/index.ts';
import { KeyError } from './errors.ts';
import type { HeldKey, HeldKeyType } from './held-key.ts';

type Operations = Pick<HeldKey, 'sign' | 'encrypt' | 'decrypt' | 'mac' | 'verifyMac' | 'deriveSecret'>;
type Rest<Type extends HeldKeyType> = Omit<HeldKey<Type>, keyof Operations>;

/**
 * Completes a key by the operations that its usage does not have: each of them is refused. Asserts before each other one
 * that the algorithm is one of the key's type and usage.
 */
export function completeKey<Type extends HeldKeyType, Key extends Rest<Type>>(
  key: Key,
  operations: Partial<Operations>,
): Key & HeldKey<Type> {
  const { type, usage } = key;
  const choose = <Name extends keyof Operations>(
    name: Name,
    wanted: KeyUsage,
    algorithm: Algorithm,
  ): Operations[Name] => {
    const operation = operations[name];
    if (usage !== wanted || operation === undefined)
      throw new KeyError('USAGE_MISMATCH', `a key for ${usage} was asked to ${name}`, {
        type,
        usage,
        operation: name,
      });
    const { keys, usage: needed } = describeAlgorithm(algorithm);
    if (!keys.includes(type) || needed !== wanted)
      throw new SignerError('ALGORITHM_MISMATCH', `a ${type} key for ${usage} was asked for ${algorithm}`, {
        type,
        usage,
        algorithm,
      });
    return operation;
  };
  return {
    ...key,
    sign: (request) => choose('sign', 'sign', request.algorithm)(request),
    encrypt: (request) => choose('encrypt', 'encrypt', request.algorithm)(request),
    decrypt: (request) => choose('decrypt', 'encrypt', request.algorithm)(request),
    mac: (algorithm, message) => choose('mac', 'mac', algorithm)(algorithm, message),
    verifyMac: (algorithm, message, mac) => choose('verifyMac', 'mac', algorithm)(algorithm, message, mac),
    deriveSecret: (algorithm, peer) => choose('deriveSecret', 'agree', algorithm)(algorithm, peer),
  };
}
