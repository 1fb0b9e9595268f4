import { createHash } from 'node:crypto';
import {
  arnPrefix,
  parseKeyName,
  keyNotFound,
  aliasNotFound,
  type Scope,
} from '../../../shared/kms/index.ts';
import { AwsServiceError } from '../../../shared/aws-json/index.ts';

/** A KeyId parameter: the UUID of a key, or an alias without `alias/`. */
export type KmsKeyName =
  | { readonly type: 'key'; readonly id: string; readonly arn: string }
  | { readonly type: 'alias'; readonly alias: string; readonly arn: string };

const ID_CONTEXT = 'holdfast-kms-key/1';
const UUID = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/;

/**
 * Derives the stable id that a key of the configuration has for KMS clients: a UUID of version 8 (RFC 9562, 5.8) from
 * SHA-256 of the node's namespace and the key's id.
 */
export function deriveKeyId(namespace: string, key: string): string {
  const digest = createHash('sha256')
    .update([ID_CONTEXT, namespace, key].join('\0'))
    .digest()
    .subarray(0, 16);
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x80;
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80;
  return digest.toString('hex').replace(UUID, '$1-$2-$3-$4-$5');
}

/**
 * Names the alias, without `alias/`, that a key of the configuration has by its id. Aliases have no dots, and ids no
 * slashes.
 */
export function builtInAlias(key: string): string {
  return key.replaceAll('.', '/');
}

/**
 * Parses a KeyId parameter: an id, an ARN, an alias or an alias's ARN, of the door's own account and Region.
 *
 * @throws AwsServiceError NotFoundException, InvalidArnException
 */
export function readKeyName(text: string, scope: Scope): KmsKeyName {
  const { type, arn } = parseKeyName(text, scope);
  const prefix = arnPrefix(scope);
  if (!arn.startsWith(prefix)) throw type === 'key' ? keyNotFound(arn) : aliasNotFound(arn);
  const name = arn.slice(prefix.length);
  if (type === 'alias') return { type, alias: name.slice('alias/'.length), arn };
  return { type, id: name.slice('key/'.length), arn };
}

/**
 * Parses a KeyId parameter of an operation that takes no alias.
 *
 * @throws AwsServiceError NotFoundException, InvalidArnException
 */
export function readKeyId(text: string, scope: Scope): KmsKeyName & { readonly type: 'key' } {
  const name = readKeyName(text, scope);
  if (name.type === 'key') return name;
  throw new AwsServiceError('NotFoundException', `Invalid keyId '${text}'`);
}
