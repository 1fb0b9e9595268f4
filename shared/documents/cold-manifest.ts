import { parseJson } from '../json/index.ts';
import { MAX_MANIFEST_BYTES } from '../protocol/control.ts';
import { ManifestError } from './errors.ts';
import { type DocumentKind, parseByFormat } from './format.ts';
import * as z from 'zod';
import { manifestSchema, type NodeManifest } from './manifest.ts';

export const COLD_MANIFEST_FORMAT = 'holdfast-cold-manifest/1';

const { namespace, environment, node, configurationAuthority, emergencyRecovery } = manifestSchema.shape;

/**
 * A manifest of a cold node: one on a machine without a network, whose store opens by a passphrase. It has a format of
 * its own and no member `kms`, so that neither an enclave nor a tool takes it for that of an attested node.
 */
export const coldManifestSchema = z
  .strictObject({
    format: z.literal(COLD_MANIFEST_FORMAT),
    namespace,
    environment,
    /** Number of the node among the vault's cold nodes, from 1. */
    node,
    configurationAuthority,
    emergencyRecovery,
  })
  .refine(({ configurationAuthority: { keys } }) => new Set(keys).size === keys.length, {
    path: ['configurationAuthority', 'keys'],
    error: 'a key is named twice',
  })
  .refine(
    (manifest) => manifest.configurationAuthority.threshold <= manifest.configurationAuthority.keys.length,
    {
      path: ['configurationAuthority', 'threshold'],
      error: 'greater than the number of keys',
    },
  );
export type ColdManifest = z.infer<typeof coldManifestSchema>;

const COLD_MANIFEST_KIND: DocumentKind<ColdManifest> = {
  noun: 'manifest of a cold node',
  formats: new Map([[COLD_MANIFEST_FORMAT, coldManifestSchema]]),
  refuse: (message, details) => new ManifestError('MANIFEST_MALFORMED', message, details),
};

/** Parses the bytes of a cold node's manifest. @throws ManifestError MANIFEST_MALFORMED */
export function parseColdManifest(bytes: Uint8Array): ColdManifest {
  let value: unknown;
  try {
    value = parseJson(bytes, { maxBytes: MAX_MANIFEST_BYTES, maxDepth: 4 });
  } catch (error) {
    throw new ManifestError('MANIFEST_MALFORMED', 'the manifest is not strict JSON', {}, error);
  }
  return parseByFormat(value, COLD_MANIFEST_KIND);
}

/** Returns what a node goes by: a cold one is alone, and its name and log begin with `cold`. */
export function toNodeManifest(manifest: ColdManifest): NodeManifest & { readonly kind: 'cold' } {
  const { format: _format, ...members } = manifest;
  return { ...members, quorum: { size: 1, threshold: 1 }, kind: 'cold' };
}
