import { createHash } from 'node:crypto';
import { z } from 'zod';
import { JsonError, parseJson } from '../json/index.ts';
import { MAX_CONFIGURATION_BYTES, MAX_MANIFEST_BYTES } from '../protocol/limits.ts';
import { DeploymentError } from './errors.ts';
import { parentPartSchema } from './parent-part.ts';

export const DEPLOYMENT_FORMAT = 'holdfast-deployment/1';
/** Name of the document, beside which the files lie that it lists. */
export const DEPLOYMENT_FILE = 'deployment.json';
/** Name of a file that the host makes of the document's nonce, for the parent to read. */
export const NONCE_FILE = 'nonce';
export const MAX_DEPLOYMENT_BYTES = 256 * 1024;
const MAX_DEPTH = 12;
const MAX_IMAGE_BYTES = 2 * 1024 ** 3;
const MAX_PCR_BYTES = 64 * 1024;

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`));
const label = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/);
const file = (maximum: number) => z.strictObject({ sha384: hex(48), bytes: z.int().min(1).max(maximum) });

/** The least that a host's store must be: that of an earlier deployment, as its result said. */
export const requiredIdentitySchema = z.strictObject({
  /** Id of the store: `store` of the runtime identity. */
  store: hex(32),
  epoch: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
  logSize: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
});
export type RequiredIdentity = z.infer<typeof requiredIdentitySchema>;

const deploymentSchema = z.strictObject({
  format: z.literal(DEPLOYMENT_FORMAT),
  namespace: label,
  environment: label,
  node: z.int().min(1).max(255),
  files: z.strictObject({
    'enclave.eif': file(MAX_IMAGE_BYTES),
    'pcr.json': file(MAX_PCR_BYTES),
    'manifest.json': file(MAX_MANIFEST_BYTES),
    'configuration.json': file(MAX_CONFIGURATION_BYTES),
  }),
  /** PCR16 of the manifest. */
  manifestPcr: hex(48),
  /** Nonce of an admin who wants to see the image attest before KMS admits it: 16 to 64 bytes. */
  nonce: z
    .string()
    .regex(/^(?:[0-9a-f]{2}){16,64}$/)
    .nullable(),
  /** Format of the sealed store that the image writes: 3. */
  storeFormat: z.int().min(1).max(65_535),
  /** Null before the first deployment of a store. */
  identity: requiredIdentitySchema.nullable(),
  parent: parentPartSchema,
});

/** A deployment of one node on one host: format `holdfast-deployment/1` (SPEC.md). */
export type Deployment = z.infer<typeof deploymentSchema>;
export type DeploymentFileName = keyof Deployment['files'];
export const DEPLOYMENT_FILES = [
  'enclave.eif',
  'pcr.json',
  'manifest.json',
  'configuration.json',
] as const satisfies readonly DeploymentFileName[];

/** Parses deployment.json. @throws DeploymentError DEPLOYMENT_MALFORMED */
export function parseDeployment(bytes: Uint8Array): Deployment {
  let value: unknown;
  try {
    value = parseJson(bytes, { maxBytes: MAX_DEPLOYMENT_BYTES, maxDepth: MAX_DEPTH });
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new DeploymentError('DEPLOYMENT_MALFORMED', 'deployment.json is not strict JSON', {}, error);
  }
  const parsed = deploymentSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues
    .slice(0, 8)
    .map(({ path, message }) => `${path.length === 0 ? 'the whole' : path.join('.')}: ${message}`);
  throw new DeploymentError('DEPLOYMENT_MALFORMED', 'fields are missing, unknown or malformed', { fields });
}

/** Computes the id of a deployment: SHA-256 of deployment.json's bytes in hex, the last part of its address. */
export function deploymentId(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * Writes deployment.json, and reads it back as a host will.
 * @throws DeploymentError DEPLOYMENT_MALFORMED
 */
export function encodeDeployment(deployment: z.input<typeof deploymentSchema>): Uint8Array {
  const bytes = new Uint8Array(Buffer.from(`${JSON.stringify(deployment, null, 2)}\n`));
  parseDeployment(bytes);
  return bytes;
}
