import { createHash, randomBytes } from 'node:crypto';
import { askAws } from '../../aws/index.ts';
import { AdminError } from '../../errors.ts';
import { verifyWritten } from '../../secrets/index.ts';
import type { PartitionDescription } from './catalogue.ts';
import type { PlannedValue, PopulateOptions } from './plan.ts';

const GENERATED_BYTES = 32;

/** Actions of a plan that write. */
const WRITES: ReadonlySet<PlannedValue['action']> = new Set(['create', 'fill', 'rotate']);

/** True for a plan by which something is written. */
export function changesSomething(plan: readonly PlannedValue[]): boolean {
  return plan.some(({ action }) => WRITES.has(action));
}

/**
 * Carries out a plan, one secret after the other; a plan with a conflict is not begun. What a crash cut off, another run
 * goes on with: a value that was written is kept, and one that was not is made then. Of two runs at once that make a value,
 * or replace the same one, one writes and the other is refused: both name the version that they write after the one that
 * they found.
 *
 * @param onWritten is told of each secret that is in force, before the next is begun
 * @returns versions that were written, by the names of their secrets
 * @throws AdminError AWS_…, INTERRUPTED, SECRET_CHANGED, SECRET_EXISTS, SECRET_NOT_WRITTEN
 */
export async function populatePartition(
  { partition }: PartitionDescription,
  plan: readonly PlannedValue[],
  { client, signal }: Pick<PopulateOptions, 'client' | 'signal'>,
  onWritten: (planned: PlannedValue) => void = () => undefined,
): Promise<ReadonlyMap<string, string>> {
  const conflict = plan.find(({ action }) => action === 'conflict');
  if (conflict !== undefined) {
    throw new AdminError('SECRET_EXISTS', 'the secret is there already; --rotate NAME replaces it', {
      name: conflict.entry.name,
      secretId: conflict.secretId,
      reason: conflict.reason,
    });
  }
  const versions = new Map<string, string>();
  for (const planned of plan) {
    if (!WRITES.has(planned.action)) continue;
    versions.set(planned.entry.name, await writeValue(partition, planned, { client, signal }));
    onWritten(planned);
  }
  return versions;
}

async function writeValue(
  partition: string,
  { entry, secretId, action, current, value: given }: PlannedValue,
  options: Pick<PopulateOptions, 'client' | 'signal'>,
): Promise<string> {
  const { name, form } = entry;
  const value = given ?? Buffer.from(randomBytes(GENERATED_BYTES).toString('base64url'));
  const token = nameVersion(secretId, current);
  const content = form === 'text' ? { SecretString: value.toString('utf8') } : { SecretBinary: value };
  const request = { ClientRequestToken: token, ...content };
  const changed = () => {
    throw new AdminError('SECRET_CHANGED', 'another run has written the secret meanwhile', {
      name,
      secretId,
    });
  };
  const { client, signal } = options;
  const { CreateSecretCommand, PutSecretValueCommand } = await import('@aws-sdk/client-secrets-manager');
  try {
    if (action === 'create') {
      const Description = `${name} of ${partition}, by holdfast vault populate`;
      const command = new CreateSecretCommand({ Name: secretId, Description, ...request });
      await askAws('secretsmanager:CreateSecret', client.send(command, { abortSignal: signal }), {
        ResourceExistsException: changed,
      });
    } else {
      const command = new PutSecretValueCommand({ SecretId: secretId, ...request });
      await askAws('secretsmanager:PutSecretValue', client.send(command, { abortSignal: signal }), {
        ResourceExistsException: changed,
      });
    }
    await verifyWritten({ name, secretId, blob: value, token, previous: current }, options);
    return token;
  } finally {
    if (given === undefined) value.fill(0);
  }
}

/**
 * Names the version that follows the one in force. Secrets Manager takes one content for one name: a second run that found
 * the same version cannot write another value after it.
 */
function nameVersion(secretId: string, current: string | undefined): string {
  return createHash('sha256')
    .update(JSON.stringify(['holdfast-populate/1', secretId, current ?? null]))
    .digest('hex');
}
