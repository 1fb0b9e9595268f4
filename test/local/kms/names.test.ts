import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateGrantCommand,
  DecryptCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  GetPublicKeyCommand,
  ListAliasesCommand,
  ListKeyPoliciesCommand,
  ListKeysCommand,
  ListResourceTagsCommand,
  PutKeyPolicyCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
  TagResourceCommand,
  UpdateAliasCommand,
  UpdateKeyDescriptionCommand,
} from '@aws-sdk/client-kms';
import { describe, expect, it } from 'vitest';
import {
  ACCOUNT,
  ADMIN_ROLE,
  attestedPolicy,
  makeKey,
  refusal,
  refused,
  REGION,
  startStack,
} from './stack.ts';

const ALIAS_ARN = `arn:aws:kms:${REGION}:${ACCOUNT}:alias/node`;
const policy = attestedPolicy();

describe('an operation on keys', () => {
  it.each<[string, (KeyId: string) => object]>([
    ['PutKeyPolicy', (KeyId) => new PutKeyPolicyCommand({ KeyId, Policy: policy })],
    ['GetKeyPolicy', (KeyId) => new GetKeyPolicyCommand({ KeyId })],
    ['ListKeyPolicies', (KeyId) => new ListKeyPoliciesCommand({ KeyId })],
    ['EnableKey', (KeyId) => new EnableKeyCommand({ KeyId })],
    ['DisableKey', (KeyId) => new DisableKeyCommand({ KeyId })],
    ['ScheduleKeyDeletion', (KeyId) => new ScheduleKeyDeletionCommand({ KeyId })],
    ['CancelKeyDeletion', (KeyId) => new CancelKeyDeletionCommand({ KeyId })],
    ['UpdateKeyDescription', (KeyId) => new UpdateKeyDescriptionCommand({ KeyId, Description: '' })],
    ['GetKeyRotationStatus', (KeyId) => new GetKeyRotationStatusCommand({ KeyId })],
    ['ListResourceTags', (KeyId) => new ListResourceTagsCommand({ KeyId })],
    ['TagResource', (KeyId) => new TagResourceCommand({ KeyId, Tags: [] })],
    ['ListAliases', (KeyId) => new ListAliasesCommand({ KeyId })],
    ['CreateAlias', (TargetKeyId) => new CreateAliasCommand({ AliasName: 'alias/other', TargetKeyId })],
    ['UpdateAlias', (TargetKeyId) => new UpdateAliasCommand({ AliasName: 'alias/node', TargetKeyId })],
    [
      'CreateGrant',
      (KeyId) => new CreateGrantCommand({ KeyId, GranteePrincipal: ADMIN_ROLE, Operations: ['DescribeKey'] }),
    ],
  ])('takes an id or an ARN, and no alias: %s', async (_, command) => {
    const { admin, ...stack } = await startStack();
    const key = await makeKey({ admin, ...stack });
    await admin.send(new CreateAliasCommand({ AliasName: 'alias/node', TargetKeyId: key }));
    for (const name of ['alias/node', ALIAS_ARN]) {
      expect(await refused(admin.send(command(name) as DescribeKeyCommand))).toEqual({
        name: 'NotFoundException',
        message: `Invalid keyId '${name}'`,
      });
    }
    // Whatever else is wrong with it, the key itself is found.
    for (const name of [key, key.split('/')[1] ?? '']) {
      const { message } = await refused(admin.send(command(name) as DescribeKeyCommand));
      expect(message).not.toMatch(/Invalid keyId|does not exist/);
    }
  });

  it('uses AWS’s words for what is not there', async () => {
    const { admin } = await startStack();
    const describe = (KeyId: string) => refused(admin.send(new DescribeKeyCommand({ KeyId })));
    const id = '12345678-1234-1234-1234-123456789012';
    const arn = `arn:aws:kms:${REGION}:${ACCOUNT}:key/${id}`;
    expect(await describe(id)).toEqual({
      name: 'NotFoundException',
      message: `Key '${arn}' does not exist`,
    });
    expect((await describe(arn)).message).toBe(`Key '${arn}' does not exist`);
    expect((await describe('alias/node')).message).toBe(`Alias ${ALIAS_ARN} is not found.`);
    expect((await describe(ALIAS_ARN)).message).toBe(`Alias ${ALIAS_ARN} is not found.`);
    expect((await describe('not a key')).message).toBe("Invalid keyId 'not a key'");
  });

  it('names what is out of bounds by its lower-case name, and no library’s words', async () => {
    const { admin } = await startStack();
    const encrypt = new EncryptCommand({ KeyId: 'a', Plaintext: new Uint8Array(4097) });
    expect(await refused(admin.send(encrypt))).toEqual({
      name: 'ValidationException',
      message:
        "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4096",
    });
  });
});

