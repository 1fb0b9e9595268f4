import { createPublicKey } from 'node:crypto';
import type { KMSClient } from '@aws-sdk/client-kms';
import { createDigestSigner, EifError, type EifSigner } from '../../attestation/eif/index.ts';
import { askAws } from '../aws/index.ts';
import { AdminError } from '../errors.ts';

/** KMS's names for the algorithms of COSE (RFC 9053, section 2.1). */
const ALGORITHMS = { ES256: 'ECDSA_SHA_256', ES384: 'ECDSA_SHA_384', ES512: 'ECDSA_SHA_512' } as const;

/** The key in KMS and the certificate that names its public half. */
export interface KmsSigningKey {
  /** ARN, alias or id of a key for SIGN_VERIFY. */
  readonly keyId: string;
  /** PEM. */
  readonly certificate: Uint8Array;
  /** When the certificate has to be valid. */
  readonly at: Date;
}

/**
 * Makes ready to sign images with a key that stays in KMS, which gets the digest of what is signed: PCR0 and a header.
 *
 * @throws AdminError AWS_…, INTERRUPTED, also when an image is signed; EifError EIF_CERTIFICATE, EIF_CERTIFICATE_TIME,
 *   EIF_SIGNING_KEY, EIF_SIGNING_KEY_OTHER
 */
export async function createKmsSigner(
  kms: Pick<KMSClient, 'send'>,
  { keyId, certificate, at }: KmsSigningKey,
  abortSignal: AbortSignal,
): Promise<EifSigner> {
  const { GetPublicKeyCommand, SignCommand } = await import('@aws-sdk/client-kms');
  const { PublicKey: spki, KeyUsage: usage } = await askAws(
    'kms:GetPublicKey',
    kms.send(new GetPublicKeyCommand({ KeyId: keyId }), { abortSignal }),
  );
  if (spki === undefined || usage !== 'SIGN_VERIFY') {
    throw new EifError('EIF_SIGNING_KEY', 'the key in KMS is not one for signatures', {
      expected: 'SIGN_VERIFY',
      actual: usage,
    });
  }
  const publicKey = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  return createDigestSigner({ certificate, publicKey, at }, async (digest, algorithm) => {
    const { Signature: signature } = await askAws(
      'kms:Sign',
      kms.send(
        new SignCommand({
          KeyId: keyId,
          Message: digest,
          MessageType: 'DIGEST',
          SigningAlgorithm: ALGORITHMS[algorithm],
        }),
        { abortSignal },
      ),
    );
    if (signature === undefined) {
      throw new AdminError('AWS_REFUSED', 'KMS answered without a signature', { operation: 'kms:Sign' });
    }
    return signature;
  });
}
