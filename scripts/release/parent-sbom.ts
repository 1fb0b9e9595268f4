import { createHash } from 'node:crypto';

/** Entry of package-lock.json as far as an SBOM needs it. */
interface LockedNpmPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
}

interface PackageLock {
  readonly name: string;
  readonly version: string;
  readonly packages: Readonly<Record<string, LockedNpmPackage>>;
}

/** Algorithms of Subresource Integrity, as CycloneDX names them. */
const ALGORITHMS: Readonly<Record<string, string>> = {
  sha256: 'SHA-256',
  sha384: 'SHA-384',
  sha512: 'SHA-512',
};

/**
 * Describes what runs on a parent's host beside this project's own code: every package of package-lock.json that is not for
 * development, as a CycloneDX 1.6 document; the same for the same lock file and bundle.
 *
 * @param lockText package-lock.json
 * @param bundle bytes of the parent's bundle
 *
 * Source: CycloneDX 1.6, JSON reference; package-url, "npm".
 */
export function describeParentPackages(lockText: string, bundle: Uint8Array): object {
  const lock = JSON.parse(lockText) as PackageLock;
  const components = new Map<string, object>();
  for (const [path, entry] of Object.entries(lock.packages)) {
    const name = path.split('node_modules/').at(-1) ?? '';
    if (path === '' || entry.dev === true || entry.link === true || entry.version === undefined) continue;
    const component = describePackage(name, entry.version, entry);
    components.set(component['bom-ref'], component);
  }
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        type: 'application',
        'bom-ref': 'parent.tgz',
        name: lock.name,
        version: lock.version,
        hashes: [{ alg: 'SHA-256', content: createHash('sha256').update(bundle).digest('hex') }],
        properties: [
          {
            name: 'SHA-256 of package-lock.json',
            value: createHash('sha256').update(lockText).digest('hex'),
          },
        ],
      },
    },
    components: [...components].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, component]) => component),
  };
}

function describePackage(name: string, version: string, { integrity = '', license }: LockedNpmPackage) {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${encodeURIComponent(version)}`;
  const [, algorithm = '', digest = ''] = /^(sha[0-9]+)-(.+)$/.exec(integrity.split(' ')[0] ?? '') ?? [];
  const alg = ALGORITHMS[algorithm];
  return {
    type: 'library',
    'bom-ref': purl,
    name,
    version,
    purl,
    ...(license === undefined ? {} : { licenses: [describeLicense(license)] }),
    ...(alg === undefined
      ? {}
      : { hashes: [{ alg, content: Buffer.from(digest, 'base64').toString('hex') }] }),
  };
}

/** An SPDX expression, or a text that is none: "SEE LICENSE IN …". */
function describeLicense(license: string): object {
  return /^[A-Za-z0-9.+() -]+$/.test(license) && !license.startsWith('SEE ') && license !== 'UNLICENSED'
    ? { expression: license }
    : { license: { name: license } };
}
