import { type KeyObject } from 'node:crypto';
import type { SecretPart } from '../../shared/frost/index.ts';
import { HpkeError, openWith, sealTo } from '../../shared/hpke/index.ts';
import type { DealBody } from './message.ts';
import type { Plan } from './plan.ts';

const SCALAR_BYTES = 32;
const INFO_LABEL = Buffer.from('holdfast-ceremony-share/1\0');

/** A dealer, and the holder whose shares it has dealt. */
export interface DealtPair {
  readonly dealer: number;
  readonly holder: number;
}

/** Computes what a ciphertext of a ceremony is bound to: plan, commitments, dealer and holder. */
function bindPart(planDigest: Uint8Array, commits: Uint8Array, { dealer, holder }: DealtPair) {
  return { info: Buffer.concat([INFO_LABEL, planDigest, commits]), aad: Uint8Array.of(dealer, holder) };
}

/** Encrypts a dealer's shares for one holder, one of each key. The caller clears `shares`. */
export function sealParts(
  recipientKey: Uint8Array,
  shares: readonly Uint8Array[],
  planDigest: Uint8Array,
  commits: Uint8Array,
  pair: DealtPair,
): DealBody['ciphertexts'][number] {
  const plaintext = new Uint8Array(SCALAR_BYTES * shares.length);
  for (const [index, share] of shares.entries()) plaintext.set(share, SCALAR_BYTES * index);
  const { encapsulatedKey, ciphertext } = sealTo(
    recipientKey,
    plaintext,
    bindPart(planDigest, commits, pair),
  );
  plaintext.fill(0);
  return { encapsulatedKey: new Uint8Array(encapsulatedKey), ciphertext: new Uint8Array(ciphertext) };
}

/**
 * Opens a dealer's shares for one holder, one of each key of the plan, which the caller clears; undefined where they do
 * not open.
 */
export function openParts(
  recipientKey: KeyObject,
  { holders, keys }: Plan,
  body: DealBody | undefined,
  planDigest: Uint8Array,
  commits: Uint8Array,
  pair: DealtPair,
): SecretPart[] | undefined {
  const sealed = body?.ciphertexts[holders.indexOf(pair.holder)];
  if (sealed === undefined) return undefined;
  let plaintext: Uint8Array;
  try {
    plaintext = openWith(recipientKey, sealed, bindPart(planDigest, commits, pair));
  } catch (error) {
    if (error instanceof HpkeError) return undefined;
    throw error;
  }
  const parts = keys.map((_, index) => ({
    sender: pair.dealer,
    value: plaintext.slice(index * SCALAR_BYTES, (index + 1) * SCALAR_BYTES),
  }));
  const isWhole = plaintext.length === keys.length * SCALAR_BYTES;
  plaintext.fill(0);
  if (isWhole) return parts;
  for (const { value } of parts) value.fill(0);
  return undefined;
}
