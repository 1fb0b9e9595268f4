import { describe, expect, test } from 'vitest';
import { tabulateParts } from '../../scripts/image/table.ts';

const MIB = 1024 * 1024;
const file = (ramdisk: 'bootstrap' | 'runtime' | 'program', path: string, bytes: number) => ({
  ramdisk,
  path,
  bytes,
  sha256: '',
});

describe('the table of what an image weighs', () => {
  test('names parts and files in MiB, and counts small files together', () => {
    const table = tabulateParts({
      eif: { size: 12 * MIB, crc32: 0, measurements: new Map() },
      parts: { kernel: 8 * MIB, bootstrap: MIB, runtime: 2.5 * MIB, program: MIB / 2 },
      files: [
        file('bootstrap', 'init', 32 * 1024),
        file('runtime', 'app/node', 10 * MIB),
        file('runtime', 'lib/one', 1024),
        file('runtime', 'lib/two', 1024),
        file('program', 'app/main.mjs', MIB),
      ],
    });
    expect(table.split('\n').map((line) => line.trim().split(/ +/))).toEqual([
      ['MiB', 'unpacked'],
      ['8.00', 'kernel'],
      ['1.00', '0.03', 'bootstrap'],
      ['0.03', 'init'],
      ['2.50', '10.00', 'runtime'],
      ['10.00', 'app/node'],
      ['0.00', '2', 'small', 'files'],
      ['0.50', '1.00', 'program'],
      ['1.00', 'app/main.mjs'],
      ['12.00', 'in', 'all,', '5', 'files'],
    ]);
  });
});
