import { describe, expect, it } from 'vitest';
import {
  type AccountView,
  checkAccount,
  deriveStacks,
  type SeenKey,
  type SeenStack,
} from '../../../admin/vault/index.ts';
import { ACCOUNTS, parseSample } from './sample-vault.ts';

const { document } = parseSample();
const KEY_ARN = `arn:aws:kms:eu-central-1:${ACCOUNTS[1]}:key/12345678-1234-1234-1234-123456789012`;
const KEY: SeenKey = {
  arn: KEY_ARN,
  state: 'Enabled',
  usage: 'ENCRYPT_DECRYPT',
  spec: 'SYMMETRIC_DEFAULT',
  origin: 'AWS_KMS',
  isMultiRegion: false,
};
const stack = deriveStacks(document).find(({ role }) => role === 'node-1');
const STACK: SeenStack = {
  status: 'CREATE_COMPLETE',
  parameters: { ...stack?.parameters, Pcr0: '00' },
  outputs: { KeyArn: KEY_ARN },
};

/** Account as its owner expects it, but for what a test changes. */
function view(
  changes: Partial<{
    caller: { account: string; arn: string };
    stack: SeenStack | undefined;
    key: SeenKey | undefined;
  }> = {},
): AccountView {
  const asked = {
    caller: { account: '111111111111', arn: 'arn:aws:sts::111111111111:assumed-role/admin-of-1/alice' },
    stack: STACK,
    key: KEY,
    ...changes,
  };
  return {
    callerIdentity: () => Promise.resolve(asked.caller),
    describeStack: (name) => Promise.resolve(name === stack?.name ? asked.stack : undefined),
    describeKey: () => Promise.resolve(asked.key),
  };
}
const codesOf = async (changes: Parameters<typeof view>[0] = {}) =>
  (await checkAccount(document, 'node-1', view(changes))).map(({ code, severity }) => `${severity} ${code}`);

describe('the check of an account', () => {
  it('finds nothing in one as vault.yaml has it, nor in an empty one', async () => {
    expect(await codesOf()).toEqual([]);
    expect(await codesOf({ stack: undefined })).toEqual([]);
  });

  it('finds a host whose address the others do not let in', async () => {
    const host = deriveStacks(document).find(({ template }) => template === 'host');
    const checkHost = async (address: string) => {
      const seen = { status: 'CREATE_COMPLETE', parameters: {}, outputs: { PrivateIp: address } };
      const found = await checkAccount(document, 'infrastructure', {
        callerIdentity: () =>
          Promise.resolve({
            account: ACCOUNTS[0],
            arn: 'arn:aws:sts::444455556666:assumed-role/admin-of-4/a',
          }),
        describeStack: (name) => Promise.resolve(name === host?.name ? seen : undefined),
        describeKey: () => Promise.resolve(undefined),
      });
      return found.map(({ code, severity }) => `${severity} ${code}`);
    };
    expect(await checkHost('10.1.255.255')).toEqual([]);
    for (const address of ['10.0.255.255', '10.2.0.0', '::1', ''])
      expect([address, await checkHost(address)]).toEqual([address, ['warning HOST_OUT_OF_NETWORK']]);
  });

  it.each<[string, Parameters<typeof view>[0], string]>([
    [
      'credentials of another account',
      { caller: { account: '222222222222', arn: 'arn:aws:sts::222222222222:assumed-role/admin-of-1/alice' } },
      'error CREDENTIALS_OF_OTHER_ACCOUNT',
    ],
    [
      'credentials of somebody else in the account',
      { caller: { account: '111111111111', arn: 'arn:aws:sts::111111111111:assumed-role/developer/eve' } },
      'error CREDENTIALS_OF_NO_ADMIN',
    ],
    [
      'a user whose name is that of the role',
      { caller: { account: '111111111111', arn: 'arn:aws:iam::111111111111:user/admin-of-1' } },
      'error CREDENTIALS_OF_NO_ADMIN',
    ],
    [
      'the root of the account',
      { caller: { account: '111111111111', arn: 'arn:aws:iam::111111111111:root' } },
      'error CREDENTIALS_OF_NO_ADMIN',
    ],
    [
      'a stack of another node',
      { stack: { ...STACK, parameters: { ...STACK.parameters, NodeIndex: '2' } } },
      'error STACK_PARAMETERS_DIFFER',
    ],
    [
      'a stack with other admins',
      {
        stack: {
          ...STACK,
          parameters: { ...STACK.parameters, AdminArns: 'arn:aws:iam::111111111111:role/x' },
        },
      },
      'warning STACK_PARAMETERS_DIFFER',
    ],
    [
      'a stack of something else',
      { stack: { ...STACK, parameters: { Name: 'shop' } } },
      'error STACK_OF_OTHER_TEMPLATE',
    ],
    [
      'a stack that could not be made',
      { stack: { ...STACK, status: 'ROLLBACK_COMPLETE' } },
      'error STACK_STUCK',
    ],
    [
      'a stack whose update could not be taken back',
      { stack: { ...STACK, status: 'UPDATE_ROLLBACK_FAILED' } },
      'error STACK_STUCK',
    ],
    ['a stack under way', { stack: { ...STACK, status: 'UPDATE_IN_PROGRESS' } }, 'note STACK_IN_PROGRESS'],
    ['a stack half deleted', { stack: { ...STACK, status: 'DELETE_FAILED' } }, 'error STACK_DELETED'],
    [
      'a stack that was deleted',
      { stack: { status: 'DELETE_COMPLETE', parameters: {}, outputs: {} } },
      'warning STACK_DELETED',
    ],
    [
      "a key in infrastructure's account",
      { stack: { ...STACK, outputs: { KeyArn: KEY_ARN.replace('111111111111', '444455556666') } } },
      'error KMS_KEY_OF_OTHER_ACCOUNT',
    ],
    [
      'a key in another Region',
      { stack: { ...STACK, outputs: { KeyArn: KEY_ARN.replace('eu-central-1', 'eu-west-1') } } },
      'error KMS_KEY_OF_OTHER_REGION',
    ],
    [
      'a key that waits for its deletion',
      { key: { ...KEY, state: 'PendingDeletion' } },
      'error KMS_KEY_NOT_USABLE',
    ],
    ['a key that is not there', { key: undefined }, 'error KMS_KEY_NOT_USABLE'],
    ['a multi-Region key', { key: { ...KEY, isMultiRegion: true } }, 'error KMS_KEY_OF_OTHER_KIND'],
    ['a key with imported material', { key: { ...KEY, origin: 'EXTERNAL' } }, 'error KMS_KEY_OF_OTHER_KIND'],
    [
      'a key that signs',
      { key: { ...KEY, usage: 'SIGN_VERIFY', spec: 'ECC_NIST_P256' } },
      'error KMS_KEY_OF_OTHER_KIND',
    ],
  ])('finds %s', async (_, changes, expected) => {
    expect(await codesOf(changes)).toContain(expected);
  });

  it('says nothing of stacks that it sees with credentials of another account', async () => {
    const caller = { account: '222222222222', arn: 'arn:aws:iam::222222222222:role/admin-of-2' };
    expect(await codesOf({ caller, key: undefined })).toEqual(['error CREDENTIALS_OF_OTHER_ACCOUNT']);
  });
});
