import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  CHUNK_BYTES,
  describeEif,
  EifError,
  type EifErrorCode,
  type EifSource,
  memorySource,
} from '../../../attestation/eif/index.ts';
import {
  bytesOf,
  CMDLINE,
  fixCrc,
  KERNEL,
  METADATA,
  RAMDISK,
  type RawImage,
  type RawSection,
  registerOf,
  SIGNATURE,
  sampleApplication,
  sampleBootstrap,
  sampleCmdline,
  sampleKernel,
  sampleSections,
  toHex,
  writeImage,
} from './raw-image.ts';

const describeBytes = (bytes: Uint8Array) => describeEif(memorySource(bytes));
const sample = (): Uint8Array => writeImage({ sections: sampleSections() });

async function refusalOf(bytes: Uint8Array): Promise<EifError> {
  const error: unknown = await describeBytes(bytes).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof EifError)) throw new Error('not refused with an EifError', { cause: error });
  return error;
}

describe('describeEif', () => {
  it('measures kernel, command line and ramdisks as the specification says', async () => {
    const { measurements } = await describeBytes(sample());
    expect(toHex(measurements)).toEqual({
      PCR0: registerOf(sampleKernel, sampleCmdline, sampleBootstrap, sampleApplication),
      PCR1: registerOf(sampleKernel, sampleCmdline, sampleBootstrap),
      PCR2: registerOf(sampleApplication),
    });
  });

  it('measures every ramdisk after the first as application', async () => {
    const [more, most] = [bytesOf('third'), bytesOf('fourth')];
    const sections = [
      ...sampleSections(),
      { type: RAMDISK, content: more },
      { type: RAMDISK, content: most },
    ];
    const { measurements } = await describeBytes(writeImage({ sections }));
    expect(toHex(measurements)).toEqual({
      PCR0: registerOf(sampleKernel, sampleCmdline, sampleBootstrap, sampleApplication, more, most),
      PCR1: registerOf(sampleKernel, sampleCmdline, sampleBootstrap),
      PCR2: registerOf(sampleApplication, more, most),
    });
  });

  it('gives the register of nothing as PCR2 when there is one ramdisk', async () => {
    const { measurements } = await describeBytes(writeImage({ sections: sampleSections().slice(0, 4) }));
    expect(toHex(measurements)).toEqual({
      PCR0: registerOf(sampleKernel, sampleCmdline, sampleBootstrap),
      PCR1: registerOf(sampleKernel, sampleCmdline, sampleBootstrap),
      PCR2: registerOf(),
    });
  });

  it('measures in the order of the sections', async () => {
    const [kernel, cmdline, metadata, first, second] = sampleSections() as [
      RawSection,
      RawSection,
      RawSection,
      RawSection,
      RawSection,
    ];
    const before = writeImage({ sections: [cmdline, metadata, kernel, first, second] });
    expect(toHex((await describeBytes(before)).measurements)).toEqual({
      PCR0: registerOf(sampleCmdline, sampleKernel, sampleBootstrap, sampleApplication),
      PCR1: registerOf(sampleCmdline, sampleKernel, sampleBootstrap),
      PCR2: registerOf(sampleApplication),
    });
    const after = writeImage({ sections: [kernel, first, second, cmdline, metadata] });
    expect(toHex((await describeBytes(after)).measurements)).toEqual({
      PCR0: registerOf(sampleKernel, sampleBootstrap, sampleApplication, sampleCmdline),
      PCR1: registerOf(sampleKernel, sampleBootstrap, sampleCmdline),
      PCR2: registerOf(sampleApplication),
    });
  });

  it('reads versions 2 and 3, which have no metadata', async () => {
    const sections = sampleSections().filter(({ type }) => type !== METADATA);
    for (const version of [2, 3]) {
      const description = await describeBytes(writeImage({ version, sections }));
      expect(description.version).toBe(version);
      expect(description.metadata).toBeUndefined();
      expect(toHex(description.measurements)['PCR2']).toBe(registerOf(sampleApplication));
    }
  });

  it('tells the architecture, the sections and the command line', async () => {
    const description = await describeBytes(writeImage({ sections: sampleSections(), flags: 1 }));
    expect(description.architecture).toBe('aarch64');
    expect(description.cmdline).toBe('console=ttyS0 reboot=t panic=30');
    expect(description.sections.map(({ kind }) => kind)).toEqual([
      'kernel',
      'cmdline',
      'metadata',
      'ramdisk',
      'ramdisk',
    ]);
    expect(description.sections[0]).toEqual({ kind: 'kernel', offset: 548, size: sampleKernel.length });
  });

  it('marks metadata as not attested, and no measurement depends on it', async () => {
    const sections = sampleSections().map((section) =>
      section.type === METADATA ? { ...section, content: bytesOf('{"ImageName":"forged"}') } : section,
    );
    const [genuine, forged] = [await describeBytes(sample()), await describeBytes(writeImage({ sections }))];
    expect(forged.metadata).toEqual({ attested: false, content: { ImageName: 'forged' } });
    expect(toHex(forged.measurements)).toEqual(toHex(genuine.measurements));
  });

  it('measures content of many chunks', async () => {
    const kernel = new Uint8Array(2 * CHUNK_BYTES + 1).fill(7);
    const application = new Uint8Array(CHUNK_BYTES).fill(9);
    const sections = sampleSections();
    sections[0] = { type: KERNEL, content: kernel };
    sections[4] = { type: RAMDISK, content: application };
    const progress: number[] = [];
    const image = writeImage({ sections });
    const { measurements } = await describeEif(memorySource(image), {
      onProgress: (done) => progress.push(done),
    });
    expect(toHex(measurements)).toEqual({
      PCR0: registerOf(kernel, sampleCmdline, sampleBootstrap, application),
      PCR1: registerOf(kernel, sampleCmdline, sampleBootstrap),
      PCR2: registerOf(application),
    });
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect(progress.at(-1)).toBe(image.length);
  });

  it('never asks for more than a chunk, nor for what lies outside the file', async () => {
    const image = sample();
    const asked: [number, number][] = [];
    const source: EifSource = {
      size: image.length,
      read: async (offset, length) => {
        asked.push([offset, length]);
        return image.subarray(offset, offset + length);
      },
    };
    await describeEif(source);
    expect(asked.every(([offset, length]) => length <= CHUNK_BYTES && offset + length <= image.length)).toBe(
      true,
    );
  });

  it('stops when it is told to', async () => {
    const options = { signal: AbortSignal.abort(new RangeError('stop')) };
    await expect(describeEif(memorySource(sample()), options)).rejects.toThrow(RangeError);
  });

  it('refuses a source that returns fewer bytes than it has', async () => {
    const image = sample();
    const source: EifSource = {
      size: image.length,
      read: async (offset, length) => image.subarray(offset, offset + Math.min(length, 20)),
    };
    await expect(describeEif(source)).rejects.toMatchObject({ code: 'EIF_READ' });
  });
});

