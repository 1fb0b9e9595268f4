import { createHmac, timingSafeEqual } from 'node:crypto';
import type { z } from 'zod';
import { invalidMac, macSchema, verifyMacSchema } from '../../../shared/kms/index.ts';
import { parseInput, type AuthenticatedRequest } from '../../aws/plumbing.ts';
import { admitNamed } from '../model/usable-key.ts';
import type { KmsContext } from '../model/context.ts';
import { currentMaterial, type Key } from '../model/key-store.ts';

/** Source: AWS KMS API Reference, "GenerateMac". */
export function generateMac(kms: KmsContext, request: AuthenticatedRequest): object {
  const input = parseInput(macSchema, request.input);
  const { key, mac } = admitMac(kms, request, input);
  return { KeyId: key.arn, Mac: mac.toString('base64'), MacAlgorithm: input.MacAlgorithm };
}

/** Source: AWS KMS API Reference, "VerifyMac". */
export function verifyMac(kms: KmsContext, request: AuthenticatedRequest): object {
  const input = parseInput(verifyMacSchema, request.input);
  const { key, mac } = admitMac(kms, request, input);
  if (mac.length !== input.Mac.length || !timingSafeEqual(mac, input.Mac)) throw invalidMac();
  return { KeyId: key.arn, MacValid: true, MacAlgorithm: input.MacAlgorithm };
}

function admitMac(
  kms: KmsContext,
  request: AuthenticatedRequest,
  input: z.output<typeof macSchema>,
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
