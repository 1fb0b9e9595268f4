import { readFile } from 'node:fs/promises';
import { AttestationError, computeManifestPcr, MANIFEST_PCR, parsePcrFile } from '../../attestation/index.ts';
import { openConfiguration, type SignedConfiguration } from '../../shared/documents/configuration.ts';
import { ConfigurationError, ManifestError } from '../../shared/documents/errors.ts';
import { digestManifest, type Manifest, parseManifest } from '../../shared/documents/manifest.ts';
import { checkImage } from '../lifecycle/image.ts';
import { EnclaveError } from '../lifecycle/errors.ts';
import type { RuntimeIdentity } from '../identity/identity.ts';
import type { Deployment } from '../../shared/deployment/index.ts';
import { DeployError } from './errors.ts';
import { deploymentPath, type HostLayout } from './layout.ts';

/** Contents of a deployment that fit together. */
export interface VerifiedDeployment {
  readonly manifest: Manifest;
  readonly signed: SignedConfiguration;
}

/**
 * Verifies the files of a deployment on the disk against each other, as KMS and the enclave will: image against pcr.json,
 * PCR16, the names in the manifest, the signatures of the configuration.
 * @throws DeployError DEPLOYMENT_IMAGE_UNEXPECTED, DEPLOYMENT_MANIFEST_UNEXPECTED, DEPLOYMENT_OTHER_NODE,
 * DEPLOYMENT_CONFIGURATION_REFUSED
 */
export async function verifyDeployment(
  layout: HostLayout,
  id: string,
  deployment: Deployment,
): Promise<VerifiedDeployment> {
  const read = (name: Parameters<typeof deploymentPath>[2]) => readFile(deploymentPath(layout, id, name));
  const pcrFile = await read('pcr.json');
  const manifest = verifyManifest(await read('manifest.json'), pcrFile, deployment);
  const signed = verifyConfiguration(await read('configuration.json'), manifest);
  await verifyImage(deploymentPath(layout, id, 'enclave.eif'), deploymentPath(layout, id, 'pcr.json'));
  return { manifest: manifest.manifest, signed };
}

async function verifyImage(image: string, pcrs: string): Promise<void> {
  try {
    await checkImage(image, pcrs);
  } catch (error) {
    if (!(error instanceof EnclaveError)) throw error;
    throw new DeployError(
      'DEPLOYMENT_IMAGE_UNEXPECTED',
      'the image does not measure to pcr.json',
      { reason: error.details['reason'] },
      error,
    );
  }
}

/** Verifies a manifest. @throws DeployError DEPLOYMENT_MANIFEST_UNEXPECTED, DEPLOYMENT_OTHER_NODE */
export function verifyManifest(
  bytes: Uint8Array,
  pcrFile: Uint8Array,
  deployment: Pick<Deployment, 'manifestPcr' | 'namespace' | 'environment' | 'node'>,
): { manifest: Manifest; digest: Uint8Array } {
  const actual = Buffer.from(computeManifestPcr(bytes)).toString('hex');
  const measured = Buffer.from(readPcrs(pcrFile).get(MANIFEST_PCR) ?? Buffer.from(actual, 'hex')).toString(
    'hex',
  );
  if (actual !== deployment.manifestPcr || actual !== measured) {
    throw new DeployError('DEPLOYMENT_MANIFEST_UNEXPECTED', 'the manifest measures to another PCR16', {
      expected: actual === deployment.manifestPcr ? measured : deployment.manifestPcr,
      actual,
    });
  }
  const manifest = parse(bytes);
  for (const field of ['namespace', 'environment', 'node'] as const) {
    if (manifest[field] === deployment[field]) continue;
    throw new DeployError('DEPLOYMENT_OTHER_NODE', 'the manifest is of another node than deployment.json', {
      field,
      expected: deployment[field],
      actual: manifest[field],
    });
  }
  return { manifest, digest: digestManifest(bytes) };
}

function parse(bytes: Uint8Array): Manifest {
  try {
    return parseManifest(bytes);
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    throw new DeployError('DEPLOYMENT_MANIFEST_UNEXPECTED', error.message, error.details, error);
  }
}

function readPcrs(file: Uint8Array) {
  try {
    return parsePcrFile(file);
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error;
    throw new DeployError('DEPLOYMENT_IMAGE_UNEXPECTED', error.message, { reason: error.code }, error);
  }
}

function verifyConfiguration(
  envelope: Uint8Array,
  manifest: { manifest: Manifest; digest: Uint8Array },
): SignedConfiguration {
  try {
    return openConfiguration(envelope, manifest);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new DeployError(
      'DEPLOYMENT_CONFIGURATION_REFUSED',
      error.message,
      { ...error.details, reason: error.code },
      error,
    );
  }
}

/**
 * Asserts that the store of a host has seen nothing that the deployment does not know: no newer configuration, and no newer
 * format. A node refuses both at its start; here it does so before the former deployment is stopped.
 * @param storeFormat newest format that a deployment on this host has written
 * @throws DeployError DEPLOYMENT_CONFIGURATION_OLDER, DEPLOYMENT_STORE_NEWER
 */
export function assertNotOlder(
  deployment: Pick<Deployment, 'storeFormat'>,
  { configuration: { version }, digest }: SignedConfiguration,
  found: Pick<RuntimeIdentity, 'configuration'> | null,
  storeFormat: number,
): void {
  if (found === null) return;
  const { configuration: known } = found;
  const isOther = version === known.version && Buffer.from(digest).toString('hex') !== known.digest;
  if (version < known.version || isOther) {
    throw new DeployError(
      'DEPLOYMENT_CONFIGURATION_OLDER',
      isOther
        ? 'the store has seen this version of the configuration with other bytes'
        : 'the store has seen a newer configuration',
      { expected: known.version, actual: version },
    );
  }
  if (deployment.storeFormat < storeFormat) {
    throw new DeployError('DEPLOYMENT_STORE_NEWER', 'a newer image has written this store', {
      expected: storeFormat,
      actual: deployment.storeFormat,
    });
  }
}
