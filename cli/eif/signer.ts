import { createPublicKey } from 'node:crypto';
import type { KMSClient } from '@aws-sdk/client-kms';
import {
  createDigestSigner,
  createLocalSigner,
  EifError,
  type EifSigner,
} from '../../attestation/eif/index.ts';
import { askAws, openKms } from '../../admin/aws/index.ts';
import { readAwsAccess } from '../common/aws.ts';
import { type CommandInput, readInput, UsageError } from '../command.ts';
import { AdminError } from '../../admin/errors.ts';
import { readPrivateKey } from '../common/private-key.ts';

const MAX_CERTIFICATE_BYTES = 64 * 1024;
/** A key or an alias. */
const KMS_ARN = /^arn:aws[a-z-]*:kms:([a-z0-9-]{1,32}):[0-9]{12}:(?:key|alias)\/[\w/-]{1,256}$/;
const ALGORITHMS = { ES256: 'ECDSA_SHA_256', ES384: 'ECDSA_SHA_384', ES512: 'ECDSA_SHA_512' } as const;

/** Where the key that signs an image is. */
export interface SigningOptions {
  /** A PEM file; or a key in KMS: an ARN, or with `region` an id or alias. */
  readonly key: string;
  /** A PEM file. */
  readonly certificate: string;
  /** Of the key in KMS. */
  readonly region?: string | undefined;
}

/**
 * Makes ready to sign an image, and refuses what would not make a signature that nitro-cli starts: another key than the
 * certificate's, a certificate that is not valid now.
 * @throws UsageError; CliError as those of the key's file and of AWS; EifError EIF_CERTIFICATE, EIF_CERTIFICATE_TIME,
 *   EIF_SIGNING_KEY, EIF_SIGNING_KEY_OTHER
 */
export async function openSigner(
  { key, certificate, region }: SigningOptions,
  input: Pick<CommandInput, 'text' | 'io'>,
): Promise<EifSigner> {
  const pem = await readInput(certificate, input.io, MAX_CERTIFICATE_BYTES);
  const arnRegion = KMS_ARN.exec(key)?.[1];
  if (key.startsWith('arn:') && arnRegion === undefined) {
    throw new UsageError(`"${key}" is no key or alias in KMS`);
  }
  if (region !== undefined && arnRegion !== undefined && region !== arnRegion) {
    throw new UsageError(`the key is in ${arnRegion}, not in ${region}`);
  }
  const kmsRegion = arnRegion ?? region;
  if (kmsRegion === undefined) return createLocalSigner(await readPrivateKey(key), pem, new Date());
  return await createKmsSigner(
    await openKms(await readAwsAccess(input, kmsRegion)),
    key,
    pem,
    input.io.signal,
  );
}

/** The key stays in KMS, which gets the digest of what is signed: PCR0 and a header. */
async function createKmsSigner(
  kms: KMSClient,
  keyId: string,
  certificate: Uint8Array,
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
  return createDigestSigner({ certificate, publicKey, at: new Date() }, async (digest, algorithm) => {
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
