import { z } from 'zod';
import { AwsServiceError, optional, parseInput, type AuthenticatedRequest } from '../../aws/plumbing.ts';
import { admitNamed } from '../model/usable-key.ts';
import type { KmsContext } from '../model/context.ts';
import { describeKind } from '../model/describe-key.ts';
import { publicKeyOf } from '../model/key-material.ts';
import { specDetails } from '../model/key-spec.ts';
import { currentMaterial, type Key } from '../model/key-store.ts';
import { ciphertextSchema, messageSchema, signingAlgorithmSchema, useSchema } from '../model/schemas.ts';
import { signMessage, type Signed, verifyMessage } from '../model/signature.ts';

const publicKeySchema = useSchema.omit({ DryRun: true });
const signSchema = useSchema.extend({
  Message: messageSchema,
  MessageType: optional(z.enum(['RAW', 'DIGEST', 'EXTERNAL_MU'])).transform((type) => type ?? 'RAW'),
  SigningAlgorithm: signingAlgorithmSchema,
});
const verifySchema = signSchema.extend({ Signature: ciphertextSchema });

/** Source: AWS KMS API Reference, "GetPublicKey". */
export function getPublicKey(kms: KmsContext, request: AuthenticatedRequest): object {
  const key = admitNamed(kms, request, parseInput(publicKeySchema, request.input), {});
  const { type } = specDetails(key.spec);
  if (type === 'symmetric' || type === 'hmac') {
    throw new AwsServiceError('UnsupportedOperationException', `${key.arn} is a symmetric key.`);
  }
  return {
    KeyId: key.arn,
    PublicKey: publicKeyOf(currentMaterial(key)).toString('base64'),
    ...describeKind(key),
  };
}

/** Source: AWS KMS API Reference, "Sign". */
export function sign(kms: KmsContext, request: AuthenticatedRequest): object {
  const { key, signed } = admitSigning(kms, request, parseInput(signSchema, request.input));
  return {
    KeyId: key.arn,
    Signature: Buffer.from(signMessage(key, signed)).toString('base64'),
    SigningAlgorithm: signed.algorithm,
  };
}

/** Source: AWS KMS API Reference, "Verify". A signature that is not valid is an error, never an answer. */
export function verify(kms: KmsContext, request: AuthenticatedRequest): object {
  const input = parseInput(verifySchema, request.input);
  const { key, signed } = admitSigning(kms, request, input);
  if (!verifyMessage(key, signed, input.Signature)) {
    throw new AwsServiceError('KMSInvalidSignatureException', 'The signature is not valid.');
  }
  return { KeyId: key.arn, SignatureValid: true, SigningAlgorithm: signed.algorithm };
}

function admitSigning(
  kms: KmsContext,
  request: AuthenticatedRequest,
  input: z.output<typeof signSchema>,
): { readonly key: Key; readonly signed: Signed } {
  const { MessageType: messageType, SigningAlgorithm: algorithm } = input;
  const key = admitNamed(kms, request, input, {
    usage: 'SIGN_VERIFY',
    keys: { 'kms:SigningAlgorithm': algorithm, 'kms:MessageType': messageType },
    algorithm,
  });
  return { key, signed: { algorithm, messageType, message: input.Message } };
}
