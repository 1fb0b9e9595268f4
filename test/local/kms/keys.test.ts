import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  type GenerateDataKeyWithoutPlaintextCommandInput,
  GenerateRandomCommand,
  GetKeyPolicyCommand,
  ListAliasesCommand,
  ListKeysCommand,
  PutKeyPolicyCommand,
  ScheduleKeyDeletionCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-kms';
import { describe, expect, it } from 'vitest';
import { ADMINISTRATOR_POLICY, LocalAwsError } from '../../../local/aws/index.ts';
import { startLocalAws } from '../../../local/testbed/local-aws.ts';
import { ACCOUNT, attestedPolicy, CONTEXT, refusal, startStack, type Stack } from './stack.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const FOREIGN = '444455556666';
const SECRET = Buffer.from('a secret');

async function createKey(stack: Stack, policy?: string): Promise<string> {
  const { KeyMetadata } = await stack.admin.send(new CreateKeyCommand({ Policy: policy }));
  return KeyMetadata?.Arn ?? '';
}

async function seal(
  stack: Stack,
  KeyId: string,
  EncryptionContext?: Record<string, string>,
): Promise<Uint8Array> {
  const { CiphertextBlob } = await stack.admin.send(
    new EncryptCommand({ KeyId, Plaintext: SECRET, EncryptionContext }),
  );
  return CiphertextBlob ?? new Uint8Array();
}

describe('keys', () => {
  it('come with AWS’s default policy, which leaves everything to IAM', async () => {
    const stack = await startStack();
    const key = await createKey(stack);
    const { Policy } = await stack.admin.send(new GetKeyPolicyCommand({ KeyId: key }));
    expect(JSON.parse(Policy ?? '')).toMatchObject({ Statement: [{ Action: 'kms:*' }] });
    expect(await refusal(stack.admin.send(new EncryptCommand({ KeyId: key, Plaintext: SECRET })))).toBe(
      'answered',
    );
    expect(await refusal(stack.node.send(new EncryptCommand({ KeyId: key, Plaintext: SECRET })))).toBe(
      'AccessDeniedException',
    );
  });

  it('are described, and are made only by whom IAM lets', async () => {
    const stack = await startStack();
    const key = await createKey(stack);
    const { KeyMetadata } = await stack.admin.send(new DescribeKeyCommand({ KeyId: key }));
    expect(KeyMetadata).toMatchObject({
      Arn: key,
      AWSAccountId: ACCOUNT,
      KeyState: 'Enabled',
      KeySpec: 'SYMMETRIC_DEFAULT',
    });
    expect(await refusal(stack.node.send(new CreateKeyCommand({})))).toBe('AccessDeniedException');
    const { Keys } = await stack.admin.send(new ListKeysCommand({}));
    expect(Keys?.map(({ KeyArn }) => KeyArn)).toEqual([key]);
  });

  it('keep their policy from whom it does not let write one', async () => {
    const stack = await startStack();
    const key = await createKey(stack, attestedPolicy());
    const command = new PutKeyPolicyCommand({ KeyId: key, Policy: attestedPolicy(new Map()) });
    expect(await refusal(stack.node.send(command))).toBe('AccessDeniedException');
    const deployer = stack.aws.directory.defineRole({
      accountId: ACCOUNT,
      roleName: 'deployer',
      policies: [ADMINISTRATOR_POLICY],
    });
    const client = stack.client(stack.aws.directory.assumeRole({ roleArn: deployer, sessionName: 'deploy' }));
    expect(await refusal(client.send(command))).toBe('AccessDeniedException');
    expect(await refusal(stack.admin.send(command))).toBe('answered');
  });

  it('refuse a policy that does not parse, or that would lock its writer out', async () => {
    const stack = await startStack();
    const key = await createKey(stack, attestedPolicy());
    const put = (Policy: string, bypass = false) =>
      refusal(
        stack.admin.send(
          new PutKeyPolicyCommand({ KeyId: key, Policy, BypassPolicyLockoutSafetyCheck: bypass }),
        ),
      );
    expect(await put('{}')).toBe('MalformedPolicyDocumentException');
    expect(await put(attestedPolicy().replace('"Resource":"*"', '"Resource":"*","Resource":"*"'))).toBe(
      'MalformedPolicyDocumentException',
    );
    const locked = attestedPolicy().replaceAll('kms:PutKeyPolicy', 'kms:GetKeyPolicy');
    expect(await put(locked)).toBe('MalformedPolicyDocumentException');
    expect(await put(locked, true)).toBe('answered');
    expect(await put(attestedPolicy())).toBe('AccessDeniedException');
  });

  it('stop working when disabled or scheduled for deletion, and say which', async () => {
    const stack = await startStack();
    const key = await createKey(stack);
    const blob = await seal(stack, key);
    const decrypt = () => refusal(stack.admin.send(new DecryptCommand({ CiphertextBlob: blob })));
    await stack.admin.send(new DisableKeyCommand({ KeyId: key }));
    expect(await decrypt()).toBe('DisabledException');
    await stack.admin.send(new EnableKeyCommand({ KeyId: key }));
    expect(await decrypt()).toBe('answered');
    const schedule = new ScheduleKeyDeletionCommand({ KeyId: key, PendingWindowInDays: 7 });
    expect(await refusal(stack.node.send(schedule))).toBe('AccessDeniedException');
    const { DeletionDate } = await stack.admin.send(schedule);
    expect(DeletionDate?.getTime()).toBeGreaterThan(Date.now() + 6 * 86_400_000);
    expect(await decrypt()).toBe('KMSInvalidStateException');
    await stack.admin.send(new CancelKeyDeletionCommand({ KeyId: key }));
    expect(await decrypt()).toBe('DisabledException');
  });

  it('survive a restart with their policy, state and aliases', async () => {
    const stateDirectory = temporaryFolder();
    const first = await startStack({ stateDirectory });
    const key = await createKey(first);
    const blob = await seal(first, key, CONTEXT);
    await first.admin.send(new CreateAliasCommand({ AliasName: 'alias/node', TargetKeyId: key }));
    const { caPem } = first.aws;
    await first.aws.close();
    const second = await startStack({ stateDirectory });
    expect(second.aws.caPem).toBe(caPem);
    const { Plaintext } = await second.admin.send(
      new DecryptCommand({ KeyId: 'alias/node', CiphertextBlob: blob, EncryptionContext: CONTEXT }),
    );
    expect(Buffer.from(Plaintext ?? [])).toEqual(SECRET);
  });

  it('are for one process at a time', async () => {
    const stateDirectory = temporaryFolder();
    await startStack({ stateDirectory });
    const second = startLocalAws({
      stateDirectory,
      verifyRecipient: () => ({ pcrs: new Map() }),
    });
    await expect(second).rejects.toBeInstanceOf(LocalAwsError);
    await expect(second).rejects.toMatchObject({ code: 'STATE_IN_USE' });
  });
});

