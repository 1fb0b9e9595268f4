import { readFile } from 'node:fs/promises';
import {
  MAX_CONFIGURATION_BYTES,
  MAX_MANIFEST_BYTES,
  MAX_SECRET_BLOB_BYTES,
} from '../../shared/protocol/control.ts';
import { PARENT_CID } from '../../shared/transport/ports.ts';
import type { Transport } from '../../shared/transport/transport.ts';
import { createUnixTransport } from '../../shared/transport/unix-transport.ts';
import { LogError, parseVerifierKey, WITNESS_KEY_TYPES } from '../../audit/log/index.ts';
import { createDroppedReader } from '../identity/dropped-entries.ts';
import { IdentityKeeper } from '../identity/keeper.ts';
import { unsafeReadOrder } from '../identity/order.ts';
import { createFileAdmission } from '../artifacts/admission.ts';
import { createOwnSecret } from '../artifacts/own-secret.ts';
import { createFileSecrets, readArtifactFile } from '../artifacts/files.ts';
import { withLastGoodCopy, withLastGoodSecrets } from '../artifacts/last-good-copy.ts';
import type { ArtifactSource } from '../artifacts/source.ts';
import type { SecretSource } from '../control/sources.ts';
import { createCredentialSource, type CredentialSource } from '../common/credentials.ts';
import { createLookUp } from '../egress/look-up.ts';
import { openNetworks, targetKey, type EgressTarget } from '../egress/targets.ts';
import { ParentOptionError } from '../common/errors.ts';
import type { Log } from '../common/log.ts';
import type { EgressOptions } from '../egress/options.ts';
import type { IngressOptions } from '../ingress/options.ts';
import type { AuditLogOptions } from '../log/audit-log.ts';
import type { ParentOptions } from './options.ts';
import type { RecordStore } from '../store/record-store.ts';
import { createSqliteStore } from '../store/sqlite-store.ts';
import { readNatsIdentity } from '../peers/nats/identity.ts';
import type { NatsOptions } from '../peers/nats/options.ts';
import type { PeersOptions } from '../peers/options.ts';
import type { ArtifactLocation, ParentConfig } from './schema.ts';
import { logAllowListWarnings, parseVsockProxyFile, type VsockProxyFileWarning } from './vsock-proxy-file.ts';

type PeersConfig = NonNullable<ParentConfig['peers']>;

/** Milliseconds that the configuration may take, where its order to initialise is looked for. */
const ORDER_MS = 10_000;

/** Parts of a parent that a configuration has been turned into; `close` releases the AWS clients. */
export interface BuiltParent {
  readonly options: ParentOptions;
  readonly credentials: CredentialSource;
  /** Keeper of the note of the store's identity; undefined where the configuration names none. */
  readonly identity: IdentityKeeper | undefined;
  close(): void;
}

/**
 * Builds the parts that a configuration names. The SDK's clients and the PostgreSQL driver are loaded only where a part
 * needs them.
 * @throws ParentOptionError OPTION_INVALID; TransportError TRANSPORT_UNAVAILABLE where AF_VSOCK is not to be had
 */
