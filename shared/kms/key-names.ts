import { partitionOf } from '../aws/partitions.ts';
import { AwsServiceError } from '../aws-json/index.ts';

/** Account in a Region: where keys and aliases lie. */
export interface Scope {
  readonly accountId: string;
  readonly region: string;
}

/** Key as a request names it, by the ARN that the name stands for. */
export interface KeyName {
  readonly type: 'key' | 'alias';
  readonly arn: string;
}

const ARN =
  /^arn:aws[a-z-]*:kms:([a-z0-9-]+):([0-9]{12}):(?:(key)\/([a-zA-Z0-9-]{1,64})|alias\/[a-zA-Z0-9/_-]{1,250})$/;
const ALIAS = /^alias\/[a-zA-Z0-9/_-]{1,250}$/;
const KEY_ID = /^[a-zA-Z0-9-]{1,64}$/;

/** Prefix of KMS's ARNs in an account and Region, the last colon included. */
export function arnPrefix({ accountId, region }: Scope): string {
  return `arn:${partitionOf(region)?.id ?? 'aws'}:kms:${region}:${accountId}:`;
}

/** Parses a key's ARN: where the key lies; undefined for what is no key ARN. */
export function parseKeyArn(arn: string): (Scope & { readonly keyId: string }) | undefined {
  const [, region, accountId, key, keyId] = ARN.exec(arn) ?? [];
  if (key === undefined || region === undefined || accountId === undefined || keyId === undefined)
    return undefined;
  return { region, accountId, keyId };
}

/**
 * Parses a KeyId parameter: a key id or alias of the caller's own account and Region, or an ARN.
 * @throws AwsServiceError NotFoundException, InvalidArnException
 */
export function parseKeyName(name: string, scope: Scope): KeyName {
  if (ALIAS.test(name)) return { type: 'alias', arn: arnPrefix(scope) + name };
  if (KEY_ID.test(name)) return { type: 'key', arn: `${arnPrefix(scope)}key/${name}` };
  const [, region, , key] = ARN.exec(name) ?? [];
  if (region === undefined) {
    if (name.startsWith('arn:')) throw new AwsServiceError('InvalidArnException', `Invalid arn '${name}'`);
    throw invalidKeyId(name);
  }
  if (region !== scope.region) throw new AwsServiceError('NotFoundException', `Invalid arn ${region}`);
  return { type: key === undefined ? 'alias' : 'key', arn: name };
}

/** Refusal of a name that names no key, or no key in the way that an operation needs. */
export function invalidKeyId(name: string): AwsServiceError {
  return new AwsServiceError('NotFoundException', `Invalid keyId '${name}'`);
}

/**
 * Asserts that a name is one that a customer may give an alias.
 * @throws AwsServiceError ValidationException, InvalidAliasNameException
 */
export function assertAliasName(name: string): void {
  if (!name.startsWith('alias/')) {
    throw new AwsServiceError('ValidationException', 'Alias must start with the prefix "alias/".');
  }
  if (name.startsWith('alias/aws/') || !ALIAS.test(name)) {
    throw new AwsServiceError('InvalidAliasNameException', `${name} is not an alias of a customer's own.`);
  }
}
