import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import {
  assertEncryption,
  dataKeyLength,
  dataKeySchema,
  type EncryptionContext,
  isKeySpec,
  KEY_SPEC_NAMES,
  randomSchema,
  recipientMember,
  sealedDataKeySchema,
  sealedPairSchema,
  specDetails,
} from '../../../shared/kms/index.ts';
import { AwsServiceError, parseInput, type AuthenticatedRequest } from '../../aws/plumbing.ts';
import { admitNamed, type KeyUse } from '../model/usable-key.ts';
import { assertIdentityAllows } from '../model/authorize.ts';
import type { KmsContext } from '../model/context.ts';
import { encryptWith } from '../model/encryption.ts';
import { generatePair } from '../model/key-material.ts';
import { currentMaterial, type Key } from '../model/key-store.ts';
import { deliver, verifyRecipient, type VerifiedRecipient } from '../model/recipient.ts';

/** Kinds of pairs that AWS makes as data keys: those for signatures of ML-DSA are not among them. */
const PAIR_SPECS = KEY_SPEC_NAMES.filter((name) => {
  const { type } = specDetails(name);
  return type !== 'symmetric' && type !== 'hmac' && type !== 'ml-dsa';
});

const withoutPlaintextSchema = sealedPairSchema.extend({ KeyPairSpec: z.enum([...PAIR_SPECS, 'SM2']) });
const pairSchema = withoutPlaintextSchema.extend(recipientMember);

/** Source: AWS KMS API Reference, "GenerateDataKey". */
export async function generateDataKey(kms: KmsContext, request: AuthenticatedRequest): Promise<object> {
  const input = parseInput(dataKeySchema, request.input);
  const recipient = await verifyRecipient(input.Recipient, kms.verifyRecipient, request.now);
  const { key, dataKey, sealed } = makeDataKey(kms, request, input, recipient);
  return { ...sealed, KeyId: key.arn, ...deliver(kms.cmsShape, 'Plaintext', dataKey, recipient) };
}

/** Source: AWS KMS API Reference, "GenerateDataKeyWithoutPlaintext". It takes no Recipient: nothing is delivered. */
export function generateDataKeyWithoutPlaintext(kms: KmsContext, request: AuthenticatedRequest): object {
  const { key, dataKey, sealed } = makeDataKey(kms, request, parseInput(sealedDataKeySchema, request.input));
  dataKey.fill(0);
  return { ...sealed, KeyId: key.arn };
}

/** Source: AWS KMS API Reference, "GenerateDataKeyPair". The private key is PKCS #8, the public one X.509, both DER. */
export async function generateDataKeyPair(kms: KmsContext, request: AuthenticatedRequest): Promise<object> {
  const input = parseInput(pairSchema, request.input);
  const recipient = await verifyRecipient(input.Recipient, kms.verifyRecipient, request.now);
  const { privateKey, answer } = await makePair(kms, request, input, recipient);
  return { ...answer, ...deliver(kms.cmsShape, 'PrivateKeyPlaintext', privateKey, recipient) };
}

/** Source: AWS KMS API Reference, "GenerateDataKeyPairWithoutPlaintext". It takes no Recipient. */
export async function generateDataKeyPairWithoutPlaintext(
  kms: KmsContext,
  request: AuthenticatedRequest,
): Promise<object> {
  const { privateKey, answer } = await makePair(
    kms,
    request,
    parseInput(withoutPlaintextSchema, request.input),
  );
  privateKey.fill(0);
  return answer;
}

/** Source: AWS KMS API Reference, "GenerateRandom". No key, so no key policy: the caller's own policies decide. */
export async function generateRandom(kms: KmsContext, request: AuthenticatedRequest): Promise<object> {
  const input = parseInput(randomSchema, request.input);
  if (input.CustomKeyStoreId !== undefined) {
    throw new AwsServiceError('CustomKeyStoreNotFoundException', 'There are no custom key stores here');
  }
  const recipient = await verifyRecipient(input.Recipient, kms.verifyRecipient, request.now);
  assertIdentityAllows(request, { pcrs: recipient?.pcrs });
  return deliver(kms.cmsShape, 'Plaintext', randomBytes(input.NumberOfBytes), recipient);
}

function makeDataKey(
  kms: KmsContext,
  request: AuthenticatedRequest,
  input: z.output<typeof sealedDataKeySchema>,
  recipient?: VerifiedRecipient,
): { readonly key: Key; readonly dataKey: Uint8Array; readonly sealed: object } {
  const length = dataKeyLength(input);
  const key = admitSealing(kms, request, input, recipient);
  const dataKey = randomBytes(length);
  return { key, dataKey, sealed: seal(key, 'CiphertextBlob', input.EncryptionContext, dataKey) };
}

async function makePair(
  kms: KmsContext,
  request: AuthenticatedRequest,
  input: z.output<typeof withoutPlaintextSchema>,
  recipient?: VerifiedRecipient,
): Promise<{ readonly privateKey: Uint8Array; readonly answer: object }> {
  const { KeyPairSpec: spec } = input;
  const key = admitSealing(kms, request, input, recipient, { 'kms:DataKeyPairSpec': spec });
  if (!isKeySpec(spec)) throw new AwsServiceError('UnsupportedOperationException', `No ${spec} here`);
  const pair = await generatePair(spec);
  const privateKey = pair.privateKey.export({ format: 'der', type: 'pkcs8' });
  const answer = {
    ...seal(key, 'PrivateKeyCiphertextBlob', input.EncryptionContext, privateKey),
    PublicKey: pair.publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
    KeyId: key.arn,
    KeyPairSpec: spec,
  };
  return { privateKey, answer };
}

function seal(key: Key, member: string, context: EncryptionContext, secret: Uint8Array): object {
  const blob = encryptWith(key, { algorithm: 'SYMMETRIC_DEFAULT', context }, secret);
  return { [member]: Buffer.from(blob).toString('base64'), KeyMaterialId: currentMaterial(key).id };
}

/** Admits the making of a data key under a symmetric key. */
function admitSealing(
  kms: KmsContext,
  request: AuthenticatedRequest,
  input: Pick<z.output<typeof sealedDataKeySchema>, 'KeyId' | 'EncryptionContext' | 'GrantTokens' | 'DryRun'>,
  recipient?: VerifiedRecipient,
  keys: KeyUse['keys'] = {},
): Key {
  const { EncryptionContext: context } = input;
  assertEncryption({ algorithm: 'SYMMETRIC_DEFAULT', context });
  return admitNamed(kms, request, input, {
    usage: 'ENCRYPT_DECRYPT',
    type: 'symmetric',
    pcrs: recipient?.pcrs,
    encryptionContext: context,
    keys: { ...keys, 'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT' },
  });
}
