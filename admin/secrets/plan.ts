import type { SecretPurpose } from '../../shared/documents/encryption-context.ts';
import { AdminError } from '../errors.ts';
import { CURRENT, describeSecret, isSame, readVersion, type SecretsClient, versionWith } from './store.ts';

export type PlannedAction =
  /** There is none yet. */
  | 'create'
  /** There is one without a value. */
  | 'fill'
  | 'rotate'
  | 'unchanged'
  /** There is another one, and nothing says that it may be replaced: nothing at all will be written. */
  | 'conflict';

export interface PlannedSecret {
  readonly name: SecretPurpose;
  /** Its name in Secrets Manager. */
  readonly secretId: string;
  readonly blob: Uint8Array;
  readonly action: PlannedAction;
  readonly reason?: 'another value' | 'text instead of a ciphertext' | 'being deleted';
  /** The version in force. */
  readonly current?: string;
}

export interface PlanOptions {
  readonly client: SecretsClient;
  readonly prefix: string;
  /** The names that may be replaced. */
  readonly rotate: ReadonlySet<string>;
  readonly signal: AbortSignal;
}

/** Compares with what is there. Only reads. @throws AdminError AWS_… */
export async function planSecret(
  name: SecretPurpose,
  blob: Uint8Array,
  options: PlanOptions,
): Promise<PlannedSecret> {
  const { client, prefix, rotate, signal } = options;
  const planned = { name, blob, secretId: `${prefix}${name}` };
  const described = await describeSecret(client, planned.secretId, signal);
  if (described === undefined) return { ...planned, action: 'create' };
  if (described.DeletedDate !== undefined) {
    return { ...planned, action: 'conflict', reason: 'being deleted' };
  }
  const current = versionWith(CURRENT, described.VersionIdsToStages);
  if (current === undefined) return { ...planned, action: 'fill' };
  const value = await readVersion(client, planned.secretId, current, signal);
  if (isSame(value?.SecretBinary, blob)) return { ...planned, current, action: 'unchanged' };
  if (rotate.has(name)) return { ...planned, current, action: 'rotate' };
  const reason = value?.SecretBinary === undefined ? 'text instead of a ciphertext' : 'another value';
  return { ...planned, current, action: 'conflict', reason };
}

/** Compares all of a node's ciphertexts with what is there. Only reads. @throws AdminError AWS_…, INTERRUPTED */
export async function planSecrets(
  blobs: ReadonlyMap<SecretPurpose, Uint8Array>,
  options: PlanOptions,
): Promise<readonly PlannedSecret[]> {
  const plan: PlannedSecret[] = [];
  for (const [name, blob] of blobs) plan.push(await planSecret(name, blob, options));
  return plan;
}

/**
 * Assures that everything that is planned may be written, so that a plan is carried out whole or not begun.
 * @throws AdminError SECRET_EXISTS
 */
export function assertNoConflict(plan: readonly PlannedSecret[]): void {
  const conflict = plan.find(({ action }) => action === 'conflict');
  if (conflict === undefined) return;
  throw new AdminError('SECRET_EXISTS', 'the secret is there already; --rotate NAME replaces it', {
    name: conflict.name,
    secretId: conflict.secretId,
    reason: conflict.reason,
  });
}
