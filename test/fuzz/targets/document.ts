import {
  AttestationError,
  AWS_NITRO_ROOT_G1,
  unsafeParseAttestationDocument,
  verifyAttestationDocument,
} from '../../../attestation/index.ts';
import { readDocuments } from '../seeds.ts';
import { assertThat, type FuzzTarget } from '../target.ts';

const PCRS = new Map([0, 1, 2].map((index) => [index, new Uint8Array(48).fill(1)]));

/** COSE, payload, certificates and chain. Nothing is verified here: no document has these PCRs. */
export const target: FuzzTarget = {
  maxBytes: 8192,
  seeds: readDocuments,
  fuzz(data) {
    for (const read of [
      () => unsafeParseAttestationDocument(data),
      () => {
        verifyAttestationDocument(data, { root: AWS_NITRO_ROOT_G1, at: 'document', pcrs: PCRS });
        assertThat(false, 'a document with PCRs of ones was verified');
      },
    ]) {
      try {
        read();
      } catch (error) {
        if (!(error instanceof AttestationError)) throw error;
      }
    }
  },
};
