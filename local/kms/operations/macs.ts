import { createHmac, timingSafeEqual } from 'node:crypto';
import type { z } from 'zod';
import { AwsServiceError, parseInput, type AuthenticatedRequest } from '../../aws/plumbing.ts';
import { admitNamed } from '../model/usable-key.ts';
import type { KmsContext } from '../model/context.ts';
import { currentMaterial, type Key } from '../model/key-store.ts';
import { ciphertextSchema, macAlgorithmSchema, messageSchema, useSchema } from '../model/schemas.ts';

const generateSchema = useSchema.extend({ Message: messageSchema, MacAlgorithm: macAlgorithmSchema });
const verifySchema = generateSchema.extend({ Mac: ciphertextSchema });

/** Source: AWS KMS API Reference, "GenerateMac". */
export function generateMac(kms: KmsContext, request: AuthenticatedRequest): object {
  const input = parseInput(generateSchema, request.input);
  const { key, mac } = admitMac(kms, request, input);
  return { KeyId: key.arn, Mac: mac.toString('base64'), MacAlgorithm: input.MacAlgorithm };
}

/** Source: AWS KMS API Reference, "VerifyMac". A MAC that is not valid is an error, never an answer. */
export function verifyMac(kms: KmsContext, request: AuthenticatedRequest): object {
  const input = parseInput(verifySchema, request.input);
  const { key, mac } = admitMac(kms, request, input);
  if (mac.length !== input.Mac.length || !timingSafeEqual(mac, input.Mac)) {
    throw new AwsServiceError('KMSInvalidMacException', 'The MAC is not valid.');
  }
  return { KeyId: key.arn, MacValid: true, MacAlgorithm: input.MacAlgorithm };
}

function admitMac(
  kms: KmsContext,
  request: AuthenticatedRequest,
  input: z.output<typeof generateSchema>,
): { readonly key: Key; readonly mac: Buffer } {
  const { MacAlgorithm: algorithm } = input;
  const key = admitNamed(kms, request, input, {
    usage: 'GENERATE_VERIFY_MAC',
    keys: { 'kms:MacAlgorithm': algorithm },
    algorithm,
  });
  const hash = `sha${algorithm.slice(-3)}`;
  return { key, mac: createHmac(hash, currentMaterial(key).bytes).update(input.Message).digest() };
}
