import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  type GetSecretValueCommandOutput,
  PutSecretValueCommand,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { SecretPurpose } from '../../shared/documents/encryption-context.ts';
import { askAws } from '../../admin/aws/index.ts';
import { CliError } from '../errors.ts';

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

type Client = Pick<SecretsManagerClient, 'send'>;

export interface PlanOptions {
  readonly client: Client;
  readonly prefix: string;
  /** The names that may be replaced. */
  readonly rotate: ReadonlySet<string>;
  readonly signal: AbortSignal;
}

const CURRENT = 'AWSCURRENT';
const PREVIOUS = 'AWSPREVIOUS';
/** Secrets Manager may take a moment until it gives back what it has taken. */
const VERIFY_ATTEMPTS = 5;
const VERIFY_PAUSE_MS = 200;

/** Compares with what is there. Only reads. @throws CliError AWS_… */
export async function planSecret(
  name: SecretPurpose,
  blob: Uint8Array,
  options: PlanOptions,
): Promise<PlannedSecret> {
  const { client, prefix, rotate, signal } = options;
  const planned = { name, blob, secretId: `${prefix}${name}` };
  const described = await describe(client, planned.secretId, signal);
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

/**
 * Writes one secret as planned and reads it back.
 *
 * @returns the version that was written
 * @throws CliError AWS_…, SECRET_CHANGED, SECRET_NOT_WRITTEN
 */
export async function writeSecret(
  { name, secretId, blob, action, current }: PlannedSecret,
  { client, signal }: PlanOptions,
  description: string,
): Promise<string> {
  const token = randomUUID();
  const content = { ClientRequestToken: token, SecretBinary: blob };
  if (action === 'create') {
    const command = new CreateSecretCommand({ Name: secretId, Description: description, ...content });
    await askAws('secretsmanager:CreateSecret', client.send(command, { abortSignal: signal }), {
      ResourceExistsException: () => {
        throw new CliError('SECRET_CHANGED', 'somebody else has made the secret meanwhile', { name });
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

/** Secrets Manager has no compare-and-swap here: the version that ours replaced shows whether somebody wrote between. */
async function verifyWritten(
  { name, secretId, blob, token, previous }: Written,
  { client, signal }: Pick<PlanOptions, 'client' | 'signal'>,
): Promise<void> {
  for (let attempt = 1; attempt <= VERIFY_ATTEMPTS; attempt += 1) {
    const value = await readVersion(client, secretId, token, signal);
    const stages = (await describe(client, secretId, signal))?.VersionIdsToStages;
    if (isSame(value?.SecretBinary, blob) && versionWith(CURRENT, stages) === token) {
      if (versionWith(PREVIOUS, stages) === previous) return;
      throw new CliError('SECRET_CHANGED', 'somebody else has written the secret meanwhile', {
        name,
        expected: previous ?? null,
        actual: versionWith(PREVIOUS, stages) ?? null,
      });
    }
    if (attempt < VERIFY_ATTEMPTS) await sleep(VERIFY_PAUSE_MS * attempt, undefined, { signal });
  }
  throw new CliError('SECRET_NOT_WRITTEN', 'Secrets Manager does not give back what was written', {
    name,
    version: token,
  });
}

async function describe(client: Client, secretId: string, signal: AbortSignal) {
  return await askAws(
    'secretsmanager:DescribeSecret',
    client
      .send(new DescribeSecretCommand({ SecretId: secretId }), { abortSignal: signal })
      .then((described): typeof described | undefined => described),
    { ResourceNotFoundException: () => undefined },
  );
}

async function readVersion(
  client: Client,
  secretId: string,
  version: string,
  signal: AbortSignal,
): Promise<GetSecretValueCommandOutput | undefined> {
  return await askAws<GetSecretValueCommandOutput | undefined>(
    'secretsmanager:GetSecretValue',
    client.send(new GetSecretValueCommand({ SecretId: secretId, VersionId: version }), {
      abortSignal: signal,
    }),
    { ResourceNotFoundException: () => undefined },
  );
}

function versionWith(stage: string, stages: Record<string, string[]> | undefined): string | undefined {
  return Object.entries(stages ?? {}).find(([, labels]) => labels.includes(stage))?.[0];
}

function isSame(left: Uint8Array | undefined, right: Uint8Array): boolean {
  return left !== undefined && Buffer.compare(left, right) === 0;
}
