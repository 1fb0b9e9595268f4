import { z } from 'zod';
import { AwsServiceError, optional, parseInput, type AuthenticatedRequest } from '../../aws/plumbing.ts';
import { assertNotPendingDeletion } from '../model/usable-key.ts';
import { assertIdentityAllows, authorizeKey } from '../model/authorize.ts';
import { type KmsContext, scopeOf } from '../model/context.ts';
import { arnPrefix } from '../model/key-names.ts';
import { specDetails } from '../model/key-spec.ts';
import type { Key } from '../model/key-store.ts';
import { paginate } from '../model/pages.ts';
import { keyIdSchema, pageSchema } from '../model/schemas.ts';
import { findAllowed } from './find-key.ts';

const nameSchema = z.object({
  AliasName: z
    .string()
    .min(1)
    .max(256)
    .regex(/^[a-zA-Z0-9:/_-]+$/),
});
const aliasSchema = nameSchema.extend({ TargetKeyId: keyIdSchema });
const listSchema = pageSchema.extend({ KeyId: optional(keyIdSchema) });

/** Source: AWS KMS API Reference, "CreateAlias". */
export function createAlias(kms: KmsContext, request: AuthenticatedRequest): void {
  const { AliasName: name, TargetKeyId: target } = parseInput(aliasSchema, request.input);
  const arn = aliasArn(request, name);
  assertIdentityAllows(request, {}, arn);
  const key = findAllowed(kms, request, target);
  assertNotPendingDeletion(key);
  if (kms.aliases.list(scopeOf(request)).some((alias) => alias.arn === arn)) {
    throw new AwsServiceError('AlreadyExistsException', `An alias with the name ${arn} already exists`);
  }
  kms.aliases.set(name, key, request.now);
}

/** Source: AWS KMS API Reference, "UpdateAlias". The key that loses the alias has a say, too. */
export function updateAlias(kms: KmsContext, request: AuthenticatedRequest): void {
  const { AliasName: name, TargetKeyId: target } = parseInput(aliasSchema, request.input);
  const arn = aliasArn(request, name);
  assertIdentityAllows(request, {}, arn);
  const key = findAllowed(kms, request, target);
  const current = kms.keys.get(kms.aliases.get(arn).keyArn);
  authorizeKey(kms, request, current);
  assertNotPendingDeletion(key);
  if (typeOf(key) !== typeOf(current) || key.usage !== current.usage) {
    throw new AwsServiceError(
      'ValidationException',
      `The alias ${arn} can only be moved between keys of the same type and usage.`,
    );
  }
  kms.aliases.set(name, key, request.now);
}

/** Source: AWS KMS API Reference, "DeleteAlias". */
export function deleteAlias(kms: KmsContext, request: AuthenticatedRequest): void {
  const { AliasName: name } = parseInput(nameSchema, request.input);
  const arn = aliasArn(request, name);
  assertIdentityAllows(request, {}, arn);
  authorizeKey(kms, request, kms.keys.get(kms.aliases.get(arn).keyArn));
  kms.aliases.delete(arn);
}

/** Source: AWS KMS API Reference, "ListAliases". */
export function listAliases(kms: KmsContext, request: AuthenticatedRequest): object {
  const input = parseInput(listSchema, request.input);
  assertIdentityAllows(request);
  const scope = scopeOf(request);
  const aliases =
    input.KeyId === undefined
      ? kms.aliases.list(scope)
      : kms.aliases.of(kms.keys.resolve(input.KeyId, scope));
  const { items, rest } = paginate(aliases, ({ name }) => name, input, { usual: 50, most: 100 });
  return {
    Aliases: items.map(({ name, arn, keyArn, createdAt, updatedAt }) => ({
      AliasName: name,
      AliasArn: arn,
      TargetKeyId: keyArn.split('/').at(-1),
      CreationDate: createdAt / 1000,
      LastUpdatedDate: updatedAt / 1000,
    })),
    ...rest,
  };
}

/** ARN of an alias. @throws AwsServiceError ValidationException, InvalidAliasNameException */
function aliasArn(request: AuthenticatedRequest, name: string): string {
  if (!name.startsWith('alias/')) {
    throw new AwsServiceError('ValidationException', 'Alias must start with the prefix "alias/".');
  }
  if (name.startsWith('alias/aws/') || !/^alias\/[a-zA-Z0-9/_-]+$/.test(name)) {
    throw new AwsServiceError('InvalidAliasNameException', `${name} is not an alias of a customer's own.`);
  }
  return arnPrefix(scopeOf(request)) + name;
}

/** Type of a key: symmetric, asymmetric or HMAC. */
function typeOf({ spec }: Key): string {
  const { type } = specDetails(spec);
  return type === 'symmetric' || type === 'hmac' ? type : 'asymmetric';
}
