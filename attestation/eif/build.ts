import { crc32 } from 'node:zlib';
import { parseCmdline } from './cmdline.ts';
import { combineCrc32 } from './crc32.ts';
import { EifError } from './errors.ts';
import {
  CRC_OFFSET,
  type EifArchitecture,
  type EifSectionKind,
  encodeHeader,
  encodeSectionHeader,
  HEADER_BYTES,
  MAX_SECTIONS,
  NEWEST_VERSION,
  SECTION_HEADER_BYTES,
  type TableEntry,
} from './format.ts';
import { type EifMeasurements, measureCertificate, Measurement } from './measurement.ts';
import type { HashWorker } from './hash-worker.ts';
import { DEFAULT_METADATA, type EifMetadata, encodeMetadata } from './metadata.ts';
import { padRamdisks } from './ramdisks.ts';
import { assertSections } from './section-rules.ts';
import { createSignatureSection, type EifSigner } from './signature.ts';
import { parseSigningCertificate } from './certificate.ts';
import { type EifSink, type EifSource, memorySource, readChunks } from './source.ts';

/** Parts of an image, as the caller provides them. */
export interface EifParts {
  /** A bzImage for x86_64, an uncompressed Image for aarch64. */
  readonly kernel: EifSource;
  /** The kernel's command line: printable ASCII, at most 2047 bytes. */
  readonly cmdline: string;
  /** Ramdisks: cpio archives, packed or not. PCR1 measures the first (bootstrap), PCR2 the others (application). */
  readonly ramdisks: readonly EifSource[];
  /** Default: x86_64. */
  readonly architecture?: EifArchitecture;
  /** Unmeasured description of the image. Default: {@link DEFAULT_METADATA}. */
  readonly metadata?: EifMetadata;
  /** Signer of PCR0, which makes PCR8. Default: the image is not signed. */
  readonly sign?: EifSigner;
  /** Fills every ramdisk but the last with zeros, which are measured, to a multiple of 4 bytes. Default: false. */
  readonly padRamdisks?: boolean;
}

/** Options of {@link buildEif}. */
export interface BuildOptions {
  /** Called after each chunk with the bytes written so far and the total without the signature. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Computes the CRC and the application's digest, on another thread for one. Default: the calling thread. */
  readonly hashWorker?: HashWorker;
  /** Aborts the build, which rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Result of a build. */
export interface BuiltEif {
  /** Length of the image in bytes. */
  readonly size: number;
  readonly crc32: number;
  /** PCR0, PCR1, PCR2 and, for a signed image, PCR8. */
  readonly measurements: EifMeasurements;
}

/** Defaults that nitro-cli writes into the header, and that no hypervisor uses. */
const DEFAULT_MEMORY = 1024n ** 3n;
const DEFAULT_CPUS = 2n;

/**
 * Writes an image of version 4 in one pass over its parts: kernel, command line, metadata, ramdisks and signature, as
 * nitro-cli orders them. The same parts give the same bytes, where the signer is deterministic.
 *
 * @param sink receives every byte from 0 to `size` once; the header comes last
 * @throws EifError EIF_CMDLINE, EIF_EMPTY_SECTION, EIF_SECTION_TOO_LARGE, EIF_SECTION_COUNT, EIF_MISSING_SECTION for parts
 * that `describeEif` would refuse; EIF_RAMDISK_ALIGNMENT for a ramdisk that the kernel would not find; EIF_READ;
 * EIF_CERTIFICATE, EIF_SIGNATURE_INVALID, EIF_SIGNATURE_PAYLOAD from the signer
 * @throws RangeError for metadata that is too large
 *
 * Source: the Enclave Image File specification of aws-nitro-enclaves-image-format.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises';
 * import { buildEif, memorySource } from '@holdfast-nodes/holdfast/attestation/eif';
 *
 * const read = async (name) => memorySource(await readFile(name));
 * const image = Buffer.alloc(1024 * 1024);
 * const { size, measurements } = await buildEif(
 *   {
 *     kernel: await read('bzImage'),
 *     cmdline: 'console=ttyS0 reboot=t panic=30',
 *     ramdisks: [await read('bootstrap.cpio'), await read('application.cpio')],
 *   },
 *   { write: async (offset, bytes) => void image.set(bytes, offset) },
 * );
 * console.log(image.toString('latin1', 0, 4)); // .eif
 * console.log([...measurements.keys()].join()); // 0,1,2
 * console.log(size < image.length); // true
 * ```
 */
export async function buildEif(
  parts: EifParts,
  sink: EifSink,
  options: BuildOptions = {},
): Promise<BuiltEif> {
  const sections = await layOut(parts);
  const writer = new ImageWriter(sink, sections, options);
  for (const section of sections) await writer.writeSection(section.kind, section.source);
  const { measurements, crc32: bodyCrc } = await writer.finish();
  const signed = parts.sign === undefined ? undefined : await sign(parts.sign, measurements);
  const crc = signed === undefined ? bodyCrc : await writer.appendSignature(signed, bodyCrc);
  return writer.writeHeader(parts.architecture ?? 'x86_64', crc, measurements);
}

interface Part {
  readonly kind: EifSectionKind;
  readonly source: EifSource;
}

async function layOut(parts: EifParts): Promise<Part[]> {
  const cmdline = new TextEncoder().encode(parts.cmdline);
  parseCmdline(cmdline);
  const metadata = encodeMetadata(parts.metadata ?? DEFAULT_METADATA);
  const ramdisks = await padRamdisks(parts.ramdisks, parts.padRamdisks ?? false);
  const sections: Part[] = [
    { kind: 'kernel', source: parts.kernel },
    { kind: 'cmdline', source: memorySource(cmdline) },
    { kind: 'metadata', source: memorySource(metadata) },
    ...ramdisks.map((source) => ({ kind: 'ramdisk', source }) as const),
  ];
  const count = sections.length + (parts.sign === undefined ? 0 : 1);
  if (count > MAX_SECTIONS) {
    throw new EifError(
      'EIF_SECTION_COUNT',
      `the image would have ${count} sections: expected fewer ramdisks`,
      {
        expected: `at most ${MAX_SECTIONS} sections`,
        actual: count,
      },
    );
  }
  assertSections(
    NEWEST_VERSION,
    sections.map(({ kind, source }) => ({ kind, size: source.size })),
  );
  return sections;
}

async function sign(signer: EifSigner, measurements: Map<number, Uint8Array>): Promise<Uint8Array> {
  const section = await createSignatureSection(signer, measurements.get(0) ?? new Uint8Array());
  measurements.set(8, measureCertificate(parseSigningCertificate(signer.certificate).der));
  return section;
}

/** Writer of an image: the sections one after the other, and the header last, which holds the checksum of all. */
class ImageWriter {
  readonly #sink: EifSink;
  readonly #options: BuildOptions;
  readonly #measurement: Measurement;
  readonly #total: number;
  readonly #table: TableEntry[] = [];
  #offset = HEADER_BYTES;

