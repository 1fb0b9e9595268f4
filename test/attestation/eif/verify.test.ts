import { beforeAll, describe, expect, it } from 'vitest';
import { buildEif, createLocalSigner, memorySource, verifyEif } from '../../../attestation/eif/index.ts';
import { createMemorySink } from './memory-sink.ts';
import { sampleApplication, sampleBootstrap, sampleKernel } from './raw-image.ts';
import { createTestSigner, NOT_AFTER, NOT_BEFORE } from './signed-image.ts';

interface Image {
  bytes: Uint8Array;
  measurements: Map<number, Uint8Array>;
}

let unsigned: Image;
let signed: Image;

beforeAll(async () => {
  const signer = await createTestSigner();
  const build = async (isSigned: boolean): Promise<Image> => {
    const sink = createMemorySink();
    const { measurements } = await buildEif(
      {
        kernel: memorySource(sampleKernel),
        cmdline: 'quiet',
        ramdisks: [memorySource(sampleBootstrap), memorySource(sampleApplication)],
        ...(isSigned ? { sign: createLocalSigner(signer.key, signer.certificate, NOT_BEFORE) } : {}),
      },
      sink,
    );
    return { bytes: sink.bytes(), measurements: new Map(measurements) };
  };
  [unsigned, signed] = await Promise.all([build(false), build(true)]);
});

const flipped = (value: Uint8Array): Uint8Array =>
  value.map((byte, index) => (index === 47 ? byte ^ 1 : byte));

describe('verifyEif', () => {
  it('takes an image with the expected registers', async () => {
    const verified = await verifyEif(memorySource(unsigned.bytes), unsigned.measurements);
    expect(verified.matched).toEqual([0, 1, 2]);
    expect(verified.notCompared).toEqual([]);
  });

  it('compares PCR8 of a signed image', async () => {
    const { matched } = await verifyEif(memorySource(signed.bytes), signed.measurements);
    expect(matched).toEqual([0, 1, 2, 8]);
  });

  it('names the registers that an image does not decide', async () => {
    const expected = new Map(unsigned.measurements).set(3, new Uint8Array(48)).set(16, new Uint8Array(48));
    const { notCompared } = await verifyEif(memorySource(unsigned.bytes), expected);
    expect(notCompared).toEqual([3, 16]);
  });

  it.each([0, 1, 2, 8])('refuses another PCR%i', async (index) => {
    const value = signed.measurements.get(index) ?? new Uint8Array();
    const expected = new Map(signed.measurements).set(index, flipped(value));
    await expect(verifyEif(memorySource(signed.bytes), expected)).rejects.toMatchObject({
      code: 'EIF_PCR_MISMATCH',
      details: { pcr: index, actual: value },
    });
  });

  it('refuses a signed image when no PCR8 is expected', async () => {
    await expect(verifyEif(memorySource(signed.bytes), unsigned.measurements)).rejects.toMatchObject({
      code: 'EIF_PCR_UNEXPECTED',
    });
  });

  it('refuses an unsigned image when a PCR8 is expected', async () => {
    await expect(verifyEif(memorySource(unsigned.bytes), signed.measurements)).rejects.toMatchObject({
      code: 'EIF_PCR_MISMATCH',
      details: { pcr: 8 },
    });
  });

  it('refuses a value that is a prefix of the right one, or nothing', async () => {
    for (const length of [0, 47]) {
      const value = (unsigned.measurements.get(0) ?? new Uint8Array()).subarray(0, length);
      const expected = new Map(unsigned.measurements).set(0, value);
      await expect(verifyEif(memorySource(unsigned.bytes), expected)).rejects.toMatchObject({
        code: 'EIF_PCR_MISMATCH',
      });
    }
  });

  it.each([0, 1, 2])('wants to know which PCR%i is expected', async (index) => {
    const expected = new Map(unsigned.measurements);
    expected.delete(index);
    await expect(verifyEif(memorySource(unsigned.bytes), expected)).rejects.toThrow(RangeError);
  });

  it('refuses a signing certificate that has expired', async () => {
    const at = new Date(NOT_AFTER.getTime() + 1);
    await expect(verifyEif(memorySource(signed.bytes), signed.measurements, { at })).rejects.toMatchObject({
      code: 'EIF_CERTIFICATE_TIME',
    });
  });
});
