import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  hash,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
} from 'node:crypto';
import { promisify } from 'node:util';
import { type Algorithm, describeAlgorithm, type KeyUsage } from '../../shared/algorithms.ts';
import { parsePublicKey } from '../../shared/public-keys.ts';
import { assertSignable } from '../signer/index.ts';
import { decryptionFailed } from './aes.ts';
import { completeKey } from './complete-key.ts';
import type { Curves, DigestAlgorithm } from './curves.ts';
import { KeyError } from './errors.ts';
import type { EncryptionContext } from './held-key.ts';
import { holdSecret } from './secret.ts';
import { serialiseSecret } from './serialised-key.ts';

type RsaType = 'rsa-2048' | 'rsa-3072' | 'rsa-4096';

const MODULUS_BYTES = { 'rsa-2048': 256, 'rsa-3072': 384, 'rsa-4096': 512 } as const;
const PUBLIC_EXPONENT = 65_537;
const OAEP_HASHES: Partial<Record<Algorithm, { readonly name: string; readonly bytes: number }>> = {
  'rsa-oaep-sha1': { name: 'sha1', bytes: 20 },
  'rsa-oaep-sha256': { name: 'sha256', bytes: 32 },
};
const generate = promisify(generateKeyPair);

/** Makes an RSA key in Node's thread pool: its PrivateKeyInfo in DER, which the caller clears. */
export async function generateRsa(type: RsaType): Promise<Uint8Array> {
  const { privateKey } = await generate('rsa', {
    modulusLength: 8 * MODULUS_BYTES[type],
    publicExponent: PUBLIC_EXPONENT,
  });
  return privateKey.export({ format: 'der', type: 'pkcs8' });
}

/**
 * Holds an RSA key (RFC 8017), which signs by RSASSA-PSS and RSASSA-PKCS1-v1_5, or encrypts by RSAES-OAEP. OpenSSL blinds
 * what it computes with the private exponent, and decodes OAEP in constant time.
 *
 * @param bytes PrivateKeyInfo in DER, as OpenSSL writes it
 * @throws KeyError KEY_MALFORMED for another length of the modulus, another exponent or another spelling
 */
export function holdRsa(curves: Curves, type: RsaType, usage: KeyUsage, bytes: Uint8Array) {
  const secret = holdSecret(bytes);
  let privateKey: KeyObject | undefined;
  try {
    privateKey = readPrivateKey(secret.use());
  } catch (error) {
    secret.destroy();
    throw error;
  }
  const publicObject = createPublicKey(privateKey);
  const publicKey = new Uint8Array(publicObject.export({ format: 'der', type: 'spki' }));
  if (parsePublicKey(publicKey)?.type !== type) {
    secret.destroy();
    throw malformed();
  }
  const digestKey = usage === 'sign' ? curves.holdDigestKey(secret.use()) : undefined;
  const decrypting = () => {
    if (privateKey === undefined) throw new KeyError('KEY_DESTROYED', 'the key was destroyed');
    return privateKey;
  };
  const held = {
    type,
    usage,
    publicKey,
    serialise: () => serialiseSecret({ type, poolUsage: usage }, secret.use()),
    destroy() {
      privateKey = undefined;
      digestKey?.clear();
      secret.destroy();
    },
  };
  return completeKey(held, {
    sign(request) {
      assertSignable(type, request);
      secret.use();
      const { algorithm, payload } = request;
      if (digestKey === undefined || payload.kind === 'taproot-sighash')
        throw new KeyError('PAYLOAD_MISMATCH', 'RSA signs a message or digest, found taproot-sighash');
      const digest =
        payload.kind === 'message' ? hash(hashOf(algorithm), payload.message, 'buffer') : payload.digest;
      return { signature: digestKey.signDigest(algorithm as DigestAlgorithm, digest), publicKey };
    },
    encrypt({ algorithm, plaintext, context }) {
      const oaep = chooseOaep(algorithm, context);
      decrypting();
      if (plaintext.length > MODULUS_BYTES[type] - 2 * oaep.bytes - 2)
        throw new KeyError('PLAINTEXT_TOO_LONG', `${type} encrypts no ${plaintext.length} bytes`, {
          length: plaintext.length,
        });
      return new Uint8Array(
        publicEncrypt(
          { key: publicObject, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: oaep.name },
          plaintext,
        ),
      );
    },
    decrypt({ algorithm, ciphertext, context }) {
      const oaep = chooseOaep(algorithm, context);
      const key = decrypting();
      if (ciphertext.length !== MODULUS_BYTES[type]) throw decryptionFailed();
      try {
        const padding = constants.RSA_PKCS1_OAEP_PADDING;
        return new Uint8Array(privateDecrypt({ key, padding, oaepHash: oaep.name }, ciphertext));
      } catch {
        throw decryptionFailed();
      }
    },
  });
}

/** Reads a PrivateKeyInfo, of which there is one spelling. @throws KeyError KEY_MALFORMED */
function readPrivateKey(info: Uint8Array<ArrayBuffer>): KeyObject {
  let key: KeyObject;
  let spelled: Uint8Array | undefined;
  try {
    key = createPrivateKey({ key: Buffer.from(info.buffer), format: 'der', type: 'pkcs8' });
    spelled = key.asymmetricKeyType === 'rsa' ? key.export({ format: 'der', type: 'pkcs8' }) : undefined;
  } catch (cause) {
    throw malformed(cause);
  }
  const isSame = spelled !== undefined && Buffer.compare(spelled, info) === 0;
  spelled?.fill(0);
  if (!isSame) throw malformed();
  return key;
}

function malformed(cause?: unknown): KeyError {
  return new KeyError('KEY_MALFORMED', 'expected a PrivateKeyInfo of an RSA key of the type', {}, cause);
}

function hashOf(algorithm: Algorithm): string {
  return `sha${8 * describeAlgorithm(algorithm).digestBytes}`;
}

function chooseOaep(algorithm: Algorithm, context: EncryptionContext | undefined) {
  const oaep = OAEP_HASHES[algorithm];
  if (oaep === undefined) throw new KeyError('ALGORITHM_MISMATCH', `RSAES-OAEP is not ${algorithm}`);
  if (Object.keys(context ?? {}).length > 0)
    throw new KeyError('CONTEXT_UNEXPECTED', 'RSAES-OAEP binds a ciphertext to no context');
  return oaep;
}
