import {
  constants,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  publicEncrypt,
  sign,
  verify,
} from 'node:crypto';
import {
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DecapsulateCommand,
  DecryptCommand,
  DeriveSharedSecretCommand,
  DescribeKeyCommand,
  EncapsulateCommand,
  EncryptCommand,
  GenerateDataKeyPairCommand,
  GenerateDataKeyPairWithoutPlaintextCommand,
  GenerateMacCommand,
  GetPublicKeyCommand,
  type KeySpec,
  ReEncryptCommand,
  SignCommand,
  type SigningAlgorithmSpec,
  VerifyCommand,
  VerifyMacCommand,
} from '@aws-sdk/client-kms';
import { describe, expect, it } from 'vitest';
import { attested, makeKey, open, REGION, refusal, startStack, type Stack } from './stack.ts';

const MESSAGE = Buffer.from('a message');

async function publicKeyOf(stack: Stack, KeyId: string): Promise<KeyObject> {
  const { PublicKey } = await stack.admin.send(new GetPublicKeyCommand({ KeyId }));
  return createPublicKey({ key: Buffer.from(PublicKey ?? []), format: 'der', type: 'spki' });
}

it('a key of several Regions is the primary one, and is used by its bare id', async () => {
  const stack = await startStack();
  const { KeyMetadata } = await stack.admin.send(
    new CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY', MultiRegion: true }),
  );
  const KeyId = KeyMetadata?.KeyId ?? '';
  expect(KeyId).toMatch(/^mrk-[0-9a-f]{32}$/);
  expect(KeyMetadata).toMatchObject({
    MultiRegion: true,
    MultiRegionConfiguration: {
      MultiRegionKeyType: 'PRIMARY',
      PrimaryKey: { Arn: KeyMetadata?.Arn, Region: REGION },
      ReplicaKeys: [],
    },
  });
  const described = await stack.admin.send(new DescribeKeyCommand({ KeyId }));
  expect(described.KeyMetadata).toEqual(KeyMetadata);
  const { Signature } = await stack.admin.send(
    new SignCommand({ KeyId, Message: MESSAGE, SigningAlgorithm: 'ECDSA_SHA_256' }),
  );
  expect(verify('sha256', MESSAGE, await publicKeyOf(stack, KeyId), Buffer.from(Signature ?? []))).toBe(true);
});

const hashOf = (algorithm: string) => `sha${algorithm.slice(-3)}`;

/** How node:crypto, which shares nothing with the stand-in's signing of digests, checks an algorithm. */
function options(algorithm: string, key: KeyObject) {
  return algorithm.startsWith('RSASSA_PSS')
    ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : { key };
}

const RSA_ALGORITHMS = ['PSS', 'PKCS1_V1_5'].flatMap((padding) =>
  [256, 384, 512].map((bits): [KeySpec, string] => ['RSA_2048', `RSASSA_${padding}_SHA_${bits}`]),
);

