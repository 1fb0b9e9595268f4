import type { z } from 'zod';
import { encodeInteger, encodeSequence } from '../../../../shared/asn1/index.ts';
import { parseInput } from '../../../../shared/aws-json/index.ts';
import {
  assertEnabled,
  assertMessage,
  assertUsage,
  dryRun,
  invalidSignature,
  signSchema,
  verifySchema,
} from '../../../../shared/kms/index.ts';
import { signatureAlgorithmOf } from '../algorithms.ts';
import {
  assertNoGrantTokens,
  describeKey,
  findKey,
  type KmsContext,
  type KmsResult,
  showKey,
  toHex,
} from '../context.ts';
import { KmsRefusal } from '../errors.ts';
import type { KnownKey } from '../known-keys.ts';
import type { VerifiableAlgorithm } from '../../../../shared/signatures/verification.ts';
import { verifyMessage } from '../verify-message.ts';
import { nameOf, publicKeyOf } from './keys.ts';

type SignInput = z.output<typeof signSchema>;
/** Request for the signature of a message or digest that the node cannot read. */
interface BlindRequest {
  readonly key: string;
  readonly algorithm: VerifiableAlgorithm;
  readonly payload:
    | { readonly kind: 'digest'; readonly digest: string }
    | { readonly kind: 'message'; readonly message: string };
}

/**
 * Source: AWS KMS API Reference, "Sign". A message goes to the enclave as it is, and is hashed there; a digest goes as
 * one, and rules see that it is.
 */
export async function sign(context: KmsContext, value: unknown): Promise<KmsResult> {
  const input = parseInput(signSchema, value);
  assertNoGrantTokens(input.GrantTokens);
  const key = await findKey(context, input.KeyId);
  const request = readRequest(context, key, input, 'Sign');
  const payload = input.Message;
  if (input.DryRun === true) return await explain(context, key, request);
  const node = key.kind === 'pool' ? key.node : context.quorum;
  const { signature } = await context.ask(() => node.sign(request), false);
  const output = {
    KeyId: showKey(key, context.scope).arn,
    Signature: Buffer.from(encodeSignature(request.algorithm, Buffer.from(signature, 'hex'))).toString(
      'base64',
    ),
    SigningAlgorithm: input.SigningAlgorithm,
  };
  return { output, key: nameOf(key), payload };
}

/** Source: AWS KMS API Reference, "Verify". Computed here, by the public key that the node gives. */
export async function verify(context: KmsContext, value: unknown): Promise<KmsResult> {
  const input = parseInput(verifySchema, value);
  assertNoGrantTokens(input.GrantTokens);
  const key = await describeKey(context, input.KeyId);
  const { algorithm, payload } = readRequest(context, key, input, 'Verify');
  const shown = showKey(key, context.scope);
  assertEnabled(shown);
  if (input.DryRun === true) throw dryRun();
  const signed = { kind: payload.kind, bytes: input.Message };
  const isValid = verifyMessage(algorithm, Buffer.from(publicKeyOf(key), 'hex'), signed, input.Signature);
  if (!isValid) throw invalidSignature();
  const output = { KeyId: shown.arn, SignatureValid: true, SigningAlgorithm: input.SigningAlgorithm };
  return { output, key: nameOf(key), payload: input.Message };
}

/** Reads what the node is asked for. @throws AwsServiceError InvalidKeyUsageException, ValidationException */
function readRequest(
  { scope }: KmsContext,
  key: KnownKey,
  { SigningAlgorithm: name, MessageType: messageType, Message: message }: SignInput,
  operation: string,
): BlindRequest {
  assertUsage(operation, showKey(key, scope), { usage: 'SIGN_VERIFY', algorithm: name });
  assertMessage({ algorithm: name, messageType, message });
  const algorithm = signatureAlgorithmOf(key.type, name);
  if (algorithm === undefined)
    throw new KmsRefusal(
      'InvalidKeyUsageException',
      400,
      'refused',
      'ALGORITHM_MISMATCH',
      `${key.type} keys have no ${name}`,
    );
  // KMS hashes the digest of ED25519_PH_SHA_512 once more: to the enclave it is a message.
  const isDigest = messageType === 'DIGEST' && name !== 'ED25519_PH_SHA_512';
  return {
    key: key.key.id,
    algorithm,
    payload: isDigest
      ? { kind: 'digest', digest: toHex(message) }
      : { kind: 'message', message: toHex(message) },
  };
}

/** A dry run: what the node would decide. @throws AwsServiceError DryRunOperationException where it would sign */
async function explain(context: KmsContext, key: KnownKey, request: BlindRequest): Promise<never> {
  const node = key.kind === 'pool' ? key.node : context.quorum;
  const { outcome, code, reasons } = await context.ask(() => node.explain(request), true);
  if (outcome === 'permitted') throw dryRun();
  const name = code ?? 'APPROVALS_NEEDED';
  throw new KmsRefusal('AccessDeniedException', 400, 'refused', name, reasons.join('; '));
}

/** Puts r ‖ s into DER (RFC 3279, 2.2.3); other signatures stay as they are. */
function encodeSignature(algorithm: string, signature: Uint8Array): Uint8Array {
  if (!algorithm.startsWith('ecdsa-')) return signature;
  const half = signature.length / 2;
  return encodeSequence(encodeInteger(signature.subarray(0, half)), encodeInteger(signature.subarray(half)));
}
