import { sha384 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import * as z from 'zod';
import { openEnvelope } from '../../shared/dsse/portable.ts';
import { HoldfastError } from '../../shared/errors.ts';
import { parseJson } from '../../shared/json/index.ts';
import type { ApproverEntry } from './approval.ts';
import { ReviewError, type ReviewErrorCode } from './review-errors.ts';

const MAX_MANIFEST_BYTES = 16 * 1024;
const MAX_CONFIGURATION_BYTES = 1024 * 1024;
const MAX_CONFIGURATION_DEPTH = 12;
const MAX_BINDING_BYTES = 1024;
const CONFIGURATION_PAYLOAD_TYPE = 'application/vnd.holdfast.configuration+json';

const key = z.string().regex(/^[0-9a-f]{64}$/);

/** Members of a manifest that a reader needs; PCR16 measures all of them. */
const manifestSchema = z.object({
  format: z.enum(['holdfast-manifest/1', 'holdfast-cold-manifest/1']),
  namespace: z.string(),
  environment: z.string(),
  node: z.int(),
  configurationAuthority: z.object({ threshold: z.int().min(1), keys: z.array(key).min(1).max(32) }),
});
export type ReviewManifest = z.infer<typeof manifestSchema>;

const credentialSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('passkey'),
    algorithm: z.enum(['ES256', 'EdDSA']),
    credentialId: z.string(),
    publicKey: z.string(),
    relyingParty: z.string(),
    origins: z.array(z.string()),
  }),
  z.object({ type: z.literal('ed25519'), publicKey: key }),
]);

/** Members of a configuration that a reader needs; the authorities have signed all of them. */
const configurationSchema = z.object({
  format: z.enum(['holdfast-configuration/1', 'holdfast-configuration/2']),
  version: z.int(),
  manifest: z.string(),
  keys: z.array(z.object({ id: z.string(), networks: z.array(z.string()).default([]) })),
  approvers: z.array(z.object({ id: z.string(), credentials: z.array(credentialSchema) })).default([]),
  addressBooks: z
    .array(
      z.object({
        id: z.string(),
        network: z.string(),
        entries: z.array(z.object({ label: z.string(), address: z.string() })),
      }),
    )
    .default([]),
});

/** What a reader takes from a configuration whose signatures have verified. */
export interface ReviewConfiguration {
  readonly version: number;
  /** SHA-384 of the signed bytes, in hex. */
  readonly digest: string;
  readonly networksOf: ReadonlyMap<string, readonly string[]>;
  readonly approvers: readonly ApproverEntry[];
  readonly addressBooks: readonly {
    readonly id: string;
    readonly network: string;
    readonly entries: readonly { readonly label: string; readonly address: string }[];
  }[];
}

/** The user_data of a node's attestation document, as far as a reader needs it. */
const bindingSchema = z.object({ format: z.literal('holdfast-node/2'), receiptKey: key });

/** Parses a manifest. @throws ReviewError REVIEW_MANIFEST */
export function readManifest(bytes: Uint8Array): ReviewManifest {
  return parse(bytes, manifestSchema, { maxBytes: MAX_MANIFEST_BYTES, maxDepth: 4 }, 'REVIEW_MANIFEST');
}

/**
 * Reads the receipt key from the user_data of an attestation document that was verified.
 *
 * @returns raw Ed25519 public key in hex
 * @throws ReviewError REVIEW_KEY_UNATTESTED
 */
export function readReceiptKey(userData: Uint8Array | null): string {
  const limits = { maxBytes: MAX_BINDING_BYTES, maxDepth: 4 };
  return parse(userData ?? new Uint8Array(), bindingSchema, limits, 'REVIEW_KEY_UNATTESTED').receiptKey;
}

/**
 * Opens a signed configuration with the authorities of a manifest, and requires the version and digest that a request
 * names.
 *
 * @throws ReviewError REVIEW_CONFIGURATION
 */
export function openConfiguration(
  envelope: Uint8Array,
  { configurationAuthority }: ReviewManifest,
  expected: { readonly manifest: string; readonly version: number; readonly digest: string },
): ReviewConfiguration {
  const payload = open(envelope, configurationAuthority);
  const limits = { maxBytes: MAX_CONFIGURATION_BYTES, maxDepth: MAX_CONFIGURATION_DEPTH };
  const configuration = parse(payload, configurationSchema, limits, 'REVIEW_CONFIGURATION');
  const actual = {
    manifest: configuration.manifest,
    version: configuration.version,
    digest: bytesToHex(sha384(payload)),
  };
  for (const field of ['manifest', 'version', 'digest'] as const) {
    if (actual[field] === expected[field]) continue;
    throw new ReviewError('REVIEW_CONFIGURATION', 'the configuration is not the one that the request names', {
      field,
      expected: expected[field],
      actual: actual[field],
    });
  }
  const { version, keys, approvers, addressBooks } = configuration;
  const networksOf = new Map(keys.map(({ id, networks }) => [id, networks]));
  return { version, digest: actual.digest, networksOf, approvers, addressBooks };
}

function open(envelope: Uint8Array, authority: ReviewManifest['configurationAuthority']): Uint8Array {
  try {
    return openEnvelope(envelope, { payloadType: CONFIGURATION_PAYLOAD_TYPE, ...authority, digests: true });
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    throw new ReviewError(
      'REVIEW_CONFIGURATION',
      "the configuration is not signed by the manifest's authorities",
      {},
      error,
    );
  }
}

/** Parses strict JSON of a schema, or refuses by a code. */
export function parse<T>(
  bytes: Uint8Array,
  schema: z.ZodType<T>,
  limits: { readonly maxBytes: number; readonly maxDepth: number },
  code: ReviewErrorCode,
): T {
  try {
    return schema.parse(parseJson(bytes, limits));
  } catch (error) {
    throw new ReviewError(code, 'not a document of the form expected', {}, error);
  }
}
