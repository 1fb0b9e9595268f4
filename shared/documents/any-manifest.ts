import { parseJson } from '../json/index.ts';
import { MAX_MANIFEST_BYTES } from '../protocol/control.ts';
import { COLD_MANIFEST_FORMAT, parseColdManifest, toNodeManifest } from './cold-manifest.ts';
import { type NodeManifest, parseManifest } from './manifest.ts';

/**
 * Parses the manifest of an attested node or of a cold one, for what treats both alike: whoever signs configurations.
 *
 * @throws ManifestError MANIFEST_MALFORMED
 */
export function parseAnyManifest(bytes: Uint8Array): NodeManifest {
  return hasColdFormat(bytes) ? toNodeManifest(parseColdManifest(bytes)) : parseManifest(bytes);
}

function hasColdFormat(bytes: Uint8Array): boolean {
  try {
    const value: unknown = parseJson(bytes, { maxBytes: MAX_MANIFEST_BYTES, maxDepth: 4 });
    return (value as { format?: unknown } | null)?.format === COLD_MANIFEST_FORMAT;
  } catch {
    return false;
  }
}
