import { describe, expect, it } from 'vitest';
import { ed25519 } from '@noble/curves/ed25519.js';
import { listImplementations } from './every-groups.ts';
import { encodeMultiple, encodeNumber } from './oracles.ts';

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));
const hex = (array: Uint8Array) => Buffer.from(array).toString('hex');

/** RFC 9496, A.1: the multiples of the generator from 1 to 15; that of 0 is 32 zero bytes. */
const RISTRETTO_MULTIPLES = [
  'e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76',
  '6a493210f7499cd17fecb510ae0cea23a110e8d5b901f8acadd3095c73a3b919',
  '94741f5d5d52755ece4f23f044ee27d5d1ea1e2bd196b462166b16152a9d0259',
  'da80862773358b466ffadfe0b3293ab3d9fd53c5ea6c955358f568322daf6a57',
  'e882b131016b52c1d3337080187cf768423efccbb517bb495ab812c4160ff44e',
  'f64746d3c92b13050ed8d80236a7f0007c3b3f962f5ba793d19a601ebb1df403',
  '44f53520926ec81fbd5a387845beb7df85a96a24ece18738bdcfa6a7822a176d',
  '903293d8f2287ebe10e2374dc1a53e0bc887e592699f02d077d5263cdd55601c',
  '02622ace8f7303a31cafc63f8fc48fdc16e1c8c8d234b2f0d6685282a9076031',
  '20706fd788b2720a1ed2a5dad4952b01f413bcf0e7564de8cdc816689e2db95f',
  'bce83f8ba5dd2fa572864c24ba1810f9522bc6004afe95877ac73241cafdab42',
  'e4549ee16b9aa03099ca208c67adafcafa4c3f3e4e5303de6026e3ca8ff84460',
  'aa52e000df2e16f55fb1032fc33bc42742dad6bd5a8fc0be0167436c5948501f',
  '46376b80f409b29dc2b5f6f0c52591990896e5716f41477cd30085ab7f10301e',
  'e0c418f7c8d9c4cdd7395b93ea124f3ad99021bb681dfc3302a9d99a2e53e64e',
];

/** RFC 9496, A.2, and the identity, which RFC 9591 never serialises. */
const RISTRETTO_REFUSED = {
  'non-canonical field encodings': [
    '00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
    'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'f3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    '0100000000000000000000000000000000000000000000000000000000000080',
  ],
  'negative field elements': [
    '0100000000000000000000000000000000000000000000000000000000000000',
    '01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'ed57ffd8c914fb201471d1c3d245ce3c746fcbe63a3679d51b6a516ebebe0e20',
    'c34c4e1826e5d403b78e246e88aa051c36ccf0aafebffe137d148a2bf9104562',
    'c940e5a4404157cfb1628b108db051a8d439e1a421394ec4ebccb9ec92a8ac78',
    '47cfc5497c53dc8e61c91d17fd626ffb1c49e2bca94eed052281b510b1117a24',
    'f1c6165d33367351b0da8f6e4511010c68174a03b6581212c71c0e1d026c3c72',
    '87260f7a2f12495118360f02c26a470f450dadf34a413d21042b43b9d93e1309',
  ],
  'non-square x^2': [
    '26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371',
    '4eac077a713c57b4f4397629a4145982c661f48044dd3f96427d40b147d9742f',
    'de6a7b00deadc788eb6b6c8d20c0ae96c2f2019078fa604fee5b87d6e989ad7b',
    'bcab477be20861e01e4a0e295284146a510150d9817763caf1a6f4b422d67042',
    '2a292df7e32cababbd9de088d1d1abec9fc0440f637ed2fba145094dc14bea08',
    'f4a9e534fc0d216c44b218fa0c42d99635a0127ee2e53c712f70609649fdff22',
    '8268436f8c4126196cf64b3c7ddbda90746a378625f9813dd9b8457077256731',
    '2810e5cbc2cc4d4eece54f61c6f69758e289aa7ab440b3cbeaa21995c2f4232b',
  ],
  'negative xy': [
    '3eb858e78f5a7254d8c9731174a94f76755fd3941c0ac93735c07ba14579630e',
    'a45fdc55c76448c049a1ab33f17023edfb2be3581e9c7aade8a6125215e04220',
    'd483fe813c6ba647ebbfd3ec41adca1c6130c2beeee9d9bf065c8d151c5f396e',
    '8a2e1d30050198c65a54483123960ccc38aef6848e1ec8f5f780e8523769ba32',
    '32888462f8b486c68ad7dd9610be5192bbeaf3b443951ac1a8118419d9fa097b',
    '227142501b9d4355ccba290404bde41575b037693cef1f438c47f8fbf35d1165',
    '5c37cc491da847cfeb9281d407efc41e15144c876e0170b499a96a22ed31e01e',
    '445425117cb8c90edcbc7c1cc0e74f747f2c1efa5630a967c64f287792a48a4b',
  ],
  's = -1, which gives y = 0': ['ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
  'the identity': ['0000000000000000000000000000000000000000000000000000000000000000'],
};

/** The points of order 1, 2, 4, 4, 8, 8, 8, 8 (Chalkias et al., "Taming the many EdDSAs", table 6, 1 to 8). */
const TORSION = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
];

