import { createHash, createPublicKey, verify } from 'node:crypto';
import {
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GetPublicKeyCommand,
  SignCommand,
  type SignCommandInput,
} from '@aws-sdk/client-kms';
import { describe, expect, it } from 'vitest';
import { ACCOUNT, refusal, startStack, type Stack } from './stack.ts';

const MESSAGE = Buffer.from('a message');
const SIGNING = { KeySpec: 'ECC_NIST_P384', KeyUsage: 'SIGN_VERIFY' } as const;
const DIGEST = createHash('sha384').update(MESSAGE).digest();

async function createKey(stack: Stack, input: CreateKeyCommandInput = SIGNING): Promise<string> {
  const { KeyMetadata } = await stack.admin.send(new CreateKeyCommand(input));
  return KeyMetadata?.Arn ?? '';
}

async function publicKeyOf(stack: Stack, key: string) {
  const answer = await stack.admin.send(new GetPublicKeyCommand({ KeyId: key }));
  const spki = Buffer.from(answer.PublicKey ?? []);
  return { answer, publicKey: createPublicKey({ key: spki, format: 'der', type: 'spki' }) };
}

const signWith = (KeyId: string, input: Partial<SignCommandInput> = {}) =>
  new SignCommand({
    KeyId,
    Message: DIGEST,
    MessageType: 'DIGEST',
    SigningAlgorithm: 'ECDSA_SHA_384',
    ...input,
  });

describe('a key for signatures', () => {
  it.each([
    ['ECC_NIST_P256', 'ECDSA_SHA_256', 'sha256'],
    ['ECC_NIST_P384', 'ECDSA_SHA_384', 'sha384'],
    ['ECC_NIST_P521', 'ECDSA_SHA_512', 'sha512'],
  ] as const)('signs messages and digests: %s', async (KeySpec, SigningAlgorithm, hash) => {
    const stack = await startStack();
    const key = await createKey(stack, { ...SIGNING, KeySpec });
    const { answer, publicKey } = await publicKeyOf(stack, key);
    expect(answer).toMatchObject({ KeySpec, KeyUsage: 'SIGN_VERIFY', SigningAlgorithms: [SigningAlgorithm] });
    const digest = createHash(hash).update(MESSAGE).digest();
    for (const input of [
      { Message: MESSAGE, MessageType: 'RAW' },
      { Message: digest, MessageType: 'DIGEST' },
    ] as const) {
      const { Signature } = await stack.admin.send(signWith(key, { ...input, SigningAlgorithm }));
      expect(verify(hash, MESSAGE, publicKey, Signature ?? MESSAGE)).toBe(true);
    }
  });

  it('signs the same message differently each time', async () => {
    const stack = await startStack();
    const key = await createKey(stack);
    const [first, second] = await Promise.all([1, 2].map(() => stack.admin.send(signWith(key))));
    expect(Buffer.from(first?.Signature ?? []).equals(Buffer.from(second?.Signature ?? []))).toBe(false);
  });

  it('is described as what it is', async () => {
    const stack = await startStack();
    const { KeyMetadata } = await stack.admin.send(new DescribeKeyCommand({ KeyId: await createKey(stack) }));
    expect(KeyMetadata).toMatchObject({ ...SIGNING, SigningAlgorithms: ['ECDSA_SHA_384'] });
    expect(KeyMetadata?.EncryptionAlgorithms).toBeUndefined();
  });

  it('encrypts nothing, and a key for encryption signs nothing', async () => {
    const stack = await startStack();
    const { admin } = stack;
    const [signing, symmetric] = [await createKey(stack), await createKey(stack, {})];
    expect(await refusal(admin.send(new EncryptCommand({ KeyId: signing, Plaintext: MESSAGE })))).toBe(
      'InvalidKeyUsageException',
    );
    const { CiphertextBlob } = await admin.send(new EncryptCommand({ KeyId: symmetric, Plaintext: MESSAGE }));
    expect(await refusal(admin.send(new DecryptCommand({ KeyId: signing, CiphertextBlob })))).toBe(
      'InvalidKeyUsageException',
    );
    expect(await refusal(admin.send(signWith(symmetric)))).toBe('InvalidKeyUsageException');
    expect(await refusal(admin.send(new GetPublicKeyCommand({ KeyId: symmetric })))).toBe(
      'UnsupportedOperationException',
    );
  });

  it('signs for nobody whom its policy and IAM do not allow to', async () => {
    const stack = await startStack();
    const key = await createKey(stack);
    expect(await refusal(stack.node.send(signWith(key)))).toBe('AccessDeniedException');
    expect(await refusal(stack.node.send(new GetPublicKeyCommand({ KeyId: key })))).toBe(
      'AccessDeniedException',
    );
  });

  it('lets its policy say which algorithm and which kind of message', async () => {
    const stack = await startStack();
    const statement = (Action: string | string[], Condition?: object) => ({
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${ACCOUNT}:role/${Condition === undefined ? 'admin' : 'node'}` },
      Action,
      Resource: '*',
      Condition,
    });
    const asDigest = {
      StringEquals: { 'kms:MessageType': 'DIGEST', 'kms:SigningAlgorithm': 'ECDSA_SHA_384' },
    };
    const Statement = [statement(['kms:PutKeyPolicy', 'kms:DescribeKey']), statement('kms:Sign', asDigest)];
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
    const key = await createKey(stack, { ...SIGNING, Policy });
    expect(await refusal(stack.node.send(signWith(key)))).toBe('answered');
    expect(await refusal(stack.node.send(signWith(key, { Message: MESSAGE, MessageType: 'RAW' })))).toBe(
      'AccessDeniedException',
    );
  });

  it.each([
    ['a digest of another length', { Message: DIGEST.subarray(1) }, 'ValidationException'],
    ['an algorithm that nobody has', { SigningAlgorithm: 'FOO' as 'ECDSA_SHA_256' }, 'ValidationException'],
    ['another algorithm', { SigningAlgorithm: 'ECDSA_SHA_256' }, 'InvalidKeyUsageException'],
    ['a dry run', { DryRun: true }, 'DryRunOperationException'],
    ['grants', { GrantTokens: ['token'] }, 'InvalidGrantTokenException'],
  ] as const)('refuses %s', async (_, input, name) => {
    const stack = await startStack();
    const asked = { ...input, GrantTokens: 'GrantTokens' in input ? [...input.GrantTokens] : undefined };
    expect(await refusal(stack.admin.send(signWith(await createKey(stack), asked)))).toBe(name);
  });

  it.each([
    [{ KeySpec: 'ECC_NIST_P384' }, 'ValidationException'],
    [{ KeyUsage: 'SIGN_VERIFY' }, 'ValidationException'],
    [{ KeySpec: 'RSA_2048' }, 'ValidationException'],
    [{ KeySpec: 'ECC_SECG_P256K1', KeyUsage: 'KEY_AGREEMENT' }, 'ValidationException'],
    [{ KeySpec: 'HMAC_256', KeyUsage: 'SIGN_VERIFY' }, 'ValidationException'],
    [{ KeySpec: 'FOO' as 'RSA_2048', KeyUsage: 'SIGN_VERIFY' }, 'ValidationException'],
  ] as const)('is not made from %j', async (input, name) => {
    const stack = await startStack();
    expect(await refusal(stack.admin.send(new CreateKeyCommand(input)))).toBe(name);
  });
});
