import { RecoveryCeremonyError } from '../errors.ts';
import { CHECKSUM_WORDS, hasChecksum, makeChecksum } from './rs1024.ts';
import { WORDS } from './words.ts';

/** Words of a share of 256 bits, and those before its value. */
export const SHARE_WORDS = 33;
const HEADER_WORDS = 4;
export const SECRET_BYTES = 32;
const BITS_PER_WORD = 10;

/** The longest text that is looked at as words, in characters. */
export const MAX_WORDS_LENGTH = 1024;

const INDEX_OF = new Map(WORDS.map((word, index) => [word, index]));

/** One share of a key of 256 bits, in one group (SLIP-0039, "Format of the share mnemonic"). */
export interface MnemonicShare {
  /** 15 bits, the same in all shares of a key. */
  readonly identifier: number;
  readonly isExtendable: boolean;
  readonly exponent: number;
  /** The place of the share, from 0. */
  readonly index: number;
  readonly threshold: number;
  readonly value: Uint8Array;
}

const customisationOf = (isExtendable: boolean) => (isExtendable ? 'shamir_extendable' : 'shamir');

/** Writes a share as 33 words. */
export function encodeMnemonic(share: MnemonicShare): string {
  const { identifier, isExtendable, exponent, index, threshold, value } = share;
  const header =
    (BigInt(identifier) << 25n) |
    (BigInt(Number(isExtendable)) << 24n) |
    (BigInt(exponent) << 20n) |
    // Group index, threshold and count are those of a single group: all zero.
    (BigInt(index) << 4n) |
    BigInt(threshold - 1);
  const number = BigInt(`0x${Buffer.from(value).toString('hex')}`);
  const indices = [
    ...toIndices(header, HEADER_WORDS),
    ...toIndices(number, SHARE_WORDS - HEADER_WORDS - CHECKSUM_WORDS),
  ];
  const all = [...indices, ...makeChecksum(customisationOf(isExtendable), indices)];
  return all.map((each) => WORDS[each]).join(' ');
}

/**
 * Reads a share of a single group from its words, in any case and with any blanks between them.
 *
 * @throws RecoveryCeremonyError CUSTODIAN_SHARE_MALFORMED, which never quotes a word
 */
export function decodeMnemonic(text: string): MnemonicShare {
  if (text.length > MAX_WORDS_LENGTH) throw malformed('expected 33 words, found much more');
  const words = text.trim().toLowerCase().split(/\s+/);
  if (words.length !== SHARE_WORDS) throw malformed(`expected ${SHARE_WORDS} words, found ${words.length}`);
  const indices = words.map((word, place) => {
    const index = INDEX_OF.get(word);
    if (index === undefined) throw malformed(`word ${place + 1} is none of the list`);
    return index;
  });
  const header = toNumber(indices.slice(0, HEADER_WORDS));
  const isExtendable = ((header >> 24n) & 1n) === 1n;
  if (!hasChecksum(customisationOf(isExtendable), indices))
    throw malformed('the checksum does not fit: a word is wrong');
  if (((header >> 8n) & 0xfffn) !== 0n) throw malformed('a share of several groups');
  const number = toNumber(indices.slice(HEADER_WORDS, -CHECKSUM_WORDS));
  if (number >> BigInt(8 * SECRET_BYTES) !== 0n) throw malformed('the padding is not zero');
  return {
    identifier: Number(header >> 25n),
    isExtendable,
    exponent: Number((header >> 20n) & 0xfn),
    index: Number((header >> 4n) & 0xfn),
    threshold: Number(header & 0xfn) + 1,
    value: new Uint8Array(Buffer.from(number.toString(16).padStart(2 * SECRET_BYTES, '0'), 'hex')),
  };
}

function toIndices(number: bigint, count: number): number[] {
  return Array.from({ length: count }, (_, place) =>
    Number((number >> BigInt(BITS_PER_WORD * (count - 1 - place))) & 1023n),
  );
}

function toNumber(indices: readonly number[]): bigint {
  return indices.reduce((number, index) => (number << BigInt(BITS_PER_WORD)) | BigInt(index), 0n);
}

function malformed(message: string): RecoveryCeremonyError {
  return new RecoveryCeremonyError('CUSTODIAN_SHARE_MALFORMED', message);
}