/** Other encodings of those (the same table, 9 to 14, and -0 with y = -1), and y from p on. */
const NON_CANONICAL = [
  '0100000000000000000000000000000000000000000000000000000000000080',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  ...Array.from({ length: 17 }, (_, low) => `${(0xef + low).toString(16)}${'ff'.repeat(30)}7f`),
  ...Array.from({ length: 17 }, (_, low) => `${(0xef + low).toString(16)}${'ff'.repeat(31)}`),
];

const P256_PRIME = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const SECP256K1_PRIME = 2n ** 256n - 2n ** 32n - 977n;
/** An x of points of each curve below 2^256 - p, so that x + p has 32 bytes, too. */
const SMALL_X = { p256: 5n, secp256k1: 1n } as const;

/** The generators, SEC 2, 2.4.1 and 2.4.2: x and y. */
const UNCOMPRESSED = {
  p256:
    '6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296' +
    '4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5',
  secp256k1:
    '79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798' +
    '483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8',
} as const;

describe.each(listImplementations())('the groups of $name', ({ groups }) => {
  it('ristretto255: the published multiples of the generator', () => {
    const { ristretto255 } = groups;
    for (const [index, expected] of RISTRETTO_MULTIPLES.entries()) {
      const multiple = ristretto255.multiplyBase(ristretto255.scalars.fromNumber(index + 1));
      expect(hex(ristretto255.encode(multiple))).toBe(expected);
      expect(ristretto255.decode(bytes(expected))).toBeDefined();
    }
  });

  it.each(Object.entries(RISTRETTO_REFUSED))('ristretto255: refuses %s', (_, encodings) => {
    for (const encoding of encodings) expect(groups.ristretto255.decode(bytes(encoding))).toBeUndefined();
  });

  it('ed25519: refuses the points of small order, and all of their encodings', () => {
    expect(new Set(TORSION).size).toBe(8);
    for (const encoding of TORSION) {
      const point = ed25519.Point.fromBytes(bytes(encoding), true);
      expect(point.multiplyUnsafe(8n).is0()).toBe(true);
      expect(groups.ed25519.decode(bytes(encoding))).toBeUndefined();
    }
    for (const encoding of NON_CANONICAL)
      expect(groups.ed25519.decode(bytes(encoding)), `encoding ${encoding}`).toBeUndefined();
  });

  it('ed25519: refuses an element that a point of small order was added to', () => {
    for (const multiple of [1n, 2n, 3n, 0xdeadbeefn]) {
      const element = ed25519.Point.BASE.multiply(multiple);
      for (const [index, encoding] of TORSION.entries()) {
        const mixed = element.add(ed25519.Point.fromBytes(bytes(encoding), true)).toBytes();
        expect(groups.ed25519.decode(mixed) === undefined).toBe(index > 0);
      }
    }
  });

  it('ed25519: refuses a y that no point has', () => {
    expect(groups.ed25519.decode(bytes(`02${'00'.repeat(31)}`))).toBeUndefined();
    expect(groups.ed25519.decode(bytes(`07${'00'.repeat(31)}`))).toBeUndefined();
  });

  it.each([
    ['p256', P256_PRIME, 'x = 1 is no point', 1n],
    ['secp256k1', SECP256K1_PRIME, 'x = 5 is no point', 5n],
  ] as const)('%s: takes the compressed form alone', (name, prime, _, offCurve) => {
    const group = groups[name];
    const compressed = encodeMultiple(name, 7n) ?? new Uint8Array();
    const x = encodeNumber(name, SMALL_X[name]);
    expect(group.decode(compressed)).toBeDefined();
    expect(group.decode(Uint8Array.of(2, ...x))).toBeDefined();
    expect(group.decode(Uint8Array.of(3, ...x))).toBeDefined();
    const y = compressed.subarray(1);
    const refused = [
      ...[0, 1, 4, 5, 6, 7, 0x82, 0xff].map((prefix) => Uint8Array.of(prefix, ...y)),
      Uint8Array.of(2, ...encodeNumber(name, SMALL_X[name] + prime)),
      Uint8Array.of(3, ...encodeNumber(name, prime)),
      Uint8Array.of(2, ...new Uint8Array(32).fill(0xff)),
      Uint8Array.of(2, ...encodeNumber(name, offCurve)),
      new Uint8Array(33),
      new Uint8Array(1),
      ...[4, 6, 7].map((prefix) => Uint8Array.of(prefix, ...y, ...y)),
    ];
    for (const encoding of refused)
      expect(group.decode(encoding), `encoding ${hex(encoding)}`).toBeUndefined();
  });

  it.each(['p256', 'secp256k1'] as const)(
    '%s: refuses the uncompressed and hybrid forms of a point',
    (name) => {
      const full = UNCOMPRESSED[name];
      const parity = 6 + (Number.parseInt(full.at(-1) ?? '', 16) & 1);
      expect(groups[name].decode(bytes(`0${parity - 4}${full.slice(0, 64)}`))).toBeDefined();
      for (const prefix of ['04', '06', '07'])
        expect(groups[name].decode(bytes(prefix + full))).toBeUndefined();
    },
  );
});
