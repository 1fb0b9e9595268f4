import {
  CreateGrantCommand,
  type CreateGrantCommandInput,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  type KMSClient,
  ListGrantsCommand,
  ListRetirableGrantsCommand,
  RetireGrantCommand,
  RevokeGrantCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  ACCOUNT,
  ADMIN_ROLE,
  attested,
  attestedPolicy,
  CONTEXT,
  makeKey,
  MEASURED,
  NODE_ROLE,
  refusal,
  startStack,
  type Stack,
} from './stack.ts';

const SECRET = Buffer.from('a secret of the node');
/** Lets the admin make grants, beside what it lets the admin and an attested node do. */
const POLICY = attestedPolicy().replace(
  '"kms:PutKeyPolicy"',
  '"kms:PutKeyPolicy","kms:CreateGrant","kms:ListGrants","kms:RevokeGrant"',
);

let stack: Stack;
let KeyId: string;
let CiphertextBlob: Uint8Array | undefined;

beforeEach(async () => {
  stack = await startStack();
  KeyId = await makeKey(stack, { Policy: POLICY });
  const encrypt = new EncryptCommand({ KeyId, Plaintext: SECRET, EncryptionContext: CONTEXT });
  ({ CiphertextBlob } = await stack.admin.send(encrypt));
});

const grant = (input: Partial<CreateGrantCommandInput> = {}, client = stack.admin) =>
  client.send(
    new CreateGrantCommand({ KeyId, GranteePrincipal: NODE_ROLE, Operations: ['Decrypt'], ...input }),
  );
const decrypt = (
  EncryptionContext: Record<string, string> = CONTEXT,
  client: KMSClient = stack.node,
  GrantTokens?: string[],
) => client.send(new DecryptCommand({ KeyId, CiphertextBlob, EncryptionContext, GrantTokens }));

/** A client of a role that no policy knows. */
function stranger(roleName = 'stranger', accountId = ACCOUNT): KMSClient {
  const roleArn = stack.aws.directory.defineRole({ accountId, roleName });
  return stack.client(stack.aws.directory.assumeRole({ roleArn, sessionName: 'session' }));
}

