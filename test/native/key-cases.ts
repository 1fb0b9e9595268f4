import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KeyHandle, NativeAddon } from '../../shared/native/addon.ts';
import type { AddonCase } from './addon-cases.ts';

const ORDERS = [
  ['holdSecp256k1', 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141'],
  ['holdP256', 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'],
] as const;
const HOLDERS = ['holdSecp256k1', 'holdP256'] as const;
const bytes = (length: number, fill = 7) => new Uint8Array(length).fill(fill);

function hold(native: NativeAddon, holder: (typeof HOLDERS)[number], secret = bytes(32)): KeyHandle {
  const key = native[holder](secret);
  assert.ok(key !== null);
  return key;
}

/** Counts the pages of keys in which `needle` stands: keys lie in pages of their own. */
function countPagesWith(needle: Buffer): number {
  const memory = openSync('/proc/self/mem', 'r');
  try {
    return listKeyRanges().filter(([start, end]) => {
      const content = Buffer.alloc(end - start);
      readSync(memory, content, 0, content.length, start);
      const found = content.includes(needle);
      content.fill(0);
      return found;
    }).length;
  } finally {
    closeSync(memory);
  }
}

/**
 * proc_pid_smaps(5): `lo` is a locked range, `dd` one that no core dump has, `wf` one that a child finds empty. Under
 * AddressSanitizer mlock(2) does nothing.
 */
const WANTED = [...(process.env['ASAN_OPTIONS'] === undefined ? ['lo'] : []), 'dd', 'wf'];

function listKeyRanges(): [start: number, end: number][] {
  const ranges: [number, number][] = [];
  let range: [number, number] = [0, 0];
  for (const line of readFileSync('/proc/self/smaps', 'latin1').split('\n')) {
    const [, start, end] = /^([0-9a-f]+)-([0-9a-f]+) rw-p/.exec(line) ?? [];
    if (start !== undefined && end !== undefined)
      range = [Number.parseInt(start, 16), Number.parseInt(end, 16)];
    const flags = line.startsWith('VmFlags:') ? line.split(' ') : [];
    if (WANTED.every((flag) => flags.includes(flag))) ranges.push(range);
  }
  return ranges;
}

/** Calls with arguments that are no use, given a key that is in use. */
function listMisuse(native: NativeAddon, key: KeyHandle): (() => unknown)[] {
  const calls: readonly [keyof NativeAddon, readonly unknown[]][] = [
    ...HOLDERS.flatMap((holder) =>
      [
        [],
        [bytes(31)],
        [bytes(33)],
        [bytes(0)],
        ['x'.repeat(32)],
        [new Uint16Array(32)],
        [bytes(32).buffer],
      ].map((given) => [holder, given] as [keyof NativeAddon, readonly unknown[]]),
    ),
    ['publicKey', []],
    ['publicKey', [{}]],
    ['publicKey', [null]],
    ['clearKey', [7]],
    ['copySecret', [key]],
    ['copySecret', [key, bytes(31)]],
    ['copySecret', [{}, bytes(32)]],
    ['signEcdsa', [key]],
    ['signEcdsa', [key, bytes(0)]],
    ['signEcdsa', [key, bytes(31)]],
    ['signEcdsa', [key, bytes(64)]],
    ['signEcdsa', [key, 'digest']],
    ['signEcdsa', [bytes(32), bytes(32)]],
    ['signBip340', [key, bytes(32)]],
    ['signBip340', [key, bytes(33), bytes(32)]],
    ['signBip340', [key, bytes(32), bytes(31)]],
    ['signBip340', [key, bytes(32), null]],
    ['signTaproot', [key, bytes(32), bytes(32)]],
    ['signTaproot', [key, bytes(32), bytes(32), bytes(1)]],
    ['signTaproot', [key, bytes(32), bytes(32), bytes(31)]],
    ['signTaproot', [key, bytes(32), bytes(32), bytes(33)]],
    ['signTaproot', [key, bytes(32), bytes(32), null]],
  ];
  return calls.map(
    ([name, given]) =>
      () =>
        (native[name] as (...values: readonly unknown[]) => unknown)(...given),
  );
}

/** Lists every use of a key. */
function listUses(native: NativeAddon, key: KeyHandle): (() => unknown)[] {
  return [
    () => native.publicKey(key),
    () => native.copySecret(key, bytes(32)),
    () => native.signEcdsa(key, bytes(32)),
    () => native.signBip340(key, bytes(32), bytes(32)),
    () => native.signTaproot(key, bytes(32), bytes(32), bytes(0)),
    () => native.signTaproot(key, bytes(32), bytes(32), bytes(32)),
  ];
}

/** Cases of the addon with private keys; part of `addonCases`. */
export const keyCases: readonly AddonCase[] = [
  {
    name: 'refuses keys, digests and roots of a wrong number, type or length',
    run(native) {
      const key = hold(native, 'holdSecp256k1');
      for (const misuse of listMisuse(native, key)) assert.throws(misuse, TypeError);
      const ofP256 = hold(native, 'holdP256');
      assert.throws(() => native.signBip340(ofP256, bytes(32), bytes(32)), TypeError);
      assert.throws(() => native.signTaproot(ofP256, bytes(32), bytes(32), bytes(0)), TypeError);
      for (const held of [key, ofP256]) native.clearKey(held);
    },
  },
  {
    name: 'holds the scalars from 1 to the order less one, and no others',
    run(native) {
      for (const [holder, order] of ORDERS) {
        for (const [offset, isScalar] of [
          [-2n, true],
          [-1n, true],
          [0n, false],
          [1n, false],
        ] as const) {
          const scalar = (BigInt(`0x${order}`) + offset).toString(16).padStart(64, '0');
          const key = native[holder](Buffer.from(scalar, 'hex'));
          assert.equal(key !== null, isScalar);
          if (key !== null) native.clearKey(key);
        }
        assert.equal(native[holder](bytes(32, 0)), null);
        assert.equal(native[holder](bytes(32, 0xff)), null);
        const one = bytes(32, 0);
        one[31] = 1;
        native.clearKey(hold(native, holder, one));
      }
    },
  },
  {
    name: 'uses no key that was cleared',
    run(native) {
      for (const holder of HOLDERS) {
        const key = hold(native, holder);
        native.clearKey(key);
        native.clearKey(key);
        for (const use of listUses(native, key)) assert.throws(use, TypeError);
      }
    },
  },
  {
    name: 'keeps a key in locked memory that no dump and no child has, and overwrites it',
    run(native) {
      for (const [index, holder] of HOLDERS.entries()) {
        const secret = Buffer.alloc(32, `a secret of ${holder} ${index}`);
        const before = countPagesWith(secret);
        const key = hold(native, holder, secret);
        assert.equal(before, 0);
        assert.equal(countPagesWith(secret), 1);
        native.clearKey(key);
        assert.equal(countPagesWith(secret), 0);
      }
    },
  },
  {
    name: 'holds, uses and frees a thousand keys, cleared or collected',
    async run(native) {
      for (let round = 0; round < 1_000; round += 1) {
        const key = hold(native, HOLDERS[round % 2] ?? 'holdP256', bytes(32, 1 + (round % 200)));
        native.signEcdsa(key, bytes(32, round % 256));
        if (round % 2 === 0) native.signTaproot(key, bytes(32), bytes(32), bytes(round % 4 === 0 ? 0 : 32));
        if (round % 3 !== 0) native.clearKey(key);
      }
      for (let turn = 0; turn < 3; turn += 1) {
        (globalThis as { gc?: () => void }).gc?.();
        await sleep(10);
      }
    },
  },
];