const without = (type: number): RawSection[] => sampleSections().filter((section) => section.type !== type);
const replaced = (index: number, change: Partial<RawSection>): RawSection[] =>
  sampleSections().map((section, at) => (at === index ? { ...section, ...change } : section));
const cmdlineOf = (content: Uint8Array): RawSection[] => replaced(1, { content });

const HUGE = 2n ** 64n - 1n;

const REFUSALS: [string, EifErrorCode, RawImage][] = [
  ['another magic', 'EIF_MAGIC', { magic: '.elf', sections: sampleSections() }],
  ['version 1', 'EIF_VERSION', { version: 1, sections: sampleSections() }],
  ['version 5', 'EIF_VERSION', { version: 5, sections: sampleSections() }],
  ['an unknown flag', 'EIF_FLAGS', { flags: 2, sections: sampleSections() }],
  ['an unknown flag beside a known one', 'EIF_FLAGS', { flags: 3, sections: sampleSections() }],
  ['the first reserved field', 'EIF_RESERVED', { reserved: 1, sections: sampleSections() }],
  ['the second reserved field', 'EIF_RESERVED', { unused: 1, sections: sampleSections() }],
  ['no sections', 'EIF_SECTION_COUNT', { count: 0, sections: [] }],
  ['33 sections', 'EIF_SECTION_COUNT', { count: 33, sections: sampleSections() }],
  ['65535 sections', 'EIF_SECTION_COUNT', { count: 65_535, sections: sampleSections() }],
  ['an offset after the last entry', 'EIF_TABLE_UNUSED', { offsets: { 31: 1n }, sections: sampleSections() }],
  ['a size after the last entry', 'EIF_TABLE_UNUSED', { sizes: { 5: 1n }, sections: sampleSections() }],
  ['a section that the table leaves out', 'EIF_TABLE_UNUSED', { count: 4, sections: sampleSections() }],
  ['an offset of 2^64-1', 'EIF_PAST_END', { offsets: { 0: HUGE }, sections: sampleSections() }],
  ['a size of 2^64-1', 'EIF_PAST_END', { sizes: { 0: HUGE }, sections: sampleSections() }],
  [
    'a size of 2^64-1 on which both agree',
    'EIF_PAST_END',
    { sizes: { 0: HUGE }, sections: replaced(0, { headerSize: HUGE }) },
  ],
  [
    'an offset and a size that wrap around',
    'EIF_PAST_END',
    { offsets: { 1: HUGE - 10n }, sizes: { 1: 30n }, sections: sampleSections() },
  ],
  [
    'a size of one byte more than the file',
    'EIF_PAST_END',
    {
      sizes: { 4: BigInt(sampleApplication.length) + 1n },
      sections: replaced(4, { headerSize: BigInt(sampleApplication.length) + 1n }),
    },
  ],
  [
    'a table whose size is larger than the stream',
    'EIF_SIZE_MISMATCH',
    { sizes: { 0: BigInt(sampleKernel.length) + 1n }, sections: sampleSections() },
  ],
  [
    'a table whose size is smaller than the stream',
    'EIF_SIZE_MISMATCH',
    { sizes: { 4: 1n }, sections: sampleSections() },
  ],
  [
    'two entries for one section',
    'EIF_OVERLAP',
    { offsets: { 1: 548n }, sizes: { 1: BigInt(sampleKernel.length) }, sections: sampleSections() },
  ],
  ['a section within the header', 'EIF_OVERLAP', { offsets: { 0: 0n }, sections: sampleSections() }],
  [
    'sections in another order than in the table',
    'EIF_GAP',
    {
      offsets: { 0: 548n + 12n + BigInt(sampleKernel.length), 1: 548n },
      sizes: { 0: BigInt(sampleCmdline.length), 1: BigInt(sampleKernel.length) },
      sections: sampleSections(),
    },
  ],
  [
    'bytes between header and first section',
    'EIF_GAP',
    { gapBefore: { 0: bytesOf('x') }, sections: sampleSections() },
  ],
  [
    'a hidden section between two others',
    'EIF_GAP',
    {
      gapBefore: { 3: new Uint8Array([0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 65]) },
      sections: sampleSections(),
    },
  ],
  [
    'bytes after the last section',
    'EIF_TRAILING_BYTES',
    { trailing: bytesOf('x'), sections: sampleSections() },
  ],
  [
    'a hidden section after the last',
    'EIF_TRAILING_BYTES',
    { trailing: new Uint8Array([0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 65]), sections: sampleSections() },
  ],
  ['section type 0', 'EIF_SECTION_TYPE', { sections: replaced(2, { type: 0 }) }],
  ['section type 6', 'EIF_SECTION_TYPE', { sections: replaced(2, { type: 6 }) }],
  ['section type 65535', 'EIF_SECTION_TYPE', { sections: replaced(2, { type: 65_535 }) }],
  ['metadata in version 3', 'EIF_SECTION_TYPE', { version: 3, sections: sampleSections() }],
  [
    'a signature in version 2',
    'EIF_SECTION_TYPE',
    { version: 2, sections: [...without(METADATA), { type: SIGNATURE, content: bytesOf('x') }] },
  ],
  ['a section with flags', 'EIF_SECTION_FLAGS', { sections: replaced(3, { flags: 1 }) }],
  [
    'two kernels',
    'EIF_REPEATED_SECTION',
    { sections: [...sampleSections(), { type: KERNEL, content: sampleKernel }] },
  ],
  [
    'two command lines',
    'EIF_REPEATED_SECTION',
    { sections: [...sampleSections(), { type: CMDLINE, content: sampleCmdline }] },
  ],
  [
    'two metadata sections',
    'EIF_REPEATED_SECTION',
    { sections: [...sampleSections(), { type: METADATA, content: bytesOf('{}') }] },
  ],
  [
    'two signatures',
    'EIF_REPEATED_SECTION',
    {
      sections: [
        ...sampleSections(),
        { type: SIGNATURE, content: bytesOf('x') },
        { type: SIGNATURE, content: bytesOf('x') },
      ],
    },
  ],
  ['no kernel', 'EIF_SECTION_ORDER', { sections: without(KERNEL) }],
  ['neither kernel nor ramdisk', 'EIF_MISSING_SECTION', { sections: sampleSections().slice(1, 3) }],
  ['no command line', 'EIF_MISSING_SECTION', { sections: without(CMDLINE) }],
  ['no ramdisk', 'EIF_MISSING_SECTION', { sections: without(RAMDISK) }],
  ['version 4 without metadata', 'EIF_MISSING_SECTION', { sections: without(METADATA) }],
  [
    'a ramdisk before the kernel',
    'EIF_SECTION_ORDER',
    { sections: [{ type: RAMDISK, content: sampleBootstrap }, ...sampleSections()] },
  ],
  ['an empty kernel', 'EIF_EMPTY_SECTION', { sections: replaced(0, { content: new Uint8Array() }) }],
  ['an empty ramdisk', 'EIF_EMPTY_SECTION', { sections: replaced(3, { content: new Uint8Array() }) }],
  ['empty metadata', 'EIF_EMPTY_SECTION', { sections: replaced(2, { content: new Uint8Array() }) }],
  [
    'a command line of 2048 bytes',
    'EIF_SECTION_TOO_LARGE',
    { sections: cmdlineOf(new Uint8Array(2048).fill(97)) },
  ],
  [
    'metadata of more than 1 MiB',
    'EIF_SECTION_TOO_LARGE',
    { sections: replaced(2, { content: new Uint8Array(1024 * 1024 + 1).fill(32) }) },
  ],
  [
    'a signature section of more than 32 KiB',
    'EIF_SECTION_TOO_LARGE',
    { sections: [...sampleSections(), { type: SIGNATURE, content: new Uint8Array(32_769) }] },
  ],
  ['a wrong checksum', 'EIF_CRC', { crc: 1, sections: sampleSections() }],
  ['a NUL in the command line', 'EIF_CMDLINE', { sections: cmdlineOf(bytesOf('quiet\0')) }],
  ['an escape in the command line', 'EIF_CMDLINE', { sections: cmdlineOf(bytesOf('quiet\u001b[2J')) }],
  ['a command line that is not ASCII', 'EIF_CMDLINE', { sections: cmdlineOf(bytesOf('quiét')) }],
  ['metadata that is not JSON', 'EIF_METADATA', { sections: replaced(2, { content: bytesOf('{') }) }],
  ['metadata that is no object', 'EIF_METADATA', { sections: replaced(2, { content: bytesOf('[]') }) }],
  [
    'metadata that is not UTF-8',
    'EIF_METADATA',
    { sections: replaced(2, { content: new Uint8Array([0x22, 0xff, 0x22]) }) },
  ],
  [
    'metadata that is nested deep',
    'EIF_METADATA',
    { sections: replaced(2, { content: bytesOf(`{"a":${'['.repeat(500_000)}${']'.repeat(500_000)}}`) }) },
  ],
];

