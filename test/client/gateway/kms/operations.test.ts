import { createHash, createPublicKey, verify } from 'node:crypto';
import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DecryptCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GenerateMacCommand,
  GenerateRandomCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  GetPublicKeyCommand,
  type KMSClient,
  ListAliasesCommand,
  ListKeyPoliciesCommand,
  ListKeysCommand,
  ListResourceTagsCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAliasCommand,
  UpdateKeyDescriptionCommand,
  VerifyCommand,
  VerifyMacCommand,
} from '@aws-sdk/client-kms';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakePoolNode } from './fake-pool-node.ts';
import { startKmsDoor, type TestKmsDoor } from './kms-door.ts';

let node: FakePoolNode;
let door: TestKmsDoor;
let kms: KMSClient;
const message = Buffer.from('1220'.padEnd(68, '7'), 'hex');
const nameOf = async (promise: Promise<unknown>): Promise<string> =>
  await promise.then(
    () => 'nothing was refused',
    (error: Error) => error.name,
  );
const create = async (
  input: CreateKeyCommandInput = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' },
) => {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand(input));
  return KeyMetadata?.KeyId ?? '';
};

beforeAll(async () => {
  node = await FakePoolNode.start();
  door = await startKmsDoor([node.node.url]);
  kms = door.client({ maxAttempts: 1 });
});
beforeEach(() => {
  node.held.clear();
  node.faults.length = 0;
  node.done.length = 0;
  node.configured = [];
});
afterAll(async () => {
  kms.destroy();
  await door.close();
  await node.node.close();
});

