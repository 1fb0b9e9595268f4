import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { NativeAddon } from '../../shared/native/addon.ts';
import type { AddonCase } from './addon-cases.ts';

/** Numbers of the groups, with the bytes of an element: encoded, and in memory. */
const GROUPS = [
  { number: 0, encoded: 32, inMemory: 160 },
  { number: 1, encoded: 32, inMemory: 160 },
  { number: 2, encoded: 33, inMemory: 64 },
  { number: 3, encoded: 33, inMemory: 64 },
] as const;
const MAX_TERMS = 1024;
const bytes = (length: number, fill = 7) => new Uint8Array(length).fill(fill);

type Call = readonly [keyof NativeAddon, readonly unknown[]];

/** Calls with arguments that no caller hands in, each a TypeError. */
function listMisuse(number: number, element: Uint8Array): Call[] {
  const scalar = bytes(32);
  const wrong = [
    bytes(element.length - 1),
    bytes(element.length + 1),
    bytes(0),
    'x',
    null,
    new Uint16Array(80),
  ];
  return [
    ...['decodeElement', 'encodeElement', 'isIdentity', 'negateElement', 'multiplyBase', 'isScalar'].flatMap(
      (name) => [[name, []] as const, [name, [number]] as const, [name, [number, scalar, scalar]] as const],
    ),
    ...wrong.flatMap((given) => [
      ['encodeElement', [number, given]] as const,
      ['isIdentity', [number, given]] as const,
      ['negateElement', [number, given]] as const,
      ['addElements', [number, element, given]] as const,
      ['addElements', [number, given, element]] as const,
      ['equalElements', [number, element, given]] as const,
      ['sumOfProducts', [number, [scalar], [given]]] as const,
    ]),
    ...[undefined, 7, 'x', {}, bytes(32).buffer, new Uint16Array(32)].flatMap((given) => [
      ['decodeElement', [number, given]] as const,
      ['multiplyBase', [number, given]] as const,
      ['isScalar', [number, given]] as const,
      ['reduceScalar', [number, given]] as const,
      ['addScalars', [number, scalar, given]] as const,
      ['subtractScalars', [number, given, scalar]] as const,
      ['multiplyScalars', [number, scalar, given]] as const,
      ['invertScalar', [number, given]] as const,
      ['sumOfProducts', [number, [given], [element]]] as const,
    ]),
    ['sumOfProducts', [number, scalar, element]],
    ['sumOfProducts', [number, [scalar], { length: 1, 0: element }]],
    ['sumOfProducts', [number, [scalar]]],
  ] as Call[];
}

/** Calls with values out of range, each a RangeError. */
function listOutOfRange(number: number, element: Uint8Array): Call[] {
  const [scalar, bad] = [bytes(32), [bytes(32, 0xff), bytes(31), bytes(33), bytes(0)]];
  return [
    ...[-1, 4, 0.5, Number.NaN, '0', null].map((group) => ['multiplyBase', [group, scalar]] as const),
    ...bad.flatMap((given) => [
      ['multiplyBase', [number, given]] as const,
      ['addScalars', [number, given, scalar]] as const,
      ['addScalars', [number, scalar, given]] as const,
      ['subtractScalars', [number, scalar, given]] as const,
      ['multiplyScalars', [number, given, scalar]] as const,
      ['invertScalar', [number, given]] as const,
      ['sumOfProducts', [number, [given], [element]]] as const,
    ]),
    ['invertScalar', [number, bytes(32, 0)]],
    ['reduceScalar', [number, bytes(31)]],
    ['reduceScalar', [number, bytes(65)]],
    ['sumOfProducts', [number, [scalar], []]],
    ['sumOfProducts', [number, [], [element]]],
    [
      'sumOfProducts',
      [
        number,
        Array.from({ length: MAX_TERMS + 1 }, () => scalar),
        Array.from({ length: MAX_TERMS + 1 }, () => element),
      ],
    ],
  ];
}

function call(native: NativeAddon, [name, given]: Call): unknown {
  return (native[name] as (...values: readonly unknown[]) => unknown)(...given);
}

/** Cases of the addon with groups; part of `addonCases`. */
export const groupCases: readonly AddonCase[] = [
  {
    name: 'refuses groups, elements and scalars of a wrong number, type or length',
    run(native) {
      for (const { number, inMemory } of GROUPS) {
        const element = native.multiplyBase(number, bytes(32));
        assert.equal(element.length, inMemory);
        for (const misuse of listMisuse(number, element))
          assert.throws(() => call(native, misuse), TypeError, misuse[0]);
        for (const given of listOutOfRange(number, element))
          assert.throws(() => call(native, given), RangeError, given[0]);
      }
    },
  },
  {
    name: 'decodes bytes of every length and any content without a bad access',
    run(native) {
      for (const { number, encoded } of GROUPS) {
        for (let length = 0; length <= 200; length += 1)
          assert.equal(
            native.decodeElement(number, bytes(length, length)) !== null && length !== encoded,
            false,
          );
        for (let first = 0; first < 256; first += 1) {
          const candidate = bytes(encoded, first);
          candidate[0] = first % 5;
          const element = native.decodeElement(number, candidate);
          if (element !== null) assert.deepEqual(native.encodeElement(number, element), candidate);
        }
      }
    },
  },
  {
    name: 'computes with memory that holds no element without a bad access',
    run(native) {
      for (const { number, inMemory } of GROUPS) {
        const good = native.multiplyBase(number, bytes(32));
        for (const fill of [0, 1, 0x7f, 0x80, 0xff]) {
          const forged = bytes(inMemory, fill);
          for (const compute of [
            () => native.encodeElement(number, forged),
            () => native.isIdentity(number, forged),
            () => native.equalElements(number, forged, good),
            () => native.addElements(number, forged, good),
            () => native.negateElement(number, forged),
            () => native.sumOfProducts(number, [bytes(32), bytes(32)], [forged, good]),
          ]) {
            try {
              compute();
            } catch (error) {
              assert.ok(error instanceof Error);
            }
          }
        }
      }
    },
  },
  {
    name: 'computes sums of none, one and the most products, and frees what they need',
    run(native) {
      for (const { number } of GROUPS) {
        const element = native.multiplyBase(number, bytes(32));
        assert.ok(native.isIdentity(number, native.sumOfProducts(number, [], [])));
        const zero = bytes(32, 0);
        assert.ok(native.isIdentity(number, native.sumOfProducts(number, [zero], [element])));
        const count = number === 2 ? 8 : MAX_TERMS;
        const sum = native.sumOfProducts(
          number,
          Array.from({ length: count }, () => bytes(32, 1)),
          Array.from({ length: count }, () => element),
        );
        let doubled = native.sumOfProducts(number, [bytes(32, 1)], [element]);
        for (let reached = 1; reached < count; reached *= 2)
          doubled = native.addElements(number, doubled, doubled);
        assert.ok(native.equalElements(number, sum, doubled));
      }
    },
  },
  {
    name: 'computes in several threads at once, from their first call on',
    async run(_native, path) {
      const workers = Array.from({ length: 3 }, () => {
        return new Worker(
          `const native = require(process.argv[2]);
          const scalar = new Uint8Array(32).fill(7);
          const found = [0, 1, 2, 3].map((group) => native.encodeElement(group, native.multiplyBase(group, scalar)));
          require('node:worker_threads').parentPort.postMessage(Buffer.concat(found).toString('hex'));`,
          { eval: true, argv: [path] },
        );
      });
      const found = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0]));
      assert.equal(new Set(found).size, 1);
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  },
];
