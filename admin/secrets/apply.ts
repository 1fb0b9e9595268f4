import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { askAws } from '../aws/index.ts';
import { AdminError } from '../errors.ts';
import { assertNoConflict, type PlannedSecret, type PlanOptions } from './plan.ts';
import { contentOf, CURRENT, describeSecret, isSame, PREVIOUS, readVersion, versionWith } from './store.ts';

/** Secrets Manager may take a moment until it gives back what it has taken. */
const VERIFY_ATTEMPTS = 5;
const VERIFY_PAUSE_MS = 200;

/**
 * Carries out a plan: secrets that are the same already are left alone, and a plan with a conflict is not begun.
 *
 * @param describe the text that a new secret carries for people
 * @returns the versions that were written, by the names of their secrets
 * @throws AdminError AWS_…, INTERRUPTED, SECRET_CHANGED, SECRET_EXISTS, SECRET_NOT_WRITTEN
 */
export async function applyPlan(
  plan: readonly PlannedSecret[],
  options: PlanOptions,
  describe: (secret: PlannedSecret) => string,
): Promise<ReadonlyMap<string, string>> {
  assertNoConflict(plan);
  const versions = new Map<string, string>();
  for (const secret of plan) {
    if (secret.action === 'unchanged') continue;
    versions.set(secret.name, await writeSecret(secret, options, describe(secret)));
  }
  return versions;
}

/**
 * Writes one secret as planned and reads it back.
 *
 * @returns the version that was written
 * @throws AdminError AWS_…, SECRET_CHANGED, SECRET_NOT_WRITTEN
 */
export async function writeSecret(
  { name, secretId, blob, action, current }: PlannedSecret,
  { client, signal }: PlanOptions,
  description: string,
): Promise<string> {
  const { CreateSecretCommand, PutSecretValueCommand } = await import('@aws-sdk/client-secrets-manager');
  const token = randomUUID();
  const content = { ClientRequestToken: token, SecretBinary: blob };
  if (action === 'create') {
    const command = new CreateSecretCommand({ Name: secretId, Description: description, ...content });
    await askAws('secretsmanager:CreateSecret', client.send(command, { abortSignal: signal }), {
      ResourceExistsException: () => {
        throw new AdminError('SECRET_CHANGED', 'somebody else has made the secret meanwhile', { name });
      },
    });
  } else {
    const command = new PutSecretValueCommand({ SecretId: secretId, ...content });
    await askAws('secretsmanager:PutSecretValue', client.send(command, { abortSignal: signal }));
  }
  await verifyWritten({ name, secretId, blob, token, previous: current }, { client, signal });
  return token;
}

interface Written {
  readonly name: string;
  readonly secretId: string;
  readonly blob: Uint8Array;
  readonly token: string;
  /** The version that was in force when it was planned. */
  readonly previous: string | undefined;
}

/**
 * Reads back what was written. Secrets Manager has no compare-and-swap: the version that ours replaced shows whether
 * somebody wrote between.
 *
 * @throws AdminError AWS_…, SECRET_CHANGED, SECRET_NOT_WRITTEN
 */
export async function verifyWritten(
  { name, secretId, blob, token, previous }: Written,
  { client, signal }: Pick<PlanOptions, 'client' | 'signal'>,
): Promise<void> {
  for (let attempt = 1; attempt <= VERIFY_ATTEMPTS; attempt += 1) {
    const value = await readVersion(client, secretId, token, signal);
    const stages = (await describeSecret(client, secretId, signal))?.VersionIdsToStages;
    if (isSame(contentOf(value), blob) && versionWith(CURRENT, stages) === token) {
      if (versionWith(PREVIOUS, stages) === previous) return;
      throw new AdminError('SECRET_CHANGED', 'somebody else has written the secret meanwhile', {
        name,
        expected: previous ?? null,
        actual: versionWith(PREVIOUS, stages) ?? null,
      });
    }
    if (attempt < VERIFY_ATTEMPTS) await sleep(VERIFY_PAUSE_MS * attempt, undefined, { signal });
  }
  throw new AdminError('SECRET_NOT_WRITTEN', 'Secrets Manager does not give back what was written', {
    name,
    version: token,
  });
}
