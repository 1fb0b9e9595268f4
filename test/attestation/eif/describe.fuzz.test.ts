import { crc32 } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  buildEif,
  createHashWorker,
  describeEif,
  EifError,
  type EifParts,
  memorySource,
} from '../../../attestation/eif/index.ts';
import { combineCrc32 } from '../../../attestation/eif/crc32.ts';
import { createMemorySink } from './memory-sink.ts';
import { fixCrc, type RawSection, registerOf, sampleSections, toHex, writeImage } from './raw-image.ts';

/** A description or a refusal of ours: nothing else may come out, whatever goes in. */
async function outcomeOf(bytes: Uint8Array): Promise<string> {
  try {
    await describeEif(memorySource(bytes));
    return 'described';
  } catch (error) {
    if (error instanceof EifError) return error.code;
    throw error;
  }
}

const content = fc.uint8Array({ minLength: 1, maxLength: 100 });

describe('any bytes', () => {
  it('are described or refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 1200 }), async (bytes) => {
        expect(await outcomeOf(bytes)).toMatch(/^EIF_/);
      }),
    );
  });

  it('after a good start are described or refused', async () => {
    const image = writeImage({ sections: sampleSections() });
    const edits = fc.array(fc.tuple(fc.nat(image.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(edits, async (changes) => {
        const changed = image.slice();
        for (const [offset, byte] of changes) changed[offset] = byte;
        expect(await outcomeOf(fixCrc(changed))).toMatch(/^(EIF_|described)/);
      }),
      { numRuns: 500 },
    );
  });

  it('in any sections under a header that fits are described or refused', async () => {
    const section = fc.record({ type: fc.nat(7), content: fc.uint8Array({ maxLength: 60 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(section, { maxLength: 32 }),
        fc.nat(5),
        async (sections: RawSection[], version) => {
          expect(await outcomeOf(writeImage({ version, sections }))).toMatch(/^(EIF_|described)/);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('any parts', () => {
  it('are built, described and measured as the specification says', async () => {
    const cmdline = fc.string({ unit: fc.constantFrom('a', 'b', '=', ',', '.', ' ', '\t'), maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(
        content,
        cmdline,
        fc.array(content, { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        async (kernel, cmdline, ramdisks, arm) => {
          const parts: EifParts = {
            kernel: memorySource(kernel),
            cmdline,
            // A plain archive at an odd place would be refused.
            ramdisks: ramdisks.map((bytes) => memorySource(bytes.with(0, 0x1f))),
            architecture: arm ? 'aarch64' : 'x86_64',
          };
          const sink = createMemorySink();
          await buildEif(parts, sink);
          const description = await describeEif(memorySource(sink.bytes()));
          const [first = new Uint8Array(), ...others] = ramdisks.map((bytes) => bytes.with(0, 0x1f));
          const start = [kernel, new TextEncoder().encode(cmdline), first];
          expect(description.cmdline).toBe(cmdline);
          expect(toHex(description.measurements)).toEqual({
            PCR0: registerOf(...start, ...others),
            PCR1: registerOf(...start),
            PCR2: registerOf(...others),
          });
        },
      ),
    );
  });
});

describe('combineCrc32', () => {
  it('is the checksum of both pieces', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
        expect(combineCrc32(crc32(a), crc32(b), b.length)).toBe(crc32(Buffer.concat([a, b])));
      }),
    );
  });

  it('holds for lengths beyond 32 bits', () => {
    // 2^32 + 1 zero bytes, in two steps or in one.
    const start = crc32('x');
    const zeros = (length: number) => combineCrc32(0, 0, length);
    expect(zeros(2 ** 32 + 1)).toBe(0);
    const halves = combineCrc32(combineCrc32(start, 0, 2 ** 32), 0, 1);
    expect(combineCrc32(start, 0, 2 ** 32 + 1)).toBe(halves);
  });
});

describe('createHashWorker', () => {
  it('takes the checksum of everything and the digest of what is marked', () => {
    const work = createHashWorker();
    work.update(new Uint8Array([1, 2]), false);
    work.update(new Uint8Array([3]), true);
    const { crc32: checksum, application } = work.finish();
    expect(checksum).toBe(crc32(new Uint8Array([1, 2, 3])));
    expect(Buffer.from(application).toString('hex')).toMatch(/^[0-9a-f]{96}$/);
  });
});
