import type { z } from 'zod';
import {
  assertPair,
  describeKind,
  invalidSignature,
  publicKeySchema,
  type SignedMessage,
  signSchema,
  verifySchema,
} from '../../../shared/kms/index.ts';
import { parseInput, type AuthenticatedRequest } from '../../aws/plumbing.ts';
import { admitNamed } from '../model/usable-key.ts';
import type { KmsContext } from '../model/context.ts';
import { publicKeyOf } from '../model/key-material.ts';
import { currentMaterial, type Key } from '../model/key-store.ts';
import { signMessage, verifyMessage } from '../model/signature.ts';

/** Source: AWS KMS API Reference, "GetPublicKey". */
export function getPublicKey(kms: KmsContext, request: AuthenticatedRequest): object {
  const key = admitNamed(kms, request, parseInput(publicKeySchema, request.input), {});
  assertPair(key);
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

/** Source: AWS KMS API Reference, "Verify". */
export function verify(kms: KmsContext, request: AuthenticatedRequest): object {
  const input = parseInput(verifySchema, request.input);
  const { key, signed } = admitSigning(kms, request, input);
  if (!verifyMessage(key, signed, input.Signature)) throw invalidSignature();
  return { KeyId: key.arn, SignatureValid: true, SigningAlgorithm: signed.algorithm };
}

function admitSigning(
  kms: KmsContext,
  request: AuthenticatedRequest,
  input: z.output<typeof signSchema>,
): { readonly key: Key; readonly signed: SignedMessage } {
  const { MessageType: messageType, SigningAlgorithm: algorithm } = input;
  const key = admitNamed(kms, request, input, {
    usage: 'SIGN_VERIFY',
    keys: { 'kms:SigningAlgorithm': algorithm, 'kms:MessageType': messageType },
    algorithm,
  });
  return { key, signed: { algorithm, messageType, message: input.Message } };
}