describe('describeEif refuses', () => {
  it.each(REFUSALS)('%s: %s', async (_, code, image) => {
    expect((await refusalOf(writeImage(image))).code).toBe(code);
  });

  it('each of them but for the one thing that is wrong', async () => {
    for (const sections of [
      cmdlineOf(new Uint8Array(2047).fill(97)),
      cmdlineOf(new Uint8Array()),
      cmdlineOf(bytesOf('quiet\tpanic=1\n')),
      replaced(2, { content: bytesOf(`{"a":${'['.repeat(31)}${']'.repeat(31)}}`) }),
      replaced(2, { content: bytesOf('{"a":"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\"[["}') }),
    ]) {
      expect((await describeBytes(writeImage({ sections }))).measurements.size).toBe(3);
    }
  });

  it('names the section, the offset, what it expected and what it found', async () => {
    const { details } = await refusalOf(writeImage({ sizes: { 3: 5n }, sections: sampleSections() }));
    expect(details).toEqual({
      section: 3,
      offset: 548 + 36 + sampleKernel.length + sampleCmdline.length + 22,
      expected: 5n,
      actual: BigInt(sampleBootstrap.length),
    });
  });

  it('every prefix of an image', async () => {
    const image = sample();
    for (let length = 0; length < image.length; length += 1) {
      const { code } = await refusalOf(image.subarray(0, length));
      expect(code, `${length} bytes`).toBe(length < 548 ? 'EIF_TRUNCATED' : 'EIF_PAST_END');
    }
  });

  it('every image with one bit flipped', async () => {
    const image = sample();
    const codes = new Set<string>();
    for (let bit = 0; bit < image.length * 8; bit += 1) {
      const changed = image.slice();
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      codes.add((await refusalOf(changed)).code);
    }
    expect(codes).toContain('EIF_CRC');
    expect(codes).toContain('EIF_PAST_END');
  });

  it('or measures otherwise every image with one bit of content flipped and the checksum mended', async () => {
    const image = sample();
    const genuine = toHex((await describeBytes(image)).measurements);
    const start = 548 + 12;
    for (let bit = start * 8; bit < (start + sampleKernel.length) * 8; bit += 1) {
      const changed = image.slice();
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const { PCR0, PCR1, PCR2 } = toHex((await describeBytes(fixCrc(changed))).measurements);
      expect(PCR0).not.toBe(genuine['PCR0']);
      expect(PCR1).not.toBe(genuine['PCR1']);
      expect(PCR2).toBe(genuine['PCR2']);
    }
  });
});

