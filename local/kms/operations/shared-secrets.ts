import {
  createPublicKey,
  decapsulate as open,
  diffieHellman,
  encapsulate as seal,
  type KeyObject,
} from 'node:crypto';
import { z } from 'zod';
import {
  ciphertextSchema,
  deriveSecretSchema,
  invalid,
  invalidCiphertext,
  useSchema,
} from '../../../shared/kms/index.ts';
import { parseInput, type AuthenticatedRequest } from '../../aws/plumbing.ts';
import { admitNamed } from '../model/usable-key.ts';
import type { KmsContext } from '../model/context.ts';
import { privateKeyOf } from '../model/key-material.ts';
import { currentMaterial, type Key } from '../model/key-store.ts';
import { deliver, verifyRecipient } from '../model/recipient.ts';

const encapsulateSchema = useSchema.extend({ EncapsulationAlgorithm: z.literal('ML_KEM') });
const decapsulateSchema = encapsulateSchema.extend({ SharedSecretCiphertextBlob: ciphertextSchema });

/** Source: AWS KMS API Reference, "DeriveSharedSecret". */
export async function deriveSharedSecret(kms: KmsContext, request: AuthenticatedRequest): Promise<object> {
  const input = parseInput(deriveSecretSchema, request.input);
  const { KeyAgreementAlgorithm: algorithm } = input;
  const recipient = await verifyRecipient(input.Recipient, kms.verifyRecipient, request.now);
  const key = admitNamed(kms, request, input, {
    usage: 'KEY_AGREEMENT',
    pcrs: recipient?.pcrs,
    keys: { 'kms:KeyAgreementAlgorithm': algorithm },
    algorithm,
  });
  const secret = derive(privateKeyOf(currentMaterial(key)), input.PublicKey);
  return {
    KeyId: key.arn,
    KeyAgreementAlgorithm: algorithm,
    KeyOrigin: 'AWS_KMS',
    ...deliver(kms.cmsShape, 'SharedSecret', secret, recipient),
  };
}

/** Source: AWS KMS API Reference, "Encapsulate". */
export function encapsulate(kms: KmsContext, request: AuthenticatedRequest): object {
  const input = parseInput(encapsulateSchema, request.input);
  const key = admitEncapsulation(kms, request, input);
  const { ciphertext, sharedKey } = seal(createPublicKey(privateKeyOf(currentMaterial(key))));
  return {
    KeyId: key.arn,
    EncapsulationAlgorithm: 'ML_KEM',
    SharedSecret: Buffer.from(sharedKey).toString('base64'),
    SharedSecretCiphertextBlob: Buffer.from(ciphertext).toString('base64'),
  };
}

/** Source: AWS KMS API Reference, "Decapsulate". It takes no Recipient. */
export function decapsulate(kms: KmsContext, request: AuthenticatedRequest): object {
  const input = parseInput(decapsulateSchema, request.input);
  const key = admitEncapsulation(kms, request, input);
  return {
    KeyId: key.arn,
    EncapsulationAlgorithm: 'ML_KEM',
    SharedSecret: Buffer.from(openSecret(key, input.SharedSecretCiphertextBlob)).toString('base64'),
  };
}

function admitEncapsulation(
  kms: KmsContext,
  request: AuthenticatedRequest,
  input: z.output<typeof encapsulateSchema>,
): Key {
  const { EncapsulationAlgorithm: algorithm } = input;
  return admitNamed(kms, request, input, {
    usage: 'ENCAPSULATE_DECAPSULATE',
    keys: { 'kms:EncapsulationAlgorithm': algorithm },
    algorithm,
  });
}

/**
 * Opens a ciphertext, which always succeeds at the right length: a changed one gives another secret (FIPS 203, section
 * 6.3).
 */
function openSecret(key: Key, ciphertext: Uint8Array): Uint8Array {
  try {
    return open(privateKeyOf(currentMaterial(key)), ciphertext);
  } catch {
    throw invalidCiphertext();
  }
}

function derive(privateKey: KeyObject, spki: Uint8Array): Uint8Array {
  try {
    const publicKey = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
    return diffieHellman({ privateKey, publicKey });
  } catch {
    throw invalid('The public key is not one on the curve of the KMS key.');
  }
}
