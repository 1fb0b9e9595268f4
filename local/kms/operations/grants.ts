import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import {
  dryRun,
  invalid,
  keyIdSchema,
  keyPageSchema,
  keySchema,
  type PageRequest,
  pageSchema,
  paginate,
  parseKeyArn,
  specDetails,
  useSchema,
} from '../../../shared/kms/index.ts';
import { AwsServiceError, optional, parseInput, type AuthenticatedRequest } from '../../aws/plumbing.ts';
import { admitUse } from '../model/usable-key.ts';
import { accessDenied, assertIdentityAllows, authorizeKey, type ConditionKeys } from '../model/authorize.ts';
import { type KmsContext, scopeOf } from '../model/context.ts';
import {
  GRANT_OPERATIONS,
  grantableOperations,
  isPrincipal,
  isWithin,
  permits,
  type Grant,
  type GrantConstraints,
} from '../model/grant.ts';
import type { Key } from '../model/key-store.ts';
import { findAllowed } from './find-key.ts';

const principalSchema = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[\w+=,.@:/-]+$/);
const pairsSchema = optional(z.record(z.string(), z.string()));
const createSchema = useSchema.extend({
  GranteePrincipal: optional(principalSchema),
  RetiringPrincipal: optional(principalSchema),
  Operations: z.array(z.enum(GRANT_OPERATIONS)),
  Constraints: optional(
    z.object({ EncryptionContextSubset: pairsSchema, EncryptionContextEquals: pairsSchema }),
  ),
  Name: optional(
    z
      .string()
      .min(1)
      .max(256)
      .regex(/^[a-zA-Z0-9:/_-]+$/),
  ),
});
const grantIdSchema = z.string().min(1).max(128);
const listSchema = keyPageSchema.extend({
  GrantId: optional(grantIdSchema),
  GranteePrincipal: optional(principalSchema),
});
const listRetirableSchema = pageSchema.extend({ RetiringPrincipal: principalSchema });
const revokeSchema = keySchema.extend({ GrantId: grantIdSchema, DryRun: optional(z.boolean()) });
const retireSchema = z.object({
  GrantToken: optional(z.string().min(1).max(8192)),
  KeyId: optional(keyIdSchema),
  GrantId: optional(grantIdSchema),
  DryRun: optional(z.boolean()),
});

const PAGE = { usual: 50, most: 100 };
const PRINCIPAL =
  /^(?:[0-9]{12}|arn:aws[a-z-]*:(?:iam|sts)::[0-9]{12}:(?:root|(?:user|role|assumed-role|federated-user)\/\S+))$/;

/** Source: AWS KMS API Reference, "CreateGrant". A repeated request with one name gives the grant that is there. */
export function createGrant(kms: KmsContext, request: AuthenticatedRequest): object {
  const input = parseInput(createSchema, request.input);
  const { GranteePrincipal: grantee, RetiringPrincipal: retiring, Operations: operations } = input;
  const key = kms.keys.resolve(input.KeyId, scopeOf(request));
  const constraints = readConstraints(input.Constraints);
  const decision = admitUse(kms, request, key, {
    named: input.KeyId,
    grantTokens: input.GrantTokens,
    keys: grantContext(input, constraints),
  });
  const principal = assertPrincipals(grantee, retiring);
  assertOperations(key, operations, constraints);
  const asked = {
    keyArn: key.arn,
    createdAt: request.now,
    issuingAccount: `arn:aws:iam::${request.credential.caller.accountId}:root`,
    granteePrincipal: principal,
    operations,
    ...(input.Name === undefined ? {} : { name: input.Name }),
    ...(retiring === undefined ? {} : { retiringPrincipal: retiring }),
    ...(constraints === undefined ? {} : { constraints }),
  };
  if (decision.grant !== undefined && !isWithin(asked, decision.grant)) {
    throw accessDenied({ ...decision, reason: 'implicit-deny' });
  }
  if (input.DryRun === true) throw dryRun();
  const grant = findTwin(kms, asked) ?? kms.grants.create(asked);
  return { GrantId: grant.id, GrantToken: grant.token };
}

/** Source: AWS KMS API Reference, "ListGrants". */
export function listGrants(kms: KmsContext, request: AuthenticatedRequest): object {
  const input = parseInput(listSchema, request.input);
  const key = findAllowed(kms, request, input.KeyId);
  const grants = kms.grants
    .of(key.arn)
    .filter(({ id }) => input.GrantId === undefined || id === input.GrantId)
    .filter(
      ({ granteePrincipal }) =>
        input.GranteePrincipal === undefined || granteePrincipal === input.GranteePrincipal,
    );
  return showPage(grants, input);
}

/** Source: AWS KMS API Reference, "ListRetirableGrants". */
export function listRetirableGrants(kms: KmsContext, request: AuthenticatedRequest): object {
  const input = parseInput(listRetirableSchema, request.input);
  assertIdentityAllows(request);
  const { region } = request;
  const grants = kms.grants
    .list()
    .filter(({ retiringPrincipal }) => retiringPrincipal === input.RetiringPrincipal)
    .filter(({ keyArn }) => parseKeyArn(keyArn)?.region === region);
  return showPage(grants, input);
}

/** Source: AWS KMS API Reference, "RevokeGrant": what the key's own policy and IAM decide on. */
export function revokeGrant(kms: KmsContext, request: AuthenticatedRequest): void {
  const input = parseInput(revokeSchema, request.input);
  const key = findAllowed(kms, request, input.KeyId, { keys: { 'kms:GrantIsForAWSResource': 'false' } });
  const grant = findGrant(kms, key.arn, input.GrantId);
  if (input.DryRun === true) throw dryRun();
  kms.grants.delete(grant);
}