export async function buildParent(config: ParentConfig, log: Log): Promise<BuiltParent> {
  const aws = new AwsClients(config.region);
  const credentials = createCredentialSource(askProviderChain);
  const { manifest, configuration, secrets, copies, admission, nonce } = config.artifacts;
  const keep = <T>(source: T, wrap: (source: T, directory: string) => T) =>
    copies === undefined ? source : wrap(source, copies);
  const artifact = async (location: ArtifactLocation, name: string, maxBytes: number) =>
    keep(await createArtifact(location, maxBytes, aws), (source, directory) =>
      withLastGoodCopy(source, name, { directory, maxBytes, log }),
    );
  const configurationSource = await artifact(configuration, 'configuration', MAX_CONFIGURATION_BYTES);
  const identity =
    config.identity === undefined
      ? undefined
      : new IdentityKeeper({
          path: config.identity,
          readDropped: createDroppedReader(config.auditLog?.directory),
          order: async () => unsafeReadOrder(await configurationSource(AbortSignal.timeout(ORDER_MS))),
          log,
        });
  return {
    options: {
      transport: await createTransport(config.transport),
      enclaveCid: config.enclave.cid,
      manifest: await artifact(manifest, 'manifest', MAX_MANIFEST_BYTES),
      configuration: configurationSource,
      secrets: keep(await createSecrets(secrets, aws), (source, directory) =>
        withLastGoodSecrets(source, { directory, maxBytes: MAX_SECRET_BLOB_BYTES, log }),
      ),
      credentials: () => credentials.get(),
      ...(admission === undefined ? {} : { admission: createFileAdmission(admission, nonce) }),
      store: await createStore(config),
      ...(identity === undefined ? {} : { identity }),
      ...(config.auditLog === undefined
        ? {}
        : { auditLog: await createAuditLogOptions(config.auditLog, aws) }),
      egress: await createEgressOptions(config.egress, log),
      ...(config.ingress === undefined ? {} : { ingress: createIngressOptions(config.ingress) }),
      ...(config.approvals === undefined
        ? {}
        : { approvals: { ...config.approvals.listen, origins: config.approvals.origins } }),
      ...(config.peers === undefined ? {} : { peers: createPeersOptions(config.peers, config.region) }),
      ...(config.witness === undefined ? {} : { witness: config.witness.listen }),
      ...(config.status === undefined ? {} : { status: config.status.listen }),
      log,
    },
    credentials,
    identity,
    close: () => aws.destroy(),
  };
}

/** Targets that the enclave may reach, with warnings for entries of vsock-proxy's file that open nothing. */
export interface ReadTargets {
  readonly targets: readonly EgressTarget[];
  readonly warnings: readonly VsockProxyFileWarning[];
}

/**
 * Reads all targets of a configuration: its own and, on top, those of vsock-proxy's file, each with the networks of
 * all.
 * @throws ParentOptionError OPTION_INVALID
 */
export async function readTargets(
  egress: ParentConfig['egress'],
  read: (path: string) => Promise<string> = readText,
): Promise<ReadTargets> {
  const { allowlist, allowlistFile, networks } = egress;
  const own: EgressTarget[] = allowlist.map(dropUndefined);
  const named = new Set(own.map(({ host, port }) => targetKey(host, port)));
  const file =
    allowlistFile === undefined
      ? { targets: [], warnings: [] }
      : parseVsockProxyFile(await read(allowlistFile));
  const more = file.targets.filter(({ host, port }) => !named.has(targetKey(host, port)));
  return { targets: openNetworks([...own, ...more], networks), warnings: file.warnings };
}

async function createEgressOptions(egress: ParentConfig['egress'], log: Log): Promise<EgressOptions> {
  const { allowlist: _own, allowlistFile: _file, networks: _networks, family, ...limits } = egress;
  const { targets, warnings } = await readTargets(egress);
  logAllowListWarnings(warnings, log);
  return { ...dropUndefined(limits), targets, lookUp: createLookUp({ family }) };
}

function createIngressOptions({ listen, ...limits }: NonNullable<ParentConfig['ingress']>): IngressOptions {
  return { ...listen, ...dropUndefined(limits) };
}

/**
 * Turns the way to other nodes into its options.
 * @param region Region of secrets that are given by their names
 */
export function createPeersOptions(
  { node, nodes, listen, tls, nats }: PeersConfig,
  region?: string,
): PeersOptions {
  return {
    node,
    nodes: nodes.map(dropUndefined),
    ...dropUndefined({ listen, tls }),
    ...(nats === undefined ? {} : { nats: createNatsOptions(nats, region) }),
  };
}

function createNatsOptions(
  { ca, certificate, key, identity, credentials, ...rest }: NonNullable<PeersConfig['nats']>,
  region: string | undefined,
): NatsOptions {
  if (identity === undefined) {
    // The schema has files together or not at all.
    const tls = { ca, certificate: certificate ?? '', key: key ?? '' };
    return { ...rest, tls, ...(typeof credentials === 'string' ? { credentials } : {}) };
  }
  const read = createOwnSecret(identity.name, region);
  const user = typeof credentials === 'object' ? createOwnSecret(credentials.name, region) : undefined;
  return { ...rest, identity: async () => await readNatsIdentity({ ca, read, user }) };
}

