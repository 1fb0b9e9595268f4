import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import jsqr from 'jsqr';
import { encodeQR } from 'qr';
import { describe, expect, it } from 'vitest';
import {
  joinRecoveryKey,
  makeRecoveryKey,
  parseCustodians,
  verifyShare,
  writeSharePage,
} from '../../../admin/recovery/index.ts';
import { openWith, sealTo } from '../../../shared/hpke/index.ts';

const NOW = Date.parse('2026-12-01T12:00:00Z');
const make = (threshold = 2, names = ['alice', 'bob', 'carol']) =>
  makeRecoveryKey(
    names.map((name) => ({ name })),
    threshold,
    { random: randomBytes, now: NOW },
  );
const code = (expected: string) => expect.objectContaining({ code: expected });
const wordsOf = ({ shares }: ReturnType<typeof make>) => shares.map(({ words }) => words ?? '');

describe('a recovery key among custodians', () => {
  it('opens what is encrypted to its public key, from any k of n', () => {
    const made = make();
    const binding = { info: Buffer.from('info'), aad: Buffer.from('aad') };
    const { publicKey } = made.custodians;
    const encrypted = sealTo(Buffer.from(publicKey, 'hex'), Buffer.from('share'), binding);
    for (const pair of [
      [0, 1],
      [0, 2],
      [1, 2],
    ]) {
      const key = joinRecoveryKey(
        pair.map((index) => wordsOf(made)[index] ?? ''),
        publicKey,
      );
      expect(Buffer.from(openWith(key, encrypted, binding)).toString()).toBe('share');
    }
  });

  it('refuses the custodians of another key', () => {
    const { custodians } = make();
    expect(() => joinRecoveryKey(wordsOf(make()), custodians.publicKey)).toThrow(
      code('RECOVERY_KEY_MISMATCH'),
    );
  });

  it('verifies each share by itself against the public list', () => {
    const made = make();
    const [first = ''] = wordsOf(made);
    const custodians = parseCustodians(Buffer.from(JSON.stringify(made.custodians)));
    expect(verifyShare(first, custodians)).toEqual({ share: 1, threshold: 2, name: 'alice' });
    const [stranger = ''] = wordsOf(make());
    expect(() => verifyShare(stranger, custodians)).toThrow(code('CUSTODIAN_UNKNOWN'));
  });

  it('leaves no private key and no words in what is public', () => {
    const made = make();
    const text = JSON.stringify(made.custodians);
    for (const words of wordsOf(made)) expect(text).not.toContain(words.split(' ').slice(5, 8).join(' '));
  });

  it.each([
    ['{}', 'not the members'],
    ['[', 'no JSON'],
    [JSON.stringify({ ...make().custodians, threshold: 4 }), 'a threshold above their number'],
    [JSON.stringify({ ...make().custodians, extra: 1 }), 'an unknown member'],
    ['{"format":"holdfast-custodians/1","format":"holdfast-custodians/1"}', 'a member twice'],
  ])('refuses a list with %s', (text) => {
    expect(() => parseCustodians(Buffer.from(text))).toThrow(code('CUSTODIANS_MALFORMED'));
  });

  it('encrypts to no RSA key below 4096 bits, and to no other kind of key', () => {
    const short = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
    const ec = createPublicKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
    for (const rsaKey of [short, ec])
      expect(() =>
        makeRecoveryKey([{ name: 'a' }, { name: 'b', rsaKey }], 2, { random: randomBytes, now: NOW }),
      ).toThrow(code('CUSTODIAN_KEY_INVALID'));
  });

  it('prints a page that loads and runs nothing, with a QR code that another decoder reads', () => {
    const made = make();
    const [share] = made.shares;
    const words = share?.words ?? '';
    if (share === undefined) throw new Error('expected a share');
    const page = writeSharePage(share, words, made.custodians);
    expect(page).not.toMatch(/<script|src=|href=|url\(/i);
    const options = { ecc: 'medium', encoding: 'alphanumeric', border: 4 } as const;
    expect(page).toContain(encodeQR(words.toUpperCase(), 'svg', options));
    const modules = encodeQR(words.toUpperCase(), 'raw', options);
    expect(readQr(modules)).toBe(words.toUpperCase());
  });
});

/** Reads a code with jsQR, which sees pixels alone. */
function readQr(modules: readonly (readonly boolean[])[]): string | undefined {
  const scale = 4;
  const size = modules.length * scale;
  const pixels = new Uint8ClampedArray(size * size * 4);
  for (let y = 0; y < size; y += 1)
    for (let x = 0; x < size; x += 1) {
      const isDark = modules[Math.floor(y / scale)]?.[Math.floor(x / scale)] === true;
      pixels.fill(isDark ? 0 : 255, 4 * (y * size + x), 4 * (y * size + x) + 3);
      pixels[4 * (y * size + x) + 3] = 255;
    }
  const read = (jsqr as unknown as { default?: typeof jsqr }).default ?? jsqr;
  return (
    read as unknown as (data: Uint8ClampedArray, width: number, height: number) => { data: string } | null
  )(pixels, size, size)?.data;
}
