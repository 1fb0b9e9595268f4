import { KMSClient, CreateKeyCommand } from '@aws-sdk/client-kms';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { onTestFinished, vi } from 'vitest';
import { type AwsCredentials, type AwsEvent, ADMINISTRATOR_POLICY } from '../../local/aws/index.ts';
import { startLocalAws, type LocalAws } from '../../local/testbed/local-aws.ts';
import type { makeFolder } from './node-files.ts';

export const ACCOUNT = '111122223333';
export const REGION = 'eu-central-1';

/** Local AWS whose credentials a command finds as a user's do: in a profile. */
export interface AwsAccount {
  readonly aws: LocalAws;
  /** Events of all requests, such as `Encrypt`. */
  readonly events: AwsEvent[];
  /** Arguments `--aws-profile`, `--endpoint` and `--ca`. */
  readonly args: readonly string[];
  readonly kms: KMSClient;
  readonly secrets: SecretsManagerClient;
  readonly createKey: (policy?: object) => Promise<string>;
  readonly setProfile: (name: string, credentials: AwsCredentials) => void;
}

/** Starts the local AWS, which ends with the test. */
export async function startAccount(folder: ReturnType<typeof makeFolder>): Promise<AwsAccount> {
  const events: AwsEvent[] = [];
  const aws = await startLocalAws({
    verifyRecipient: () => ({ pcrs: new Map() }),
    onEvent: (event) => events.push(event),
  });
  onTestFinished(() => aws.close());
  const profiles = new Map<string, AwsCredentials>();
  const setProfile = (name: string, credentials: AwsCredentials): void => {
    profiles.set(name, credentials);
    const sections = [...profiles].map(([profile, { accessKeyId, secretAccessKey, sessionToken }]) =>
      [
        `[${profile}]`,
        `aws_access_key_id = ${accessKeyId}`,
        `aws_secret_access_key = ${secretAccessKey}`,
        ...(sessionToken === undefined ? [] : [`aws_session_token = ${sessionToken}`]),
      ].join('\n'),
    );
    folder.write('credentials', `${sections.join('\n')}\n`, 0o600);
  };
  for (const name of Object.keys(process.env).filter((key) => key.startsWith('AWS_'))) {
    vi.stubEnv(name, undefined);
  }
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', folder.at('credentials'));
  vi.stubEnv('AWS_CONFIG_FILE', folder.at('config'));
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const roleArn = aws.directory.defineRole({
    accountId: ACCOUNT,
    roleName: 'admin',
    policies: [ADMINISTRATOR_POLICY],
  });
  const credentials = aws.directory.assumeRole({ roleArn, sessionName: 'ann' });
  setProfile('admin', credentials);
  const kms = new KMSClient({ ...aws.clientOptions('kms', REGION), credentials, maxAttempts: 1 });
  const secrets = new SecretsManagerClient({
    ...aws.clientOptions('secretsmanager', REGION),
    credentials,
    maxAttempts: 1,
  });
  onTestFinished(() => {
    kms.destroy();
    secrets.destroy();
  });
  const ca = folder.write('ca.pem', aws.caPem);
  return {
    aws,
    events,
    args: ['--aws-profile', 'admin', '--endpoint', `https://localhost:${aws.port}`, '--ca', ca],
    kms,
    secrets,
    createKey: async (policy) => {
      const Policy = policy === undefined ? undefined : JSON.stringify(policy);
      const created = await kms.send(new CreateKeyCommand({ Policy }));
      return created.KeyMetadata?.Arn ?? '';
    },
    setProfile,
  };
}