describe('naming a key', () => {
  it('answers with the ARN of the key, whatever name was used', async () => {
    const stack = await startStack();
    const key = await createKey(stack);
    await stack.admin.send(new CreateAliasCommand({ AliasName: 'alias/node', TargetKeyId: key }));
    const aliasArn = key.replace(/key\/.*/, 'alias/node');
    for (const KeyId of [key, key.split('/')[1], 'alias/node', aliasArn]) {
      const answer = await stack.admin.send(new EncryptCommand({ KeyId, Plaintext: SECRET }));
      expect(answer.KeyId).toBe(key);
    }
  });

  it('tells an alias that was pointed elsewhere by the KeyId in the answer, and refuses its old blobs', async () => {
    const stack = await startStack();
    const [key, other] = [await createKey(stack), await createKey(stack)];
    await stack.admin.send(new CreateAliasCommand({ AliasName: 'alias/node', TargetKeyId: key }));
    const blob = await seal(stack, 'alias/node');
    await stack.admin.send(new UpdateAliasCommand({ AliasName: 'alias/node', TargetKeyId: other }));
    const { Aliases } = await stack.admin.send(new ListAliasesCommand({}));
    expect(Aliases?.[0]?.TargetKeyId).toBe(other.split('/')[1]);
    const decrypt = new DecryptCommand({ KeyId: 'alias/node', CiphertextBlob: blob });
    expect(await refusal(stack.admin.send(decrypt))).toBe('IncorrectKeyException');
    expect(
      (await stack.admin.send(new EncryptCommand({ KeyId: 'alias/node', Plaintext: SECRET }))).KeyId,
    ).toBe(other);
  });

  it('finds no key of another region or account', async () => {
    const stack = await startStack();
    const key = await createKey(stack);
    const blob = await seal(stack, key);
    const credentials = stack.aws.directory.createAccessKey({ accountId: ACCOUNT });
    const elsewhere = stack.client(credentials, 'us-east-1');
    expect(await refusal(elsewhere.send(new DescribeKeyCommand({ KeyId: key })))).toBe('NotFoundException');
    expect(await refusal(elsewhere.send(new DescribeKeyCommand({ KeyId: key.split('/')[1] })))).toBe(
      'NotFoundException',
    );
    expect(await refusal(elsewhere.send(new DecryptCommand({ CiphertextBlob: blob })))).toBe(
      'AccessDeniedException',
    );
    const foreigner = stack.client(stack.aws.directory.createAccessKey({ accountId: FOREIGN }));
    expect(await refusal(foreigner.send(new DescribeKeyCommand({ KeyId: key })))).toBe(
      'AccessDeniedException',
    );
    expect(await refusal(foreigner.send(new DescribeKeyCommand({ KeyId: key.split('/')[1] })))).toBe(
      'NotFoundException',
    );
    expect(await refusal(foreigner.send(new DecryptCommand({ CiphertextBlob: blob })))).toBe(
      'AccessDeniedException',
    );
  });

  it('refuses names that are none', async () => {
    const stack = await startStack();
    for (const [KeyId, name] of [
      ['arn:aws:kms:eu-central-1', 'InvalidArnException'],
      ['alias/', 'NotFoundException'],
      ['not a key', 'NotFoundException'],
    ]) {
      expect(await refusal(stack.admin.send(new DescribeKeyCommand({ KeyId })))).toBe(name);
    }
    expect(await refusal(stack.admin.send(new DescribeKeyCommand({ KeyId: 'alias/none' })))).toBe(
      'NotFoundException',
    );
  });
});

