import { describe, expect, test } from 'vitest';
import {
  comparePcrs,
  describePcr,
  explainDifferences,
  formatPcrFile,
  parsePcrFile,
  reportPcrs,
  zeroPcr,
} from '../../attestation/index.ts';
import { forgedPcr } from './forge/document.ts';

const ONES = new Uint8Array(48).fill(0xff);
const boot = new Map([
  [4, forgedPcr('image')],
  [7, forgedPcr('keys')],
  [12, zeroPcr()],
]);
const document = new Map([...boot, [0, forgedPcr('firmware')], [13, zeroPcr()], [17, ONES], [23, ONES]]);

describe('the registers of a NitroTPM', () => {
  test.each([
    [0, /firmware/],
    [1, /firmware/],
    [2, /option ROM/],
    [3, /option ROM/],
    [4, /Unified Kernel Image/],
    [7, /Secure Boot/],
    [12, /command line/],
    [17, /dynamic/],
  ])('PCR%i means what a TPM measures there, and not what an enclave does', (index, words) => {
    expect(describePcr(index, 'nitrotpm')).toMatch(words);
    expect(describePcr(index, 'nitrotpm')).not.toBe(describePcr(index));
  });

  test('have words for each, in ASCII', () => {
    for (let index = 0; index < 24; index += 1) expect(describePcr(index, 'nitrotpm')).toMatch(/^[ -~]{6,}$/);
  });

  test('match where zero is expected and found: nothing has overridden the command line', () => {
    const states = new Map(reportPcrs(document, boot, 'nitrotpm').map(({ index, state }) => [index, state]));
    expect(Object.fromEntries(states)).toEqual({
      0: 'set',
      4: 'matches',
      7: 'matches',
      12: 'matches',
      13: 'unused',
      17: 'unused',
      23: 'set',
    });
    const overridden = new Map(document).set(12, forgedPcr('init=/bin/sh'));
    expect(reportPcrs(overridden, boot, 'nitrotpm').find(({ index }) => index === 12)?.state).toBe('differs');
    expect(reportPcrs(new Map(), boot, 'nitrotpm').find(({ index }) => index === 12)?.state).toBe('unused');
  });

  test('differ in words of their own', () => {
    const other = new Map(boot).set(4, forgedPcr('another'));
    expect(explainDifferences(comparePcrs(boot, other), 'nitrotpm')).toEqual([
      'The boot manager or Unified Kernel Image changed (PCR4).',
    ]);
    const zeros = new Map([[0, forgedPcr('a')]]);
    expect(explainDifferences(comparePcrs(zeros, new Map([[0, forgedPcr('b')]])), 'nitrotpm')).toEqual([
      'The firmware changed (PCR0).',
    ]);
  });
});

describe('pcr.json of a NitroTPM', () => {
  const parse = (...values: (readonly [number, Uint8Array])[]) =>
    parsePcrFile(formatPcrFile(new Map(values)), { kind: 'nitrotpm' });

  test('may leave any PCR out, and have zero ones', () => {
    expect(parse([7, forgedPcr('keys')]).size).toBe(1);
    expect(parse(...boot).size).toBe(3);
  });

  test.each([
    ['nothing', []],
    ['the command line that nobody has overridden', [[12, zeroPcr()]]],
    [
      'what a TPM has of itself',
      [
        [12, zeroPcr()],
        [17, ONES],
        [4, zeroPcr()],
      ],
    ],
  ] as const)('is refused where it names %s alone: that holds on every instance', (_name, values) => {
    expect(() => parse(...values)).toThrow(expect.objectContaining({ code: 'PCR_FILE_INCOMPLETE' }));
  });
});