/**
 * Source: AWS KMS API Reference, "RetireGrant". The grant itself says who may: its retiring principal, its grantee if
 * RetireGrant is among its operations, the account that made it.
 */
export function retireGrant(kms: KmsContext, request: AuthenticatedRequest): void {
  const input = parseInput(retireSchema, request.input);
  const grant = findRetired(kms, input);
  const { caller } = request.credential;
  const delegated = false;
  const mayRetire =
    isPrincipal(grant.retiringPrincipal, caller, delegated) ||
    isPrincipal(grant.issuingAccount, caller, delegated) ||
    permits(grant, { operation: 'RetireGrant', caller, delegated });
  // A caller whom the grant does not name may still have the right delegated.
  if (!mayRetire) authorizeKey(kms, request, kms.keys.get(grant.keyArn));
  if (input.DryRun === true) throw dryRun();
  kms.grants.delete(grant);
}

function findRetired(
  kms: KmsContext,
  { GrantToken: token, KeyId: keyArn, GrantId: id }: z.output<typeof retireSchema>,
): Grant {
  if (token !== undefined && (keyArn !== undefined || id !== undefined)) {
    throw invalid('Specify either a grant token, or a key ARN and a grant ID.');
  }
  if (token !== undefined) {
    const grant = kms.grants.findByToken(token);
    if (grant === undefined) throw new AwsServiceError('InvalidGrantTokenException', 'Invalid grant token');
    return grant;
  }
  if (keyArn === undefined || id === undefined) {
    throw invalid('Specify either a grant token, or a key ARN and a grant ID.');
  }
  if (parseKeyArn(keyArn) === undefined) {
    throw new AwsServiceError('InvalidArnException', `Invalid arn '${keyArn}'`);
  }
  return findGrant(kms, kms.keys.get(keyArn).arn, id);
}

function findGrant(kms: KmsContext, keyArn: string, id: string): Grant {
  const grant = kms.grants.of(keyArn).find((candidate) => candidate.id === id);
  if (grant === undefined) throw new AwsServiceError('NotFoundException', `Grant ID ${id} not found`);
  return grant;
}

/** Finds the grant that an earlier request with the same name and parameters has made. */
function findTwin(kms: KmsContext, asked: Omit<Grant, 'id' | 'token'>): Grant | undefined {
  if (asked.name === undefined) return undefined;
  const strip = (grant: object) => ({ ...grant, id: '', token: '', createdAt: 0 });
  return kms.grants.of(asked.keyArn).find((grant) => isDeepStrictEqual(strip(grant), strip(asked)));
}

function assertPrincipals(grantee: string | undefined, retiring: string | undefined): string {
  if (grantee === undefined) throw invalid('GranteePrincipal is needed: the stand-in has no AWS services.');
  for (const principal of [grantee, retiring]) {
    if (principal !== undefined && !PRINCIPAL.test(principal)) {
      throw new AwsServiceError('InvalidArnException', `'${principal}' is not the ARN of a principal.`);
    }
  }
  return grantee;
}

function assertOperations(
  key: Key,
  operations: Grant['operations'],
  constraints: GrantConstraints | undefined,
): void {
  const possible = grantableOperations(key);
  const wrong = operations.find((name) => !possible.includes(name));
  if (wrong !== undefined) throw invalid(`Grant operation ${wrong} is not supported on ${key.arn}.`);
  if (operations.length === 0) throw invalid('A grant needs at least one operation.');
  if (constraints !== undefined && specDetails(key.spec).type !== 'symmetric') {
    throw invalid('Encryption context constraints need a symmetric encryption key.');
  }
}

function readConstraints(
  constraints: z.output<typeof createSchema>['Constraints'],
): GrantConstraints | undefined {
  const { EncryptionContextSubset: subset, EncryptionContextEquals: equals } = constraints ?? {};
  if (subset === undefined && equals === undefined) return undefined;
  return {
    ...(subset === undefined ? {} : { EncryptionContextSubset: subset }),
    ...(equals === undefined ? {} : { EncryptionContextEquals: equals }),
  };
}

/** Condition keys of CreateGrant. Source: KMS Developer Guide, "Condition keys for AWS KMS". */
function grantContext(
  input: z.output<typeof createSchema>,
  constraints: GrantConstraints | undefined,
): ConditionKeys {
  return {
    'kms:GranteePrincipal': input.GranteePrincipal,
    'kms:RetiringPrincipal': input.RetiringPrincipal,
    'kms:GrantOperations': input.Operations,
    'kms:GrantIsForAWSResource': 'false',
    'kms:GrantConstraintType': constraints === undefined ? undefined : Object.keys(constraints),
  };
}

function showPage(grants: readonly Grant[], page: PageRequest): object {
  const { items, rest } = paginate(grants, ({ id }) => id, page, PAGE);
  return {
    Grants: items.map((grant) => ({
      KeyId: grant.keyArn,
      GrantId: grant.id,
      Name: grant.name ?? '',
      CreationDate: grant.createdAt / 1000,
      GranteePrincipal: grant.granteePrincipal,
      RetiringPrincipal: grant.retiringPrincipal,
      IssuingAccount: grant.issuingAccount,
      Operations: grant.operations,
      Constraints: grant.constraints,
    })),
    ...rest,
  };
}
