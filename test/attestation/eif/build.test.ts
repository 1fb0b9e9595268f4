import { beforeAll, describe, expect, it } from 'vitest';
import {
  buildEif,
  CHUNK_BYTES,
  createLocalSigner,
  DEFAULT_METADATA,
  describeEif,
  EifError,
  type EifParts,
  memorySource,
} from '../../../attestation/eif/index.ts';
import { createMemorySink } from './memory-sink.ts';
import { bytesOf, registerOf, sampleApplication, sampleBootstrap, sampleKernel, toHex } from './raw-image.ts';
import { createTestSigner, NOT_BEFORE, type TestSigner } from './signed-image.ts';

let signer: TestSigner;
beforeAll(async () => {
  signer = await createTestSigner();
});

const CMDLINE = 'console=ttyS0 reboot=t';
const parts = (change: Partial<EifParts> = {}): EifParts => ({
  kernel: memorySource(sampleKernel),
  cmdline: CMDLINE,
  ramdisks: [memorySource(sampleBootstrap), memorySource(sampleApplication)],
  ...change,
});

async function build(from: EifParts) {
  const sink = createMemorySink();
  const built = await buildEif(from, sink);
  return { ...built, bytes: sink.bytes() };
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'accepted',
    (error: unknown) => (error instanceof EifError ? error.code : String(error)),
  );

describe('buildEif', () => {
  it('builds an image that measures as its parts do', async () => {
    const { bytes, size, crc32, measurements } = await build(parts());
    const cmdline = bytesOf(CMDLINE);
    expect(toHex(measurements)).toEqual({
      PCR0: registerOf(sampleKernel, cmdline, sampleBootstrap, sampleApplication),
      PCR1: registerOf(sampleKernel, cmdline, sampleBootstrap),
      PCR2: registerOf(sampleApplication),
    });
    const description = await describeEif(memorySource(bytes));
    expect(description).toMatchObject({
      version: 4,
      architecture: 'x86_64',
      size,
      crc32,
      cmdline: CMDLINE,
      metadata: { attested: false, content: DEFAULT_METADATA },
    });
    expect(toHex(description.measurements)).toEqual(toHex(measurements));
  });

  it('builds the same bytes every time, signed or not', async () => {
    const sign = createLocalSigner(signer.key, signer.certificate, NOT_BEFORE);
    for (const from of [parts(), parts({ sign })]) {
      expect(Buffer.from((await build(from)).bytes)).toEqual(Buffer.from((await build(from)).bytes));
    }
  });

  it('signs PCR0, and PCR8 is the certificate', async () => {
    const sign = createLocalSigner(signer.key, signer.certificate, NOT_BEFORE);
    const { bytes, measurements } = await build(parts({ sign }));
    const description = await describeEif(memorySource(bytes));
    expect(description.signature?.algorithm).toBe('ES384');
    expect(toHex(description.measurements)).toEqual(toHex(measurements));
    expect([...measurements.keys()]).toEqual([0, 1, 2, 8]);
    const unsigned = await build(parts());
    expect(toHex(unsigned.measurements)['PCR0']).toBe(toHex(measurements)['PCR0']);
  });

  it('takes a signer that answers later, as a KMS does', async () => {
    const local = createLocalSigner(signer.key, signer.certificate, NOT_BEFORE);
    const sign = {
      certificate: signer.certificate,
      sign: async (message: Uint8Array) => local.sign(message),
    };
    expect((await build(parts({ sign }))).measurements.has(8)).toBe(true);
  });

  it('streams parts of many chunks, and the checksum is right', async () => {
    const application = new Uint8Array(2 * CHUNK_BYTES + 7).map((_, index) => index % 251);
    const { bytes, crc32 } = await build(
      parts({ ramdisks: [memorySource(sampleBootstrap), memorySource(application)] }),
    );
    const description = await describeEif(memorySource(bytes));
    expect(description.crc32).toBe(crc32);
    expect(toHex(description.measurements)['PCR2']).toBe(registerOf(application));
  });

  it('writes the architecture and metadata that it is given', async () => {
    const metadata = { ...DEFAULT_METADATA, ImageName: 'näme', CustomMetadata: { a: [1, null] } };
    const { bytes } = await build(parts({ architecture: 'aarch64', metadata }));
    const description = await describeEif(memorySource(bytes));
    expect(description.architecture).toBe('aarch64');
    expect(description.metadata?.content).toEqual(metadata);
  });

  it.each([28, 29])('takes as many ramdisks as the table holds: %i', async (count) => {
    const ramdisks = Array.from({ length: count }, () => memorySource(sampleBootstrap));
    const { bytes } = await build(parts({ ramdisks }));
    expect((await describeEif(memorySource(bytes))).sections).toHaveLength(count + 3);
  });

  it('refuses more sections than the table holds', async () => {
    const ramdisks = Array.from({ length: 30 }, () => memorySource(sampleBootstrap));
    expect(await codeOf(build(parts({ ramdisks })))).toBe('EIF_SECTION_COUNT');
    const sign = createLocalSigner(signer.key, signer.certificate, NOT_BEFORE);
    expect(await codeOf(build(parts({ ramdisks: ramdisks.slice(1), sign })))).toBe('EIF_SECTION_COUNT');
  });

  it('refuses parts that a reader would refuse', async () => {
    const empty = memorySource(new Uint8Array());
    expect(await codeOf(build(parts({ kernel: empty })))).toBe('EIF_EMPTY_SECTION');
    expect(await codeOf(build(parts({ ramdisks: [] })))).toBe('EIF_MISSING_SECTION');
    expect(await codeOf(build(parts({ ramdisks: [empty] })))).toBe('EIF_EMPTY_SECTION');
    expect(await codeOf(build(parts({ cmdline: 'quiet\0' })))).toBe('EIF_CMDLINE');
    expect(await codeOf(build(parts({ cmdline: 'a'.repeat(2048) })))).toBe('EIF_SECTION_TOO_LARGE');
  });

  it('refuses metadata that no reader would take', async () => {
    const metadata = { ...DEFAULT_METADATA, CustomMetadata: 'x'.repeat(1024 * 1024) };
    await expect(build(parts({ metadata }))).rejects.toThrow(RangeError);
  });

  it('refuses a source that changes while it is read', async () => {
    const kernel = { size: 100, read: async () => new Uint8Array(99) };
    expect(await codeOf(build(parts({ kernel })))).toBe('EIF_READ');
  });
});

