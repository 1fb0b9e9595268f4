import { randomInt, randomUUID } from 'node:crypto';
import { z } from 'zod';
import {
  buildRequestContext,
  evaluateIdentityPolicies,
  evaluateResourcePolicy,
  parseKeyPolicy,
} from '../../attestation/key-policy/index.ts';
import {
  AwsServiceError,
  blob,
  callerArn,
  globalContext,
  optional,
  parseInput,
  type AuthenticatedRequest,
} from '../aws/plumbing.ts';
import type { Secret, SecretStore } from './secret-store.ts';
import { addVersion, findVersion, relabel, STAGE, type SecretContent } from './versions.ts';

const MAX_SECRET_BYTES = 65_536;

const tokenSchema = optional(z.string().min(32).max(64)).transform((token) => token ?? randomUUID());
const contentSchema = {
  SecretString: optional(z.string().min(1)),
  SecretBinary: optional(blob(1, MAX_SECRET_BYTES)),
};
const createSchema = z.object({
  Name: z
    .string()
    .min(1)
    .max(512)
    .regex(/^[\w/+=.@-]+$/),
  ClientRequestToken: tokenSchema,
  Description: optional(z.string().max(2048)),
  KmsKeyId: optional(z.string().max(2048)),
  ...contentSchema,
});
const idSchema = z.object({ SecretId: z.string().min(1).max(2048) });
const putSchema = idSchema.extend({
  ClientRequestToken: tokenSchema,
  VersionStages: optional(z.array(z.string().min(1).max(256)).min(1).max(20)),
  ...contentSchema,
});
const getSchema = idSchema.extend({
  VersionId: optional(z.string().min(32).max(64)),
  VersionStage: optional(z.string().min(1).max(256)),
});
const stageSchema = idSchema.extend({
  VersionStage: z.string().min(1).max(256),
  MoveToVersionId: optional(z.string().min(32).max(64)),
  RemoveFromVersionId: optional(z.string().min(32).max(64)),
});
const listSchema = z.object({
  MaxResults: optional(z.int().min(1).max(100)),
  NextToken: optional(z.string().min(1).max(4096)),
});

/** Source: AWS Secrets Manager API Reference, "CreateSecret". */
export function createSecret(secrets: SecretStore, request: AuthenticatedRequest): object {
  const input = parseInput(createSchema, request.input);
  const prefix = arnPrefix(request);
  authorize(request, `${prefix}${input.Name}-??????`, { 'secretsmanager:Name': input.Name });
  const content = readContent(input, false);
  const existing = secrets.list(prefix).find(({ name }) => name === input.Name);
  if (existing !== undefined) return repeatCreation(existing, input.ClientRequestToken, content);
  const { now } = request;
  const empty: Secret = {
    arn: `${prefix}${input.Name}-${randomSuffix()}`,
    name: input.Name,
    description: input.Description,
    kmsKeyId: input.KmsKeyId,
    createdAt: now,
    changedAt: now,
    versions: [],
  };
  const secret =
    content === undefined
      ? empty
      : addVersion(empty, input.ClientRequestToken, content, { stages: [STAGE.current], now });
  const { arn, name, versions } = secrets.save(secret);
  return { ARN: arn, Name: name, VersionId: versions[0]?.id };
}

/**
 * Response to a repeated CreateSecret: a client that did not hear the first response asks again with the same token.
 */
function repeatCreation(secret: Secret, token: string, content: SecretContent | undefined): object {
  const version = secret.versions.find(({ id }) => id === token);
  if (version === undefined || version.text !== content?.text || version.binary !== content?.binary) {
    throw new AwsServiceError(
      'ResourceExistsException',
      `The operation failed because the secret ${secret.name} already exists.`,
    );
  }
  return { ARN: secret.arn, Name: secret.name, VersionId: version.id };
}