describe('blobs', () => {
  it('open with the same encryption context, in any order, and with no other', async () => {
    const stack = await startStack();
    const key = await createKey(stack);
    const blob = await seal(stack, key, { a: '1', b: '2' });
    const decrypt = (EncryptionContext?: Record<string, string>) =>
      refusal(stack.admin.send(new DecryptCommand({ CiphertextBlob: blob, EncryptionContext })));
    expect(await decrypt({ b: '2', a: '1' })).toBe('answered');
    for (const wrong of [
      undefined,
      {},
      { a: '1' },
      { a: '2', b: '1' },
      { a: '1', b: '2', c: '' },
      { A: '1', b: '2' },
    ]) {
      expect(await decrypt(wrong)).toBe('InvalidCiphertextException');
    }
  });

  it('do not open when a bit of them was changed, or cut off', async () => {
    const stack = await startStack();
    const key = await createKey(stack);
    const blob = await seal(stack, key);
    const decrypt = (CiphertextBlob: Uint8Array) =>
      refusal(stack.admin.send(new DecryptCommand({ KeyId: key, CiphertextBlob })));
    for (let at = 0; at < blob.length; at += 7) {
      const changed = new Uint8Array(blob);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(await decrypt(changed)).toMatch(/^(?:InvalidCiphertext|IncorrectKey)Exception$/);
      expect(await decrypt(blob.subarray(0, Math.max(1, at)))).toBe('InvalidCiphertextException');
    }
  });

  it('are never the same twice', async () => {
    const stack = await startStack();
    const key = await createKey(stack);
    expect(await seal(stack, key)).not.toEqual(await seal(stack, key));
  });
});

