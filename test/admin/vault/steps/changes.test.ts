import type { Change, ResourceChange } from '@aws-sdk/client-cloudformation';
import { describe, expect, it } from 'vitest';
import { assertKeeps, describeChanges } from '../../../../admin/vault/steps/stack/changes.ts';

function change(fields: ResourceChange): Change {
  return { Type: 'Resource', ResourceChange: { LogicalResourceId: 'It', ...fields } };
}

const KEY = 'AWS::KMS::Key';
const BUCKET = 'AWS::S3::Bucket';

describe('a change of a stack', () => {
  it('is said in words, the gravest first', () => {
    const words = describeChanges([
      change({ Action: 'Add', ResourceType: KEY }),
      change({
        Action: 'Modify',
        Replacement: 'False',
        ResourceType: 'AWS::Lambda::Function',
        Details: [{ Target: { Attribute: 'Properties', Name: 'Code' } }],
      }),
      change({ Action: 'Modify', Replacement: 'Conditional', ResourceType: BUCKET }),
      change({ Action: 'Modify', Replacement: 'True', ResourceType: BUCKET }),
      change({ Action: 'Remove', ResourceType: KEY }),
    ]);
    expect(words).toEqual([
      'removes It (AWS::KMS::Key)',
      'changes It (AWS::S3::Bucket), or replaces it',
      'replaces It (AWS::S3::Bucket)',
      'changes It (AWS::Lambda::Function): Code',
      'makes It (AWS::KMS::Key)',
    ]);
  });

  it.each<[string, ResourceChange]>([
    ['removes a key', { Action: 'Remove', ResourceType: KEY }],
    ['replaces a key', { Action: 'Modify', Replacement: 'True', ResourceType: KEY }],
    ['removes a bucket', { Action: 'Remove', ResourceType: BUCKET }],
    ['may replace a bucket', { Action: 'Modify', Replacement: 'Conditional', ResourceType: BUCKET }],
    ['removes a secret', { Action: 'Remove', ResourceType: 'AWS::SecretsManager::Secret' }],
    ['replaces an instance', { Action: 'Modify', Replacement: 'True', ResourceType: 'AWS::EC2::Instance' }],
    ['removes what nobody knows yet', { Action: 'Remove', ResourceType: 'AWS::New::Thing' }],
    ['removes a resource without a type', { Action: 'Remove' }],
    ['does what nobody knows yet', { Action: 'Dynamic', ResourceType: KEY }],
    ['takes the guard of a key away', { Action: 'Modify', Scope: ['DeletionPolicy'], ResourceType: KEY }],
    [
      'takes the guard of a bucket away',
      {
        Action: 'Modify',
        Replacement: 'False',
        Scope: ['Properties', 'UpdateReplacePolicy'],
        ResourceType: BUCKET,
      },
    ],
  ])('is refused that %s', (_what, fields) => {
    expect(() => assertKeeps('stack', [change(fields)])).toThrow(
      expect.objectContaining({ code: 'VAULT_WOULD_DESTROY' }) as Error,
    );
  });

  it('is refused that puts a key policy', () => {
    const fields: ResourceChange = {
      Action: 'Modify',
      Replacement: 'False',
      ResourceType: KEY,
      Details: [{ Target: { Attribute: 'Properties', Name: 'KeyPolicy' } }],
    };
    expect(() => assertKeeps('stack', [change(fields)])).toThrow(
      expect.objectContaining({ code: 'VAULT_WOULD_REOPEN' }) as Error,
    );
  });

  it.each<[string, ResourceChange]>([
    ['makes a key', { Action: 'Add', ResourceType: KEY }],
    ['changes a bucket', { Action: 'Modify', Replacement: 'False', ResourceType: BUCKET }],
    [
      'describes a key',
      {
        Action: 'Modify',
        Replacement: 'False',
        ResourceType: KEY,
        Details: [{ Target: { Attribute: 'Properties', Name: 'Description' } }],
      },
    ],
    [
      'removes a rule of a security group',
      { Action: 'Remove', ResourceType: 'AWS::EC2::SecurityGroupIngress' },
    ],
  ])('is let through that %s', (_what, fields) => {
    expect(() => assertKeeps('stack', [change(fields)])).not.toThrow();
  });
});
