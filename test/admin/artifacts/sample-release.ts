import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parseReleaseKey, type ReleaseKey } from '../../../admin/artifacts/index.ts';
import { buildEif, memorySource } from '../../../attestation/eif/index.ts';
import type { PcrValues } from '../../../attestation/index.ts';
import { describeBuild } from '../../../local/testbed/vault/releases.ts';
import { makeRelease } from '../../../scripts/release/make.ts';
import { createKeySigner, type ReleaseSigner } from '../../../scripts/release/sign.ts';
import { createMemorySink } from '../../attestation/eif/memory-sink.ts';
import { sampleBzImage, sampleCpio } from '../../attestation/eif/boot-samples.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

export interface SampleKey {
  readonly privateKey: KeyObject;
  readonly pem: string;
  readonly key: ReleaseKey;
}

export function makeReleaseKey(namedCurve = 'P-256'): SampleKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
  const pem = publicKey.export({ type: 'spki', format: 'pem' });
  return { privateKey, pem, key: parseReleaseKey(pem) };
}

export interface SampleOptions {
  readonly version?: string;
  readonly signer?: ReleaseSigner;
  /** Folder of releases; a new one when left out. */
  readonly out?: string;
  /** What makes the image another one. */
  readonly program?: string;
  /** Changes what scripts/build-eif would have written, file by file. */
  readonly change?: (name: string, content: Buffer) => Buffer;
  readonly parentBytes?: Buffer;
}

/** Makes a release of a small image, as scripts/make-release does. @returns the folder of releases */
export async function makeSampleRelease(
  { privateKey }: Pick<SampleKey, 'privateKey'>,
  options: SampleOptions = {},
): Promise<{ readonly out: string; readonly folder: string; readonly pcrs: PcrValues }> {
  const { version = '1.4.0', change = (_name, content) => content } = options;
  const [image, out] = [temporaryFolder(), options.out ?? temporaryFolder()];
  const sink = createMemorySink();
  const { measurements } = await buildEif(
    {
      kernel: memorySource(sampleBzImage()),
      cmdline: 'quiet',
      ramdisks: [
        memorySource(sampleCpio({ init: 'init' })),
        memorySource(sampleCpio({ 'app/main.mjs': options.program ?? version })),
      ],
    },
    sink,
  );
  const eif = Buffer.from(sink.bytes());
  const files = describeBuild({ bytes: eif, pcrs: measurements });
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(image, name), change(name, Buffer.from(content)));
  const parent = join(image, 'bundle.tgz');
  writeFileSync(parent, options.parentBytes ?? gzipSync('a bundle'));
  mkdirSync(out, { recursive: true });
  const folder = makeRelease(
    {
      image,
      parent,
      lock: JSON.stringify({ name: 'holdfast', version, packages: {} }),
      version,
      commit: 'ab'.repeat(20),
      released: new Date('2026-11-01T00:00:00Z'),
      out,
    },
    options.signer ?? createKeySigner(privateKey),
  );
  return { out, folder, pcrs: measurements };
}
