import { createHash } from 'node:crypto';
import * as z from 'zod';
import { JsonError, parseJson } from '../../../shared/json/index.ts';
import { ReleaseError } from '../errors.ts';
import type { ReleaseFile } from '../source.ts';

export const MANIFEST_MEDIA_TYPE = 'application/vnd.oci.image.manifest.v1+json';
export const RELEASE_ARTIFACT_TYPE = 'application/vnd.holdfast.release.v1';
export const MAX_MANIFEST_BYTES = 64 * 1024;

const EMPTY = Buffer.from('{}');
const TITLE = 'org.opencontainers.image.title';

/** The empty descriptor, which stands for a configuration that an artifact does not have. */
export const EMPTY_CONFIG = {
  mediaType: 'application/vnd.oci.empty.v1+json',
  digest: digestOf(EMPTY),
  size: EMPTY.length,
} as const;
export const EMPTY_CONFIG_BYTES: Uint8Array = EMPTY;

/** Layers that are a release's files; what other tools have put beside them is not looked at. */
const descriptorSchema = z.looseObject({
  mediaType: z.string().max(255),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  size: z.int().min(0),
  annotations: z.record(z.string(), z.string()).optional(),
});
const manifestSchema = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.literal(MANIFEST_MEDIA_TYPE),
  artifactType: z.literal(RELEASE_ARTIFACT_TYPE),
  config: descriptorSchema,
  layers: z.array(descriptorSchema).min(1).max(32),
});

/** Digest of a blob or manifest as registries name it. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/**
 * Encodes the manifest of a release: the same bytes, hence the same digest, in every registry.
 *
 * Source: OCI Image Specification 1.1, "Guidelines for Artifact Usage".
 */
export function encodeManifest(version: string, files: readonly ReleaseFile[]): Uint8Array {
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_MEDIA_TYPE,
    artifactType: RELEASE_ARTIFACT_TYPE,
    config: EMPTY_CONFIG,
    layers: files.map(({ name, mediaType, size, sha256 }) => ({
      mediaType,
      digest: `sha256:${sha256}`,
      size,
      annotations: { [TITLE]: name },
    })),
    annotations: { 'org.opencontainers.image.version': version },
  };
  return Buffer.from(JSON.stringify(manifest));
}

/**
 * Parses the manifest of a release; nothing that it says is believed, since the release's own index is signed.
 *
 * @returns digest of each file by its name
 * @throws ReleaseError RELEASE_MANIFEST_MALFORMED
 */
export function parseManifest(bytes: Uint8Array): ReadonlyMap<string, string> {
  let value;
  try {
    value = parseJson(bytes, { maxBytes: MAX_MANIFEST_BYTES, maxDepth: 8 });
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw malformed([error.code]);
  }
  const parsed = manifestSchema.safeParse(value);
  if (!parsed.success) {
    throw malformed(
      parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).slice(0, 20),
    );
  }
  const files = new Map<string, string>();
  for (const { annotations = {}, digest } of parsed.data.layers) {
    const name = annotations[TITLE];
    if (name === undefined) continue;
    if (files.has(name)) throw malformed([`${TITLE}: two files of one name`]);
    files.set(name, digest);
  }
  return files;
}

function malformed(fields: readonly string[]): ReleaseError {
  return new ReleaseError('RELEASE_MANIFEST_MALFORMED', 'not the manifest of a release', { fields });
}
