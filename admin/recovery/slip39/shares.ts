import { createHmac } from 'node:crypto';
import { RecoveryCeremonyError } from '../errors.ts';
import { decryptMaster, encryptMaster } from './cipher.ts';
import { interpolate, type Point } from './gf256.ts';
import { decodeMnemonic, encodeMnemonic, type MnemonicShare, SECRET_BYTES } from './mnemonic.ts';

/** The most shares of one group. */
export const MAX_SHARES = 16;
const DIGEST_BYTES = 4;
/** Where the polynomial has the digest, and where the secret. */
const DIGEST_X = 254;
const SECRET_X = 255;
/** 20,000 rounds of PBKDF2: the secret has 256 bits, and nothing is to be guessed. */
const EXPONENT = 1;

/** Random bytes; the caller of what draws them clears them. */
export type RandomBytes = (length: number) => Uint8Array;

/**
 * Splits a secret of 32 bytes into `count` shares, any `threshold` of which give it back, and fewer tell nothing
 * (SLIP-0039, one group, extendable, without a passphrase).
 *
 * @returns 33 words for each share
 * @throws RangeError for a threshold that is not from 2 to `count`, or more than 16 shares
 */
export function splitSecret(
  secret: Uint8Array,
  { threshold, count }: { readonly threshold: number; readonly count: number },
  random: RandomBytes,
): string[] {
  if (secret.length !== SECRET_BYTES) throw new RangeError(`expected ${SECRET_BYTES} bytes`);
  if (count > MAX_SHARES || threshold < 2 || threshold > count)
    throw new RangeError(`expected a threshold from 2 to the number of shares, at most ${MAX_SHARES}`);
  const [high = 0, low = 0] = random(2);
  const parameters = { identifier: ((high << 8) | low) & 0x7fff, isExtendable: true, exponent: EXPONENT };
  const encrypted = encryptMaster(secret, parameters);
  const drawn: Point[] = Array.from({ length: threshold - 2 }, (_, x) => ({ x, y: random(SECRET_BYTES) }));
  const padding = random(SECRET_BYTES - DIGEST_BYTES);
  const digest = Buffer.concat([computeDigest(padding, encrypted), padding]);
  const base = [...drawn, { x: DIGEST_X, y: digest }, { x: SECRET_X, y: encrypted }];
  const words = Array.from({ length: count }, (_, index) => {
    const value = interpolate(base, index);
    const text = encodeMnemonic({ ...parameters, index, threshold, value });
    value.fill(0);
    return text;
  });
  for (const { y } of base) y.fill(0);
  padding.fill(0);
  return words;
}

const computeDigest = (padding: Uint8Array, secret: Uint8Array): Buffer =>
  createHmac('sha256', padding).update(secret).digest().subarray(0, DIGEST_BYTES);

/**
 * Asserts that shares belong together, and returns those that count: as many as it takes, each once.
 *
 * @throws RecoveryCeremonyError CUSTODIAN_SHARES_DIFFER, CUSTODIANS_TOO_FEW
 */
function assertTogether(shares: readonly MnemonicShare[]): readonly MnemonicShare[] {
  const [first] = shares;
  if (first === undefined)
    throw new RecoveryCeremonyError('CUSTODIANS_TOO_FEW', 'no share of a custodian is at hand', {
      actual: 0,
    });
  const byIndex = new Map<number, MnemonicShare>();
  for (const share of shares) {
    const known = byIndex.get(share.index);
    const isOther =
      share.identifier !== first.identifier ||
      share.threshold !== first.threshold ||
      share.isExtendable !== first.isExtendable ||
      share.exponent !== first.exponent ||
      (known !== undefined && !Buffer.from(known.value).equals(share.value));
    if (isOther)
      throw new RecoveryCeremonyError('CUSTODIAN_SHARES_DIFFER', 'the shares are of different keys', {
        share: share.index + 1,
      });
    byIndex.set(share.index, share);
  }
  if (byIndex.size < first.threshold)
    throw new RecoveryCeremonyError('CUSTODIANS_TOO_FEW', 'fewer custodians than it takes', {
      expected: first.threshold,
      actual: byIndex.size,
    });
  return [...byIndex.values()].slice(0, first.threshold);
}

/**
 * Joins shares. The caller clears the secret.
 *
 * @param texts the words of each share
 * @throws RecoveryCeremonyError CUSTODIAN_SHARE_MALFORMED, CUSTODIAN_SHARES_DIFFER, CUSTODIANS_TOO_FEW,
 *   RECOVERY_KEY_MISMATCH
 */
export function joinShares(texts: readonly string[]): Uint8Array<ArrayBuffer> {
  const shares = assertTogether(texts.map(decodeMnemonic));
  const [first] = shares;
  if (first === undefined) throw new RangeError('expected a share');
  const points = shares.map(({ index, value }) => ({ x: index, y: value }));
  const encrypted = first.threshold === 1 ? new Uint8Array(first.value) : interpolate(points, SECRET_X);
  const digest = interpolate(points, DIGEST_X);
  const isGenuine =
    first.threshold === 1 ||
    computeDigest(digest.subarray(DIGEST_BYTES), encrypted).equals(digest.subarray(0, DIGEST_BYTES));
  try {
    if (!isGenuine)
      throw new RecoveryCeremonyError('RECOVERY_KEY_MISMATCH', 'the digest within the shares does not fit');
    return decryptMaster(encrypted, first);
  } finally {
    for (const { y } of points) y.fill(0);
    encrypted.fill(0);
    digest.fill(0);
  }
}