describe('an image that AWS’s own tool has signed again', () => {
  const signed = readFileSync(new URL('../../vectors/eif/signed-p384.eif', import.meta.url));
  const sectionCount = signed.readUInt16BE(26);
  /** The table says so many bytes more than the section has, as after a second signature that is shorter. */
  const resized = (section: number, more: number) => {
    const image = Buffer.from(signed);
    const at = 284 + 8 * section;
    image.writeBigUInt64BE(image.readBigUInt64BE(at) + BigInt(more), at);
    return describeEif(memorySource(image));
  };

  it.each([
    ['shorter', 1, 'EIF_PAST_END'],
    ['shorter', 100, 'EIF_PAST_END'],
    ['longer', -1, 'EIF_SIZE_MISMATCH'],
    ['longer', -100, 'EIF_SIZE_MISMATCH'],
  ])('is refused where the second signature is %s (%i), with what mends it', async (_name, more, code) => {
    const next = expect.stringContaining('build it anew') as string;
    await expect(resized(sectionCount - 1, more)).rejects.toMatchObject({ code, details: { next } });
  });

  it('is not what another section with a wrong size is', async () => {
    await expect(resized(0, 1)).rejects.toMatchObject({ code: 'EIF_SIZE_MISMATCH' });
    await expect(resized(0, 1)).rejects.not.toHaveProperty('details.next');
    await expect(resized(0, 1 << 30)).rejects.not.toHaveProperty('details.next');
  });
});