/** Source: AWS Secrets Manager API Reference, "PutSecretValue". */
export function putSecretValue(secrets: SecretStore, request: AuthenticatedRequest): object {
  const input = parseInput(putSchema, request.input);
  const secret = findSecret(secrets, request, input.SecretId);
  const content = readContent(input, true);
  const asked = input.VersionStages ?? [STAGE.current];
  // The first version is the current one, whatever else it is called.
  const stages = secret.versions.length === 0 ? [...new Set([...asked, STAGE.current])] : asked;
  const changed = addVersion(secret, input.ClientRequestToken, content, { stages, now: request.now });
  if (changed !== secret) secrets.save(changed);
  return {
    ARN: secret.arn,
    Name: secret.name,
    VersionId: input.ClientRequestToken,
    VersionStages: changed.versions.find(({ id }) => id === input.ClientRequestToken)?.stages,
  };
}

/** Source: AWS Secrets Manager API Reference, "GetSecretValue". */
export function getSecretValue(secrets: SecretStore, request: AuthenticatedRequest): object {
  const input = parseInput(getSchema, request.input);
  const secret = findSecret(secrets, request, input.SecretId);
  const version = findVersion(secret, input.VersionId, input.VersionStage);
  return {
    ARN: secret.arn,
    Name: secret.name,
    VersionId: version.id,
    SecretString: version.text,
    SecretBinary: version.binary,
    VersionStages: version.stages,
    CreatedDate: version.createdAt / 1000,
  };
}

/** Source: AWS Secrets Manager API Reference, "DescribeSecret". */
export function describeSecret(secrets: SecretStore, request: AuthenticatedRequest): object {
  const input = parseInput(idSchema, request.input);
  const secret = findSecret(secrets, request, input.SecretId);
  return { ...summarise(secret), VersionIdsToStages: versionIdsToStages(secret) };
}

/** Source: AWS Secrets Manager API Reference, "UpdateSecretVersionStage". */
export function updateSecretVersionStage(secrets: SecretStore, request: AuthenticatedRequest): object {
  const input = parseInput(stageSchema, request.input);
  const secret = findSecret(secrets, request, input.SecretId);
  const { VersionStage: stage, MoveToVersionId: to, RemoveFromVersionId: from } = input;
  secrets.save({ ...relabel(secret, stage, { to, from }), changedAt: request.now });
  return { ARN: secret.arn, Name: secret.name };
}

/** Source: AWS Secrets Manager API Reference, "ListSecrets". Sorted by name; the token is the last name shown. */
export function listSecrets(secrets: SecretStore, request: AuthenticatedRequest): object {
  const input = parseInput(listSchema, request.input);
  authorize(request, '*', {});
  const after = input.NextToken === undefined ? '' : decodeToken(input.NextToken);
  const rest = secrets.list(arnPrefix(request)).filter(({ name }) => name > after);
  const page = rest.slice(0, input.MaxResults ?? 100);
  const last = page.at(-1)?.name;
  return {
    SecretList: page.map((secret) => ({
      ...summarise(secret),
      SecretVersionsToStages: versionIdsToStages(secret),
    })),
    ...(page.length < rest.length && last !== undefined
      ? { NextToken: Buffer.from(last, 'utf8').toString('base64url') }
      : {}),
  };
}

function decodeToken(token: string): string {
  const name = Buffer.from(token, 'base64url');
  if (name.toString('base64url') !== token) {
    throw new AwsServiceError('InvalidNextTokenException', 'The NextToken is not one that was given.');
  }
  return name.toString('utf8');
}

function summarise(secret: Secret): object {
  return {
    ARN: secret.arn,
    Name: secret.name,
    Description: secret.description,
    KmsKeyId: secret.kmsKeyId,
    CreatedDate: secret.createdAt / 1000,
    LastChangedDate: secret.changedAt / 1000,
  };
}

/** Labels by version; AWS leaves out versions without labels. */
function versionIdsToStages(secret: Secret): Record<string, readonly string[]> {
  return Object.fromEntries(
    secret.versions.filter(({ stages }) => stages.length > 0).map(({ id, stages }) => [id, stages]),
  );
}

