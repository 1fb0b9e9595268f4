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

export interface DescribeOptions {
  /** When the signing certificate has to be valid. Default: its dates are not compared with anything. */
  readonly at?: Date;
  /** Called after each chunk with the bytes read so far and the size of the file. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Where the second half of the hashing is done. Default: here. */
  readonly hashWorker?: HashWorker;
  readonly signal?: AbortSignal;
}

/** An image that has one meaning only, and whose signature, if any, is good. */
export interface EifDescription {
  readonly version: number;
  readonly architecture: EifArchitecture;
  readonly size: number;
  readonly crc32: number;
  /** Bytes; used by nobody. */
  readonly defaultMemory: bigint;
  /** Used by nobody. */
  readonly defaultCpus: bigint;
  readonly sections: readonly EifSection[];
  readonly kernel: EifKernel;
  /** What keeps the image from booting, in words; empty where nothing is seen. It measures and verifies all the same. */
  readonly bootFaults: readonly string[];
  readonly cmdline: string;
  readonly measurements: EifMeasurements;
  readonly signature?: EifSignature;
  readonly metadata?: UnattestedMetadata;
}

/**
 * Reads an image once from start to end, in bounded memory, and measures it.
 * @throws EifError whatever the bytes
 */
export async function describeEif(source: EifSource, options: DescribeOptions = {}): Promise<EifDescription> {
  const layout = await readLayout(source);
  const { header, sections } = layout;
  const { measurements, crc32, contents } = await measure(source, layout, options);
  if (crc32 !== header.crc32) {
    throw new EifError('EIF_CRC', 'the checksum does not fit the file', {
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
    // The other kinds have a small maximum.
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
