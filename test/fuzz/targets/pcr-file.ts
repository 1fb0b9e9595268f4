import { AttestationError } from '../../../attestation/index.ts';
import { formatPcrFile, parsePcrFile } from '../../../attestation/pcr-file.ts';
import type { PcrValues } from '../../../attestation/index.ts';
import { assertThat, type FuzzTarget } from '../target.ts';

const sample = formatPcrFile(
  new Map([0, 1, 2, 8].map((index) => [index, new Uint8Array(48).fill(index + 1)])),
);

/** pcr.json: never without PCR0, PCR1 and PCR2, never zero, and the same again when it is written and read. */
export const target: FuzzTarget = {
  maxBytes: 2048,
  seeds: () => [Buffer.from(sample), Buffer.from(JSON.stringify(JSON.parse(sample).Measurements))],
  fuzz(data) {
    let pcrs: PcrValues;
    try {
      pcrs = parsePcrFile(data);
    } catch (error) {
      if (error instanceof AttestationError) return;
      throw error;
    }
    for (const index of [0, 1, 2]) {
      assertThat(pcrs.get(index)?.some((byte) => byte !== 0) === true, `PCR${index} says nothing`);
    }
    assertThat(formatPcrFile(parsePcrFile(formatPcrFile(pcrs))) === formatPcrFile(pcrs), 'written otherwise');
  },
};
