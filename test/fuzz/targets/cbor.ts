import { CborError, decodeCbor, encodeCbor } from '../../../shared/cbor/index.ts';
import { assertThat, type FuzzTarget } from '../target.ts';
import { readDocuments } from '../seeds.ts';

/** Asserts one encoding of everything that the decoder takes: the encoder gives back the same bytes. */
export const target: FuzzTarget = {
  maxBytes: 4096,
  seeds: () => [encodeCbor({ a: [1, -1, 2 ** 40, null, true, new Uint8Array(30)] }), ...readDocuments()],
  fuzz(data) {
    let value;
    try {
      value = decodeCbor(data, { maxBytes: 4096, maxDepth: 16 });
    } catch (error) {
      if (error instanceof CborError) return;
      throw error;
    }
    assertThat(Buffer.from(encodeCbor(value)).equals(data), 'two encodings of one value were taken');
  },
};