describe('ramdisks', () => {
  const cpio = bytesOf('070701 a plain archive');
  const odd = bytesOf('\u001fpacked');

  it('are refused where a plain cpio archive would not be found by the kernel', async () => {
    const ramdisks = [memorySource(odd), memorySource(cpio)];
    const error: unknown = await build(parts({ ramdisks })).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(EifError);
    expect(error).toMatchObject({ code: 'EIF_RAMDISK_ALIGNMENT', details: { ramdisk: 1, offset: 7 } });
  });

  it('may start anywhere when they are packed', async () => {
    const { measurements } = await build(parts({ ramdisks: [memorySource(odd), memorySource(odd)] }));
    expect(toHex(measurements)['PCR2']).toBe(registerOf(odd));
  });

  it('are padded with zeros when asked, and the zeros are measured', async () => {
    const ramdisks = [memorySource(odd), memorySource(cpio), memorySource(cpio)];
    const { bytes, measurements } = await build(parts({ ramdisks, padRamdisks: true }));
    const [paddedOdd, paddedCpio] = [
      Buffer.concat([odd, Buffer.alloc(1)]),
      Buffer.concat([cpio, Buffer.alloc(2)]),
    ];
    expect(toHex(measurements)).toEqual({
      PCR0: registerOf(sampleKernel, bytesOf(CMDLINE), paddedOdd, paddedCpio, cpio),
      PCR1: registerOf(sampleKernel, bytesOf(CMDLINE), paddedOdd),
      PCR2: registerOf(paddedCpio, cpio),
    });
    expect(toHex((await describeEif(memorySource(bytes))).measurements)).toEqual(toHex(measurements));
  });

  it('are padded across the border of a chunk', async () => {
    const large = new Uint8Array(CHUNK_BYTES + 1).fill(3);
    const { measurements } = await build(
      parts({ ramdisks: [memorySource(large), memorySource(cpio)], padRamdisks: true }),
    );
    const padded = Buffer.concat([large, Buffer.alloc(3)]);
    expect(toHex(measurements)['PCR1']).toBe(registerOf(sampleKernel, bytesOf(CMDLINE), padded));
  });
});
