import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { formatSection } from './aws-profiles.ts';
import { type HoldfastCommand, startCommand } from './holdfast-command.ts';

/** Region and account that the door's clients see in ARNs; the nodes' own are of no concern to them. */
export const GATEWAY_REGION = 'eu-central-1';
export const GATEWAY_ACCOUNT = '111122223333';
const PROFILE = 'holdfast-gateway';

/** Client of the nodes' configuration in whose name the door asks. */
export interface GatewayClient {
  readonly id: string;
  /** Path of its Ed25519 request key, PEM. */
  readonly keyPath: string;
  /** Pool in which its keys are made. */
  readonly pool: string;
}

export interface KmsGatewayOptions {
  /** Command that the door is run by, as a process of its own. */
  readonly holdfast: HoldfastCommand;
  /** Folder for the door's files; the credentials of an earlier start are found there again. */
  readonly folder: string;
  /** Paths of the nodes' profiles (holdfast.yaml), in the order in which they are asked. */
  readonly profiles: readonly [string, ...string[]];
  readonly clients: readonly [GatewayClient, ...GatewayClient[]];
  /** Port on loopback; left out: one that is free. */
  readonly port?: number;
  /** Further fields of the section `kms` of gateway.yaml. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** Credential of the door's own, as an AWS SDK takes it. */
export interface GatewayCredential {
  readonly client: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** A door for KMS clients, in front of nodes. */
export interface KmsGateway {
  readonly endpoint: string;
  readonly region: string;
  readonly pid: number;
  readonly credentials: readonly GatewayCredential[];
  /** Path of the door's configuration. */
  readonly configuration: string;
  /** Settings of the AWS CLI and SDKs for the first client. */
  readonly aws: { readonly config: string; readonly credentials: string; readonly profile: string };
  /** Stops the door: requests under way end first. */
  stop(): Promise<void>;
}

const listensSchema = z.object({ event: z.literal('door.listens'), url: z.string() });

/** Starts a door of KMS with a credential for each client, and waits until it listens. */
export async function startKmsGateway(options: KmsGatewayOptions): Promise<KmsGateway> {
  const { folder, profiles, clients, holdfast, port = 0, settings = {} } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const credentials = await Promise.all(clients.map(({ id }) => loadCredential(folder, id)));
  const configuration = join(folder, 'gateway.yaml');
  // JSON is YAML, and quotes whatever a path may hold.
  const document = {
    nodes: profiles,
    clients: clients.map(({ id, keyPath }) => ({ id, key: { file: keyPath } })),
    kms: {
      ...settings,
      listen: { port },
      region: GATEWAY_REGION,
      account: GATEWAY_ACCOUNT,
      credentials: clients.map(({ id, pool }, index) => ({
        accessKeyId: credentials[index]?.accessKeyId,
        secretAccessKey: { file: secretPath(folder, id) },
        client: id,
        pool,
      })),
    },
  };
  await writeFile(configuration, `${JSON.stringify(document, null, 2)}\n`, { mode: 0o600 });
  const running = await startCommand(holdfast, ['gateway', 'kms', '--config', configuration], folder);
  const { url: endpoint } = listensSchema.parse(running.first);
  return {
    endpoint,
    region: GATEWAY_REGION,
    pid: running.pid,
    credentials,
    configuration,
    aws: await writeAwsFiles(folder, endpoint, credentials[0]),
    stop: () => running.stop(),
  };
}

/** Makes a client's credential, or finds it again. Its id is told by the client's, its secret is drawn. */
async function loadCredential(folder: string, client: string): Promise<GatewayCredential> {
  const path = secretPath(folder, client);
  await writeFile(path, randomBytes(30).toString('base64'), { mode: 0o600, flag: 'wx' }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    },
  );
  const digest = createHash('sha256').update(client).digest('hex');
  return {
    client,
    accessKeyId: `HFAK${digest.slice(0, 16).toUpperCase()}`,
    secretAccessKey: await readFile(path, 'utf8'),
  };
}

function secretPath(folder: string, client: string): string {
  return join(folder, `${client}.secret`);
}

async function writeAwsFiles(
  folder: string,
  endpoint: string,
  credential: GatewayCredential | undefined,
): Promise<KmsGateway['aws']> {
  const paths = { config: join(folder, 'aws-config'), credentials: join(folder, 'aws-credentials') };
  const settings = { region: GATEWAY_REGION, endpoint_url: endpoint };
  await writeFile(paths.config, formatSection(`profile ${PROFILE}`, settings));
  const secrets = {
    aws_access_key_id: credential?.accessKeyId ?? '',
    aws_secret_access_key: credential?.secretAccessKey ?? '',
  };
  await writeFile(paths.credentials, formatSection(PROFILE, secrets), { mode: 0o600 });
  return { ...paths, profile: PROFILE };
}