describe('a grant', () => {
  it('opens an attested key without any attestation: conditions on recipients do not apply to it', async () => {
    expect(await refusal(decrypt())).toBe('AccessDeniedException');
    await grant();
    const { Plaintext } = await decrypt();
    expect(Buffer.from(Plaintext ?? [])).toEqual(SECRET);
    expect(stack.decisions.at(-1)).toMatchObject({
      decision: 'allow',
      reason: 'grant-allow',
      grant: { granteePrincipal: NODE_ROLE },
    });
    // An enclave with other measurements gets it just as well.
    const Recipient = await attested({ measured: new Map([...MEASURED, [0, new Uint8Array(48).fill(7)]]) });
    const asked = new DecryptCommand({ KeyId, CiphertextBlob, EncryptionContext: CONTEXT, Recipient });
    expect(await refusal(stack.node.send(asked))).toBe('answered');
  });

  it('permits its operations to its grantee, and nothing else to nobody else', async () => {
    await grant();
    expect(await refusal(decrypt(CONTEXT, stranger()))).toBe('AccessDeniedException');
    const encrypt = new EncryptCommand({ KeyId, Plaintext: SECRET, EncryptionContext: CONTEXT });
    expect(await refusal(stack.node.send(encrypt))).toBe('AccessDeniedException');
    expect(await refusal(stack.node.send(new DescribeKeyCommand({ KeyId })))).toBe('AccessDeniedException');
    await grant({ Operations: ['DescribeKey'] });
    expect(await refusal(stack.node.send(new DescribeKeyCommand({ KeyId })))).toBe('answered');
  });

  it('can be for a principal of another account', async () => {
    const elsewhere = '444455556666';
    await grant({ GranteePrincipal: `arn:aws:iam::${elsewhere}:role/stranger` });
    expect(await refusal(decrypt(CONTEXT, stranger('stranger', elsewhere)))).toBe('answered');
    expect(await refusal(decrypt(CONTEXT, stranger('other', elsewhere)))).toBe('AccessDeniedException');
  });

  it('for an account leaves the rest to IAM', async () => {
    await grant({ GranteePrincipal: `arn:aws:iam::${ACCOUNT}:root` });
    expect(await refusal(decrypt(CONTEXT, stranger()))).toBe('AccessDeniedException');
    expect(await refusal(decrypt(CONTEXT, stack.admin))).toBe('answered');
    const root = stack.client(stack.aws.directory.createAccessKey({ accountId: ACCOUNT }));
    expect(await refusal(decrypt(CONTEXT, root))).toBe('answered');
  });

  it('helps against no Deny', async () => {
    const denying = JSON.parse(POLICY) as { Statement: object[] };
    denying.Statement.push({
      Effect: 'Deny',
      Principal: '*',
      Action: 'kms:Decrypt',
      Resource: '*',
      Condition: { StringNotEquals: { 'kms:EncryptionContext:holdfast:node': '1' } },
    });
    KeyId = await makeKey(stack, { Policy: JSON.stringify(denying) });
    for (const EncryptionContext of [CONTEXT, { other: 'context' }]) {
      const sealed = await stack.admin.send(
        new EncryptCommand({ KeyId, Plaintext: SECRET, EncryptionContext }),
      );
      CiphertextBlob = sealed.CiphertextBlob;
      await grant();
      expect(await refusal(decrypt(EncryptionContext))).toBe(
        EncryptionContext === CONTEXT ? 'answered' : 'AccessDeniedException',
      );
    }
  });

  it.each([
    ['EncryptionContextEquals', CONTEXT, true],
    ['EncryptionContextEquals', { ...CONTEXT, more: '1' }, false],
    ['EncryptionContextEquals', { 'holdfast:node': '1' }, false],
    ['EncryptionContextSubset', { 'holdfast:node': '1' }, true],
    ['EncryptionContextSubset', { 'holdfast:node': '2' }, false],
    ['EncryptionContextSubset', { ...CONTEXT, more: '1' }, false],
  ] as const)('holds to its constraint: %s %j', async (name, pairs, allowed) => {
    await grant({ Constraints: { [name]: pairs } });
    expect(await refusal(decrypt())).toBe(allowed ? 'answered' : 'AccessDeniedException');
  });

  it('with constraints never permits an operation without the encryption context', async () => {
    await grant({ Operations: ['GenerateDataKey'], Constraints: { EncryptionContextSubset: { a: '1' } } });
    const generate = (EncryptionContext?: Record<string, string>) =>
      refusal(stack.node.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', EncryptionContext })));
    expect(await generate()).toBe('AccessDeniedException');
    expect(await generate({ a: '1', b: '2' })).toBe('answered');
  });

  it('is made only by whom the policy lets, and its token is none for another', async () => {
    expect(await refusal(grant({}, stack.node))).toBe('AccessDeniedException');
    const { GrantToken = '' } = await grant();
    expect(await refusal(decrypt(CONTEXT, stack.node, [GrantToken]))).toBe('answered');
    expect(await refusal(decrypt(CONTEXT, stranger(), [GrantToken]))).toBe('AccessDeniedException');
    expect(await refusal(decrypt(CONTEXT, stack.node, ['made up']))).toBe('InvalidGrantTokenException');
  });

  it('by which its grantee makes others hands on no more than it permits', async () => {
    const pairs = { EncryptionContextSubset: { 'holdfast:node': '1' } };
    await grant({ Operations: ['Decrypt', 'CreateGrant'], Constraints: pairs });
    const third = `arn:aws:iam::${ACCOUNT}:role/stranger`;
    const handOn = (input: Partial<CreateGrantCommandInput>) =>
      refusal(grant({ GranteePrincipal: third, ...input }, stack.node));
    expect(await handOn({})).toBe('AccessDeniedException');
    expect(await handOn({ Operations: ['Decrypt', 'Encrypt'], Constraints: pairs })).toBe(
      'AccessDeniedException',
    );
    expect(await handOn({ Constraints: { EncryptionContextSubset: { a: '1' } } })).toBe(
      'AccessDeniedException',
    );
    expect(await handOn({ Constraints: pairs })).toBe('answered');
    expect(await handOn({ Constraints: { EncryptionContextEquals: CONTEXT } })).toBe('answered');
    expect(await refusal(decrypt(CONTEXT, stranger()))).toBe('answered');
  });

  it('lets a policy say which grants may be made', async () => {
    const statement = {
      Effect: 'Allow',
      Principal: { AWS: NODE_ROLE },
      Action: 'kms:CreateGrant',
      Resource: '*',
      Condition: {
        'ForAllValues:StringEquals': { 'kms:GrantOperations': ['DescribeKey'] },
        StringEquals: { 'kms:GranteePrincipal': ADMIN_ROLE },
      },
    };
    const policy = JSON.parse(POLICY) as { Statement: object[] };
    policy.Statement.push(statement);
    KeyId = await makeKey(stack, { Policy: JSON.stringify(policy) });
    const make = (input: Partial<CreateGrantCommandInput>) =>
      refusal(grant({ Operations: ['DescribeKey'], GranteePrincipal: ADMIN_ROLE, ...input }, stack.node));
    expect(await make({})).toBe('answered');
    expect(await make({ Operations: ['DescribeKey', 'Decrypt'] })).toBe('AccessDeniedException');
    expect(await make({ GranteePrincipal: NODE_ROLE })).toBe('AccessDeniedException');
  });

  it.each([
    ['an operation that the key cannot do', { Operations: ['Sign'] }, 'ValidationException'],
    ['an operation of no grant', { Operations: ['PutKeyPolicy'] }, 'ValidationException'],
    ['no operation', { Operations: [] }, 'ValidationException'],
    ['no grantee', { GranteePrincipal: undefined }, 'ValidationException'],
    ['a grantee that is none', { GranteePrincipal: 'node' }, 'InvalidArnException'],
    ['a dry run', { DryRun: true }, 'DryRunOperationException'],
    ['an alias', { KeyId: 'alias/node' }, 'NotFoundException'],
  ] as const)('is not made with %s', async (_, input, name) => {
    expect(await refusal(grant(input as unknown as CreateGrantCommandInput))).toBe(name);
    const { Grants } = await stack.admin.send(new ListGrantsCommand({ KeyId }));
    expect(Grants).toEqual([]);
  });

  it('is not made for a disabled key, nor for one pending deletion', async () => {
    await stack.admin.send(new DisableKeyCommand({ KeyId }));
    expect(await refusal(grant())).toBe('DisabledException');
    await stack.admin.send(new ScheduleKeyDeletionCommand({ KeyId }));
    expect(await refusal(grant())).toBe('KMSInvalidStateException');
  });

  it('with a name is made once', async () => {
    const first = await grant({ Name: 'one' });
    expect((await grant({ Name: 'one' })).GrantId).toBe(first.GrantId);
    expect((await grant({ Name: 'one', Operations: ['Encrypt'] })).GrantId).not.toBe(first.GrantId);
    expect((await grant()).GrantId).not.toBe((await grant()).GrantId);
  });
});

describe('the grants of a key', () => {
  it('are listed, by grantee or id too, and in pages', async () => {
    const { GrantId } = await grant({ Constraints: { EncryptionContextSubset: CONTEXT }, Name: 'one' });
    await grant({ GranteePrincipal: ADMIN_ROLE });
    const list = async (input: object = {}) =>
      (await stack.admin.send(new ListGrantsCommand({ KeyId, ...input }))).Grants ?? [];
    expect(await list()).toHaveLength(2);
    expect(await list({ GranteePrincipal: NODE_ROLE })).toMatchObject([
      {
        GrantId,
        KeyId,
        Name: 'one',
        Operations: ['Decrypt'],
        Constraints: { EncryptionContextSubset: CONTEXT },
        IssuingAccount: `arn:aws:iam::${ACCOUNT}:root`,
      },
    ]);
    expect(await list({ GrantId })).toHaveLength(1);
    const page = await stack.admin.send(new ListGrantsCommand({ KeyId, Limit: 1 }));
    expect([page.Grants?.length, page.Truncated]).toEqual([1, true]);
    expect(await list({ Marker: page.NextMarker })).toHaveLength(1);
  });

  it('are shown to whom the policy lets', async () => {
    expect(await refusal(stack.node.send(new ListGrantsCommand({ KeyId })))).toBe('AccessDeniedException');
  });

  it('end when they are revoked', async () => {
    const { GrantId, GrantToken } = await grant();
    const revoke = new RevokeGrantCommand({ KeyId, GrantId });
    expect(await refusal(stack.node.send(revoke))).toBe('AccessDeniedException');
    await stack.admin.send(revoke);
    expect(await refusal(decrypt())).toBe('AccessDeniedException');
    expect(await refusal(stack.admin.send(revoke))).toBe('NotFoundException');
    expect(await refusal(decrypt(CONTEXT, stack.node, [GrantToken ?? '']))).toBe(
      'InvalidGrantTokenException',
    );
  });

  it('are retired by their retiring principal, by id or token', async () => {
    const retiring = `arn:aws:iam::${ACCOUNT}:role/retirer`;
    const retirer = stranger('retirer');
    for (const byToken of [true, false]) {
      const { GrantId, GrantToken } = await grant({ RetiringPrincipal: retiring });
      const listed = await stack.admin.send(new ListRetirableGrantsCommand({ RetiringPrincipal: retiring }));
      expect(listed.Grants?.map((one) => one.GrantId)).toEqual([GrantId]);
      const retire = new RetireGrantCommand(byToken ? { GrantToken } : { KeyId, GrantId });
      expect(await refusal(stack.node.send(retire))).toBe('AccessDeniedException');
      expect(await refusal(retirer.send(retire))).toBe('answered');
      expect(await refusal(decrypt())).toBe('AccessDeniedException');
    }
  });

  it('are retired by their grantee if they say so, and by the account that made them', async () => {
    const own = await grant({ Operations: ['Decrypt', 'RetireGrant'] });
    expect(await refusal(stack.node.send(new RetireGrantCommand({ GrantToken: own.GrantToken })))).toBe(
      'answered',
    );
    const { GrantId } = await grant();
    const root = stack.client(stack.aws.directory.createAccessKey({ accountId: ACCOUNT }));
    const retire = (input: object) => refusal(root.send(new RetireGrantCommand(input)));
    expect(await retire({ KeyId: KeyId.split('/')[1], GrantId })).toBe('InvalidArnException');
    expect(await retire({ KeyId })).toBe('ValidationException');
    expect(await retire({ GrantToken: 'made up' })).toBe('InvalidGrantTokenException');
    expect(await retire({ KeyId, GrantId })).toBe('answered');
  });
});
