import { z } from 'zod';
import type { Caller } from '../../../attestation/key-policy/index.ts';
import { type EncryptionContext, specDetails } from '../../../shared/kms/index.ts';
import type { Key } from './key-store.ts';

/** Operations that a grant can permit. Source: AWS KMS API Reference, "CreateGrant". */
export const GRANT_OPERATIONS = [
  'Decrypt',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'ReEncryptFrom',
  'ReEncryptTo',
  'Sign',
  'Verify',
  'GetPublicKey',
  'CreateGrant',
  'RetireGrant',
  'DescribeKey',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
  'GenerateMac',
  'VerifyMac',
  'DeriveSharedSecret',
  'Encapsulate',
  'Decapsulate',
] as const;
export type GrantOperation = (typeof GRANT_OPERATIONS)[number];

export const constraintsSchema = z.object({
  EncryptionContextSubset: z.record(z.string(), z.string()).optional(),
  EncryptionContextEquals: z.record(z.string(), z.string()).optional(),
});
export type GrantConstraints = Readonly<z.output<typeof constraintsSchema>>;

export const grantSchema = z.object({
  id: z.string(),
  token: z.string(),
  keyArn: z.string(),
  name: z.string().optional(),
  createdAt: z.number(),
  /** ARN of the root of the account that made the grant. */
  issuingAccount: z.string(),
  granteePrincipal: z.string(),
  retiringPrincipal: z.string().optional(),
  operations: z.array(z.enum(GRANT_OPERATIONS)),
  constraints: constraintsSchema.optional(),
});

/**
 * Permission beside the key policy: its grantee may do its operations with the key. No condition of the key policy
 * applies to a grant, those on attestation documents neither: only the constraints of the grant.
 */
export type Grant = Readonly<z.output<typeof grantSchema>>;

/** Operations that grants for a key can name: those that the key can do, and those that every key can. */
export function grantableOperations({ spec, usage }: Key): readonly GrantOperation[] {
  const common = ['CreateGrant', 'RetireGrant', 'DescribeKey'] as const;
  const isSymmetric = specDetails(spec).type === 'symmetric';
  switch (usage) {
    case 'ENCRYPT_DECRYPT':
      return [
        ...common,
        'Encrypt',
        'Decrypt',
        'ReEncryptFrom',
        'ReEncryptTo',
        ...(isSymmetric ? DATA_KEY_OPERATIONS : (['GetPublicKey'] as const)),
      ];
    case 'SIGN_VERIFY':
      return [...common, 'Sign', 'Verify', 'GetPublicKey'];
    case 'GENERATE_VERIFY_MAC':
      return [...common, 'GenerateMac', 'VerifyMac'];
    case 'KEY_AGREEMENT':
      return [...common, 'DeriveSharedSecret', 'GetPublicKey'];
    case 'ENCAPSULATE_DECAPSULATE':
    default:
      return [...common, 'Encapsulate', 'Decapsulate', 'GetPublicKey'];
  }
}

const DATA_KEY_OPERATIONS = [
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
] as const;

/**
 * Tells whether a principal of a grant is the caller: the caller itself, its role, or its account, which leaves the
 * rest to IAM. `delegated` says whether the caller's own policies allow.
 */
export function isPrincipal(principal: string | undefined, caller: Caller, delegated: boolean): boolean {
  if (principal === undefined || caller.type === 'service') return false;
  if (principal === caller.accountId || principal.endsWith(`::${caller.accountId}:root`)) {
    return caller.type === 'root' || delegated;
  }
  if (caller.type === 'session') return principal === caller.sessionArn || principal === caller.roleArn;
  return caller.type === 'user' && principal === caller.arn;
}

/** Request as far as grants care: the caller and the operation. */
export interface GrantRequest {
  readonly operation: string;
  readonly caller: Caller;
  /** True where the caller's own policies allow the operation. */
  readonly delegated: boolean;
  /** Encryption context; absent in operations that have none, which constraints say nothing about. */
  readonly encryptionContext?: EncryptionContext | undefined;
}

/** Tells whether a grant permits a request. */
export function permits(grant: Grant, request: GrantRequest): boolean {
  const { operation, caller, delegated, encryptionContext } = request;
  return (
    grant.operations.some((name) => name === operation) &&
    isPrincipal(grant.granteePrincipal, caller, delegated) &&
    (encryptionContext === undefined || satisfies(encryptionContext, grant.constraints))
  );
}

function satisfies(context: EncryptionContext, constraints: GrantConstraints | undefined): boolean {
  const { EncryptionContextEquals: equals, EncryptionContextSubset: subset } = constraints ?? {};
  return (
    (equals === undefined || (includes(context, equals) && includes(equals, context))) &&
    (subset === undefined || includes(context, subset))
  );
}

function includes(whole: EncryptionContext, part: EncryptionContext): boolean {
  return Object.entries(part).every(([key, value]) => Object.hasOwn(whole, key) && whole[key] === value);
}

/**
 * Tells whether a grant permits no more than another one: a caller who may create grants by a grant alone can hand on
 * only that.
 */
export function isWithin(grant: Pick<Grant, 'operations' | 'constraints'>, parent: Grant): boolean {
  const { EncryptionContextEquals: equals, EncryptionContextSubset: subset } = grant.constraints ?? {};
  const { EncryptionContextEquals: parentEquals, EncryptionContextSubset: parentSubset } =
    parent.constraints ?? {};
  const isEqual =
    parentEquals === undefined ||
    (equals !== undefined && includes(equals, parentEquals) && includes(parentEquals, equals));
  const isSubset = parentSubset === undefined || includes(equals ?? subset ?? {}, parentSubset);
  return grant.operations.every((name) => parent.operations.includes(name)) && isEqual && isSubset;
}
