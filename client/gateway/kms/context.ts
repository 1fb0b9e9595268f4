import { AwsServiceError } from '../../../shared/aws-json/index.ts';
import { arnPrefix, type KeyDescription, type Scope } from '../../../shared/kms/index.ts';
import { NodeRefusal } from '../../errors.ts';
import type { NodeClient } from '../../node-client.ts';
import type { QuorumClient } from '../../quorum-client.ts';
import { KMS_USAGES, specOf } from './algorithms.ts';
import type { Creations } from './creations.ts';
import { readKeyId, readKeyName } from './key-names.ts';
import type { KnownKey, KnownKeys, PoolKnown } from './known-keys.ts';

/** What an operation works with: one client of the nodes' configuration, and one request. */
export interface KmsContext {
  readonly scope: Scope;
  readonly accessKeyId: string;
  readonly client: string;
  /** Pool in which CreateKey makes keys. */
  readonly pool: string | undefined;
  readonly keys: KnownKeys;
  /** Whichever node answers. */
  readonly quorum: QuorumClient;
  /** Each node by itself; the first makes keys. */
  readonly nodes: readonly NodeClient[];
  readonly creations: Creations;
  /** Value of amz-sdk-invocation-id. */
  readonly invocation: string | undefined;
  readonly isClientGone: () => boolean;
  /**
   * Asks a node, for as long as the door may wait by itself.
   *
   * @param isRepeatable the request may be carried out twice: it changes and signs nothing
   */
  readonly ask: <T>(act: () => Promise<T>, isRepeatable: boolean) => Promise<T>;
}

/** What an operation gives. */
export interface KmsResult {
  /** Members of the response. */
  readonly output?: object;
  /** What the log names. */
  readonly key?: string | undefined;
  readonly payload?: Uint8Array | undefined;
  /** Told whether the client has got the response, as far as TCP shows, and whether it was one to a further try. */
  readonly onDelivery?: ((isDelivered: boolean, isRetry: boolean) => void) | undefined;
}

/** Finds a key whose type and usage are wanted, and nothing that may have changed since. */
export async function findKey({ keys, scope, ask }: KmsContext, text: string): Promise<KnownKey> {
  return await ask(() => keys.find(readKeyName(text, scope)), true);
}

/** Finds a key as its node has it now. */
export async function describeKey({ keys, scope, ask }: KmsContext, text: string): Promise<KnownKey> {
  return await ask(() => keys.describe(readKeyName(text, scope)), true);
}

/**
 * Finds a key of a pool by its id or ARN, to change it.
 *
 * @throws AwsServiceError NotFoundException; UnsupportedOperationException for a key of the configuration
 */
export async function findPoolKey({ keys, scope, ask }: KmsContext, text: string): Promise<PoolKnown> {
  const key = await ask(() => keys.find(readKeyId(text, scope)), true);
  if (key.kind === 'pool') return key;
  throw new AwsServiceError(
    'UnsupportedOperationException',
    `${arnOf(key, scope)} is a key of the node's configuration: only a newly signed configuration changes it.`,
  );
}

/** Asserts that a key is one of a pool. @throws AwsServiceError UnsupportedOperationException */
export function assertPoolKey(key: KnownKey, scope: Scope): asserts key is PoolKnown {
  if (key.kind === 'pool') return;
  throw new AwsServiceError(
    'UnsupportedOperationException',
    `${arnOf(key, scope)} is a key of the configuration.`,
  );
}

export function arnOf({ id }: KnownKey, scope: Scope): string {
  return `${arnPrefix(scope)}key/${id}`;
}

const STATES = { enabled: 'Enabled', disabled: 'Disabled', 'pending-deletion': 'PendingDeletion' } as const;

/** Describes a key as KMS does. */
export function showKey(known: KnownKey, scope: Scope): KeyDescription {
  const spec = specOf(known.type);
  if (spec === undefined) throw new TypeError(`no kind of KMS is ${known.type}`);
  const common = {
    ...scope,
    arn: arnOf(known, scope),
    keyId: known.id,
    spec,
    usage: KMS_USAGES[known.usage],
  };
  if (known.kind === 'configuration') {
    const description = `${known.key.id}, a key of the node's configuration`;
    return { ...common, description, createdAt: 0, state: 'Enabled' };
  }
  const { description, created, state, deletionTime } = known.key;
  return {
    ...common,
    description,
    createdAt: created,
    state: STATES[state],
    deletionAt: deletionTime ?? undefined,
  };
}

/** Refuses tokens of grants: the door has given none. @throws AwsServiceError InvalidGrantTokenException */
export function assertNoGrantTokens(tokens: readonly string[] | undefined): void {
  if (tokens === undefined || tokens.length === 0) return;
  throw new AwsServiceError(
    'InvalidGrantTokenException',
    'There are no grants here: rules say who may use a key.',
  );
}

/** Refuses a recipient: only AWS's KMS encrypts to an enclave. @throws AwsServiceError UnsupportedOperationException */
export function assertNoRecipient(recipient: unknown): void {
  if (recipient === undefined) return;
  throw new AwsServiceError(
    'UnsupportedOperationException',
    'Responses are not encrypted to a Recipient here.',
  );
}

/** Refuses a dry run of an operation that nodes do not explain. @throws AwsServiceError UnsupportedOperationException */
export function assertNoDryRun(operation: string, isDryRun: boolean | undefined): void {
  if (isDryRun !== true) return;
  throw new AwsServiceError('UnsupportedOperationException', `DryRun of ${operation} is not to be had here.`);
}

/** Whether a node refuses with a code. */
export function isRefusal(error: unknown, code: string): boolean {
  return error instanceof NodeRefusal && error.code === code;
}

export const base64 = (hex: string): string => Buffer.from(hex, 'hex').toString('base64');
export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
