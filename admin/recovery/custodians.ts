import {
  createHash,
  createPublicKey,
  createPrivateKey,
  constants,
  type KeyObject,
  publicEncrypt,
} from 'node:crypto';
import * as z from 'zod';
import { exportPublicKey } from '../../shared/hpke/index.ts';
import { JsonError, parseJson } from '../../shared/json/index.ts';
import { hex, time } from '../../shared/recovery/fields.ts';
import { RecoveryCeremonyError } from './errors.ts';
import { decodeMnemonic, joinShares, MAX_SHARES, type RandomBytes, splitSecret } from './slip39/index.ts';

/** The longest list of custodians in bytes. */
export const MAX_CUSTODIANS_BYTES = 32 * 1024;
/** Of a custodian's RSA key. */
const LEAST_RSA_BITS = 4096;

export const custodianName = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/);

const custodiansSchema = z
  .strictObject({
    format: z.literal('holdfast-custodians/1'),
    /** X25519, as manifests name it. */
    publicKey: hex(32),
    threshold: z.int().min(2).max(MAX_SHARES),
    made: time,
    custodians: z
      .array(
        z.strictObject({
          name: custodianName,
          /** Number of the share, from 1. */
          share: z.int().min(1).max(MAX_SHARES),
          /** SHA-256 of the share's words, in hex: tells one share from another, and nothing of its value. */
          sha256: hex(32),
          /** SHA-256 of the SubjectPublicKeyInfo of the RSA key that it was encrypted to; null for words on paper. */
          rsaKey: hex(32).nullable(),
        }),
      )
      .min(2)
      .max(MAX_SHARES),
  })
  .refine(({ custodians }) => new Set(custodians.map(({ name }) => name)).size === custodians.length)
  .refine(({ custodians }) => custodians.every(({ share }, place) => share === place + 1))
  .refine(({ custodians, threshold }) => threshold <= custodians.length);

/** Who has a share of which recovery key: public, and enough to verify one share by itself. */
export type Custodians = z.infer<typeof custodiansSchema>;

/** Reads a list of custodians. @throws RecoveryCeremonyError CUSTODIANS_MALFORMED */
export function parseCustodians(bytes: Uint8Array): Custodians {
  let value: unknown;
  try {
    value = parseJson(bytes, { maxBytes: MAX_CUSTODIANS_BYTES, maxDepth: 4 });
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new RecoveryCeremonyError(
      'CUSTODIANS_MALFORMED',
      'the list of custodians is not strict JSON',
      {},
      error,
    );
  }
  const parsed = custodiansSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const path = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new RecoveryCeremonyError(
    'CUSTODIANS_MALFORMED',
    `the list of custodians has a wrong member: ${path}`,
    { path },
  );
}

/** Somebody who is to hold a share: on paper, or encrypted to an RSA key that an HSM may hold. */
export interface Custodian {
  readonly name: string;
  readonly rsaKey?: KeyObject;
}

/** A custodian's share: words for paper, or a ciphertext that only the custodian's key opens. */
export interface IssuedShare {
  readonly custodian: Custodians['custodians'][number];
  readonly words: string | null;
  readonly ciphertext: Uint8Array | null;
}

/**
 * Makes a recovery key and splits it. The private key exists within this call alone: nothing that is returned holds it.
 *
 * @param now milliseconds since 1970
 * @throws RecoveryCeremonyError CUSTODIAN_KEY_INVALID; RangeError for a threshold that does not fit
 */