describe('keys by way of KMS', () => {
  it('are made, enabled at once, and described in the words of KMS', async () => {
    const { KeyMetadata: made } = await kms.send(
      new CreateKeyCommand({
        KeySpec: 'ECC_NIST_P256',
        KeyUsage: 'SIGN_VERIFY',
        Description: 'namespace',
        MultiRegion: false,
        Tags: [{ TagKey: 'CreatedBy', TagValue: 'Canton' }],
      }),
    );
    const { KeyMetadata: described } = await kms.send(new DescribeKeyCommand({ KeyId: made?.KeyId }));
    expect(described).toEqual(made);
    expect(described).toMatchObject({
      AWSAccountId: '111122223333',
      Arn: `arn:aws:kms:eu-central-1:111122223333:key/${made?.KeyId}`,
      Enabled: true,
      KeyState: 'Enabled',
      Description: 'namespace',
      KeySpec: 'ECC_NIST_P256',
      SigningAlgorithms: ['ECDSA_SHA_256'],
      MultiRegion: false,
    });
    const { Tags } = await kms.send(new ListResourceTagsCommand({ KeyId: made?.KeyId }));
    expect(Tags).toEqual([{ TagKey: 'CreatedBy', TagValue: 'Canton' }]);
  });

  it('sign messages with DER signatures that their public keys verify', async () => {
    const id = await create();
    const { PublicKey, KeySpec, KeyUsage, KeyId } = await kms.send(new GetPublicKeyCommand({ KeyId: id }));
    expect({ KeySpec, KeyUsage, KeyId }).toEqual({
      KeySpec: 'ECC_NIST_P256',
      KeyUsage: 'SIGN_VERIFY',
      KeyId: `arn:aws:kms:eu-central-1:111122223333:key/${id}`,
    });
    const { Signature } = await kms.send(
      new SignCommand({ KeyId: id, Message: message, MessageType: 'RAW', SigningAlgorithm: 'ECDSA_SHA_256' }),
    );
    const key = createPublicKey({ key: Buffer.from(PublicKey ?? []), format: 'der', type: 'spki' });
    expect(verify('sha256', message, key, Signature ?? Buffer.of())).toBe(true);
    const verified = await kms.send(
      new VerifyCommand({ KeyId: id, Message: message, Signature, SigningAlgorithm: 'ECDSA_SHA_256' }),
    );
    expect(verified.SignatureValid).toBe(true);
    const digest = createHash('sha256').update(message).digest();
    const asDigest = { Message: digest, MessageType: 'DIGEST', SigningAlgorithm: 'ECDSA_SHA_256' } as const;
    expect((await kms.send(new VerifyCommand({ KeyId: id, Signature, ...asDigest }))).SignatureValid).toBe(
      true,
    );
    const wrong = Buffer.from(Signature ?? []);
    wrong[wrong.length - 1] = (wrong.at(-1) ?? 0) ^ 1;
    expect(await nameOf(kms.send(new VerifyCommand({ KeyId: id, Signature: wrong, ...asDigest })))).toBe(
      'KMSInvalidSignatureException',
    );
  });

  it('are named by id, ARN, alias and the ARN of an alias', async () => {
    const id = await create();
    const arn = `arn:aws:kms:eu-central-1:111122223333`;
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/canton/one', TargetKeyId: id }));
    for (const name of [id, `${arn}:key/${id}`, 'alias/canton/one', `${arn}:alias/canton/one`]) {
      const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: name }));
      expect(KeyMetadata?.KeyId).toBe(id);
    }
  });

  it.each([
    ['arn:aws:kms:eu-central-1:444455556666:key/1b2c3d4e-0000-4000-8000-000000000000', 'NotFoundException'],
    ['arn:aws:kms:us-east-1:111122223333:key/1b2c3d4e-0000-4000-8000-000000000000', 'NotFoundException'],
    ['1b2c3d4e-0000-4000-8000-000000000000', 'NotFoundException'],
    ['alias/nobody', 'NotFoundException'],
    ['arn:aws:s3:::bucket', 'InvalidArnException'],
    ['no key', 'NotFoundException'],
  ])('are not there by the name %s', async (name, error) => {
    expect(await nameOf(kms.send(new DescribeKeyCommand({ KeyId: name })))).toBe(error);
  });

  it('have aliases that are made once, moved, listed and deleted', async () => {
    const [one, two] = [await create(), await create()];
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/a', TargetKeyId: one }));
    expect(await nameOf(kms.send(new CreateAliasCommand({ AliasName: 'alias/a', TargetKeyId: two })))).toBe(
      'AlreadyExistsException',
    );
    await kms.send(new UpdateAliasCommand({ AliasName: 'alias/a', TargetKeyId: two }));
    const { Aliases } = await kms.send(new ListAliasesCommand({ KeyId: two }));
    expect(Aliases).toMatchObject([{ AliasName: 'alias/a', TargetKeyId: two }]);
    expect((await kms.send(new ListAliasesCommand({}))).Aliases).toHaveLength(1);
    await kms.send(new DeleteAliasCommand({ AliasName: 'alias/a' }));
    expect(await nameOf(kms.send(new DescribeKeyCommand({ KeyId: 'alias/a' })))).toBe('NotFoundException');
    expect(await nameOf(kms.send(new UpdateAliasCommand({ AliasName: 'alias/a', TargetKeyId: two })))).toBe(
      'NotFoundException',
    );
    for (const name of ['a', 'alias/aws/a'])
      expect(await nameOf(kms.send(new CreateAliasCommand({ AliasName: name, TargetKeyId: one })))).toMatch(
        /ValidationException|InvalidAliasNameException/,
      );
  });

  it('are described anew, tagged, disabled, and deleted after a while', async () => {
    const id = await create();
    const sign = new SignCommand({ KeyId: id, Message: message, SigningAlgorithm: 'ECDSA_SHA_256' });
    await kms.send(new UpdateKeyDescriptionCommand({ KeyId: id, Description: 'new' }));
    await kms.send(new TagResourceCommand({ KeyId: id, Tags: [{ TagKey: 'a', TagValue: 'b' }] }));
    await kms.send(new UntagResourceCommand({ KeyId: id, TagKeys: ['a'] }));
    expect((await kms.send(new ListResourceTagsCommand({ KeyId: id }))).Tags).toEqual([]);
    await kms.send(new DisableKeyCommand({ KeyId: id }));
    expect(await nameOf(kms.send(sign))).toBe('DisabledException');
    expect(await nameOf(kms.send(new GetPublicKeyCommand({ KeyId: id })))).toBe('DisabledException');
    await kms.send(new EnableKeyCommand({ KeyId: id }));
    const ordered = await kms.send(new ScheduleKeyDeletionCommand({ KeyId: id, PendingWindowInDays: 7 }));
    expect(ordered).toMatchObject({ KeyState: 'PendingDeletion', PendingWindowInDays: 7 });
    expect(ordered.DeletionDate?.getTime()).toBeGreaterThan(Date.now() + 6 * 86_400_000);
    expect(await nameOf(kms.send(sign))).toBe('KMSInvalidStateException');
    await kms.send(new CancelKeyDeletionCommand({ KeyId: id }));
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: id }));
    expect(KeyMetadata).toMatchObject({ KeyState: 'Disabled', Enabled: false, Description: 'new' });
    for (const days of [6, 31])
      expect(
        await nameOf(kms.send(new ScheduleKeyDeletionCommand({ KeyId: id, PendingWindowInDays: days }))),
      ).toBe('ValidationException');
  });

  it('encrypt and decrypt, with the context and without a name of the key', async () => {
    const id = await create({});
    const context = { EncryptionContext: { tenant: 'one' } };
    const { CiphertextBlob } = await kms.send(
      new EncryptCommand({ KeyId: id, Plaintext: Buffer.from('plain'), ...context }),
    );
    const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob, ...context }));
    expect(Buffer.from(Plaintext ?? []).toString()).toBe('plain');
    expect(await nameOf(kms.send(new DecryptCommand({ CiphertextBlob })))).toBe('InvalidCiphertextException');
    const other = await create({});
    expect(await nameOf(kms.send(new DecryptCommand({ KeyId: other, CiphertextBlob, ...context })))).toBe(
      'IncorrectKeyException',
    );
    const data = await kms.send(new GenerateDataKeyCommand({ KeyId: id, KeySpec: 'AES_256' }));
    const opened = await kms.send(new DecryptCommand({ CiphertextBlob: data.CiphertextBlob }));
    expect(opened.Plaintext).toEqual(data.Plaintext);
    const sealed = await kms.send(
      new GenerateDataKeyWithoutPlaintextCommand({ KeyId: id, NumberOfBytes: 7 }),
    );
    expect(sealed).not.toHaveProperty('Plaintext');
  });

  it('make and verify MACs; the node draws random bytes', async () => {
    const id = await create({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
    const mac = { KeyId: id, Message: message, MacAlgorithm: 'HMAC_SHA_256' } as const;
    const { Mac } = await kms.send(new GenerateMacCommand(mac));
    expect((await kms.send(new VerifyMacCommand({ ...mac, Mac }))).MacValid).toBe(true);
    expect(await nameOf(kms.send(new VerifyMacCommand({ ...mac, Mac: Buffer.alloc(32) })))).toBe(
      'KMSInvalidMacException',
    );
    expect(await nameOf(kms.send(new GetPublicKeyCommand({ KeyId: id })))).toBe(
      'UnsupportedOperationException',
    );
    expect((await kms.send(new GenerateRandomCommand({ NumberOfBytes: 48 }))).Plaintext).toHaveLength(48);
  });

  it('are on one page, unless a Limit is sent', async () => {
    const made = new Set<string>();
    for (let index = 0; index < 7; index += 1) made.add(await create());
    const { Keys, Truncated } = await kms.send(new ListKeysCommand({}));
    expect(new Set(Keys?.map(({ KeyId }) => KeyId))).toEqual(made);
    expect(Truncated).toBe(false);
    const first = await kms.send(new ListKeysCommand({ Limit: 5 }));
    expect(first.Keys).toHaveLength(5);
    const second = await kms.send(new ListKeysCommand({ Limit: 5, Marker: first.NextMarker }));
    expect(new Set([...(first.Keys ?? []), ...(second.Keys ?? [])].map(({ KeyId }) => KeyId))).toEqual(made);
    expect(await nameOf(kms.send(new ListKeysCommand({ Marker: 'x' })))).toBe('InvalidMarkerException');
  });

  it('of the configuration have a stable id and an alias, and nothing of theirs is changed', async () => {
    const grants = { operations: ['sign'], algorithms: [], payloads: ['digest'] } as const;
    const publicKey = '020000000000000000000000000000000000000000000000000000000000000005';
    const configured = { type: 'p256', publicKey, grants: structuredClone(grants) } as never as object;
    node.configured = [
      { id: 'treasury.eur', ...configured },
      { id: 'share', ...configured, type: 'frost-secp256k1-taproot' },
      { id: 'awaited', ...configured, publicKey: null },
      { id: 'ethereum', ...configured, grants: { ...grants, payloads: ['ethereum-transaction'] } },
    ] as typeof node.configured;
    const { Keys } = await kms.send(new ListKeysCommand({}));
    expect(Keys?.map(({ KeyId }) => KeyId)).toHaveLength(1);
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: 'alias/treasury/eur' }));
    expect(KeyMetadata).toMatchObject({ KeyId: Keys?.[0]?.KeyId, KeySpec: 'ECC_NIST_P256', Enabled: true });
    expect(KeyMetadata?.KeyId).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect((await kms.send(new GetPublicKeyCommand({ KeyId: KeyMetadata?.KeyId }))).PublicKey).toHaveLength(
      91,
    );
    for (const command of [
      new DisableKeyCommand({ KeyId: KeyMetadata?.KeyId }),
      new ScheduleKeyDeletionCommand({ KeyId: KeyMetadata?.KeyId }),
    ])
      expect(await nameOf(kms.send(command))).toBe('UnsupportedOperationException');
  });

  it('have a policy that says what the configuration permits, and no rotation', async () => {
    const id = await create();
    const { Policy } = await kms.send(new GetKeyPolicyCommand({ KeyId: id, PolicyName: 'default' }));
    const { Statement } = JSON.parse(Policy ?? '') as { Statement: { Action: string[] }[] };
    expect(Statement[0]?.Action).toContain('kms:Sign');
    expect(await nameOf(kms.send(new GetKeyPolicyCommand({ KeyId: id, PolicyName: 'AWS_RAM' })))).toBe(
      'NotFoundException',
    );
    expect((await kms.send(new ListKeyPoliciesCommand({ KeyId: id }))).PolicyNames).toEqual(['default']);
    expect((await kms.send(new GetKeyRotationStatusCommand({ KeyId: id }))).KeyRotationEnabled).toBe(false);
  });

  it.each<[string, CreateKeyCommandInput, string]>([
    ['a policy', { Policy: '{}' }, 'UnsupportedOperationException'],
    ['several Regions', { MultiRegion: true }, 'UnsupportedOperationException'],
    ['material of its own', { Origin: 'EXTERNAL' }, 'UnsupportedOperationException'],
    [
      'a kind that no node makes',
      { KeySpec: 'ML_DSA_65', KeyUsage: 'SIGN_VERIFY' },
      'UnsupportedOperationException',
    ],
    [
      'a usage that is not its kind’s',
      { KeySpec: 'ECC_SECG_P256K1', KeyUsage: 'ENCRYPT_DECRYPT' },
      'ValidationException',
    ],
    ['no usage', { KeySpec: 'RSA_2048' }, 'ValidationException'],
    ['an unknown kind', { KeySpec: 'FOO' as never }, 'ValidationException'],
    ['a tag twice', { Tags: [0, 1].map(() => ({ TagKey: 'a', TagValue: 'b' })) }, 'TagException'],
  ])('are not made with %s', async (_, input, error) => {
    expect(await nameOf(kms.send(new CreateKeyCommand(input)))).toBe(error);
    expect(node.count(/canton/)).toBe(0);
  });

  it('are not used by algorithms that are not theirs, with grants, or for a recipient', async () => {
    const id = await create();
    const sign = { KeyId: id, Message: message, SigningAlgorithm: 'ECDSA_SHA_256' } as const;
    const refused: [object, string][] = [
      [new SignCommand({ ...sign, SigningAlgorithm: 'ECDSA_SHA_384' }), 'InvalidKeyUsageException'],
      [new SignCommand({ ...sign, SigningAlgorithm: 'FOO' as never }), 'ValidationException'],
      [new SignCommand({ ...sign, MessageType: 'DIGEST' }), 'ValidationException'],
      [new SignCommand({ ...sign, Message: Buffer.alloc(4097) }), 'ValidationException'],
      [new SignCommand({ ...sign, GrantTokens: ['a'] }), 'InvalidGrantTokenException'],
      [new SignCommand({ ...sign, DryRun: true }), 'DryRunOperationException'],
      [new EncryptCommand({ KeyId: id, Plaintext: message }), 'InvalidKeyUsageException'],
      [
        new GenerateRandomCommand({
          NumberOfBytes: 1,
          Recipient: { KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256', AttestationDocument: Buffer.of(1) },
        }),
        'UnsupportedOperationException',
      ],
    ];
    for (const [command, error] of refused)
      expect(await nameOf(kms.send(command as SignCommand))).toBe(error);
    expect(node.count(/sign/)).toBe(0);
  });

  it('are named in the log by operation, client and code, and their messages are not', async () => {
    const id = await create();
    door.events.length = 0;
    await kms.send(new SignCommand({ KeyId: id, Message: message, SigningAlgorithm: 'ECDSA_SHA_256' }));
    node.faults.push({ target: /sign/, at: 'refused', code: 'POLICY_DENIED', times: 1 });
    await kms
      .send(new SignCommand({ KeyId: id, Message: message, SigningAlgorithm: 'ECDSA_SHA_256' }))
      .catch(() => 0);
    await expect.poll(() => door.events.length).toBe(2);
    expect(door.events).toMatchObject([
      { operation: 'Sign', client: 'backend', key: id, code: 'OK', status: 200 },
      { operation: 'Sign', client: 'backend', key: id, code: 'POLICY_DENIED', status: 400 },
    ]);
  });
});