  constructor(sink: EifSink, parts: readonly Part[], options: BuildOptions) {
    this.#sink = sink;
    this.#options = options;
    this.#measurement = new Measurement(options.hashWorker);
    this.#total = parts.reduce((sum, { source }) => sum + SECTION_HEADER_BYTES + source.size, HEADER_BYTES);
  }

  async writeSection(kind: EifSectionKind, source: EifSource): Promise<void> {
    const header = this.#startSection(kind, source.size);
    await Promise.all([this.#append(header), this.#measurement.updateHeader(header)]);
    this.#measurement.startSection(kind);
    for await (const chunk of readChunks(source, 0, source.size)) {
      this.#options.signal?.throwIfAborted();
      await Promise.all([this.#append(chunk), this.#measurement.update(chunk)]);
      this.#options.onProgress?.(this.#offset, this.#total);
    }
  }

  /** Returns PCR0 to PCR2, and the CRC-32 of the bytes after the header. */
  finish() {
    return this.#measurement.finish();
  }

  /** Appends the signature section and returns the CRC-32 of the bytes after the header, the signature included. */
  async appendSignature(content: Uint8Array, bodyCrc: number): Promise<number> {
    const header = this.#startSection('signature', content.length);
    await this.#append(header);
    await this.#append(content);
    return crc32(content, crc32(header, bodyCrc));
  }

  async writeHeader(
    architecture: EifArchitecture,
    bodyCrc: number,
    measurements: EifMeasurements,
  ): Promise<BuiltEif> {
    const fields = {
      version: NEWEST_VERSION,
      architecture,
      defaultMemory: DEFAULT_MEMORY,
      defaultCpus: DEFAULT_CPUS,
      table: this.#table,
    };
    const start = encodeHeader({ ...fields, crc32: 0 }).subarray(0, CRC_OFFSET);
    const checksum = combineCrc32(crc32(start), bodyCrc, this.#offset - HEADER_BYTES);
    await this.#sink.write(0, encodeHeader({ ...fields, crc32: checksum }));
    return { size: this.#offset, crc32: checksum, measurements };
  }

  #startSection(kind: EifSectionKind, size: number): Uint8Array {
    this.#table.push({ offset: BigInt(this.#offset), size: BigInt(size) });
    return encodeSectionHeader({ kind, size: BigInt(size) });
  }

  async #append(bytes: Uint8Array): Promise<void> {
    const offset = this.#offset;
    this.#offset += bytes.length;
    await this.#sink.write(offset, bytes);
  }
}
