import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { encodePae } from '../../shared/dsse/pae.ts';
import { BUNDLE_MEDIA_TYPE } from './bundle.ts';
import { describeKey } from './release-key.ts';

/**
 * Signs bytes as `cosign sign-blob --key` does, without a transparency log.
 *
 * @param privateKey ECDSA over P-256 or P-384
 * @returns a Sigstore bundle v0.3
 * @throws ReleaseError RELEASE_KEY_MALFORMED
 *
 * Source: sigstore/protobuf-specs, sigstore_bundle.proto.
 */
export function signBlobBundle(blob: Uint8Array, privateKey: KeyObject): Uint8Array {
  const { hint, digest } = describeKey(createPublicKey(privateKey));
  return encodeBundle(hint, {
    messageSignature: {
      messageDigest: {
        algorithm: digest === 'sha256' ? 'SHA2_256' : 'SHA2_384',
        digest: createHash(digest).update(blob).digest('base64'),
      },
      signature: sign(digest, blob, privateKey).toString('base64'),
    },
  });
}

/**
 * Signs a payload as `cosign attest-blob --key` does: a DSSE envelope, without a transparency log.
 *
 * @returns a Sigstore bundle v0.3
 * @throws ReleaseError RELEASE_KEY_MALFORMED
 *
 * Source: secure-systems-lab/dsse, "Protocol".
 */
export function signEnvelopeBundle(
  payloadType: string,
  payload: Uint8Array,
  privateKey: KeyObject,
): Uint8Array {
  const { hint, digest } = describeKey(createPublicKey(privateKey));
  const sig = sign(digest, encodePae(payloadType, payload), privateKey).toString('base64');
  return encodeBundle(hint, {
    dsseEnvelope: {
      payload: Buffer.from(payload).toString('base64'),
      payloadType,
      signatures: [{ sig }],
    },
  });
}

function encodeBundle(hint: string, content: object): Uint8Array {
  return Buffer.from(
    JSON.stringify({
      mediaType: BUNDLE_MEDIA_TYPE,
      verificationMaterial: { publicKey: { hint } },
      ...content,
    }),
  );
}
