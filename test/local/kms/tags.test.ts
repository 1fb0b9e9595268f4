import {
  CreateKeyCommand,
  EncryptCommand,
  ListResourceTagsCommand,
  ScheduleKeyDeletionCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-kms';
import { describe, expect, it } from 'vitest';
import { ACCOUNT, ADMIN_ROLE, makeKey, NODE_ROLE, refusal, startStack, type Stack } from './stack.ts';

const tag = (TagKey: string, TagValue = '') => ({ TagKey, TagValue });

async function tagsOf(stack: Stack, KeyId: string) {
  const { Tags } = await stack.admin.send(new ListResourceTagsCommand({ KeyId }));
  return Tags;
}

describe('tags', () => {
  it('come with a new key and are kept', async () => {
    const stack = await startStack();
    const key = await makeKey(stack, { Tags: [tag('CreatedBy', 'Canton'), tag('node', '1')] });
    expect(await tagsOf(stack, key)).toEqual([tag('CreatedBy', 'Canton'), tag('node', '1')]);
  });

  it('are added, changed and taken off', async () => {
    const stack = await startStack();
    const KeyId = await makeKey(stack, { Tags: [tag('a', '1')] });
    await stack.admin.send(new TagResourceCommand({ KeyId, Tags: [tag('a', '2'), tag('b')] }));
    expect(await tagsOf(stack, KeyId)).toEqual([tag('a', '2'), tag('b')]);
    await stack.admin.send(new UntagResourceCommand({ KeyId, TagKeys: ['a', 'none'] }));
    expect(await tagsOf(stack, KeyId)).toEqual([tag('b')]);
  });

  it('are listed in pages', async () => {
    const stack = await startStack();
    const KeyId = await makeKey(stack, { Tags: ['a', 'b', 'c'].map((name) => tag(name)) });
    const first = await stack.admin.send(new ListResourceTagsCommand({ KeyId, Limit: 2 }));
    expect([first.Tags, first.Truncated]).toEqual([[tag('a'), tag('b')], true]);
    const next = new ListResourceTagsCommand({ KeyId, Marker: first.NextMarker });
    expect((await stack.admin.send(next)).Tags).toEqual([tag('c')]);
  });

  it.each([
    ['twice', [tag('a'), tag('a')], 'TagException'],
    ['AWS’s own', [tag('aws:cloudformation:stack-id')], 'TagException'],
    ['too many', Array.from({ length: 51 }, (_, index) => tag(String(index))), 'LimitExceededException'],
    ['too long', [tag('a'.repeat(129))], 'ValidationException'],
    ['without a key', [tag('')], 'ValidationException'],
  ])('are refused: %s', async (_, Tags, name) => {
    const stack = await startStack();
    const KeyId = await makeKey(stack);
    expect(await refusal(stack.admin.send(new TagResourceCommand({ KeyId, Tags })))).toBe(name);
    expect(await refusal(stack.admin.send(new CreateKeyCommand({ Tags })))).toBe(name);
  });

  it('stay as they are on a key pending deletion, and from whom the policy does not let', async () => {
    const stack = await startStack();
    const KeyId = await makeKey(stack);
    const add = new TagResourceCommand({ KeyId, Tags: [tag('a')] });
    expect(await refusal(stack.node.send(add))).toBe('AccessDeniedException');
    await stack.admin.send(new ScheduleKeyDeletionCommand({ KeyId }));
    expect(await refusal(stack.admin.send(add))).toBe('KMSInvalidStateException');
  });

  it('decide where a policy asks for them', async () => {
    const stack = await startStack();
    const statement = (role: string, Action: string, Condition?: object) => ({
      Effect: 'Allow',
      Principal: { AWS: role },
      Action,
      Resource: '*',
      Condition,
    });
    const Statement = [
      statement(ADMIN_ROLE, 'kms:*'),
      statement(NODE_ROLE, 'kms:Encrypt', { StringEquals: { 'aws:ResourceTag/use': 'open' } }),
    ];
    const KeyId = await makeKey(stack, { Policy: JSON.stringify({ Version: '2012-10-17', Statement }) });
    const encrypt = new EncryptCommand({ KeyId, Plaintext: Buffer.from('a') });
    expect(await refusal(stack.node.send(encrypt))).toBe('AccessDeniedException');
    await stack.admin.send(new TagResourceCommand({ KeyId, Tags: [tag('use', 'open')] }));
    expect(await refusal(stack.node.send(encrypt))).toBe('answered');
  });

  it('of a new key need the right to tag', async () => {
    const stack = await startStack();
    const policies = [
      JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: 'kms:CreateKey', Resource: '*' }],
      }),
    ];
    const roleArn = stack.aws.directory.defineRole({ accountId: ACCOUNT, roleName: 'maker', policies });
    const maker = stack.client(stack.aws.directory.assumeRole({ roleArn, sessionName: 'maker' }));
    const create = (Tags?: { TagKey: string; TagValue: string }[]) =>
      refusal(maker.send(new CreateKeyCommand({ Tags, BypassPolicyLockoutSafetyCheck: true })));
    expect(await create()).toBe('answered');
    expect(await create([tag('a')])).toBe('AccessDeniedException');
  });
});