async function createAuditLogOptions(
  { directory, witnesses, s3 }: NonNullable<ParentConfig['auditLog']>,
  aws: AwsClients,
): Promise<AuditLogOptions> {
  for (const { key } of witnesses) assertWitnessKey(key);
  return {
    directory,
    witnesses,
    ...(s3 === undefined ? {} : { archive: { ...s3, client: await aws.s3() } }),
  };
}

/** @throws ParentOptionError OPTION_INVALID for a key that is no witness's */
function assertWitnessKey(key: string): void {
  try {
    parseVerifierKey(key, WITNESS_KEY_TYPES);
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    throw new ParentOptionError(
      'OPTION_INVALID',
      'expected the verifier key of a witness in auditLog.witnesses',
      { key },
      error,
    );
  }
}

async function createTransport(transport: ParentConfig['transport']): Promise<Transport> {
  if (transport !== 'vsock') return createUnixTransport({ directory: transport.unix, cid: PARENT_CID });
  const { openParentTransport } = await import('../common/vsock.ts');
  return openParentTransport();
}

/** Asks the SDK's own provider chain: environment, profiles, web identity, containers, and IMDSv2 on EC2. */
async function askProviderChain() {
  const { defaultProvider } = await import('@aws-sdk/credential-provider-node');
  return await defaultProvider()();
}

async function createArtifact(
  location: ArtifactLocation,
  maxBytes: number,
  aws: AwsClients,
): Promise<ArtifactSource> {
  if (location.type === 'file') return () => readArtifactFile(location.file, maxBytes);
  if (location.type === 's3') {
    const { createS3Artifact } = await import('../artifacts/s3.ts');
    const { bucket, key } = location;
    return createS3Artifact({ client: await aws.s3(), bucket, key, maxBytes });
  }
  const { createSecretsManagerArtifact } = await import('../artifacts/secrets-manager.ts');
  return createSecretsManagerArtifact(await aws.secretsManager(), location.name, maxBytes);
}

async function createSecrets(location: ArtifactLocation, aws: AwsClients): Promise<SecretSource> {
  if (location.type === 'file') return createFileSecrets(location.file);
  if (location.type === 's3')
    throw new ParentOptionError(
      'OPTION_INVALID',
      'expected a folder or Secrets Manager for secrets, found S3',
    );
  const { createSecretsManagerSecrets } = await import('../artifacts/secrets-manager.ts');
  return createSecretsManagerSecrets({ client: await aws.secretsManager(), prefix: location.name });
}

/**
 * Opens the store that a configuration names.
 * @throws ParentOptionError OPTION_INVALID
 */
export async function createStore({
  store,
  region,
}: Pick<ParentConfig, 'store' | 'region'>): Promise<RecordStore> {
  if ('sqlite' in store) return createSqliteStore(store.sqlite);
  const { createPostgresStore } = await import('../store/postgres-store.ts');
  const { postgres, node } = store;
  if ('host' in postgres) {
    const { password, ...server } = postgres;
    return createPostgresStore({ ...server, password: createOwnSecret(password.name, region), node });
  }
  const url = 'url' in postgres ? postgres.url : (await readText(postgres.urlFile)).trim();
  return createPostgresStore({ url, node });
}

/** AWS clients, each made when a part first needs it. */
class AwsClients {
  readonly #region: string | undefined;
  readonly #made: { destroy(): void }[] = [];

  constructor(region: string | undefined) {
    this.#region = region;
  }

  async s3() {
    const { S3Client } = await import('@aws-sdk/client-s3');
    return this.#keep(new S3Client(this.#options()));
  }

  async secretsManager() {
    const { SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
    return this.#keep(new SecretsManagerClient(this.#options()));
  }

  destroy(): void {
    for (const client of this.#made) client.destroy();
  }

  #options() {
    return this.#region === undefined ? {} : { region: this.#region };
  }

  #keep<Client extends { destroy(): void }>(client: Client): Client {
    this.#made.push(client);
    return client;
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new ParentOptionError('OPTION_INVALID', 'a file cannot be read', { path }, error);
  }
}

type Defined<T> = { [Key in keyof T]: Exclude<T[Key], undefined> };

/** Drops fields that zod left `undefined`: options with exact types have no such fields. */
function dropUndefined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Defined<T>;
}
