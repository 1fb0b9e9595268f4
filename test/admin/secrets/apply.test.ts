import { randomBytes } from 'node:crypto';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { beforeEach, describe, expect, it } from 'vitest';
import { writeSecret } from '../../../admin/secrets/apply.ts';
import { applyPlan, planSecrets } from '../../../admin/secrets/index.ts';
import { planSecret } from '../../../admin/secrets/plan.ts';
import { type AwsAccount, startAccount } from '../../cli/aws-account.ts';
import { makeFolder } from '../../cli/node-files.ts';

const NAME = 'encryptor-master-password' as const;
const PREFIX = 'acme/production/node-2/';
const SECRET_ID = `${PREFIX}${NAME}`;
/** What a KMS ciphertext looks like from outside. */
const BLOB = Buffer.concat([Buffer.from([1, 2, 3, 0]), randomBytes(180)]);
const OTHER = Buffer.concat([Buffer.from([1, 2, 3, 0]), randomBytes(180)]);

let account: AwsAccount;

beforeEach(async () => {
  account = await startAccount(makeFolder());
});

const options = (rotate: readonly string[] = [NAME]) => ({
  client: account.secrets,
  prefix: PREFIX,
  rotate: new Set(rotate),
  signal: new AbortController().signal,
});
const create = (SecretBinary: Uint8Array) =>
  account.secrets.send(new CreateSecretCommand({ Name: SECRET_ID, SecretBinary }));

async function current(SecretId = SECRET_ID): Promise<Buffer> {
  const { SecretBinary } = await account.secrets.send(new GetSecretValueCommand({ SecretId }));
  return Buffer.from(SecretBinary ?? []);
}

describe('a plan', () => {
  it('with a conflict is not begun', async () => {
    await create(OTHER);
    const plan = await planSecrets(new Map([[NAME, BLOB]]), options([]));
    account.events.splice(0);
    await expect(applyPlan(plan, options([]), () => '')).rejects.toMatchObject({
      name: 'AdminError',
      code: 'SECRET_EXISTS',
    });
    expect(account.events).toEqual([]);
    expect(await current()).toEqual(OTHER);
  });

  it('is carried out once: planned again there is nothing to write', async () => {
    const blobs = new Map([[NAME, BLOB]]);
    const versions = await applyPlan(await planSecrets(blobs, options()), options(), () => 'made by a test');
    expect([...versions.keys()]).toEqual([NAME]);
    expect(await current()).toEqual(BLOB);
    const again = await planSecrets(blobs, options());
    expect(again).toMatchObject([{ action: 'unchanged', current: versions.get(NAME) }]);
    expect((await applyPlan(again, options(), () => '')).size).toBe(0);
  });
});

describe('a write that somebody else crosses', () => {
  const put = (SecretBinary: Uint8Array) =>
    account.secrets.send(new PutSecretValueCommand({ SecretId: SECRET_ID, SecretBinary }));

  it('is refused when the secret has been made since the plan', async () => {
    const planned = await planSecret(NAME, BLOB, options());
    await create(OTHER);
    await expect(writeSecret(planned, options(), '')).rejects.toMatchObject({ code: 'SECRET_CHANGED' });
    expect(await current()).toEqual(OTHER);
  });

  it('is told when the secret has been rotated since the plan', async () => {
    await create(OTHER);
    const planned = await planSecret(NAME, BLOB, options());
    const rival = await put(Buffer.from(BLOB).reverse());
    await expect(writeSecret(planned, options(), '')).rejects.toMatchObject({
      code: 'SECRET_CHANGED',
      details: { expected: planned.current, actual: rival.VersionId },
    });
  });

  /** Secrets Manager, but that this happens to each answer. */
  function altered(change: (command: object, answer: object) => unknown) {
    const client = Object.create(account.secrets) as SecretsManagerClient;
    client.send = async (command: never) => await change(command, await account.secrets.send(command));
    return client;
  }

  it('is told when another value is in force right after it', async () => {
    await create(OTHER);
    const planned = await planSecret(NAME, BLOB, options());
    const client = altered(async (command, answer) => {
      if (command instanceof PutSecretValueCommand) await put(OTHER);
      return answer;
    });
    await expect(writeSecret(planned, { ...options(), client }, '')).rejects.toMatchObject({
      code: 'SECRET_NOT_WRITTEN',
    });
  });

  it('is told when the value that comes back is not what was written', async () => {
    const planned = await planSecret(NAME, BLOB, options());
    const client = altered((command, answer) =>
      command instanceof GetSecretValueCommand ? { ...answer, SecretBinary: OTHER } : answer,
    );
    await expect(writeSecret(planned, { ...options(), client }, '')).rejects.toMatchObject({
      code: 'SECRET_NOT_WRITTEN',
    });
  });
});
