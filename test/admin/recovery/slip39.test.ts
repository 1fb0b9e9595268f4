import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeMnemonic, joinShares, splitSecret } from '../../../admin/recovery/slip39/index.ts';
import { findMadeOrSay } from '../../support/find-made.ts';

const judge = findMadeOrSay(
  'shares of custodians were not judged by the reference implementation of SLIP-39',
  'slip39-judge.sh',
);
const ask = (question: object): unknown =>
  JSON.parse(
    execFileSync(join(judge ?? '', 'bin/python'), [join(import.meta.dirname, 'slip39-judge/judge.py')], {
      input: JSON.stringify(question),
      encoding: 'utf8',
    }),
  );
const SECRET = Buffer.from('00'.repeat(3) + 'c5'.repeat(29), 'hex');
const split = (threshold: number, count: number, secret: Uint8Array = SECRET) =>
  splitSecret(secret, { threshold, count }, randomBytes);
const code = (expected: string) => expect.objectContaining({ code: expected });

describe('shares of SLIP-39', () => {
  it.each([
    [2, 2],
    [2, 3],
    [3, 5],
    [16, 16],
  ])('give the secret back from any %i of %i, and from no fewer', (threshold, count) => {
    const words = split(threshold, count);
    expect(words.every((text) => text.split(' ').length === 33)).toBe(true);
    for (let start = 0; start + threshold <= count; start += 1)
      expect(joinShares(words.slice(start, start + threshold))).toEqual(new Uint8Array(SECRET));
    expect(() => joinShares(words.slice(0, threshold - 1))).toThrow(code('CUSTODIANS_TOO_FEW'));
    expect(() => joinShares([...words.slice(0, threshold - 1), words[0] ?? ''])).toThrow(
      code('CUSTODIANS_TOO_FEW'),
    );
  });

  it('refuses shares of two keys together', () => {
    const [one = ''] = split(2, 3);
    const [, other = ''] = split(2, 3);
    expect(() => joinShares([one, other])).toThrow(code('CUSTODIAN_SHARES_DIFFER'));
  });

  it('finds every word that is wrong, missing, or at another place, and quotes none', () => {
    const [text = ''] = split(2, 3);
    const words = text.split(' ');
    for (let place = 0; place < words.length; place += 1) {
      const wrong = words.with(place, words[place] === 'academic' ? 'acid' : 'academic').join(' ');
      expect(() => decodeMnemonic(wrong)).toThrow(code('CUSTODIAN_SHARE_MALFORMED'));
      const missing = words.filter((_, index) => index !== place).join(' ');
      expect(() => decodeMnemonic(missing)).toThrow(code('CUSTODIAN_SHARE_MALFORMED'));
    }
    const swapped = [...words.slice(0, 10), words[11] ?? '', words[10] ?? '', ...words.slice(12)].join(' ');
    if (words[10] !== words[11])
      expect(() => decodeMnemonic(swapped)).toThrow(code('CUSTODIAN_SHARE_MALFORMED'));
    const secret = `${words.slice(0, 32).join(' ')} hunter2`;
    let refusal: Error | undefined;
    try {
      decodeMnemonic(secret);
    } catch (error) {
      refusal = error as Error;
    }
    expect(JSON.stringify([refusal?.message, refusal])).not.toMatch(/hunter2/);
  });

  it('takes words in any case and with any blanks', () => {
    const words = split(2, 2);
    const spoken = words.map((text) => `\n ${text.toUpperCase().replaceAll(' ', '\t ')} \n`);
    expect(joinShares(spoken)).toEqual(new Uint8Array(SECRET));
  });

  it.skipIf(judge === undefined)('are joined by the reference implementation', () => {
    for (const [threshold, count] of [
      [2, 3],
      [3, 5],
      [5, 16],
    ] as const) {
      const secret = randomBytes(32);
      const words = split(threshold, count, secret).slice(count - threshold);
      expect(ask({ words })).toBe(secret.toString('hex'));
    }
  });

  it.skipIf(judge === undefined).each([true, false])(
    'of the reference implementation are joined, extendable or not: %s',
    (extendable) => {
      for (const exponent of [0, 1, 2]) {
        const secret = randomBytes(32).toString('hex');
        const words = ask({ threshold: 3, count: 5, secret, exponent, extendable }) as string[];
        expect(Buffer.from(joinShares(words.slice(2))).toString('hex')).toBe(secret);
      }
    },
  );
});
