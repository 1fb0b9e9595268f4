import * as z from 'zod';
import { JsonError, parseJson } from '../../shared/json/index.ts';
import { ReleaseError } from './errors.ts';
import { RELEASE_VERSION } from './version.ts';

export const RELEASE_INDEX_FORMAT = 'holdfast-release/1';

/** Names of the two files of a release that its index does not list: the index, and the signature over its bytes. */
export const INDEX_FILE = 'release.json';
export const BUNDLE_FILE = 'release.sigstore.json';

export const MAX_INDEX_BYTES = 64 * 1024;
/** Maximum of a Sigstore bundle in bytes, entries of a transparency log included. */
export const MAX_BUNDLE_BYTES = 1024 * 1024;

const MIB = 1024 * 1024;

/** Kinds of artifacts, each of which a release has once: file name, media type, and maximum length in bytes. */
export const ARTIFACTS = {
  image: { name: 'enclave.eif', mediaType: 'application/vnd.holdfast.eif', maxBytes: 1024 * MIB },
  measurements: { name: 'pcr.json', mediaType: 'application/json', maxBytes: 64 * 1024 },
  imageFiles: { name: 'image-files.json', mediaType: 'application/json', maxBytes: 4 * MIB },
  sbom: { name: 'sbom.cdx.json', mediaType: 'application/vnd.cyclonedx+json', maxBytes: 16 * MIB },
  provenance: { name: 'provenance.json', mediaType: 'application/vnd.in-toto+json', maxBytes: 4 * MIB },
  attestation: {
    name: 'provenance.sigstore.json',
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    maxBytes: 8 * MIB,
  },
  parent: { name: 'parent.tgz', mediaType: 'application/gzip', maxBytes: 512 * MIB },
  parentSbom: { name: 'parent.cdx.json', mediaType: 'application/vnd.cyclonedx+json', maxBytes: 16 * MIB },
} as const;
export type ArtifactKind = keyof typeof ARTIFACTS;

/** All kinds, in the order in which an index lists them. */
export const ARTIFACT_KINDS = Object.keys(ARTIFACTS) as readonly ArtifactKind[];

const pcrHex = z.string().regex(/^[0-9a-f]{96}$/);

const artifactSchema = z.strictObject({
  kind: z.enum(ARTIFACT_KINDS as [ArtifactKind, ...ArtifactKind[]]),
  name: z.string(),
  mediaType: z.string(),
  size: z.int().min(1),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  sha384: z.string().regex(/^[0-9a-f]{96}$/),
});
export type Artifact = z.infer<typeof artifactSchema>;

/** Index of a release: what it is made of, digest by digest. Its bytes are what the release's key signs. */
const indexSchema = z.strictObject({
  format: z.literal(RELEASE_INDEX_FORMAT),
  version: z.string().regex(RELEASE_VERSION),
  /** Commit that the image was built from, of Git by SHA-1 or SHA-256. */
  commit: z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/),
  /** Time of the release: RFC 3339, UTC. */
  released: z.iso.datetime(),
  /** Measurements of the image; PCR8 where it is signed. */
  measurements: z.strictObject({ PCR0: pcrHex, PCR1: pcrHex, PCR2: pcrHex, PCR8: pcrHex.optional() }),
  artifacts: z
    .array(artifactSchema)
    .length(ARTIFACT_KINDS.length)
    .refine((artifacts) => artifacts.every(({ kind }, at) => kind === ARTIFACT_KINDS[at]), {
      error: 'expected each kind once, in order',
    })
    .refine((artifacts) => artifacts.every((artifact) => isOfItsKind(artifact)), {
      error: 'name, media type or size is not of the kind',
    }),
});
export type ReleaseIndex = z.infer<typeof indexSchema>;

function isOfItsKind({ kind, name, mediaType, size }: Artifact): boolean {
  const wanted = ARTIFACTS[kind];
  return name === wanted.name && mediaType === wanted.mediaType && size <= wanted.maxBytes;
}

/**
 * Parses the bytes of an index. It says nothing before its signature was verified.
 * @throws ReleaseError RELEASE_INDEX_MALFORMED
 */
export function parseReleaseIndex(bytes: Uint8Array): ReleaseIndex {
  let value;
  try {
    value = parseJson(bytes, { maxBytes: MAX_INDEX_BYTES, maxDepth: 6 });
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new ReleaseError(
      'RELEASE_INDEX_MALFORMED',
      'the index of the release is not JSON',
      { reason: error.code },
      error,
    );
  }
  const parsed = indexSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ReleaseError('RELEASE_INDEX_MALFORMED', 'the index of the release is not of its format', {
    fields: parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).slice(0, 20),
  });
}

/** Encodes an index, the same bytes for the same release. @throws ReleaseError RELEASE_INDEX_MALFORMED */
export function encodeReleaseIndex(index: ReleaseIndex): Uint8Array {
  const bytes = Buffer.from(`${JSON.stringify(index, undefined, 2)}\n`);
  parseReleaseIndex(bytes);
  return bytes;
}

/** Gives the artifact of a kind. */
export function artifactOf({ artifacts }: ReleaseIndex, kind: ArtifactKind): Artifact {
  const found = artifacts.find((artifact) => artifact.kind === kind);
  if (found === undefined) throw new RangeError(`expected an index with every kind, found none of ${kind}`);
  return found;
}
