import { EifError } from '../../../attestation/eif/index.ts';
import { verifySignatureSection } from '../../../attestation/eif/signature.ts';
import { readSignatureSections } from '../seeds.ts';
import { assertThat, type FuzzTarget } from '../target.ts';

const PCR0 = new Uint8Array(48).fill(1);

/** The signature section of an image, for a PCR0 that nobody signed. */
export const target: FuzzTarget = {
  maxBytes: 4096,
  seeds: readSignatureSections,
  fuzz(data) {
    try {
      verifySignatureSection(data, PCR0);
    } catch (error) {
      if (error instanceof EifError) return;
      throw error;
    }
    assertThat(false, 'a signature over another PCR0 was taken');
  },
};
