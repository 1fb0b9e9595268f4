import { X509Certificate } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestNode } from './test-node.ts';
import type { Testbed } from './testbed.ts';

/** Files by which a client verifies a node. */
export interface VerificationFiles {
  /** Path of PCR0, PCR1, PCR2 and PCR16. */
  readonly pcrs: string;
  /** Path of the root that the local NSM signs under, PEM. */
  readonly root: string;
  readonly manifest: string;
}

/** Writes what a client verifies a node by, whose image has the given PCRs, into a folder. */
export async function writeVerificationFiles(
  folder: string,
  testbed: Pick<Testbed, 'host'>,
  testNode: Pick<TestNode, 'manifestPath' | 'manifestPcr'>,
  pcrs: ReadonlyMap<number, Uint8Array>,
): Promise<VerificationFiles> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const files = {
    pcrs: join(folder, 'pcr.json'),
    root: join(folder, 'nitro-root.pem'),
    manifest: testNode.manifestPath,
  };
  const measurements = Object.fromEntries(
    [...pcrs, [16, testNode.manifestPcr] as const].map(([index, value]) => [
      `PCR${index}`,
      Buffer.from(value).toString('hex'),
    ]),
  );
  const pcrFile = { Measurements: { HashAlgorithm: 'Sha384 { ... }', ...measurements } };
  await writeFile(files.pcrs, `${JSON.stringify(pcrFile, null, 2)}\n`);
  await writeFile(files.root, new X509Certificate(testbed.host.rootCertificate).toString());
  return files;
}
