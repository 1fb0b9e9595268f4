import { getRandomValues } from 'node:crypto';
import { type KeyUsage, listUsages, type PoolKeyType } from '../../shared/algorithms.ts';
import { holdAgreement } from './agreement.ts';
import { holdBls } from './bls.ts';
import type { Curves } from './curves.ts';
import { holdEd25519 } from './ed25519.ts';
import { KeyError } from './errors.ts';
import type { HeldKey, HeldKeyType, SigningKey, SoleKeyType } from './held-key.ts';
import { holdHmac } from './hmac.ts';
import { holdP256 } from './p256.ts';
import { holdP384 } from './p384.ts';
import { generateRsa, holdRsa } from './rsa.ts';
import { holdSecp256k1 } from './secp256k1.ts';
import { parseSerialisedSecret, secretBytesOf } from './serialised-key.ts';
import { holdAes } from './aes.ts';

const SIGNING: Readonly<
  Record<SoleKeyType, (curves: Curves, secret: Uint8Array, poolUsage?: KeyUsage) => SigningKey>
> = {
  ed25519: holdEd25519,
  p256: holdP256,
  p384: holdP384,
  secp256k1: holdSecp256k1,
  'bls12-381': (_curves, secret) => holdBls(secret),
};

function holdPoolKey(curves: Curves, type: PoolKeyType, usage: KeyUsage, secret: Uint8Array): HeldKey {
  switch (type) {
    case 'ed25519':
    case 'secp256k1':
      return SIGNING[type](curves, secret, usage);
    case 'p256':
    case 'p384':
      return usage === 'agree' ? holdAgreement(type, secret) : SIGNING[type](curves, secret, usage);
    case 'rsa-2048':
    case 'rsa-3072':
    case 'rsa-4096':
      return holdRsa(curves, type, usage, secret);
    case 'aes-256':
      return holdAes(secret);
    case 'hmac-224':
    case 'hmac-256':
    case 'hmac-384':
    case 'hmac-512':
    default:
      return holdHmac(type, secret);
  }
}

/** Draws in a row that may be out of range: for P-256 one of 2^32 is, for secp256k1 and P-384 fewer. */
const MAX_DRAWS = 8;
/** Of BLS12-381 more than every second draw is out of range: 2^-110 is the chance of as many in a row. */
const MAX_BLS_DRAWS = 128;

/**
 * Makes a secret from the kernel's randomness; boot has checked that the NSM feeds it. Draws again where the bytes are no
 * scalar of the curve, so that all scalars are equally likely (FIPS 186-5, A.2.2).
 */
function draw<Key>(type: HeldKeyType, hold: (secret: Uint8Array) => Key): Key {
  const maximum = type === 'bls12-381' ? MAX_BLS_DRAWS : MAX_DRAWS;
  const secret = new Uint8Array(secretBytesOf(type));
  try {
    for (let draws = 1; ; draws += 1) {
      getRandomValues(secret);
      try {
        return hold(secret);
      } catch (error) {
        const isOutOfRange = error instanceof KeyError && error.code === 'KEY_MALFORMED';
        if (!isOutOfRange || draws === maximum) throw error;
      }
    }
  } finally {
    secret.fill(0);
  }
}

/** Makes a key of the configuration. */
export function generateKey(curves: Curves, type: SoleKeyType): SigningKey {
  return draw(type, (secret) => SIGNING[type](curves, secret));
}

/**
 * Makes a key of a pool. RSA keys are made in Node's thread pool, which blocks nothing else: 2048 bits take 0.1 s, 4096
 * bits a second or several.
 *
 * @throws KeyError USAGE_MISMATCH for a usage that the type has not
 */
export async function generatePoolKey(curves: Curves, type: PoolKeyType, usage: KeyUsage): Promise<HeldKey> {
  assertUsage(type, usage);
  switch (type) {
    case 'rsa-2048':
    case 'rsa-3072':
    case 'rsa-4096': {
      const secret = await generateRsa(type);
      try {
        return holdRsa(curves, type, usage, secret);
      } finally {
        secret.fill(0);
      }
    }
    case 'ed25519':
    case 'p256':
    case 'p384':
    case 'secp256k1':
    case 'aes-256':
    case 'hmac-224':
    case 'hmac-256':
    case 'hmac-384':
    case 'hmac-512':
    default:
      return draw(type, (secret) => holdPoolKey(curves, type, usage, secret));
  }
}

/**
 * Restores a key of the configuration from its serialised form (`HeldKey.serialise`). The caller clears `bytes`.
 *
 * @throws KeyError KEY_MALFORMED for another type, version, length or a scalar out of range
 */
export function restoreKey(curves: Curves, type: SoleKeyType, bytes: Uint8Array): SigningKey {
  return SIGNING[type](curves, parseSerialisedSecret({ type }, bytes));
}

/**
 * Restores a key of a pool, like `restoreKey`.
 *
 * @throws KeyError KEY_MALFORMED, also for another usage; USAGE_MISMATCH
 */
export function restorePoolKey(
  curves: Curves,
  type: PoolKeyType,
  usage: KeyUsage,
  bytes: Uint8Array,
): HeldKey {
  assertUsage(type, usage);
  return holdPoolKey(curves, type, usage, parseSerialisedSecret({ type, poolUsage: usage }, bytes));
}

function assertUsage(type: PoolKeyType, usage: KeyUsage): void {
  if (listUsages(type).includes(usage)) return;
  throw new KeyError('USAGE_MISMATCH', `no key of type ${type} is for ${usage}`, { type, usage });
}
