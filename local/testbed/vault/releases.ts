import { createHash, generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { formatPcrFile } from '../../../attestation/index.ts';
import { copyProgram, type Program } from '../../nitro-host/index.ts';
import { buildStandInImage, type StandInImage } from '../host/index.ts';
import { type HoldfastCommand, runProgram } from '../holdfast-command.ts';

/** Release as vault.yaml names it. */
export interface Release {
  readonly version: string;
  /** Folder of releases. */
  readonly from: string;
  /** PEM. */
  readonly publicKey: string;
}

/** Release that was published, for whoever plays with it. */
export interface PublishedRelease extends Release {
  /** Path of the release's pcr.json. */
  readonly pcrFile: string;
}

/** A project that publishes releases of the enclave on this machine, signed by one key; each is an image of its own. */
export class Releases {
  readonly #folder: string;
  readonly #makeRelease: HoldfastCommand;
  readonly #programs: Program[] = [];
  readonly #publicKey: string;

  private constructor(folder: string, makeRelease: HoldfastCommand, publicKey: string) {
    this.#folder = folder;
    this.#makeRelease = makeRelease;
    this.#publicKey = publicKey;
  }

  /** @param makeRelease program that signs a release as scripts/make-release does, with its arguments */
  static async open(folder: string, makeRelease: HoldfastCommand): Promise<Releases> {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await mkdir(join(folder, 'published'), { recursive: true, mode: 0o700 });
    await writeFile(join(folder, 'release-key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }), {
      mode: 0o600,
    });
    return new Releases(folder, makeRelease, publicKey.export({ type: 'spki', format: 'pem' }));
  }

  /** Builds an image of the code as it is now, which measures otherwise than each one before, and releases it. */
  async publish(version: string): Promise<PublishedRelease> {
    const program = await copyProgram();
    this.#programs.push(program);
    const build = join(this.#folder, `build-${version}`);
    await writeBuild(build, await buildStandInImage(program.folder));
    const from = join(this.#folder, 'published');
    const words = {
      image: build,
      parent: join(build, 'bundle.tgz'),
      key: join(this.#folder, 'release-key.pem'),
      out: from,
      version,
      commit: 'ab'.repeat(20),
      released: '2026-11-01T00:00:00Z',
    };
    await runProgram([
      ...this.#makeRelease,
      ...Object.entries(words).flatMap(([name, value]) => [`--${name}`, value]),
    ]);
    return { version, from, publicKey: this.#publicKey, pcrFile: join(from, version, 'pcr.json') };
  }

  /** Removes the code that the images stand for: nothing starts from them any more. */
  async close(): Promise<void> {
    for (const program of this.#programs) await program.remove();
  }
}

/** Writes what scripts/build-eif and `npm pack` would leave of an image. */
async function writeBuild(folder: string, image: StandInImage): Promise<void> {
  await mkdir(folder, { recursive: true });
  const files = { ...describeBuild(image), 'bundle.tgz': gzipSync('a bundle') };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
}

/** Makes the files that scripts/build-eif would leave of an image, by name, with nothing in its list and its SBOM. */
export function describeBuild({ bytes, pcrs }: StandInImage): Record<string, Uint8Array> {
  const pcrFile = formatPcrFile(pcrs);
  const { HashAlgorithm: _, ...measurements } = (
    JSON.parse(pcrFile) as { Measurements: Record<string, string> }
  ).Measurements;
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const json = (value: unknown) => Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`);
  return {
    'enclave.eif': bytes,
    'pcr.json': Buffer.from(pcrFile),
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
  };
}
