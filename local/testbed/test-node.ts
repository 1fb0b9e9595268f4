import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { computeManifestPcr } from '../../attestation/index.ts';
import { encryptionContext, PASSWORD_SECRET } from '../../shared/documents/encryption-context.ts';
import {
  type ConfigurationDocument1,
  CONFIGURATION_FORMAT_1,
  type ConfigurationDocument2,
  readConfiguration,
} from '../../shared/documents/configuration.ts';
import {
  digestManifest,
  type Manifest,
  MANIFEST_FORMAT,
  manifestSchema,
} from '../../shared/documents/manifest.ts';
import { type Identity, loadIdentity } from './identity.ts';
import { ConfigurationAuthority, InfrastructureAdmin, NodeAdmin, REGION } from './people.ts';
import type { Testbed } from './testbed.ts';

export interface TestNodeOptions {
  /** Number of the node in its quorum, from 1. */
  readonly node: number;
  readonly quorum?: { readonly size: number; readonly threshold: number };
  readonly namespace?: string;
  /** Name of the authority's key; nodes that share a name share an authority. Default: `authority`. */
  readonly authority?: string;
  /** X25519 public key of the recovery in hex; that of a key in the testbed's state when left out. */
  readonly recoveryKey?: string;
}

/** Fields of a configuration of format 1 beside its format and manifest. */
export type ConfigurationBody = Omit<ConfigurationDocument1, 'format' | 'manifest'>;

/** Fields of a configuration of format 2, its format among them, beside its manifest. */
export type ConfigurationBody2 = Omit<ConfigurationDocument2, 'manifest'>;

/** Phase of a node's life that a key policy is for. */
export interface KeyPolicyPhase {
  /** True allows GenerateDataKey too. */
  readonly initialise?: boolean;
  /** PCRs of further images, as during an upgrade. */
  readonly others?: readonly ReadonlyMap<number, Uint8Array>[];
}

/** Policy node, and the people around it, each with their own credentials alone. */
export interface TestNode {
  readonly directory: string;
  readonly keyArn: string;
  readonly manifest: Manifest;
  readonly manifestBytes: Uint8Array;
  /** PCR16 of the manifest, 48 bytes. */
  readonly manifestPcr: Uint8Array;
  readonly manifestPath: string;
  readonly configurationPath: string;
  readonly secretsDirectory: string;
  readonly storePath: string;
  /** Admin who owns the account with the KMS key. */
  readonly admin: NodeAdmin;
  /** Admin who runs the parent. */
  readonly infrastructure: InfrastructureAdmin;
  /** Authority that signs configurations. */
  readonly authority: ConfigurationAuthority;
  /** Client that asks for signatures. */
  readonly client: Identity;
  /** Has the admin put a key policy that lets images with these PCRs use the key. */
  allow(pcrs: ReadonlyMap<number, Uint8Array>, phase?: KeyPolicyPhase): Promise<void>;
  /** Has the authority sign a configuration of this node; returns an envelope's bytes. */
  sign(body: ConfigurationBody | ConfigurationBody2): Uint8Array;
  /** Has the authority sign a configuration, and the infrastructure admin put it where the parent reads it. */
  configure(body: ConfigurationBody | ConfigurationBody2): Promise<void>;
}

/** Makes a node's account, key and manifest, or finds them again in the testbed's state. */
export async function openTestNode(
  testbed: Pick<Testbed, 'stateDirectory' | 'aws'>,
  { node, ...options }: TestNodeOptions,
): Promise<TestNode> {
  const { aws, stateDirectory } = testbed;
  const directory = join(stateDirectory, `node-${node}`);
  const secretsDirectory = join(directory, 'secrets');
  await mkdir(secretsDirectory, { recursive: true, mode: 0o700 });
  const accountId = accountOf(node);
  const admin = new NodeAdmin(aws, accountId);
  const infrastructure = new InfrastructureAdmin(aws, accountId);
  const keyOf = (name: string) => join(stateDirectory, 'keys', `${name}.pem`);
  const authority = new ConfigurationAuthority(
    await loadIdentity(keyOf(options.authority ?? 'authority'), 'ed25519'),
  );
  const client = await loadIdentity(keyOf('client'), 'ed25519');
  const recovery = await loadIdentity(keyOf('recovery'), 'x25519');

  const manifestPath = join(directory, 'manifest.json');
  const configurationPath = join(directory, 'configuration.json');
  const manifestBytes =
    (await readIfThere(manifestPath)) ??
    (await makeManifest(manifestPath, {
      format: MANIFEST_FORMAT,
      namespace: options.namespace ?? 'demo',
      environment: 'local',
      node,
      quorum: options.quorum ?? { size: 1, threshold: 1 },
      kms: { keyArn: await admin.createKey(), region: REGION },
      configurationAuthority: { threshold: 1, keys: [authority.identity.publicKey] },
      emergencyRecovery: { publicKey: options.recoveryKey ?? recovery.publicKey },
    }));
  const manifest = manifestSchema.parse(JSON.parse(Buffer.from(manifestBytes).toString('utf8')));
  const { keyArn } = manifest.kms;
  const manifestPcr = computeManifestPcr(manifestBytes);
  const manifestDigest = Buffer.from(digestManifest(manifestBytes)).toString('hex');
  const sign = (body: ConfigurationBody | ConfigurationBody2) => {
    const document = { format: CONFIGURATION_FORMAT_1, manifest: manifestDigest, ...body } as const;
    readConfiguration(document);
    return authority.sign(document);
  };
  return {
    directory,
    keyArn,
    manifest,
    manifestBytes,
    manifestPcr,
    manifestPath,
    configurationPath,
    secretsDirectory,
    storePath: join(directory, 'store.sqlite'),
    admin,
    infrastructure,
    authority,
    client,
    allow: (pcrs, { initialise = false, others = [] } = {}) =>
      admin.admit({
        keyArn,
        manifestPcr,
        encryptionContext: encryptionContext(manifest, PASSWORD_SECRET),
        nodeRole: infrastructure.parentRole,
        images: [pcrs, ...others],
        initialise,
      }),
    sign,
    configure: (body) => writeFile(configurationPath, sign(body)),
  };
}

/** Account of a node: 111111111111 for node 1, and 000000000011 for node 11. */
function accountOf(node: number): string {
  return node < 10 ? String(node).repeat(12) : String(node).padStart(12, '0');
}

async function makeManifest(path: string, manifest: Manifest): Promise<Uint8Array> {
  const bytes = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
  await writeFile(path, bytes, { flag: 'wx' });
  return new Uint8Array(bytes);
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  return await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}