describe('a caller without rights', () => {
  it('is told nothing of the key: its kind, its state, its usage', async () => {
    const stack = await startStack();
    const symmetric = await makeKey(stack);
    const disabled = await makeKey(stack);
    await stack.admin.send(new DisableKeyCommand({ KeyId: disabled }));
    const Message = Buffer.from('a');
    for (const KeyId of [symmetric, disabled]) {
      for (const command of [
        new GetPublicKeyCommand({ KeyId }),
        new SignCommand({ KeyId, Message, SigningAlgorithm: 'ECDSA_SHA_256' }),
        new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }),
      ]) {
        const { name, message } = await refused(stack.node.send(command as GetPublicKeyCommand));
        expect(name).toBe('AccessDeniedException');
        expect(message).toContain(`is not authorized to perform: kms:`);
      }
    }
  });

  it('is told whether it is IAM that is missing, or a Deny that stands', async () => {
    const stack = await startStack();
    const Statement = [
      { Effect: 'Allow', Principal: { AWS: ADMIN_ROLE }, Action: 'kms:*', Resource: '*' },
      { Effect: 'Deny', Principal: '*', Action: 'kms:Encrypt', Resource: '*' },
    ];
    const KeyId = await makeKey(stack, { Policy: JSON.stringify({ Version: '2012-10-17', Statement }) });
    const encrypt = new EncryptCommand({ KeyId, Plaintext: Buffer.from('a') });
    expect((await refused(stack.admin.send(encrypt))).message).toMatch(
      /with an explicit deny in a resource-based policy$/,
    );
    expect((await refused(stack.node.send(new ListKeysCommand({})))).message).toMatch(
      /because no identity-based policy allows the kms:ListKeys action$/,
    );
  });
});

