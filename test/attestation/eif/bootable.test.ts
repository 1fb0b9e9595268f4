import { describe, expect, it } from 'vitest';
import { assertBootable, describeEif, memorySource } from '../../../attestation/eif/index.ts';
import { sampleArmImage, sampleBzImage, sampleCpio, samplePacked } from './boot-samples.ts';
import { bytesOf, KERNEL, RAMDISK, type RawSection, sampleSections, writeImage } from './raw-image.ts';

const ELF = Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, ...Array.from({ length: 600 }, () => 0)]);
const cpio = sampleCpio({ init: '#!/bin/sh\n', 'etc/hosts': '127.0.0.1 localhost\n' });

async function codeOf(
  kernel: Uint8Array,
  ramdisks: readonly Uint8Array[],
  architecture: 'aarch64' | 'x86_64' = 'x86_64',
): Promise<string> {
  try {
    const parts = { kernel: memorySource(kernel), ramdisks: ramdisks.map(memorySource), architecture };
    await assertBootable(parts);
    return 'TAKEN';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('parts of an image', () => {
  it.each([
    ['a bzImage and a plain archive', sampleBzImage(), cpio, 'x86_64'],
    ['a signed bzImage and a packed archive', sampleBzImage(100), samplePacked('x'), 'x86_64'],
    ['an Image for aarch64', sampleArmImage(), cpio, 'aarch64'],
    ['an archive after zeros', sampleBzImage(), Buffer.concat([Buffer.alloc(8), cpio]), 'x86_64'],
    ['two archives in one', sampleBzImage(), Buffer.concat([cpio, Buffer.alloc(4), cpio]), 'x86_64'],
    [
      'a packed archive after a plain one',
      sampleBzImage(),
      Buffer.concat([cpio, samplePacked('x')]),
      'x86_64',
    ],
  ] as const)('may be %s', async (_name, kernel, ramdisk, architecture) => {
    expect(await codeOf(kernel, [ramdisk], architecture)).toBe('TAKEN');
  });

  it.each([
    ['EIF_KERNEL_KIND', 'an ELF file', ELF, cpio, 'x86_64'],
    ['EIF_KERNEL_KIND', 'an ELF file for aarch64', ELF, cpio, 'aarch64'],
    ['EIF_KERNEL_KIND', 'an Image of the other architecture', sampleArmImage(), cpio, 'x86_64'],
    ['EIF_KERNEL_KIND', 'a bzImage for the other architecture', sampleBzImage(), cpio, 'aarch64'],
    ['EIF_KERNEL_KIND', 'a packed Image', samplePacked('x'), cpio, 'aarch64'],
    ['EIF_KERNEL_KIND', 'text as a kernel', bytesOf('# a text file\n'), cpio, 'x86_64'],
    ['EIF_RAMDISK_KIND', 'text as a ramdisk', sampleBzImage(), bytesOf('# a text file\n'), 'x86_64'],
    ['EIF_RAMDISK_KIND', 'one byte as a ramdisk', sampleBzImage(), bytesOf('0'), 'x86_64'],
    ['EIF_RAMDISK_KIND', 'an archive of the old kind', sampleBzImage(), bytesOf('070707000000'), 'x86_64'],
  ] as const)('are %s with %s', async (code, _name, kernel, ramdisk, architecture) => {
    expect(await codeOf(kernel, [samplePacked('first'), ramdisk], architecture)).toBe(code);
  });

  it('are refused with an archive that is cut anywhere', async () => {
    // Six bytes are the magic; the trailer's own padding may be missing.
    const trailer = Buffer.from(cpio).indexOf('TRAILER!!!') + 'TRAILER!!!'.length;
    for (let length = 6; length < trailer; length += 1) {
      expect(await codeOf(sampleBzImage(), [cpio.slice(0, length)])).toBe('EIF_RAMDISK_TRUNCATED');
    }
  });

  it.each([
    ['a size beyond the file', 'ffffffff', 54],
    ['a size that is no number', 'zzzzzzzz', 54],
    ['a name without an end', 'ffffffff', 94],
    ['no name', '00000000', 94],
  ])('are refused with an archive that has %s', async (_name, digits, at) => {
    const broken = Buffer.from(cpio);
    broken.write(digits, at, 'latin1');
    expect(await codeOf(sampleBzImage(), [broken])).toBe('EIF_RAMDISK_TRUNCATED');
  });
});

describe('an image that cannot boot', () => {
  const faultsOf = async (kernel: Uint8Array, ramdisk: Uint8Array) => {
    const sections = sampleSections().map((section): RawSection => {
      if (section.type === KERNEL) return { type: KERNEL, content: kernel };
      return section.type === RAMDISK ? { type: RAMDISK, content: ramdisk } : section;
    });
    return (await describeEif(memorySource(writeImage({ sections })))).bootFaults;
  };

  it('is described with what keeps it from it', async () => {
    expect(await faultsOf(sampleBzImage(), cpio)).toEqual([]);
    expect(await faultsOf(ELF, cpio)).toEqual([expect.stringContaining('ELF')]);
    expect(await faultsOf(sampleArmImage(), cpio)).toEqual([expect.stringContaining('bzImage')]);
    expect(await faultsOf(sampleBzImage(), bytesOf('text'))).toEqual([
      expect.stringContaining('ramdisk 0'),
      expect.stringContaining('ramdisk 1'),
    ]);
  });
});
