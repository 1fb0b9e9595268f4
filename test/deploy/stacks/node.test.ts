import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lintKeyPolicy, renderClosedKeyPolicy } from '../../../attestation/key-policy/index.ts';
import { readTemplate } from '../../../deploy/index.ts';
import { readStack } from './read-stack.ts';
import { createResolver, type Values } from './resolve.ts';

const text = await readTemplate('node');
const stack = readStack(text);
const resolve = createResolver(text);
const ADMIN = 'arn:aws:iam::111111111111:role/node-admin';
const SECOND = 'arn:aws:iam::111111111111:role/node-admin-2';
const GIVEN: Values = {
  Namespace: 'acme',
  Environment: 'production',
  NodeIndex: '1',
  WalletAccountId: '444455556666',
  AdminArns: [ADMIN, SECOND],
};
const ATTRIBUTES: Values = {
  'ConfigSigningRole.Arn': 'arn:aws:iam::111111111111:role/config-signing',
  'Bucket.Arn': 'arn:aws:s3:::node-bucket',
  Bucket: 'node-bucket',
};
const policyOf = (key: string, changes: Values = {}) =>
  (
    resolve(key, { ...GIVEN, ...changes }, ATTRIBUTES) as {
      KeyPolicy: Record<string, unknown>;
    }
  ).KeyPolicy;
const KEY_ARN = 'arn:aws:kms:eu-central-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab';

describe("the node's key", () => {
  it.each([[[ADMIN]], [[ADMIN, SECOND]]])(
    'is born with the policy that the tool writes to close one: %j',
    (admins) => {
      const policy = policyOf('Key', { AdminArns: admins });
      expect(policy).toEqual(JSON.parse(renderClosedKeyPolicy(admins)));
      const options = { keyArn: KEY_ARN, now: Date.now(), admins };
      expect(
        lintKeyPolicy(JSON.stringify(policy), options).filter(({ severity }) => severity !== 'low'),
      ).toEqual([]);
    },
  );

  it('is of one Region, rotates, waits thirty days for its end, and outlives the stack', () => {
    expect(stack.Resources['Key']).toMatchObject({
      DeletionPolicy: 'RetainExceptOnCreate',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        MultiRegion: false,
        EnableKeyRotation: true,
        PendingWindowInDays: 30,
        KeyUsage: 'ENCRYPT_DECRYPT',
      },
    });
  });

  it('is opened by no update of the stack: whatever the parameters, its policy denies every use', () => {
    const label = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,10}$/);
    const pcr = fc.constantFrom('', 'ab'.repeat(48), '01'.repeat(48));
    const arn = fc
      .stringMatching(/^[a-zA-Z0-9+=.@_/-]{1,20}$/)
      .map((name) => `arn:aws:iam::111111111111:role/${name}`);
    const values = fc.record({
      Namespace: label,
      Environment: label,
      NodeIndex: fc.integer({ min: 1, max: 255 }).map(String),
      WalletAccountId: fc.stringMatching(/^[0-9]{12}$/),
      AdminArns: fc.uniqueArray(arn, { minLength: 1, maxLength: 4 }),
      Pcr0: pcr,
      Pcr1: pcr,
      Pcr2: pcr,
      ConfigSigningKey: fc.constantFrom('yes', 'no'),
      ConfigSigningCode: fc.constantFrom('', `functions/${'0a'.repeat(32)}.zip`),
      ObjectLockMode: fc.constantFrom('GOVERNANCE', 'COMPLIANCE'),
      RetentionDays: fc.integer({ min: 1, max: 36_500 }).map(String),
      GatewayReaderArn: fc.constantFrom('', 'arn:aws:iam::444455556666:role/gateway'),
      GatewaySecretGeneration: fc.integer({ min: 1, max: 9999 }).map(String),
    });
    // Every parameter is drawn, so that one that is added has to be thought of here.
    const drawn = fc.sample(values, 1)[0] ?? {};
    expect(Object.keys(drawn).toSorted()).toEqual(Object.keys(stack.Parameters).toSorted());
    fc.assert(
      fc.property(values, (given) => {
        expect(policyOf('Key', given)).toEqual(JSON.parse(renderClosedKeyPolicy(given.AdminArns)));
      }),
    );
  });

  it('has a property of its policy that only the names of its admins change', () => {
    const used = [
      ...JSON.stringify(stack.Resources['Key']?.Properties['KeyPolicy']).matchAll(/"([A-Z]\w+)"/g),
    ]
      .map(([, name = '']) => name)
      .filter((name) => Object.hasOwn(stack.Parameters, name));
    expect([...new Set(used)]).toEqual(['AdminArns']);
  });
});

describe('the key that signs configurations', () => {
  it('signs for the function alone, the way that a node verifies, and cannot be granted', () => {
    const statements = (policyOf('SigningKey') as { Statement: Record<string, unknown>[] }).Statement;
    const signing = statements.filter(({ Action }) =>
      [Action].flat().some((action) => /Sign|\*/.test(String(action))),
    );
    expect(signing).toEqual([
      {
        Sid: 'ConfigSigning',
        Effect: 'Allow',
        Principal: { AWS: 'arn:aws:iam::111111111111:role/config-signing' },
        Action: 'kms:Sign',
        Resource: '*',
        Condition: { StringEquals: { 'kms:SigningAlgorithm': 'ED25519_SHA_512', 'kms:MessageType': 'RAW' } },
      },
    ]);
    expect(
      statements.some(
        ({ Effect, Action }) => Effect === 'Deny' && [Action].flat().includes('kms:CreateGrant'),
      ),
    ).toBe(true);
    expect(statements.some(({ Principal }) => JSON.stringify(Principal).includes(':root'))).toBe(false);
    expect(resolve('SigningKey', GIVEN, ATTRIBUTES)).toMatchObject({
      KeySpec: 'ECC_NIST_EDWARDS25519',
      KeyUsage: 'SIGN_VERIFY',
      MultiRegion: false,
    });
  });
});

describe('secrets of the stack', () => {
  it('have no content of the template, and the password none at all', () => {
    for (const id of ['PasswordSecret', 'GatewaySecret']) {
      const properties = Object.keys(stack.Resources[id]?.Properties ?? {});
      expect(properties.toSorted()).toEqual(['Description', 'KmsKeyId', 'Name']);
    }
    expect(stack.Resources['PasswordSecret']?.Properties['Name']).toContain('/encryptor-master-password');
  });

  it('are read by no function, and the API key by its reader alone', () => {
    for (const { Type, Properties } of Object.values(stack.Resources)) {
      if (Type === 'AWS::IAM::Role') expect(JSON.stringify(Properties)).not.toContain('GetSecretValue');
    }
    const policy = JSON.stringify(stack.Resources['GatewaySecretPolicy']?.Properties);
    expect(policy).toContain('"Effect":"Deny","Principal":"*","Action":["secretsmanager:GetSecretValue"');
  });
});

describe('a zero measurement', () => {
  it.each(['Pcr0', 'Pcr1', 'Pcr2'])('is refused as %s: it is of an enclave in debug mode', (name) => {
    const pattern = new RegExp(`^(?:${String(stack.Parameters[name]?.['AllowedPattern'])})$`);
    expect(pattern.test('00'.repeat(48))).toBe(false);
    expect(pattern.test('0a'.repeat(48))).toBe(true);
    expect(pattern.test('')).toBe(true);
    expect(pattern.test('0A'.repeat(48))).toBe(false);
    expect(pattern.test('0a'.repeat(47))).toBe(false);
  });
});
