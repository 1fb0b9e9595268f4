import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { buildEif, describeEif, memorySource } from '../../../attestation/eif/index.ts';
import { measureProgram } from '../../nitro-host/measure.ts';

const FORMAT = 'holdfast-stand-in-image/1';
const SECTION_HEADER_BYTES = 12;
const GROWTH = 64 * 1024;
const CMDLINE = 'console=ttyS0 reboot=t panic=30';
/** What stands for kernel and bootstrap: no machine boots it. */
const KERNEL = new Uint8Array(4_096).fill(0x48);
const BOOTSTRAP = new Uint8Array(1_024).fill(0x42);

const contentSchema = z.strictObject({
  format: z.literal(FORMAT),
  program: z.string(),
  measured: z.string().regex(/^[0-9a-f]{96}$/),
});

/** Image file of a stand-in: a real EIF, whose application names a program on this machine and its digest. */
export interface StandInImage {
  readonly bytes: Uint8Array;
  /** PCR0, PCR1 and PCR2 of the file, 48 bytes each. */
  readonly pcrs: ReadonlyMap<number, Uint8Array>;
}

/**
 * Builds an image of a program. The same program gives the same image.
 * @param program folder, see copyProgram
 */
export async function buildStandInImage(program: string): Promise<StandInImage> {
  const measured = toHex((await measureProgram(program)).get(0));
  const content = Buffer.from(JSON.stringify({ format: FORMAT, program, measured }));
  let bytes = new Uint8Array(GROWTH);
  const { size, measurements } = await buildEif(
    {
      kernel: memorySource(KERNEL),
      cmdline: CMDLINE,
      ramdisks: [memorySource(BOOTSTRAP), memorySource(content)],
    },
    {
      write: (offset, part) => {
        if (offset + part.length > bytes.length) {
          const larger = new Uint8Array(offset + part.length + GROWTH);
          larger.set(bytes);
          bytes = larger;
        }
        bytes.set(part, offset);
        return Promise.resolve();
      },
    },
  );
  return { bytes: bytes.slice(0, size), pcrs: measurements };
}

/**
 * Reads which program an image file stands for, with the measurements of the file. @throws Error for another file, and where
 * the program has been changed since
 */
export async function openStandInImage(
  path: string,
): Promise<{ readonly program: string; readonly pcrs: ReadonlyMap<number, Uint8Array> }> {
  const bytes = new Uint8Array(await readFile(path));
  const { sections, measurements } = await describeEif(memorySource(bytes));
  const application = sections.filter(({ kind }) => kind === 'ramdisk').at(-1);
  if (application === undefined) throw new Error('expected an application in the image');
  const start = application.offset + SECTION_HEADER_BYTES;
  const text = Buffer.from(bytes.subarray(start, start + application.size)).toString('utf8');
  const { program, measured } = contentSchema.parse(JSON.parse(text));
  if (toHex((await measureProgram(program)).get(0)) !== measured) {
    throw new Error('the program is another one than the image was made of');
  }
  return { program, pcrs: measurements };
}

const toHex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex');