describe('a key for signatures', () => {
  it.each<[KeySpec, string]>([
    ...RSA_ALGORITHMS,
    ['RSA_3072', 'RSASSA_PSS_SHA_256'],
    ['RSA_4096', 'RSASSA_PKCS1_V1_5_SHA_512'],
    ['ECC_NIST_P256', 'ECDSA_SHA_256'],
    ['ECC_NIST_P384', 'ECDSA_SHA_384'],
    ['ECC_NIST_P521', 'ECDSA_SHA_512'],
    ['ECC_SECG_P256K1', 'ECDSA_SHA_256'],
  ])('signs and verifies messages and digests as OpenSSL does: %s %s', async (KeySpec, algorithm) => {
    const stack = await startStack();
    const KeyId = await makeKey(stack, { KeySpec, KeyUsage: 'SIGN_VERIFY' });
    const SigningAlgorithm = algorithm as SigningAlgorithmSpec;
    const publicKey = await publicKeyOf(stack, KeyId);
    const digest = createHash(hashOf(algorithm)).update(MESSAGE).digest();
    for (const input of [
      { Message: MESSAGE, MessageType: 'RAW' },
      { Message: digest, MessageType: 'DIGEST' },
    ] as const) {
      const { Signature } = await stack.admin.send(new SignCommand({ KeyId, SigningAlgorithm, ...input }));
      const signature = Buffer.from(Signature ?? []);
      expect(verify(hashOf(algorithm), MESSAGE, options(algorithm, publicKey), signature)).toBe(true);
      const check = (changes: object) =>
        refusal(
          stack.admin.send(new VerifyCommand({ KeyId, SigningAlgorithm, Signature, ...input, ...changes })),
        );
      expect(await check({})).toBe('answered');
      const other = createHash(hashOf(algorithm)).update('another').digest();
      expect(await check({ Message: other })).toBe('KMSInvalidSignatureException');
      for (const at of [0, signature.length >> 1, signature.length - 1]) {
        const changed = Buffer.from(signature);
        changed[at] = (changed[at] ?? 0) ^ 1;
        expect(await check({ Signature: changed })).toBe('KMSInvalidSignatureException');
      }
      expect(await check({ Signature: signature.subarray(1) })).toBe('KMSInvalidSignatureException');
    }
    const short = new SignCommand({
      KeyId,
      SigningAlgorithm,
      Message: digest.subarray(1),
      MessageType: 'DIGEST',
    });
    expect(await refusal(stack.admin.send(short))).toBe('ValidationException');
  });

  it('of RSA verifies no signature whose leading zero byte was left out', async () => {
    const stack = await startStack();
    const KeyId = await makeKey(stack, { KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' });
    const input = { KeyId, SigningAlgorithm: 'RSASSA_PSS_SHA_256', Message: MESSAGE } as const;
    let signature: Uint8Array = Uint8Array.of(1);
    // Each signature of PSS is another one, and one of 256 begins with a zero.
    for (let tries = 0; signature[0] !== 0 && tries < 10_000; tries += 1)
      signature = (await stack.admin.send(new SignCommand(input))).Signature ?? signature;
    expect(signature[0]).toBe(0);
    const check = (Signature: Uint8Array) =>
      refusal(stack.admin.send(new VerifyCommand({ ...input, Signature })));
    expect(await check(signature)).toBe('answered');
    expect(await check(signature.subarray(1))).toBe('KMSInvalidSignatureException');
  });

  it('of Ed25519 signs messages with one algorithm and digests, hashed once more, with the other', async () => {
    const stack = await startStack();
    const KeyId = await makeKey(stack, { KeySpec: 'ECC_NIST_EDWARDS25519', KeyUsage: 'SIGN_VERIFY' });
    const ask = (
      MessageType: 'RAW' | 'DIGEST',
      SigningAlgorithm: SigningAlgorithmSpec,
      Message: Uint8Array,
    ) => stack.admin.send(new SignCommand({ KeyId, MessageType, SigningAlgorithm, Message }));
    const digest = createHash('sha512').update(MESSAGE).digest();
    const { Signature } = await ask('RAW', 'ED25519_SHA_512', MESSAGE);
    expect(verify(null, MESSAGE, await publicKeyOf(stack, KeyId), Buffer.from(Signature ?? []))).toBe(true);
    const prehashed = await ask('DIGEST', 'ED25519_PH_SHA_512', digest);
    const check = (changes: object) =>
      refusal(
        stack.admin.send(
          new VerifyCommand({
            KeyId,
            Message: digest,
            MessageType: 'DIGEST',
            SigningAlgorithm: 'ED25519_PH_SHA_512',
            Signature: prehashed.Signature,
            ...changes,
          }),
        ),
      );
    expect(await check({})).toBe('answered');
    expect(await check({ Message: Buffer.alloc(64) })).toBe('KMSInvalidSignatureException');
    expect(await check({ Signature })).toBe('KMSInvalidSignatureException');
    expect(await refusal(ask('DIGEST', 'ED25519_SHA_512', digest))).toBe('ValidationException');
    expect(await refusal(ask('RAW', 'ED25519_PH_SHA_512', MESSAGE))).toBe('ValidationException');
    expect(await refusal(ask('DIGEST', 'ED25519_PH_SHA_512', MESSAGE))).toBe('ValidationException');
  });

  it.each(['ML_DSA_44', 'ML_DSA_65', 'ML_DSA_87'] as const)('of %s signs messages', async (KeySpec) => {
    const stack = await startStack();
    const KeyId = await makeKey(stack, { KeySpec, KeyUsage: 'SIGN_VERIFY' });
    const input = { KeyId, SigningAlgorithm: 'ML_DSA_SHAKE_256', Message: MESSAGE } as const;
    const { Signature } = await stack.admin.send(new SignCommand(input));
    expect(verify(null, MESSAGE, await publicKeyOf(stack, KeyId), Buffer.from(Signature ?? []))).toBe(true);
    expect(await refusal(stack.admin.send(new VerifyCommand({ ...input, Signature })))).toBe('answered');
    const external = new SignCommand({ ...input, MessageType: 'EXTERNAL_MU', Message: Buffer.alloc(64) });
    expect(await refusal(stack.admin.send(external))).toBe('UnsupportedOperationException');
  });

  it('takes signatures of others with any s', async () => {
    const stack = await startStack();
    const KeyId = await makeKey(stack, { KeySpec: 'ECC_SECG_P256K1', KeyUsage: 'SIGN_VERIFY' });
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
    const foreign = sign('sha256', MESSAGE, privateKey);
    const verifyForeign = new VerifyCommand({
      KeyId,
      Message: MESSAGE,
      SigningAlgorithm: 'ECDSA_SHA_256',
      Signature: foreign,
    });
    expect(await refusal(stack.admin.send(verifyForeign))).toBe('KMSInvalidSignatureException');
    // Over many tries both kinds of s occur; each has to verify.
    for (let tried = 0; tried < 8; tried += 1) {
      const input = { KeyId, Message: Buffer.from([tried]), SigningAlgorithm: 'ECDSA_SHA_256' } as const;
      const { Signature } = await stack.admin.send(new SignCommand(input));
      expect(await refusal(stack.admin.send(new VerifyCommand({ ...input, Signature })))).toBe('answered');
    }
  });
});

describe('an RSA key for encryption', () => {
  it.each([
    ['RSA_2048', 'RSAES_OAEP_SHA_256', 'sha256', 190],
    ['RSA_2048', 'RSAES_OAEP_SHA_1', 'sha1', 214],
    ['RSA_3072', 'RSAES_OAEP_SHA_256', 'sha256', 318],
  ] as const)(
    'opens what others encrypt to it: %s %s',
    async (KeySpec, EncryptionAlgorithm, oaepHash, most) => {
      const stack = await startStack();
      const KeyId = await makeKey(stack, { KeySpec, KeyUsage: 'ENCRYPT_DECRYPT' });
      const key = await publicKeyOf(stack, KeyId);
      const seal = () => publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, MESSAGE);
      const sealed = seal();
      // One in 256: without its first byte it is the same number.
      let zeroed = seal();
      while (zeroed[0] !== 0) zeroed = seal();
      const decrypt = (changes: object = {}) =>
        stack.admin.send(
          new DecryptCommand({ KeyId, EncryptionAlgorithm, CiphertextBlob: sealed, ...changes }),
        );
      const { Plaintext, KeyMaterialId } = await decrypt();
      expect([Buffer.from(Plaintext ?? []), KeyMaterialId]).toEqual([MESSAGE, undefined]);
      const encrypt = (length: number, more: object = {}) =>
        stack.admin.send(
          new EncryptCommand({ KeyId, EncryptionAlgorithm, Plaintext: Buffer.alloc(length, 1), ...more }),
        );
      const { CiphertextBlob } = await encrypt(most);
      expect((await decrypt({ CiphertextBlob })).Plaintext).toHaveLength(most);
      expect(await refusal(encrypt(most + 1))).toBe('ValidationException');
      expect(await refusal(encrypt(1, { EncryptionContext: { a: '1' } }))).toBe('ValidationException');
      expect(await refusal(encrypt(1, { EncryptionAlgorithm: undefined }))).toBe('InvalidKeyUsageException');
      for (const CiphertextBlob of [sealed.subarray(1), zeroed.subarray(1)]) {
        expect(await refusal(decrypt({ CiphertextBlob }))).toBe('InvalidCiphertextException');
      }
      expect(await refusal(decrypt({ EncryptionAlgorithm: undefined }))).toBe('InvalidKeyUsageException');
    },
  );

  it('delivers to an attested enclave, too', async () => {
    const stack = await startStack();
    const KeyId = await makeKey(stack, { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' });
    const EncryptionAlgorithm = 'RSAES_OAEP_SHA_256';
    const sealed = await stack.admin.send(
      new EncryptCommand({ KeyId, EncryptionAlgorithm, Plaintext: MESSAGE }),
    );
    const { CiphertextBlob } = sealed;
    const Recipient = await attested();
    const answer = await stack.admin.send(
      new DecryptCommand({ KeyId, EncryptionAlgorithm, CiphertextBlob, Recipient }),
    );
    expect(answer.Plaintext).toBeUndefined();
    expect(await open(answer.CiphertextForRecipient)).toEqual(MESSAGE);
  });
});

describe('an HMAC key', () => {
  it.each([224, 256, 384, 512] as const)('makes and verifies MACs: HMAC_%s', async (bits) => {
    const stack = await startStack();
    const KeyId = await makeKey(stack, { KeySpec: `HMAC_${bits}`, KeyUsage: 'GENERATE_VERIFY_MAC' });
    const MacAlgorithm = `HMAC_SHA_${bits}` as const;
    const input = { KeyId, Message: MESSAGE, MacAlgorithm };
    const { Mac } = await stack.admin.send(new GenerateMacCommand(input));
    expect(Mac).toHaveLength(bits / 8);
    expect((await stack.admin.send(new GenerateMacCommand(input))).Mac).toEqual(Mac);
    const check = (changes: object) =>
      refusal(stack.admin.send(new VerifyMacCommand({ ...input, Mac, ...changes })));
    expect(await check({})).toBe('answered');
    expect(await check({ Message: Buffer.from('another') })).toBe('KMSInvalidMacException');
    expect(await check({ Mac: createHmac('sha256', 'guess').update(MESSAGE).digest() })).toBe(
      'KMSInvalidMacException',
    );
    const wrong = bits === 256 ? 'HMAC_SHA_384' : 'HMAC_SHA_256';
    expect(await check({ MacAlgorithm: wrong })).toBe('InvalidKeyUsageException');
    expect(await check({ MacAlgorithm: 'FOO' })).toBe('ValidationException');
    expect(await refusal(stack.node.send(new GenerateMacCommand(input)))).toBe('AccessDeniedException');
    expect(await refusal(stack.admin.send(new GetPublicKeyCommand({ KeyId })))).toBe(
      'UnsupportedOperationException',
    );
  });
});

describe('a key for agreement', () => {
  it.each([
    ['ECC_NIST_P256', 'P-256'],
    ['ECC_NIST_P384', 'P-384'],
    ['ECC_NIST_P521', 'P-521'],
  ] as const)('derives the secret that the peer derives: %s', async (KeySpec, namedCurve) => {
    const stack = await startStack();
    const KeyId = await makeKey(stack, { KeySpec, KeyUsage: 'KEY_AGREEMENT' });
    const peer = generateKeyPairSync('ec', { namedCurve });
    const PublicKey = peer.publicKey.export({ format: 'der', type: 'spki' });
    const derive = (changes: object = {}) =>
      stack.admin.send(
        new DeriveSharedSecretCommand({ KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey, ...changes }),
      );
    const publicKey = await publicKeyOf(stack, KeyId);
    const expected = diffieHellman({ privateKey: peer.privateKey, publicKey });
    expect(Buffer.from((await derive()).SharedSecret ?? [])).toEqual(expected);
    const delivered = await derive({ Recipient: await attested() });
    expect(delivered.SharedSecret).toBeUndefined();
    expect(await open(delivered.CiphertextForRecipient)).toEqual(expected);
    const foreign = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey;
    const wrong = foreign.export({ format: 'der', type: 'spki' });
    expect(await refusal(derive({ PublicKey: wrong }))).toBe('ValidationException');
    expect(await refusal(derive({ PublicKey: PublicKey.subarray(1) }))).toBe('ValidationException');
    const { KeyMetadata } = await stack.admin.send(new DescribeKeyCommand({ KeyId }));
    expect(KeyMetadata).toMatchObject({ KeyUsage: 'KEY_AGREEMENT', KeyAgreementAlgorithms: ['ECDH'] });
    const sign = new SignCommand({ KeyId, Message: MESSAGE, SigningAlgorithm: 'ECDSA_SHA_256' });
    expect(await refusal(stack.admin.send(sign))).toBe('InvalidKeyUsageException');
  });
});

describe('a key for encapsulation', () => {
  it.each(['ML_KEM_512', 'ML_KEM_768', 'ML_KEM_1024'])('opens what it encapsulates: %s', async (spec) => {
    const stack = await startStack();
    const KeyId = await makeKey(stack, {
      KeySpec: spec,
      KeyUsage: 'ENCAPSULATE_DECAPSULATE',
    } as unknown as CreateKeyCommandInput);
    const use = { KeyId, EncapsulationAlgorithm: 'ML_KEM' } as const;
    const made = await stack.admin.send(new EncapsulateCommand(use));
    const { SharedSecretCiphertextBlob } = made;
    const opened = await stack.admin.send(new DecapsulateCommand({ ...use, SharedSecretCiphertextBlob }));
    expect(made.SharedSecret).toHaveLength(32);
    expect(opened.SharedSecret).toEqual(made.SharedSecret);
    const short = SharedSecretCiphertextBlob?.subarray(1);
    const refused = new DecapsulateCommand({ ...use, SharedSecretCiphertextBlob: short });
    expect(await refusal(stack.admin.send(refused))).toBe('InvalidCiphertextException');
    expect((await publicKeyOf(stack, KeyId)).asymmetricKeyType).toBe(spec.toLowerCase().replaceAll('_', '-'));
  });
});

describe('ReEncrypt', () => {
  it('takes a ciphertext from one key and context to another, and both keys have a say', async () => {
    const stack = await startStack();
    const [from, to] = [await makeKey(stack), await makeKey(stack)];
    const { CiphertextBlob } = await stack.admin.send(
      new EncryptCommand({ KeyId: from, Plaintext: MESSAGE, EncryptionContext: { a: '1' } }),
    );
    const input = {
      CiphertextBlob,
      SourceEncryptionContext: { a: '1' },
      DestinationKeyId: to,
      DestinationEncryptionContext: { b: '2' },
    };
    const answer = await stack.admin.send(new ReEncryptCommand(input));
    expect([answer.SourceKeyId, answer.KeyId]).toEqual([from, to]);
    const opened = await stack.admin.send(
      new DecryptCommand({ CiphertextBlob: answer.CiphertextBlob, EncryptionContext: { b: '2' } }),
    );
    expect(Buffer.from(opened.Plaintext ?? [])).toEqual(MESSAGE);
    expect(opened.KeyId).toBe(to);
    const actions = stack.decisions.map(({ action, keyArn }) => [action, keyArn]);
    expect(actions).toContainEqual(['kms:ReEncryptFrom', from]);
    expect(actions).toContainEqual(['kms:ReEncryptTo', to]);
    const ask = (changes: object, client = stack.admin) =>
      refusal(client.send(new ReEncryptCommand({ ...input, ...changes })));
    expect(await ask({ SourceEncryptionContext: {} })).toBe('InvalidCiphertextException');
    expect(await ask({ SourceKeyId: to })).toBe('IncorrectKeyException');
    expect(await ask({ DryRun: true })).toBe('DryRunOperationException');
    expect(await ask({}, stack.node)).toBe('AccessDeniedException');
    expect(await ask({ DestinationKeyId: undefined })).toBe('ValidationException');
  });
});

describe('GenerateDataKeyPair', () => {
  it.each(['RSA_2048', 'ECC_NIST_P256', 'ECC_SECG_P256K1', 'ECC_NIST_EDWARDS25519'] as const)(
    'gives a pair, its private key sealed too: %s',
    async (KeyPairSpec) => {
      const stack = await startStack();
      const KeyId = await makeKey(stack);
      const EncryptionContext = { a: '1' };
      const input = { KeyId, KeyPairSpec, EncryptionContext };
      const answer = await stack.admin.send(new GenerateDataKeyPairCommand(input));
      const plaintext = Buffer.from(answer.PrivateKeyPlaintext ?? []);
      const privateKey = createPrivateKey({ key: plaintext, format: 'der', type: 'pkcs8' });
      expect(createPublicKey(privateKey).export({ format: 'der', type: 'spki' })).toEqual(
        Buffer.from(answer.PublicKey ?? []),
      );
      const opened = await stack.admin.send(
        new DecryptCommand({ CiphertextBlob: answer.PrivateKeyCiphertextBlob, EncryptionContext }),
      );
      expect(Buffer.from(opened.Plaintext ?? [])).toEqual(plaintext);
      const delivered = await stack.admin.send(
        new GenerateDataKeyPairCommand({ ...input, Recipient: await attested() }),
      );
      expect(delivered.PrivateKeyPlaintext).toBeUndefined();
      const attestedKey = await open(delivered.CiphertextForRecipient);
      expect(
        createPublicKey(createPrivateKey({ key: attestedKey, format: 'der', type: 'pkcs8' })),
      ).toBeDefined();
      const sealed = await stack.admin.send(new GenerateDataKeyPairWithoutPlaintextCommand(input));
      expect(Object.keys(sealed).sort()).toEqual(
        [
          '$metadata',
          'KeyId',
          'KeyMaterialId',
          'KeyPairSpec',
          'PrivateKeyCiphertextBlob',
          'PublicKey',
        ].sort(),
      );
    },
  );

  it('is refused by AWS’s names', async () => {
    const stack = await startStack();
    const KeyId = await makeKey(stack);
    const rsa = await makeKey(stack, { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' });
    const ask = (changes: object, client = stack.admin) =>
      refusal(
        client.send(new GenerateDataKeyPairCommand({ KeyId, KeyPairSpec: 'ECC_NIST_P256', ...changes })),
      );
    expect(await ask({ KeyPairSpec: 'FOO' })).toBe('ValidationException');
    expect(await ask({ KeyPairSpec: 'SM2' })).toBe('UnsupportedOperationException');
    expect(await ask({ KeyId: rsa })).toBe('InvalidKeyUsageException');
    expect(await ask({ DryRun: true })).toBe('DryRunOperationException');
    expect(await ask({}, stack.node)).toBe('AccessDeniedException');
  });
});
