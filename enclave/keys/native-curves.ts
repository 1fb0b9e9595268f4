import { InternalError } from '../../shared/errors.ts';
import type { KeyHandle, NativeAddon } from '../../shared/native/addon.ts';
import type { Curves, TaprootSignature } from './curves.ts';

type NativeKeys = Pick<
  NativeAddon,
  | 'holdP256'
  | 'holdSecp256k1'
  | 'publicKey'
  | 'copySecret'
  | 'clearKey'
  | 'signEcdsa'
  | 'signBip340'
  | 'signTaproot'
  | 'holdDigestKey'
  | 'signDigest'
  | 'clearDigestKey'
>;

const SIGNATURE_BYTES = 64;

/**
 * Creates the curves of the addon: libsecp256k1 for secp256k1, Node's OpenSSL for P-256. Both are constant time in the
 * secret. The addon holds the keys in locked memory of its own, which `clear` overwrites.
 */
export function createNativeCurves(native: NativeKeys): Curves {
  const share = (handle: KeyHandle) => ({
    publicKey: native.publicKey(handle),
    copySecret: (target: Uint8Array) => native.copySecret(handle, target),
    clear: () => native.clearKey(handle),
  });
  return {
    holdP256(secret) {
      const handle = native.holdP256(secret);
      if (handle === null) return undefined;
      return { ...share(handle), signEcdsa: (digest) => native.signEcdsa(handle, digest) };
    },
    holdSecp256k1(secret) {
      const handle = native.holdSecp256k1(secret);
      if (handle === null) return undefined;
      return {
        ...share(handle),
        signEcdsa(digest) {
          const bytes = native.signEcdsa(handle, digest);
          const recovery = bytes[SIGNATURE_BYTES];
          if (recovery !== 0 && recovery !== 1)
            throw new InternalError('expected the recovery number 0 or 1');
          return { signature: bytes.subarray(0, SIGNATURE_BYTES), recovery };
        },
        signBip340: (digest, auxiliary) => splitSignature(native.signBip340(handle, digest, auxiliary)),
        signTaproot: (digest, auxiliary, merkleRoot) =>
          splitSignature(native.signTaproot(handle, digest, auxiliary, merkleRoot)),
      };
    },
    holdDigestKey(privateKeyInfo) {
      const handle = native.holdDigestKey(privateKeyInfo);
      return {
        signDigest: (algorithm, digest) => native.signDigest(handle, algorithm, digest),
        clear: () => native.clearDigestKey(handle),
      };
    },
  };
}

function splitSignature(bytes: Uint8Array): TaprootSignature {
  return { signature: bytes.subarray(0, SIGNATURE_BYTES), publicKey: bytes.subarray(SIGNATURE_BYTES) };
}
