import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ADMINISTRATOR_POLICY, type AwsCredentials } from '../aws/index.ts';
import type { Site } from './site.ts';
import type { World } from './world.ts';

/** Profiles of the AWS CLI and SDKs for the local AWS: an administrator of the account, and the admin of the node's key. */
const PROFILE = { account: 'holdfast-local', nodeAdmin: 'holdfast-node-admin' } as const;

/** A session is for as long as a node is left running; the next start makes another. */
const SESSION_SECONDS = 30 * 86_400;

/** What a client of the local AWS needs. The files are in the state folder: nobody's own ~/.aws is read or written. */
export interface AwsAccess {
  /** KMS and Secrets Manager. */
  readonly endpoint: string;
  readonly region: string;
  /** The node's key. */
  readonly keyArn: string;
  readonly profiles: typeof PROFILE;
  readonly files: {
    /** For AWS_CONFIG_FILE. */
    readonly config: string;
    /** For AWS_SHARED_CREDENTIALS_FILE. */
    readonly credentials: string;
    /** For AWS_CA_BUNDLE: the authority of the endpoint's certificate, PEM. */
    readonly caBundle: string;
  };
}

/** Makes credentials in the node's account and writes them where a client is told to look for them. */
export async function writeAwsProfiles(folder: string, world: World, site: Site): Promise<AwsAccess> {
  const { aws } = world;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const files = {
    config: join(folder, 'aws-config'),
    credentials: join(folder, 'aws-credentials'),
    caBundle: join(folder, 'aws-ca.pem'),
  };
  const endpoint = `https://localhost:${aws.port}`;
  const { region, keyArn } = site.manifest.kms;
  const settings = { region, endpoint_url: endpoint, ca_bundle: files.caBundle };
  const credentials: Readonly<Record<string, AwsCredentials>> = {
    [PROFILE.account]: aws.directory.createAccessKey({
      accountId: site.accountId,
      userName: 'administrator',
      policies: [ADMINISTRATOR_POLICY],
    }),
    [PROFILE.nodeAdmin]: site.adminCredentials(SESSION_SECONDS),
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

function formatSection(name: string, settings: Readonly<Record<string, string>>): string {
  const lines = Object.entries(settings).map(([key, value]) => `${key} = ${value}\n`);
  return `[${name}]\n${lines.join('')}`;
}