/**
 * Finds the secret that an id names: its ARN, its ARN without the suffix, or its name. Secrets of other accounts and
 * regions are not found.
 * @throws AwsServiceError AccessDeniedException, ResourceNotFoundException
 */
export function findSecret(secrets: SecretStore, request: AuthenticatedRequest, id: string): Secret {
  const prefix = arnPrefix(request);
  const own = secrets
    .list(prefix)
    .find(({ arn, name }) => id === name || id === arn || id === arn.slice(0, -SUFFIX_LENGTH));
  const secret = own ?? findShared(secrets, request, id);
  const resource = secret?.arn ?? (id.startsWith('arn:') ? id : `${prefix}${id}`);
  authorize(request, resource, { 'secretsmanager:SecretId': resource }, secret);
  if (secret === undefined) {
    throw new AwsServiceError(
      'ResourceNotFoundException',
      "Secrets Manager can't find the specified secret.",
    );
  }
  return secret;
}

/** Finds another account's secret that has a policy of its own; it is named by its whole ARN. */
function findShared(secrets: SecretStore, { region }: AuthenticatedRequest, arn: string): Secret | undefined {
  const secret = secrets.find(arn);
  return secret?.policy !== undefined && arn.split(':')[3] === region ? secret : undefined;
}

function readContent(
  input: z.output<typeof createSchema> | z.output<typeof putSchema>,
  needed: true,
): SecretContent;
function readContent(
  input: z.output<typeof createSchema> | z.output<typeof putSchema>,
  needed: false,
): SecretContent | undefined;
function readContent(
  {
    SecretString: text,
    SecretBinary: binary,
  }: { SecretString?: string | undefined; SecretBinary?: Uint8Array | undefined },
  needed: boolean,
): SecretContent | undefined {
  if (text !== undefined && binary !== undefined) {
    throw new AwsServiceError(
      'InvalidParameterException',
      'You can’t specify both a binary secret value and a string secret value in the same secret.',
    );
  }
  if (text !== undefined) {
    if (Buffer.byteLength(text) > MAX_SECRET_BYTES) {
      throw new AwsServiceError(
        'ValidationException',
        `SecretString is longer than ${MAX_SECRET_BYTES} bytes`,
      );
    }
    return { text };
  }
  if (binary !== undefined) return { binary: Buffer.from(binary).toString('base64') };
  if (needed) {
    throw new AwsServiceError(
      'InvalidRequestException',
      'You must provide either SecretString or SecretBinary.',
    );
  }
  return undefined;
}

/** Lets the caller's own policies decide, with the secret's where it has one. @throws AwsServiceError AccessDeniedException */
function authorize(
  request: AuthenticatedRequest,
  resource: string,
  keys: Record<string, string>,
  secret?: Secret,
): void {
  const { caller, policies } = request.credential;
  const action = `secretsmanager:${request.operation}`;
  const context = buildRequestContext([...globalContext(request), ...Object.entries(keys)]);
  const identity =
    caller.type === 'root' ? 'allow' : evaluateIdentityPolicies(policies, { action, resource, context });
  const { decision } = evaluateResourcePolicy(
    secret?.policy === undefined ? undefined : parseKeyPolicy(secret.policy),
    { action, caller, context, resource, ownerId: resource.split(':')[4] ?? '', identity },
  );
  // What is in no account yet is the caller's own to make or to look for.
  const isOwn = secret === undefined && identity === 'allow';
  if (decision === 'allow' || isOwn) return;
  throw new AwsServiceError(
    'AccessDeniedException',
    `User: ${callerArn(caller)} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`,
  );
}

function arnPrefix({ credential, region }: AuthenticatedRequest): string {
  return `arn:aws:secretsmanager:${region}:${credential.caller.accountId}:secret:`;
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
/** Length of an ARN's suffix: a hyphen and six characters. */
const SUFFIX_LENGTH = 7;

function randomSuffix(): string {
  return Array.from({ length: SUFFIX_LENGTH - 1 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
}
