import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { computeManifestPcr, formatPcrFile } from '../../../attestation/index.ts';
import {
  DEPLOYMENT_FILE,
  DEPLOYMENT_FORMAT,
  type Deployment,
  deploymentId,
  encodeDeployment,
  type ParentPart,
} from '../../../shared/deployment/index.ts';
import { parseManifest } from '../../../shared/documents/manifest.ts';
import type { StandInImage } from './image.ts';

export interface DeploymentParts {
  readonly image: StandInImage;
  readonly manifest: Uint8Array;
  /** Signed configuration: a DSSE envelope. */
  readonly configuration: Uint8Array;
  readonly nonce?: string;
  readonly identity?: Deployment['identity'];
  readonly storeFormat?: number;
  readonly parent?: Partial<ParentPart>;
}

/** A deployment as files, by their names, and its id. */
export interface ComposedDeployment {
  readonly id: string;
  readonly files: Readonly<Record<string, Uint8Array>>;
}

/** Composes a deployment of a node on a stand-in host: clients at 8443 of its address, KMS of the manifest's Region. */
export function composeDeployment(parts: DeploymentParts): ComposedDeployment {
  const { image, manifest, configuration, nonce = null, identity = null, storeFormat = 3 } = parts;
  const { namespace, environment, node, kms } = parseManifest(manifest);
  const listed = {
    'enclave.eif': image.bytes,
    'pcr.json': Buffer.from(formatPcrFile(image.pcrs)),
    'manifest.json': manifest,
    'configuration.json': configuration,
  };
  const describe = (bytes: Uint8Array) => ({
    sha384: createHash('sha384').update(bytes).digest('hex'),
    bytes: bytes.length,
  });
  const document = encodeDeployment({
    format: DEPLOYMENT_FORMAT,
    namespace,
    environment,
    node,
    files: {
      'enclave.eif': describe(listed['enclave.eif']),
      'pcr.json': describe(listed['pcr.json']),
      'manifest.json': describe(manifest),
      'configuration.json': describe(configuration),
    },
    manifestPcr: Buffer.from(computeManifestPcr(manifest)).toString('hex'),
    nonce,
    storeFormat,
    identity,
    parent: {
      enclave: {},
      region: kms.region,
      secrets: null,
      postgres: null,
      egress: { allowlist: [{ host: `kms.${kms.region}.amazonaws.com`, port: 443 }] },
      ingress: { listen: '0.0.0.0:8443' },
      peers: null,
      approvals: null,
      witness: null,
      auditLog: null,
      ...parts.parent,
    },
  });
  return { id: deploymentId(document), files: { ...listed, [DEPLOYMENT_FILE]: document } };
}

/** Writes a deployment into a folder, which is made. */
export async function writeDeployment(folder: string, { files }: ComposedDeployment): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
}
