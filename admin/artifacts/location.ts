import { ReleaseError } from './errors.ts';

/** Place where releases are kept, each under its version. */
export type ReleaseLocation =
  | { readonly kind: 's3'; readonly bucket: string; readonly prefix: string; readonly text: string }
  | { readonly kind: 'oci'; readonly registry: string; readonly repository: string; readonly text: string }
  | { readonly kind: 'folder'; readonly path: string; readonly text: string };

const MAX_LOCATION_LENGTH = 1024;
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const PREFIX = /^[A-Za-z0-9_=-][A-Za-z0-9._=-]*(?:\/[A-Za-z0-9_=-][A-Za-z0-9._=-]*)*$/;
const REGISTRY =
  /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*(?::[0-9]{1,5})?$/;
/** Path component of a repository's name, as the distribution specification has it. */
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;

/**
 * Parses the place of releases: `s3://BUCKET/PREFIX`, `oci://REGISTRY/REPOSITORY`, or the path of a folder.
 *
 * @throws ReleaseError RELEASE_LOCATION_MALFORMED
 *
 * Source: OCI Distribution Specification 1.1, "Pulling manifests"; S3 User Guide, "Bucket naming rules".
 */
export function parseLocation(text: string): ReleaseLocation {
  const [, scheme, rest = ''] = /^([a-z0-9]+):\/\/(.*)$/s.exec(text) ?? [];
  if (text === '' || text.length > MAX_LOCATION_LENGTH || text.includes('\0')) throw malformed(text);
  if (scheme === undefined) return { kind: 'folder', path: text, text };
  const [first = '', ...others] = rest.split('/');
  const path = others.join('/').replace(/\/$/, '');
  if (scheme === 's3' && BUCKET.test(first) && (path === '' || PREFIX.test(path))) {
    return { kind: 's3', bucket: first, prefix: path === '' ? '' : `${path}/`, text };
  }
  const isRepository = path.length <= 255 && path.split('/').every((part) => COMPONENT.test(part));
  if (scheme === 'oci' && REGISTRY.test(first) && isRepository) {
    return { kind: 'oci', registry: first, repository: path, text };
  }
  throw malformed(text);
}

function malformed(location: string): ReleaseError {
  return new ReleaseError(
    'RELEASE_LOCATION_MALFORMED',
    'expected s3://BUCKET/PREFIX, oci://REGISTRY/REPOSITORY or a folder',
    { location: location.slice(0, 200) },
  );
}