export function makeRecoveryKey(
  custodians: readonly Custodian[],
  threshold: number,
  { random, now }: { readonly random: RandomBytes; readonly now: number },
): { readonly custodians: Custodians; readonly shares: readonly IssuedShare[] } {
  for (const { rsaKey, name } of custodians) if (rsaKey !== undefined) assertRsaKey(rsaKey, name);
  const secret = random(32);
  let words: string[];
  let publicKey: string;
  try {
    publicKey = Buffer.from(exportPublicKey(createPublicKey(holdRecoveryKey(secret)))).toString('hex');
    words = splitSecret(secret, { threshold, count: custodians.length }, random);
  } finally {
    secret.fill(0);
  }
  const shares = custodians.map(({ name, rsaKey }, index): IssuedShare => {
    const text = words[index] ?? '';
    const custodian = {
      name,
      share: index + 1,
      sha256: digestWords(text),
      rsaKey: rsaKey === undefined ? null : digestRsaKey(rsaKey),
    };
    return rsaKey === undefined
      ? { custodian, words: text, ciphertext: null }
      : { custodian, words: null, ciphertext: encryptWords(rsaKey, text) };
  });
  const list: Custodians = {
    format: 'holdfast-custodians/1',
    publicKey,
    threshold,
    made: new Date(now).toISOString(),
    custodians: shares.map(({ custodian }) => custodian),
  };
  return { custodians: list, shares };
}

/** Holds an X25519 private key of 32 bytes for HPKE. */
export function holdRecoveryKey(secret: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.from(secret), format: 'raw-private', asymmetricKeyType: 'x25519' });
}

/** Words in the one form that is digested: lower case, one blank between two. */
const normalise = (words: string): string => words.trim().toLowerCase().split(/\s+/).join(' ');

function digestWords(words: string): string {
  return createHash('sha256').update(normalise(words)).digest('hex');
}

function assertRsaKey(key: KeyObject, name: string): void {
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.type === 'public' && key.asymmetricKeyType === 'rsa' && bits >= LEAST_RSA_BITS) return;
  throw new RecoveryCeremonyError(
    'CUSTODIAN_KEY_INVALID',
    'expected an RSA public key of at least 4096 bits',
    {
      custodian: name,
      bits,
    },
  );
}

function digestRsaKey(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ format: 'der', type: 'spki' }))
    .digest('hex');
}

/** Encrypts a share's words by RSA-OAEP with SHA-256 (RFC 8017, 7.1), as every HSM decrypts. */
function encryptWords(key: KeyObject, words: string): Uint8Array {
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  return publicEncrypt({ key, padding, oaepHash: 'sha256' }, Buffer.from(words));
}

/** What is known of one share without the others. */
export interface VerifiedShare {
  /** Number of the share, from 1. */
  readonly share: number;
  readonly threshold: number;
  /** The custodian whose share it is; null without a list. */
  readonly name: string | null;
}

/**
 * Verifies one share by itself: its checksum, and with a list of custodians that it is the very one that was issued.
 *
 * @throws RecoveryCeremonyError CUSTODIAN_SHARE_MALFORMED, CUSTODIAN_UNKNOWN
 */
export function verifyShare(words: string, custodians?: Custodians): VerifiedShare {
  const { index, threshold, value } = decodeMnemonic(words);
  value.fill(0);
  if (custodians === undefined) return { share: index + 1, threshold, name: null };
  const digest = digestWords(words);
  const found = custodians.custodians.find(({ sha256 }) => sha256 === digest);
  if (found === undefined || found.share !== index + 1 || custodians.threshold !== threshold)
    throw new RecoveryCeremonyError('CUSTODIAN_UNKNOWN', 'the share is none of those that the list names', {
      share: index + 1,
    });
  return { share: index + 1, threshold, name: found.name };
}

/**
 * Joins the shares of enough custodians to the recovery key, and compares it with its public key.
 *
 * @param publicKey X25519 in hex, as the manifests name it
 * @throws RecoveryCeremonyError CUSTODIAN_SHARE_MALFORMED, CUSTODIAN_SHARES_DIFFER, CUSTODIANS_TOO_FEW,
 *   RECOVERY_KEY_MISMATCH
 */
export function joinRecoveryKey(words: readonly string[], publicKey: string): KeyObject {
  const secret = joinShares(words);
  try {
    const key = holdRecoveryKey(secret);
    const actual = Buffer.from(exportPublicKey(createPublicKey(key))).toString('hex');
    if (actual === publicKey) return key;
    throw new RecoveryCeremonyError('RECOVERY_KEY_MISMATCH', 'the shares are of another recovery key', {
      expected: publicKey,
      actual,
    });
  } finally {
    secret.fill(0);
  }
}
