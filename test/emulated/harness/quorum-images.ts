import { join } from 'node:path';
import type { EnclaveChain } from '../../../local/nsm/index.ts';
import { bundleEntry } from '../../../scripts/image/bundle.ts';
import type { Binaries } from '../../../scripts/image/compile.ts';
import type { CpioEntry } from '../../../scripts/image/cpio.ts';
import { buildImage } from '../../../scripts/image/image.ts';
import { prepareInputs, ROOT } from '../../../scripts/image/inputs.ts';
import { layOutRamdisks } from '../../../scripts/image/layout.ts';
import type { QuorumNodeFile, QuorumParentFile } from '../programs/quorum-files.ts';
import { SWITCHED_VSOCK, writeGuestRamdisk } from './guest-ramdisk.ts';

const PROGRAMS = join(import.meta.dirname, '../programs');

const file = (path: string, content: Uint8Array | string): CpioEntry => ({
  path,
  kind: 'file',
  content: Buffer.from(content),
});
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

/**
 * Builds the image of the emulated node: the real one, with the program of programs/quorum-node.ts.
 *
 * @returns PCR0, PCR1 and PCR2, 48 bytes each
 */
export async function buildQuorumImage(
  path: string,
  binaries: Binaries,
  trust: { readonly kmsRoots: readonly string[]; readonly chain: EnclaveChain },
): Promise<ReadonlyMap<number, Uint8Array>> {
  const { kmsRoots, chain } = trust;
  const content: QuorumNodeFile = {
    kmsRoots,
    cabundle: chain.cabundle.map(base64),
    certificate: base64(chain.certificate),
    privateKey: chain.privateKey.export({ type: 'pkcs8', format: 'pem' }),
  };
  const inputs = prepareInputs();
  const { code } = await bundleEntry(join(PROGRAMS, 'quorum-node.ts'));
  const { program, ...ramdisks } = layOutRamdisks(inputs, binaries, code);
  const added = file('app/quorum-node.json', JSON.stringify(content));
  const image = await buildImage(
    inputs,
    { ...ramdisks, program: [...program, added] },
    { path, useCache: true },
  );
  return image.eif.measurements;
}

/** Files of the parent in guest 3. */
export interface QuorumParentFiles {
  readonly parent: QuorumParentFile;
  readonly manifest: Uint8Array;
  readonly configuration: Uint8Array;
}

/** Writes the ramdisk of guest 3, whose program is programs/quorum-parent.ts. */
export async function writeQuorumRamdisk(
  path: string,
  emulator: string,
  binaries: Binaries,
  { parent, manifest, configuration }: QuorumParentFiles,
): Promise<void> {
  await writeGuestRamdisk(path, {
    emulator,
    binaries,
    modules: SWITCHED_VSOCK,
    programs: { main: join(PROGRAMS, 'quorum-parent.ts'), holdfast: join(ROOT, 'cli/main.ts') },
    extra: [
      file('app/quorum-parent.json', JSON.stringify(parent)),
      file('app/manifest.json', manifest),
      file('app/configuration.json', configuration),
    ],
  });
}
