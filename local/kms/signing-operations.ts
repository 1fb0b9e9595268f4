import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { p256, p384, p521 } from '@noble/curves/nist.js';
import { z } from 'zod';
import { AwsServiceError, blob, optional, parseInput, type AuthenticatedRequest } from '../aws/plumbing.ts';
import { admitUse, scopeOf } from './admission.ts';
import type { KmsContext } from './context.ts';
import { KEY_SPECS, type SigningSpec } from './key-spec.ts';
import type { Key } from './key-store.ts';

const MAX_MESSAGE = 4096;

const publicKeySchema = z.object({
  KeyId: z.string().min(1).max(2048),
  GrantTokens: optional(z.array(z.string())),
});
const signSchema = publicKeySchema.extend({
  Message: blob(1, MAX_MESSAGE),
  MessageType: optional(z.enum(['RAW', 'DIGEST'])).transform((type) => type ?? 'RAW'),
  SigningAlgorithm: z.string(),
  DryRun: optional(z.boolean()),
});

/** Source: AWS KMS API Reference, "GetPublicKey". */
export async function getPublicKey(kms: KmsContext, request: AuthenticatedRequest): Promise<object> {
  const { KeyId: named, GrantTokens: grantTokens } = parseInput(publicKeySchema, request.input);
  const key = kms.keys.resolve(named, scopeOf(request));
  const spec = signingSpecOf(key);
  admitUse(kms, request, key, { usage: 'SIGN_VERIFY', named, grantTokens, facts: {} });
  const spki = createPublicKey(privateKeyOf(key)).export({ format: 'der', type: 'spki' });
  return {
    KeyId: key.arn,
    PublicKey: spki.toString('base64'),
    KeySpec: key.spec,
    CustomerMasterKeySpec: key.spec,
    KeyUsage: spec.usage,
    SigningAlgorithms: [spec.algorithm],
  };
}

/** Source: AWS KMS API Reference, "Sign". Like AWS's, its signatures of one message differ from each other. */
export async function sign(kms: KmsContext, request: AuthenticatedRequest): Promise<object> {
  const input = parseInput(signSchema, request.input);
  const { KeyId: named, MessageType: messageType, Message: message, SigningAlgorithm: algorithm } = input;
  const key = kms.keys.resolve(named, scopeOf(request));
  const spec = signingSpecOf(key);
  admitUse(kms, request, key, {
    usage: 'SIGN_VERIFY',
    named,
    facts: { keys: { 'kms:SigningAlgorithm': algorithm, 'kms:MessageType': messageType } },
    algorithm: { asked: algorithm, has: spec.algorithm },
    grantTokens: input.GrantTokens,
    dryRun: input.DryRun,
  });
  const digest = messageType === 'DIGEST' ? message : createHash(spec.hash).update(message).digest();
  if (digest.length !== spec.digestBytes) {
    throw new AwsServiceError('ValidationException', 'Digest is invalid length for the algorithm.');
  }
  const signature = signDigest(key, spec, digest);
  return {
    KeyId: key.arn,
    Signature: Buffer.from(signature).toString('base64'),
    SigningAlgorithm: algorithm,
  };
}

/** node:crypto signs no digest that it has not made itself. */
function signDigest(key: Key, { curve }: SigningSpec, digest: Uint8Array): Uint8Array {
  const { d } = privateKeyOf(key).export({ format: 'jwk' });
  const ecdsa = { 'P-256': p256, 'P-384': p384, 'P-521': p521 }[curve];
  const options = { prehash: false, lowS: false, extraEntropy: true, format: 'der' } as const;
  return ecdsa.sign(digest, Buffer.from(d ?? '', 'base64url'), options);
}

function privateKeyOf(key: Key): KeyObject {
  return createPrivateKey({ key: Buffer.from(key.material), format: 'der', type: 'pkcs8' });
}

function signingSpecOf({ spec, arn }: Key): SigningSpec {
  const details = KEY_SPECS[spec];
  if (details.usage === 'SIGN_VERIFY') return details;
  throw new AwsServiceError('UnsupportedOperationException', `${arn} is a symmetric key.`);
}
