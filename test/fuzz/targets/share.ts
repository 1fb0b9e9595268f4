import { decodeShareRecord, encodeShareRecord, FrostError } from '../../../enclave/frost/index.ts';
import { assertThat, type FuzzTarget } from '../target.ts';

const TYPES = ['frost-ed25519', 'frost-secp256k1-taproot'] as const;

// Shares of throw-away keys, two of three, as the sealed store has them.
const SEEDS = [
  '686f6c64666173742d73686172652d7061636b6167652f31000101020300b511669dfa9494b5c20683bddb925b2fc354c7df45d56378ad44e2400fc8f83bcc1ac398749f0128d64579c2fa6c6a711947573ab53056d3795dfb8cb295a0a52b7a3cfea0c11fc62d4f1507714c09ab5aa4f6dbfc726d19d5cdbd30198e09',
  '686f6c64666173742d73686172652d7061636b6167652f31000201020302e0744f4f556b709b6f4f79d8c4c402ce94e173c045b71b8d9836c62a12e4551d03912ade03431ba8f9a9e557cbea052de73893e308e259eae28ac194265bc2998d7715314d7ac6710e171897c9dcae8312808b4a07f382b9930fc0908ce1bf5e48',
];

const dealt = SEEDS.map((seed) => Buffer.from(seed, 'hex'));

/** A record that is taken from the store, of today's form or of the one before it, says the same once it is written back. */
export const target: FuzzTarget = {
  maxBytes: 1_024,
  seeds: () => [
    ...dealt,
    ...dealt.map((seed, index) =>
      Buffer.from(encodeShareRecord(decodeShareRecord(TYPES[index] ?? TYPES[0], seed))),
    ),
  ],
  fuzz(data) {
    for (const type of TYPES) {
      try {
        const record = decodeShareRecord(type, data);
        const written = encodeShareRecord(record);
        const again = decodeShareRecord(type, written);
        assertThat(record.type === type && again.type === type, 'a share of another type');
        assertThat(
          Buffer.from(encodeShareRecord(again)).equals(written),
          'another record once it is read again',
        );
      } catch (error) {
        if (!(error instanceof FrostError)) throw error;
      }
    }
  },
};
