import { createHash, generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { formatPcrFile } from '../../../../attestation/index.ts';
import type { StandInImage } from '../../../../local/testbed/host/index.ts';
import { makeRelease } from '../../../../scripts/release/make.ts';
import { createKeySigner } from '../../../../scripts/release/sign.ts';

const VERSION = '1.4.0';

/** Makes a release of an image as scripts/make-release does, in a folder of releases. */
export async function makeTestRelease(
  folder: string,
  { bytes, pcrs }: StandInImage,
): Promise<{ readonly version: string; readonly from: string; readonly publicKey: string }> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const [image, out] = [join(folder, 'build'), join(folder, 'published')];
  await mkdir(image, { recursive: true });
  await mkdir(out, { recursive: true });
  const pcrFile = formatPcrFile(pcrs);
  const { HashAlgorithm: _, ...measurements } = (
    JSON.parse(pcrFile) as { Measurements: Record<string, string> }
  ).Measurements;
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const json = (value: unknown) => `${JSON.stringify(value, undefined, 2)}\n`;
  const files: Readonly<Record<string, string | Uint8Array>> = {
    'enclave.eif': bytes,
    'pcr.json': pcrFile,
    'image-files.json': json({ files: [] }),
    'sbom.cdx.json': json({ bomFormat: 'CycloneDX', specVersion: '1.6', version: 1, components: [] }),
    'provenance.json': json({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'enclave.eif', digest: { sha256 } }],
      predicateType: 'https://slsa.dev/provenance/v1',
      predicate: {
        buildDefinition: {
          buildType: 'https://holdfast.invalid/build-eif/v1',
          externalParameters: { entry: 'enclave/main.ts', measurements },
          resolvedDependencies: [{ name: 'package-lock.json', digest: { sha256: '00'.repeat(32) } }],
        },
        runDetails: { builder: { id: 'https://holdfast.invalid/scripts/build-eif' } },
      },
    }),
    'bundle.tgz': gzipSync('a bundle'),
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(image, name), content);
  makeRelease(
    {
      image,
      parent: join(image, 'bundle.tgz'),
      lock: JSON.stringify({ name: 'holdfast', version: VERSION, packages: {} }),
      version: VERSION,
      commit: 'ab'.repeat(20),
      released: new Date('2026-11-01T00:00:00Z'),
      out,
    },
    createKeySigner(privateKey),
  );
  return {
    version: VERSION,
    from: out,
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }),
  };
}
