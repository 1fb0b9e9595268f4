import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import * as z from 'zod';
import { InternalError } from '../../shared/errors.ts';
import { MAX_SPENDINGS, type Spending } from './window.ts';

/** What a window counts: one limit, and the client, key, destination or rule that it is counted for. */
export interface WindowName {
  readonly limit: string;
  readonly asset: string;
  readonly per: string;
  readonly subject: string;
}

/** A window with what was spent in it. */
export interface Window extends WindowName {
  /** Length of the window when it was last charged. */
  readonly seconds: number;
  readonly spendings: readonly Spending[];
}

/** A record of the table `accumulations` to write, or with `plaintext` null to delete. */
export interface AccumulationChange {
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly plaintext: Uint8Array | null;
}

const windowSchema = z.strictObject({
  format: z.literal('holdfast-accumulation/1'),
  limit: z.string(),
  asset: z.string(),
  per: z.string(),
  subject: z.string(),
  seconds: z.int().min(1),
  /** Milliseconds since 1970 and amount, in ascending order of time. */
  spendings: z
    .array(z.tuple([z.int().min(0), z.string().regex(/^[1-9][0-9]*$/)]))
    .min(1)
    .max(MAX_SPENDINGS),
});

/** Names a window within a store. No id, asset or subject contains a line break. */
export function nameWindow({ limit, asset, per, subject }: WindowName): string {
  return [limit, asset, per, subject].join('\n');
}

export const recordIdOf = (name: string): string => bytesToHex(sha256(utf8ToBytes(name)));

export function encodeWindow({ limit, asset, per, subject, seconds, spendings }: Window): Uint8Array {
  return utf8ToBytes(
    JSON.stringify({
      format: 'holdfast-accumulation/1',
      limit,
      asset,
      per,
      subject,
      seconds,
      spendings: spendings.map(({ at, amount }) => [at, String(amount)]),
    }),
  );
}

/** Reads a record that this code has sealed. @throws InternalError */
export function decodeWindow(plaintext: Uint8Array): Window {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plaintext));
  } catch (error) {
    throw new InternalError('an accumulation is not JSON', error);
  }
  const parsed = windowSchema.safeParse(value);
  if (!parsed.success) throw new InternalError('a record is not an accumulation', parsed.error);
  const { format: _, spendings, ...rest } = parsed.data;
  return { ...rest, spendings: spendings.map(([at, amount]) => ({ at, amount: BigInt(amount) })) };
}
