import { describe, expect, it } from 'vitest';
import { describeEif, memorySource } from '../../../attestation/eif/index.ts';
import { sampleBzImage } from './boot-samples.ts';
import { bytesOf, CMDLINE, KERNEL, type RawSection, sampleSections, toHex, writeImage } from './raw-image.ts';

const imageOf = (kernel: Uint8Array, cmdline = 'quiet'): Uint8Array =>
  writeImage({
    sections: sampleSections().map((section): RawSection => {
      if (section.type === KERNEL) return { type: KERNEL, content: kernel };
      return section.type === CMDLINE ? { type: CMDLINE, content: bytesOf(cmdline) } : section;
    }),
  });
const kernelOf = async (kernel: Uint8Array) => (await describeEif(memorySource(imageOf(kernel)))).kernel;

describe('the kernel of an image', () => {
  it('ends where a bzImage says, or after its signature', async () => {
    expect(await kernelOf(sampleBzImage())).toEqual({ format: 'bzImage', bytesAfterEnd: 0 });
    expect(await kernelOf(sampleBzImage(100))).toEqual({ format: 'bzImage', bytesAfterEnd: 0 });
    const more = new Uint8Array([...sampleBzImage(100), 1, 2, 3]);
    expect(await kernelOf(more)).toEqual({ format: 'bzImage', bytesAfterEnd: 3 });
  });

  it('has four setup sectors when it names none', async () => {
    const kernel = sampleBzImage();
    kernel[0x1f1] = 0;
    const whole = new Uint8Array(5 * 512 + 1024 + 7);
    whole.set(kernel);
    expect(await kernelOf(whole)).toEqual({ format: 'bzImage', bytesAfterEnd: 7 });
  });

  it('may be an arm64 Image or anything else, whose end nobody knows', async () => {
    const image = new Uint8Array(64);
    image.set(bytesOf('ARMd'), 56);
    expect(await kernelOf(image)).toEqual({ format: 'Image' });
    expect(await kernelOf(bytesOf('HdrS'))).toEqual({ format: 'unknown' });
  });

  it('may point its headers anywhere', async () => {
    const kernel = sampleBzImage(100);
    new DataView(kernel.buffer).setUint32(0x3c, 0xffff_ffff, true);
    expect(await kernelOf(kernel)).toEqual({ format: 'bzImage', bytesAfterEnd: 100 });
    const huge = sampleBzImage();
    new DataView(huge.buffer).setUint32(0x1f4, 0xffff_ffff, true);
    expect(await kernelOf(huge)).toEqual({ format: 'bzImage', bytesAfterEnd: 0 });
  });

  it('gives away words of the command line that were moved behind it, which no register does', async () => {
    const genuine = imageOf(sampleBzImage(), 'lockdown=confidentiality quiet');
    const moved = imageOf(
      new Uint8Array([...sampleBzImage(), ...bytesOf('lockdown=confidentiality ')]),
      'quiet',
    );
    const [before, after] = await Promise.all(
      [genuine, moved].map((image) => describeEif(memorySource(image))),
    );
    expect(toHex(after?.measurements ?? new Map())).toEqual(toHex(before?.measurements ?? new Map()));
    expect(before?.kernel.bytesAfterEnd).toBe(0);
    expect(after?.kernel.bytesAfterEnd).toBe(25);
  });
});
