import {
  aliasExists,
  aliasNameSchema,
  aliasTargetSchema,
  arnPrefix,
  assertAliasName,
  assertNotPendingDeletion,
  assertSameKind,
  listAliasesSchema,
  paginate,
} from '../../../shared/kms/index.ts';
import { parseInput, type AuthenticatedRequest } from '../../aws/plumbing.ts';
import { assertIdentityAllows, authorizeKey } from '../model/authorize.ts';
import { type KmsContext, scopeOf } from '../model/context.ts';
import { findAllowed } from './find-key.ts';

/** Source: AWS KMS API Reference, "CreateAlias". */
export function createAlias(kms: KmsContext, request: AuthenticatedRequest): void {
  const { AliasName: name, TargetKeyId: target } = parseInput(aliasTargetSchema, request.input);
  const arn = aliasArn(request, name);
  assertIdentityAllows(request, {}, arn);
  const key = findAllowed(kms, request, target);
  assertNotPendingDeletion(key);
  if (kms.aliases.list(scopeOf(request)).some((alias) => alias.arn === arn)) {
    throw aliasExists(arn);
  }
  kms.aliases.set(name, key, request.now);
}

/** Source: AWS KMS API Reference, "UpdateAlias". The key that loses the alias has a say, too. */
export function updateAlias(kms: KmsContext, request: AuthenticatedRequest): void {
  const { AliasName: name, TargetKeyId: target } = parseInput(aliasTargetSchema, request.input);
  const arn = aliasArn(request, name);
  assertIdentityAllows(request, {}, arn);
  const key = findAllowed(kms, request, target);
  const current = kms.keys.get(kms.aliases.get(arn).keyArn);
  authorizeKey(kms, request, current);
  assertNotPendingDeletion(key);
  assertSameKind(arn, current, key);
  kms.aliases.set(name, key, request.now);
}

/** Source: AWS KMS API Reference, "DeleteAlias". */
export function deleteAlias(kms: KmsContext, request: AuthenticatedRequest): void {
  const { AliasName: name } = parseInput(aliasNameSchema, request.input);
  const arn = aliasArn(request, name);
  assertIdentityAllows(request, {}, arn);
  authorizeKey(kms, request, kms.keys.get(kms.aliases.get(arn).keyArn));
  kms.aliases.delete(arn);
}

/** Source: AWS KMS API Reference, "ListAliases". */
export function listAliases(kms: KmsContext, request: AuthenticatedRequest): object {
  const input = parseInput(listAliasesSchema, request.input);
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
  assertAliasName(name);
  return arnPrefix(scopeOf(request)) + name;
}
