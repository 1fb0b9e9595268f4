import { describeRamdisk, findBootFaults, RAMDISK_HEAD_BYTES, type RamdiskFormat } from './bootable.ts';
import { parseCmdline } from './cmdline.ts';
import { EifError } from './errors.ts';
import { CRC_OFFSET, type EifArchitecture, SECTION_HEADER_BYTES } from './format.ts';
import { describeKernel, type EifKernel, KERNEL_HEAD_BYTES } from './kernel.ts';
import { type EifLayout, type EifSection, readLayout } from './layout.ts';
import { type EifMeasurements, Measurement } from './measurement.ts';
import type { HashWorker } from './hash-worker.ts';
import { parseMetadata, type UnattestedMetadata } from './metadata.ts';
import { type EifSignature, verifySignatureSection } from './signature.ts';
import { type EifSource, readChunks } from './source.ts';

/** Options of {@link describeEif} and {@link verifyEif}. */
export interface DescribeOptions {
  /** Time at which the signing certificate has to be valid. Default: its dates are not checked. */
  readonly at?: Date;
  /** Called after each chunk with the bytes read so far and the size of the file. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Computes the CRC and the application's digest, on another thread for one. Default: the calling thread. */
  readonly hashWorker?: HashWorker;
  /** Aborts the reading, which rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** An image that all readers read alike, and whose signature, if any, is good. */
export interface EifDescription {
  readonly version: number;
  readonly architecture: EifArchitecture;
  /** Length of the file in bytes. */
  readonly size: number;
  readonly crc32: number;
  /** Default memory in bytes; no hypervisor uses the value. */
  readonly defaultMemory: bigint;
  /** Default number of CPUs; no hypervisor uses the value. */
  readonly defaultCpus: bigint;
  readonly sections: readonly EifSection[];
  readonly kernel: EifKernel;
  /** What keeps the image from booting, in words; empty when no fault is seen. Measurements hold all the same. */
  readonly bootFaults: readonly string[];
  readonly cmdline: string;
  /** PCR0, PCR1, PCR2 and, for a signed image, PCR8. */
  readonly measurements: EifMeasurements;
  /** Absent from an image that is not signed. */
  readonly signature?: EifSignature;
  /** Absent from an image before version 4. */
  readonly metadata?: UnattestedMetadata;
}

/**
 * Reads an image once from start to end, in bounded memory, measures it, and verifies its signature.
 *
 * @throws EifError, with any code but EIF_PCR_MISMATCH, EIF_PCR_UNEXPECTED and those of building and signing
 *
 * Source: the Enclave Image File specification of aws-nitro-enclaves-image-format; RFC 9052 section 4.4 for the signature.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises';
 * import { describeEif, memorySource } from '@holdfast-nodes/holdfast/attestation/eif';
 *
 * const image = await describeEif(memorySource(await readFile('enclave.eif')));
 * console.log(image.architecture, image.sections.length, image.measurements.size); // x86_64 5 3
 * ```
 */
export async function describeEif(source: EifSource, options: DescribeOptions = {}): Promise<EifDescription> {
  const layout = await readLayout(source);
  const { header, sections } = layout;
  const { measurements, crc32, contents } = await measure(source, layout, options);
  if (crc32 !== header.crc32) {
    throw new EifError('EIF_CRC', 'the CRC-32 in the header is not that of the file', {
      offset: CRC_OFFSET,
      expected: crc32,
      actual: header.crc32,
    });
  }
  const cmdline = parseCmdline(contents.cmdline ?? new Uint8Array());
  const signature =
    contents.signature === undefined
      ? undefined
      : verifySignatureSection(contents.signature, measurements.get(0) ?? new Uint8Array(), options.at);
  const kernel = describeKernel(contents.kernel.head, contents.kernel.size);
  if (signature !== undefined) measurements.set(8, signature.measurement);
  return {
    version: header.version,
    architecture: header.architecture,
    size: source.size,
    crc32,
    defaultMemory: header.defaultMemory,
    defaultCpus: header.defaultCpus,
    sections,
    kernel,
    bootFaults: findBootFaults(kernel, header.architecture, contents.ramdisks),
    cmdline,
    measurements,
    ...(signature === undefined ? {} : { signature }),
    ...(contents.metadata === undefined ? {} : { metadata: parseMetadata(contents.metadata) }),
  };
}

interface Contents {
  kernel: { head: Uint8Array; size: number };
  ramdisks: RamdiskFormat[];
  cmdline?: Uint8Array;
  signature?: Uint8Array;
  metadata?: Uint8Array;
}

async function measure(
  source: EifSource,
  { sections, headerBytes, sectionHeaderBytes }: EifLayout,
  { onProgress, hashWorker, signal }: DescribeOptions,
) {
  const measurement = new Measurement(hashWorker);
  const contents: Contents = { kernel: { head: new Uint8Array(), size: 0 }, ramdisks: [] };
  await measurement.updateHeader(headerBytes.subarray(0, CRC_OFFSET));
  for (const [index, { kind, offset, size }] of sections.entries()) {
    await measurement.updateHeader(sectionHeaderBytes[index] ?? new Uint8Array());
    measurement.startSection(kind);
    // Sections other than kernel and ramdisks have a small maximum, so their content fits into memory.
    const kept = kind === 'kernel' || kind === 'ramdisk' ? undefined : new Uint8Array(size);
    const start = offset + SECTION_HEADER_BYTES;
    let done = 0;
    for await (const chunk of readChunks(source, start, size)) {
      signal?.throwIfAborted();
      await measurement.update(chunk);
      kept?.set(chunk, done);
      if (kind === 'kernel' && done === 0)
        contents.kernel = { head: chunk.slice(0, KERNEL_HEAD_BYTES), size };
      if (kind === 'ramdisk' && done === 0) {
        contents.ramdisks.push(describeRamdisk(chunk.subarray(0, RAMDISK_HEAD_BYTES)));
      }
      done += chunk.length;
      onProgress?.(start + done, source.size);
    }
    if (kept !== undefined) contents[kind as 'cmdline' | 'signature' | 'metadata'] = kept;
  }
  return { ...(await measurement.finish()), contents };
}
