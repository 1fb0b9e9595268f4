import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ADMINISTRATOR_POLICY, type AwsCredentials } from '../aws/index.ts';
import type { TestNode } from './test-node.ts';
import type { Testbed } from './testbed.ts';

/**
 * Profiles of the AWS CLI and SDKs for the local AWS: an administrator of the account, and the admin of the node's key.
 */
const PROFILE = { account: 'holdfast-local', nodeAdmin: 'holdfast-node-admin' } as const;

/** Lifetime of a session in seconds, as long as a node may be left running; the next start makes another. */
const SESSION_SECONDS = 30 * 86_400;

/** Settings of a client of the local AWS. The files are in the state folder: nobody's own ~/.aws is read or written. */
export interface AwsAccess {
  /** Endpoint of KMS and Secrets Manager. */
  readonly endpoint: string;
  readonly region: string;
  /** ARN of the node's key. */
  readonly keyArn: string;
  readonly profiles: typeof PROFILE;
  readonly files: {
    /** Path for AWS_CONFIG_FILE. */
    readonly config: string;
    /** Path for AWS_SHARED_CREDENTIALS_FILE. */
    readonly credentials: string;
    /** Path for AWS_CA_BUNDLE: the authority of the endpoint's certificate, PEM. */
    readonly caBundle: string;
  };
}

/** Makes credentials in the node's account and writes them where a client is told to look for them. */
export async function writeAwsProfiles(
  folder: string,
  testbed: Testbed,
  testNode: TestNode,
): Promise<AwsAccess> {
  const { aws } = testbed;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const files = {
    config: join(folder, 'aws-config'),
    credentials: join(folder, 'aws-credentials'),
    caBundle: join(folder, 'aws-ca.pem'),
  };
  const endpoint = `https://localhost:${aws.port}`;
  const { region, keyArn } = testNode.manifest.kms;
  const settings = { region, endpoint_url: endpoint, ca_bundle: files.caBundle };
  const credentials: Readonly<Record<string, AwsCredentials>> = {
    [PROFILE.account]: aws.directory.createAccessKey({
      accountId: testNode.admin.accountId,
      userName: 'administrator',
      policies: [ADMINISTRATOR_POLICY],
    }),
    [PROFILE.nodeAdmin]: testNode.admin.credentials(SESSION_SECONDS),
  };
  await writeFile(files.caBundle, aws.caPem);
  const profiles = Object.values(PROFILE).map((name) => formatSection(`profile ${name}`, settings));
  await writeFile(files.config, profiles.join('\n'));
  const secrets = Object.entries(credentials).map(([name, { accessKeyId, secretAccessKey, sessionToken }]) =>
    formatSection(name, {
      aws_access_key_id: accessKeyId,
      aws_secret_access_key: secretAccessKey,
      ...(sessionToken === undefined ? {} : { aws_session_token: sessionToken }),
    }),
  );
  await writeFile(files.credentials, secrets.join('\n'), { mode: 0o600 });
  return { endpoint, region, keyArn, profiles: PROFILE, files };
}

/** Formats one section of the files of the AWS CLI and SDKs. */
export function formatSection(name: string, settings: Readonly<Record<string, string>>): string {
  const lines = Object.entries(settings).map(([key, value]) => `${key} = ${value}\n`);
  return `[${name}]\n${lines.join('')}`;
}
