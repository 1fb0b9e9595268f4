import { openKms } from '../../admin/aws/index.ts';
import { createKmsSigner } from '../../admin/image-signing/index.ts';
import { createLocalSigner, type EifSigner } from '../../attestation/eif/index.ts';
import { readAwsAccess } from '../common/aws.ts';
import { type CommandInput, readInput, UsageError } from '../common/command.ts';
import { readPrivateKey } from '../common/private-key.ts';

const MAX_CERTIFICATE_BYTES = 64 * 1024;
/** A key or an alias. */
const KMS_ARN = /^arn:aws[a-z-]*:kms:([a-z0-9-]{1,32}):[0-9]{12}:(?:key|alias)\/[\w/-]{1,256}$/;

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
 * @throws UsageError; CliError as those of the key's file; AdminError as those of AWS; EifError EIF_CERTIFICATE, EIF_CERTIFICATE_TIME,
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
    { keyId: key, certificate: pem, at: new Date() },
    input.io.signal,
  );
}
