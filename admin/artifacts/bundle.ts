import { createHash } from 'node:crypto';
import { bundleFromJSON } from '@sigstore/bundle';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import * as z from 'zod';
import { JsonError, parseJson } from '../../shared/json/index.ts';
import { ReleaseError } from './errors.ts';
import { MAX_BUNDLE_BYTES } from './release-index.ts';
import type { ReleaseKey } from './release-key.ts';

export const BUNDLE_MEDIA_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

const base64 = z.string().regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/);

const contentSchema = {
  messageSignature: z
    .strictObject({
      messageDigest: z.strictObject({ algorithm: z.enum(['SHA2_256', 'SHA2_384']), digest: base64 }),
      signature: base64,
    })
    .optional(),
  dsseEnvelope: z
    .strictObject({
      payload: base64,
      payloadType: z.string().max(256),
      signatures: z.array(z.strictObject({ sig: base64, keyid: z.string().max(256).optional() })).length(1),
    })
    .optional(),
};

const bundleSchema = z.strictObject({
  mediaType: z.literal(BUNDLE_MEDIA_TYPE),
  verificationMaterial: z.strictObject({
    publicKey: z.strictObject({ hint: z.string().max(256).default('') }),
    /** What other parties say of the signature. A signature by a key that is known stands without. */
    tlogEntries: z.array(z.looseObject({})).max(8).optional(),
    timestampVerificationData: z.looseObject({}).optional(),
  }),
  ...contentSchema,
});
type Bundle = z.infer<typeof bundleSchema>;

/**
 * Verifies a detached signature over bytes: a Sigstore bundle v0.3 with a message signature by a key, as
 * `cosign sign-blob --key` writes it. Entries of a transparency log and timestamps are neither needed nor believed.
 *
 * @throws ReleaseError RELEASE_BUNDLE_MALFORMED, RELEASE_BUNDLE_VERSION, RELEASE_BUNDLE_KIND, RELEASE_OTHER_KEY,
 *   RELEASE_OTHER_ARTIFACT, RELEASE_SIGNATURE
 *
 * Source: sigstore/protobuf-specs, sigstore_bundle.proto.
 */
export function verifyBlobBundle(file: Uint8Array, blob: Uint8Array, key: ReleaseKey): void {
  const bundle = parseBundle(file, MAX_BUNDLE_BYTES);
  const { messageSignature } = bundle;
  if (messageSignature === undefined || bundle.dsseEnvelope !== undefined) {
    throw wrongKind('a message signature', 'a DSSE envelope');
  }
  assertKey(bundle, key);
  const { algorithm, digest } = messageSignature.messageDigest;
  const actual = createHash(algorithm === 'SHA2_256' ? 'sha256' : 'sha384')
    .update(blob)
    .digest('base64');
  if (actual !== digest) {
    throw new ReleaseError('RELEASE_OTHER_ARTIFACT', 'the signature is over another artifact', {
      expected: digest,
      actual,
    });
  }
  verifyByKey(bundle, key, blob);
}

/**
 * Verifies a DSSE envelope in a Sigstore bundle v0.3, signed by a key, as `cosign attest-blob --key` writes it.
 *
 * @returns payload and its type, authenticated
 * @throws ReleaseError as {@link verifyBlobBundle}
 */
export function verifyEnvelopeBundle(
  file: Uint8Array,
  key: ReleaseKey,
  maxBytes: number,
): { readonly payloadType: string; readonly payload: Uint8Array } {
  const bundle = parseBundle(file, maxBytes);
  const { dsseEnvelope: envelope } = bundle;
  if (envelope === undefined || bundle.messageSignature !== undefined) {
    throw wrongKind('a DSSE envelope', 'a message signature');
  }
  assertKey(bundle, key);
  verifyByKey(bundle, key);
  return { payloadType: envelope.payloadType, payload: Buffer.from(envelope.payload, 'base64') };
}

function parseBundle(file: Uint8Array, maxBytes: number): Bundle {
  let value;
  try {
    value = parseJson(file, { maxBytes, maxDepth: 16 });
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw malformed([error.code]);
  }
  const { mediaType, verificationMaterial: material } = (value ?? {}) as {
    mediaType?: unknown;
    verificationMaterial?: object | null;
  };
  if (typeof mediaType !== 'string') throw malformed(['mediaType']);
  if (mediaType !== BUNDLE_MEDIA_TYPE) {
    throw new ReleaseError('RELEASE_BUNDLE_VERSION', 'the bundle is of another format or version', {
      expected: BUNDLE_MEDIA_TYPE,
      actual: mediaType.slice(0, 100),
    });
  }
  if (
    typeof material === 'object' &&
    material !== null &&
    ('certificate' in material || 'x509CertificateChain' in material)
  ) {
    throw wrongKind('a signature by a key', 'a signature by a certificate');
  }
  const parsed = bundleSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw malformed(
    parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).slice(0, 20),
  );
}

/** A hint decides nothing: another key than the trusted one verifies nothing. It tells why, where it is there. */
function assertKey({ verificationMaterial: { publicKey } }: Bundle, key: ReleaseKey): void {
  if (publicKey.hint === '' || publicKey.hint === key.hint) return;
  throw new ReleaseError('RELEASE_OTHER_KEY', 'signed by another key than the one that is trusted', {
    expected: key.hint,
    actual: publicKey.hint,
  });
}

function verifyByKey({ verificationMaterial, ...content }: Bundle, key: ReleaseKey, blob?: Uint8Array): void {
  const material = toTrustMaterial(
    {
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [],
      ctlogs: [],
      certificateAuthorities: [],
      timestampAuthorities: [],
    },
    () => ({ publicKey: key.publicKey, validFor: () => true }),
  );
  const verifier = new Verifier(material, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 });
  try {
    const bundle = bundleFromJSON({
      ...content,
      verificationMaterial: { publicKey: verificationMaterial.publicKey },
    });
    verifier.verify(toSignedEntity(bundle, blob === undefined ? undefined : Buffer.from(blob)));
  } catch (error) {
    throw new ReleaseError(
      'RELEASE_SIGNATURE',
      'not signed by the key that is trusted',
      { key: key.hint },
      error,
    );
  }
}

function malformed(fields: readonly string[]): ReleaseError {
  return new ReleaseError('RELEASE_BUNDLE_MALFORMED', 'not a Sigstore bundle', { fields });
}

function wrongKind(expected: string, actual: string): ReleaseError {
  return new ReleaseError('RELEASE_BUNDLE_KIND', `the bundle does not hold ${expected}`, {
    expected,
    actual,
  });
}
