import { AwsServiceError } from '../aws-json/index.ts';
import type { KeyDescription } from './describe-key.ts';
import { algorithmsOf, type KeySpecDetails, type KeyUsage, specDetails } from './key-spec.ts';

/*
 * Refusals in AWS's words. SDKs branch on their names; people and some tools read their messages.
 */

export function invalid(message: string): AwsServiceError {
  return new AwsServiceError('ValidationException', message);
}

/** Refusal of a request that lacks a member, whose lower-case name is given. */
export function missingMember(member: string): AwsServiceError {
  return invalid(
    `1 validation error detected: Value null at '${member}' failed to satisfy constraint: Member must not be null`,
  );
}

export function keyNotFound(arn: string): AwsServiceError {
  return new AwsServiceError('NotFoundException', `Key '${arn}' does not exist`);
}

export function aliasNotFound(arn: string): AwsServiceError {
  return new AwsServiceError('NotFoundException', `Alias ${arn} is not found.`);
}

export function aliasExists(arn: string): AwsServiceError {
  return new AwsServiceError('AlreadyExistsException', `An alias with the name ${arn} already exists`);
}

export function policyNotFound(): AwsServiceError {
  return new AwsServiceError('NotFoundException', 'No such policy exists');
}

export function dryRun(): AwsServiceError {
  return new AwsServiceError(
    'DryRunOperationException',
    'The request would have succeeded, but the DryRun option is set.',
  );
}

/** Refusal of a ciphertext that was changed, or made with another key or encryption context. */
export function invalidCiphertext(): AwsServiceError {
  return new AwsServiceError('InvalidCiphertextException', '');
}

/** Refusal of Verify. A signature that is not valid is an error, never a response. */
export function invalidSignature(): AwsServiceError {
  return new AwsServiceError('KMSInvalidSignatureException', 'The signature is not valid.');
}

/** Refusal of VerifyMac. A MAC that is not valid is an error, never a response. */
export function invalidMac(): AwsServiceError {
  return new AwsServiceError('KMSInvalidMacException', 'The MAC is not valid.');
}

/** Asserts that a key is enabled. @throws AwsServiceError DisabledException, KMSInvalidStateException */
export function assertEnabled(key: Pick<KeyDescription, 'arn' | 'state'>): void {
  if (key.state === 'Disabled') throw new AwsServiceError('DisabledException', `${key.arn} is disabled.`);
  assertNotPendingDeletion(key);
}

/** Asserts that a key is not pending deletion. @throws AwsServiceError KMSInvalidStateException */
export function assertNotPendingDeletion({ arn, state }: Pick<KeyDescription, 'arn' | 'state'>): void {
  if (state === 'PendingDeletion') {
    throw new AwsServiceError('KMSInvalidStateException', `${arn} is pending deletion.`);
  }
}

/** What an operation needs of a key. */
export interface NeededUsage {
  /** Usage that the operation needs; undefined for operations on keys of every usage. */
  readonly usage?: KeyUsage | undefined;
  /** Kind of key that the operation needs, where the usage does not say it. */
  readonly type?: KeySpecDetails['type'] | undefined;
  /** Algorithm that the request asks for. */
  readonly algorithm?: string | undefined;
}

/** Asserts that a key is of the purpose that an operation needs. @throws AwsServiceError InvalidKeyUsageException */
export function assertUsage(
  operation: string,
  { arn, spec, usage }: Pick<KeyDescription, 'arn' | 'spec' | 'usage'>,
  needed: NeededUsage,
): void {
  if (needed.usage !== undefined && needed.usage !== usage) {
    throw invalidUsage(`${arn} key usage is ${usage} which is not valid for ${operation}.`);
  }
  if (needed.type !== undefined && needed.type !== specDetails(spec).type) {
    throw invalidUsage(`${arn} key spec is ${spec} which is not valid for ${operation}.`);
  }
  if (needed.algorithm !== undefined && !algorithmsOf(spec, usage).includes(needed.algorithm)) {
    throw invalidUsage(`Algorithm ${needed.algorithm} is incompatible with key spec ${spec}.`);
  }
}

function invalidUsage(message: string): AwsServiceError {
  return new AwsServiceError('InvalidKeyUsageException', message);
}

/** Asserts that a key has a public key. @throws AwsServiceError UnsupportedOperationException */
export function assertPair({ arn, spec }: Pick<KeyDescription, 'arn' | 'spec'>): void {
  const { type } = specDetails(spec);
  if (type === 'symmetric' || type === 'hmac') {
    throw new AwsServiceError('UnsupportedOperationException', `${arn} is a symmetric key.`);
  }
}

/**
 * Asserts that an alias may move from one key to another: between keys of the same type and usage.
 * @throws AwsServiceError ValidationException
 */
export function assertSameKind(
  aliasArn: string,
  from: Pick<KeyDescription, 'spec' | 'usage'>,
  to: Pick<KeyDescription, 'spec' | 'usage'>,
): void {
  if (typeOf(from) !== typeOf(to) || from.usage !== to.usage) {
    throw invalid(`The alias ${aliasArn} can only be moved between keys of the same type and usage.`);
  }
}

/** Type of a key: symmetric, asymmetric or HMAC. */
function typeOf({ spec }: Pick<KeyDescription, 'spec'>): string {
  const { type } = specDetails(spec);
  return type === 'symmetric' || type === 'hmac' ? type : 'asymmetric';
}
