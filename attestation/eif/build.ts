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

export interface EifParts {
  /** A bzImage for x86_64, an uncompressed Image for aarch64. */
  readonly kernel: EifSource;
  readonly cmdline: string;
  /** cpio archives, packed or not. The first counts as bootstrap (PCR1), the others as application (PCR2). */
  readonly ramdisks: readonly EifSource[];
  /** Default: x86_64. */
  readonly architecture?: EifArchitecture;
  readonly metadata?: EifMetadata;
  readonly sign?: EifSigner;
  /** Zero-pad every ramdisk but the last to a multiple of 4 bytes. That is measured. Default: false, as nitro-cli. */
  readonly padRamdisks?: boolean;
}

export interface BuildOptions {
  /** Called after each chunk with the bytes written so far and how many there will be, signature excluded. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Where the second half of the hashing is done. Default: here. */
  readonly hashWorker?: HashWorker;
  readonly signal?: AbortSignal;
}

export interface BuiltEif {
  readonly size: number;
  readonly crc32: number;
  readonly measurements: EifMeasurements;
}

/** What nitro-cli writes; nobody uses them. */
const DEFAULT_MEMORY = 1024n ** 3n;
const DEFAULT_CPUS = 2n;

/**
 * Writes an image of version 4 in one pass over its parts: kernel, command line, metadata, ramdisks and signature, as
 * nitro-cli orders them. The same parts give the same bytes.
 * @throws EifError for parts that `describeEif` would refuse, EIF_RAMDISK_ALIGNMENT for a ramdisk that a kernel would
 *   not find
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
    throw new EifError('EIF_SECTION_COUNT', 'there are too many ramdisks', {
      expected: `at most ${MAX_SECTIONS} sections`,
      actual: count,
    });
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

/** Writes sections one after the other and the header last, since it holds the checksum of all. */
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

  /** PCR0 to PCR2, and the checksum of what follows the header. */
  finish() {
    return this.#measurement.finish();
  }

  /** Returns the checksum of what follows the header, the signature included. */
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