describe('aliases', () => {
  it('are listed for one key alone when it is named', async () => {
    const stack = await startStack();
    const [key, other] = [await makeKey(stack), await makeKey(stack)];
    for (const [name, TargetKeyId] of [
      ['alias/a', key],
      ['alias/b', other],
      ['alias/c', key],
    ] as const) {
      await stack.admin.send(new CreateAliasCommand({ AliasName: name, TargetKeyId }));
    }
    const { Aliases } = await stack.admin.send(new ListAliasesCommand({ KeyId: key }));
    expect(Aliases?.map(({ AliasName }) => AliasName)).toEqual(['alias/a', 'alias/c']);
    expect(Aliases?.[0]?.CreationDate?.getTime()).toBeGreaterThan(Date.now() - 60_000);
  });

  it('are deleted, and then lead nowhere', async () => {
    const stack = await startStack();
    const key = await makeKey(stack);
    const AliasName = 'alias/node';
    await stack.admin.send(new CreateAliasCommand({ AliasName, TargetKeyId: key }));
    expect(await refusal(stack.node.send(new DeleteAliasCommand({ AliasName })))).toBe(
      'AccessDeniedException',
    );
    await stack.admin.send(new DeleteAliasCommand({ AliasName }));
    expect(await refusal(stack.admin.send(new DescribeKeyCommand({ KeyId: AliasName })))).toBe(
      'NotFoundException',
    );
    expect(await refusal(stack.admin.send(new DeleteAliasCommand({ AliasName })))).toBe('NotFoundException');
  });

  it('need the caller’s own policies as well as the key’s', async () => {
    const stack = await startStack();
    const Statement = [
      { Effect: 'Allow', Principal: { AWS: ADMIN_ROLE }, Action: 'kms:*', Resource: '*' },
      { Effect: 'Allow', Principal: '*', Action: 'kms:*Alias', Resource: '*' },
    ];
    const TargetKeyId = await makeKey(stack, {
      Policy: JSON.stringify({ Version: '2012-10-17', Statement }),
    });
    const create = new CreateAliasCommand({ AliasName: 'alias/node', TargetKeyId });
    expect(await refusal(stack.node.send(create))).toBe('AccessDeniedException');
    expect(await refusal(stack.admin.send(create))).toBe('answered');
    expect(await refusal(stack.admin.send(create))).toBe('AlreadyExistsException');
  });

  it('are neither made for nor moved to a key pending deletion', async () => {
    const stack = await startStack();
    const [key, doomed] = [await makeKey(stack), await makeKey(stack)];
    await stack.admin.send(new CreateAliasCommand({ AliasName: 'alias/node', TargetKeyId: key }));
    await stack.admin.send(new ScheduleKeyDeletionCommand({ KeyId: doomed }));
    const create = new CreateAliasCommand({ AliasName: 'alias/doomed', TargetKeyId: doomed });
    expect(await refusal(stack.admin.send(create))).toBe('KMSInvalidStateException');
    const move = new UpdateAliasCommand({ AliasName: 'alias/node', TargetKeyId: doomed });
    expect(await refusal(stack.admin.send(move))).toBe('KMSInvalidStateException');
  });

  it('are moved between keys of one type and usage alone', async () => {
    const stack = await startStack();
    const [key, rsa] = [
      await makeKey(stack),
      await makeKey(stack, { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' }),
    ];
    const [signing, agreeing] = [
      await makeKey(stack, { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }),
      await makeKey(stack, { KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' }),
    ];
    const move = async (from: string, TargetKeyId: string) => {
      const AliasName = `alias/${from.slice(-12)}`;
      await stack.admin.send(new CreateAliasCommand({ AliasName, TargetKeyId: from })).catch(() => {});
      return refusal(stack.admin.send(new UpdateAliasCommand({ AliasName, TargetKeyId })));
    };
    expect(await move(key, rsa)).toBe('ValidationException');
    expect(await move(key, signing)).toBe('ValidationException');
    expect(await move(signing, agreeing)).toBe('ValidationException');
    expect(await move(signing, rsa)).toBe('ValidationException');
    expect(await move(key, await makeKey(stack))).toBe('answered');
  });

  it.each([
    ['node', 'ValidationException'],
    ['alias/aws/s3', 'InvalidAliasNameException'],
    ['alias/a b', 'ValidationException'],
  ])('are not called %s', async (AliasName, name) => {
    const stack = await startStack();
    const TargetKeyId = await makeKey(stack);
    expect(await refusal(stack.admin.send(new CreateAliasCommand({ AliasName, TargetKeyId })))).toBe(name);
  });
});

describe('pages', () => {
  it('have as many items as asked for, and a marker to the rest', async () => {
    const stack = await startStack();
    const keys: string[] = [];
    for (let made = 0; made < 5; made += 1) keys.push(await makeKey(stack));
    const seen: (string | undefined)[] = [];
    let Marker: string | undefined;
    do {
      const page = await stack.admin.send(new ListKeysCommand({ Limit: 2, Marker }));
      expect(page.Keys?.length).toBeLessThanOrEqual(2);
      expect(page.Truncated).toBe(page.NextMarker !== undefined);
      seen.push(...(page.Keys ?? []).map(({ KeyArn }) => KeyArn));
      Marker = page.NextMarker;
    } while (Marker !== undefined);
    expect(new Set(seen)).toEqual(new Set(keys));
    expect(seen).toHaveLength(keys.length);
  });

  it('of aliases have 50 by default', async () => {
    const stack = await startStack();
    const TargetKeyId = await makeKey(stack);
    for (let made = 0; made < 51; made += 1) {
      await stack.admin.send(new CreateAliasCommand({ AliasName: `alias/a${made}`, TargetKeyId }));
    }
    const first = await stack.admin.send(new ListAliasesCommand({}));
    expect([first.Aliases?.length, first.Truncated]).toEqual([50, true]);
    const second = await stack.admin.send(new ListAliasesCommand({ Marker: first.NextMarker }));
    expect([second.Aliases?.length, second.Truncated]).toEqual([1, false]);
  });

  it('refuse a marker that nobody has given, and a limit out of bounds', async () => {
    const { admin } = await startStack();
    for (const Marker of ['made up', Buffer.from('alias/x').toString('base64url')]) {
      expect(await refusal(admin.send(new ListKeysCommand({ Marker })))).toBe('InvalidMarkerException');
      expect(await refusal(admin.send(new ListAliasesCommand({ Marker })))).toBe('InvalidMarkerException');
    }
    for (const Limit of [0, 1001]) {
      expect(await refusal(admin.send(new ListKeysCommand({ Limit })))).toBe('ValidationException');
    }
  });
});

describe('a key policy', () => {
  it('is called default, and the other one is managed elsewhere', async () => {
    const stack = await startStack();
    const KeyId = await makeKey(stack);
    const { PolicyNames } = await stack.admin.send(new ListKeyPoliciesCommand({ KeyId }));
    expect(PolicyNames).toEqual(['default']);
    const put = (PolicyName: string) =>
      refusal(stack.admin.send(new PutKeyPolicyCommand({ KeyId, PolicyName, Policy: policy })));
    const get = (PolicyName: string) =>
      refusal(stack.admin.send(new GetKeyPolicyCommand({ KeyId, PolicyName })));
    expect(await put('AWS_RAM')).toBe('ValidationException');
    expect(await get('AWS_RAM')).toBe('NotFoundException');
    expect(await get('other')).toBe('NotFoundException');
    expect(await get('default')).toBe('answered');
    expect(await put('default')).toBe('answered');
  });

  it('can be written while the key is pending deletion', async () => {
    const stack = await startStack();
    const KeyId = await makeKey(stack);
    await stack.admin.send(new ScheduleKeyDeletionCommand({ KeyId }));
    const put = new PutKeyPolicyCommand({ KeyId, Policy: policy });
    expect(await refusal(stack.admin.send(put))).toBe('answered');
  });

  it('can ask for its own name', async () => {
    const stack = await startStack();
    const Statement = [
      {
        Effect: 'Allow',
        Principal: { AWS: ADMIN_ROLE },
        Action: 'kms:*',
        Resource: '*',
        Condition: { StringEqualsIfExists: { 'kms:PolicyName': 'default' } },
      },
    ];
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
    const KeyId = await makeKey(stack, { Policy });
    const get = (PolicyName?: string) =>
      refusal(stack.admin.send(new GetKeyPolicyCommand({ KeyId, PolicyName })));
    expect(await get()).toBe('answered');
    expect(await get('AWS_RAM')).toBe('AccessDeniedException');
  });

  it('longer than AWS takes is refused', async () => {
    const stack = await startStack();
    const Policy = policy + ' '.repeat(33_000);
    expect(await refused(makeKey(stack, { Policy }))).toMatchObject({ name: 'LimitExceededException' });
  });
});

describe('a description', () => {
  it('is changed, but not of a key pending deletion', async () => {
    const stack = await startStack();
    const KeyId = await makeKey(stack);
    const update = new UpdateKeyDescriptionCommand({ KeyId, Description: 'of a node' });
    await stack.admin.send(update);
    const { KeyMetadata } = await stack.admin.send(new DescribeKeyCommand({ KeyId }));
    expect(KeyMetadata?.Description).toBe('of a node');
    await stack.admin.send(new ScheduleKeyDeletionCommand({ KeyId }));
    expect(await refusal(stack.admin.send(update))).toBe('KMSInvalidStateException');
  });
});

describe('Decrypt as a dry run', () => {
  it('needs no ciphertext when it is told to look at none', async () => {
    const stack = await startStack();
    const KeyId = await makeKey(stack);
    const ask = (input: object, client = stack.admin) =>
      refusal(client.send(new DecryptCommand(input as { CiphertextBlob: Uint8Array })));
    const ignoring = { KeyId, DryRun: true, DryRunModifiers: ['IGNORE_CIPHERTEXT'] };
    expect(await ask(ignoring)).toBe('DryRunOperationException');
    expect(await ask(ignoring, stack.node)).toBe('AccessDeniedException');
    expect(await ask({ KeyId, DryRun: true })).toBe('ValidationException');
    expect(await ask({ ...ignoring, DryRun: false })).toBe('ValidationException');
    expect(await ask({ ...ignoring, KeyId: undefined })).toBe('ValidationException');
  });
});