describe('inputs out of bounds', () => {
  it('are refused by AWS’s names', async () => {
    const stack = await startStack();
    const key = await createKey(stack);
    const send = (command: object) => refusal(stack.admin.send(command as EncryptCommand));
    expect(await send(new EncryptCommand({ KeyId: key, Plaintext: new Uint8Array(4097) }))).toBe(
      'ValidationException',
    );
    expect(await send(new EncryptCommand({ KeyId: key, Plaintext: new Uint8Array() }))).toBe(
      'ValidationException',
    );
    expect(await send(new EncryptCommand({ KeyId: undefined, Plaintext: SECRET }))).toBe(
      'ValidationException',
    );
    expect(await send(new DecryptCommand({ CiphertextBlob: new Uint8Array(6145) }))).toBe(
      'ValidationException',
    );
    expect(await send(new DecryptCommand({ CiphertextBlob: Buffer.from('no blob') }))).toBe(
      'InvalidCiphertextException',
    );
    expect(await send(new GenerateDataKeyCommand({ KeyId: key }))).toBe('ValidationException');
    expect(
      await send(new GenerateDataKeyCommand({ KeyId: key, KeySpec: 'AES_256', NumberOfBytes: 32 })),
    ).toBe('ValidationException');
    expect(await send(new GenerateDataKeyCommand({ KeyId: key, NumberOfBytes: 1025 }))).toBe(
      'ValidationException',
    );
    expect(await send(new GenerateRandomCommand({ NumberOfBytes: 0 }))).toBe('ValidationException');
    expect(await send(new GenerateRandomCommand({}))).toBe('ValidationException');
    expect(
      await send(
        new EncryptCommand({ KeyId: key, Plaintext: SECRET, EncryptionContext: { a: 'x'.repeat(8192) } }),
      ),
    ).toBe('ValidationException');
    expect(await send(new EncryptCommand({ KeyId: key, Plaintext: SECRET, GrantTokens: ['token'] }))).toBe(
      'InvalidGrantTokenException',
    );
    expect(await send(new EncryptCommand({ KeyId: key, Plaintext: SECRET, DryRun: true }))).toBe(
      'DryRunOperationException',
    );
    expect(
      await send(
        new EncryptCommand({ KeyId: key, Plaintext: SECRET, EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' }),
      ),
    ).toBe('InvalidKeyUsageException');
    for (const input of [{ KeySpec: 'SM2', KeyUsage: 'SIGN_VERIFY' }, { Origin: 'EXTERNAL' }] as const) {
      expect(await send(new CreateKeyCommand(input))).toBe('UnsupportedOperationException');
    }
  });

  it('GenerateDataKey gives keys of the length asked for', async () => {
    const stack = await startStack();
    const key = await createKey(stack);
    for (const [spec, length] of [
      [{ KeySpec: 'AES_128' as const }, 16],
      [{ KeySpec: 'AES_256' as const }, 32],
      [{ NumberOfBytes: 64 }, 64],
    ] as const) {
      const { Plaintext, CiphertextBlob } = await stack.admin.send(
        new GenerateDataKeyCommand({ KeyId: key, ...spec }),
      );
      expect(Plaintext).toHaveLength(length);
      const opened = await stack.admin.send(new DecryptCommand({ CiphertextBlob }));
      expect(opened.Plaintext).toEqual(Plaintext);
    }
  });

  it('GenerateDataKeyWithoutPlaintext gives the ciphertext of such a key, and nothing else', async () => {
    const stack = await startStack();
    const key = await createKey(stack);
    for (const [spec, length] of [
      [{ KeySpec: 'AES_128' as const }, 16],
      [{ KeySpec: 'AES_256' as const }, 32],
      [{ NumberOfBytes: 64 }, 64],
    ] as const) {
      const command = { KeyId: key, ...spec, EncryptionContext: CONTEXT };
      const answer = await stack.admin.send(new GenerateDataKeyWithoutPlaintextCommand(command));
      expect(Object.keys(answer).sort()).toEqual(['$metadata', 'CiphertextBlob', 'KeyId', 'KeyMaterialId']);
      expect(answer.KeyId).toBe(key);
      const { CiphertextBlob } = answer;
      const decrypt = (EncryptionContext?: Record<string, string>) =>
        stack.admin.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }));
      expect((await decrypt(CONTEXT)).Plaintext).toHaveLength(length);
      expect(await refusal(decrypt())).toBe('InvalidCiphertextException');
    }
  });

  it('GenerateDataKeyWithoutPlaintext is refused by AWS’s names', async () => {
    const stack = await startStack();
    const key = await createKey(stack);
    const send = (input: Partial<GenerateDataKeyWithoutPlaintextCommandInput>, client = stack.admin) =>
      refusal(
        client.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId: key, KeySpec: 'AES_256', ...input })),
      );
    const without = { KeySpec: undefined };
    expect(await send({})).toBe('answered');
    expect(await send(without)).toBe('ValidationException');
    expect(await send({ NumberOfBytes: 32 })).toBe('ValidationException');
    expect(await send({ ...without, NumberOfBytes: 0 })).toBe('ValidationException');
    expect(await send({ ...without, NumberOfBytes: 1025 })).toBe('ValidationException');
    expect(await send({ KeySpec: 'AES_512' as 'AES_256' })).toBe('ValidationException');
    expect(await send({ KeyId: undefined })).toBe('ValidationException');
    expect(await send({ EncryptionContext: { a: 'x'.repeat(8192) } })).toBe('ValidationException');
    expect(await send({ KeyId: 'alias/nobody' })).toBe('NotFoundException');
    expect(await send({ GrantTokens: ['token'] })).toBe('InvalidGrantTokenException');
    expect(await send({ DryRun: true })).toBe('DryRunOperationException');
    expect(await send({}, stack.node)).toBe('AccessDeniedException');
    await stack.admin.send(new DisableKeyCommand({ KeyId: key }));
    expect(await send({})).toBe('DisabledException');
    await stack.admin.send(new ScheduleKeyDeletionCommand({ KeyId: key }));
    expect(await send({})).toBe('KMSInvalidStateException');
  });

  it('GenerateDataKeyWithoutPlaintext takes no Recipient, so that a policy with PCR conditions never allows it', async () => {
    const stack = await startStack();
    const key = await createKey(
      stack,
      attestedPolicy(undefined, ['kms:Decrypt', 'kms:GenerateDataKeyWithoutPlaintext']),
    );
    const command = new GenerateDataKeyWithoutPlaintextCommand({
      KeyId: key,
      KeySpec: 'AES_256',
      EncryptionContext: CONTEXT,
    });
    expect(await refusal(stack.node.send(command))).toBe('AccessDeniedException');
  });
});
