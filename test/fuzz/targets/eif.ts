import { describeEif, EifError, memorySource } from '../../../attestation/eif/index.ts';
import { fixCrc, registerOf } from '../../attestation/eif/raw-image.ts';
import { walkSections } from '../sections.ts';
import { readImages } from '../seeds.ts';
import { assertThat, type FuzzTarget } from '../target.ts';

/** Asserts that a reader which walks from section to section reads what we read by the table. */
export const target: FuzzTarget = {
  maxBytes: 8192,
  seeds: readImages,
  async fuzz(data) {
    // No fuzzer finds a checksum.
    const image = data.length < 548 ? data : fixCrc(data);
    let description;
    try {
      description = await describeEif(memorySource(image));
    } catch (error) {
      if (error instanceof EifError) return;
      throw error;
    }
    for (const [index, expected] of walkRegisters(image).entries()) {
      const ours = Buffer.from(description.measurements.get(index) ?? []).toString('hex');
      assertThat(ours === expected, `PCR${index} differs`);
    }
  },
};

/** Computes PCR0, PCR1 and PCR2 by walking. */
function walkRegisters(image: Uint8Array): string[] {
  const contents: [Uint8Array[], Uint8Array[], Uint8Array[]] = [[], [], []];
  let ramdisks = 0;
  for (const { type, content } of walkSections(image)) {
    if (type === 3) ramdisks += 1;
    if (type >= 1 && type <= 3) contents[0].push(content);
    if (type >= 1 && type <= 3 && (type !== 3 || ramdisks === 1)) contents[1].push(content);
    if (type === 3 && ramdisks > 1) contents[2].push(content);
  }
  return contents.map((parts) => registerOf(...parts));
}
