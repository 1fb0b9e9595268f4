import { describe, expect, it } from 'vitest';
import type { Caller } from '../../../attestation/key-policy/index.ts';
import {
  ACCOUNT,
  allowNode,
  ask,
  FOREIGN_ACCOUNT,
  hex,
  KEY_ARN,
  NODE_ROLE_ARN,
  PCR,
  policyText,
  ROOT_ARN,
  session,
} from './policies.ts';

const root: Caller = { type: 'root', accountId: ACCOUNT };
const delegation = { Effect: 'Allow', Principal: { AWS: ROOT_ARN }, Action: 'kms:*', Resource: '*' };

describe('who a statement speaks of', () => {
  it('denies what nothing allows', () => {
    expect(ask(policyText(allowNode()), { caller: session('else') })).toEqual({
      decision: 'deny',
      reason: 'implicit-deny',
    });
  });

  it('allows a role without an identity policy when the key policy names it', () => {
    expect(ask(policyText(allowNode({ Sid: 'node' })))).toEqual({
      decision: 'allow',
      reason: 'key-policy-allow',
      statement: { index: 0, sid: 'node' },
    });
  });

  it('lets an explicit Deny win over every Allow, in whatever order', () => {
    const deny = { Effect: 'Deny', Principal: '*', Action: 'kms:Decrypt', Resource: '*' };
    expect(ask(policyText(allowNode(), deny))).toMatchObject({
      reason: 'explicit-deny',
      statement: { index: 1 },
    });
    expect(ask(policyText(deny, allowNode()))).toMatchObject({
      reason: 'explicit-deny',
      statement: { index: 0 },
    });
  });

  it('takes an Allow for the account as a delegation to IAM', () => {
    const text = policyText(delegation);
    expect(ask(text)).toMatchObject({ decision: 'deny', reason: 'identity-missing' });
    expect(ask(text, { identity: 'allow' })).toMatchObject({ decision: 'allow', reason: 'delegated-allow' });
    expect(ask(text, { identity: 'deny' })).toMatchObject({ decision: 'deny', reason: 'identity-deny' });
    expect(ask(text, { caller: root })).toMatchObject({ decision: 'allow' });
  });

  it('takes the bare account id and the root ARN as the same', () => {
    const text = policyText({ ...delegation, Principal: { AWS: ACCOUNT } });
    expect(ask(text, { identity: 'allow' }).decision).toBe('allow');
  });

  it('takes a Deny for the account as a Deny for each of its principals', () => {
    const deny = { Effect: 'Deny', Principal: { AWS: ROOT_ARN }, Action: '*', Resource: '*' };
    expect(ask(policyText(allowNode(), deny)).reason).toBe('explicit-deny');
    const foreigner = { AWS: `arn:aws:iam::${FOREIGN_ACCOUNT}:root` };
    expect(ask(policyText(allowNode(), { ...deny, Principal: foreigner })).decision).toBe('allow');
  });

  it('allows "*" to principals of the account alone, and to others with their own IAM permission', () => {
    for (const Principal of ['*', { AWS: '*' }]) {
      const text = policyText(allowNode({ Principal }));
      expect(ask(text, { caller: session('any') }).decision).toBe('allow');
      const caller = session('any', FOREIGN_ACCOUNT);
      expect(ask(text, { caller })).toMatchObject({ decision: 'deny', reason: 'identity-missing' });
      expect(ask(text, { caller, identity: 'allow' }).decision).toBe('allow');
    }
  });

  it('does not let a foreign account in through IAM of its own', () => {
    const caller = session('node', FOREIGN_ACCOUNT);
    expect(ask(policyText(delegation), { caller, identity: 'allow' }).reason).toBe('implicit-deny');
  });

  it('matches one session by its assumed-role ARN and no other of the same role', () => {
    const AWS = `arn:aws:sts::${ACCOUNT}:assumed-role/node/i-0abc`;
    const text = policyText(allowNode({ Principal: { AWS } }));
    expect(ask(text, { caller: session('node', ACCOUNT, 'i-0abc') }).decision).toBe('allow');
    expect(ask(text, { caller: session('node', ACCOUNT, 'i-0abd') }).decision).toBe('deny');
  });

  it('matches users and services by name', () => {
    const user: Caller = { type: 'user', accountId: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:user/ops/ann` };
    const text = policyText(allowNode({ Principal: { AWS: [user.arn], Service: 'sns.amazonaws.com' } }));
    expect(ask(text, { caller: user }).decision).toBe('allow');
    expect(ask(text, { caller: { type: 'service', name: 'sns.amazonaws.com' } }).decision).toBe('allow');
    expect(ask(text, { caller: { type: 'service', name: 'sqs.amazonaws.com' } }).decision).toBe('deny');
  });

  it('exempts from a Deny with NotPrincipal only who is listed with account, role and session', () => {
    const caller = session('node');
    const sessionArn = caller.type === 'session' ? caller.sessionArn : '';
    const deny = (AWS: string[]): string =>
      policyText(allowNode(), { Effect: 'Deny', NotPrincipal: { AWS }, Action: 'kms:*', Resource: '*' });
    expect(ask(deny([ROOT_ARN, NODE_ROLE_ARN, sessionArn])).decision).toBe('allow');
    for (const listed of [
      [NODE_ROLE_ARN, sessionArn],
      [ROOT_ARN, sessionArn],
      [ROOT_ARN, NODE_ROLE_ARN],
    ]) {
      expect(ask(deny(listed)).reason).toBe('explicit-deny');
    }
  });

  it('exempts the root user from a Deny with NotPrincipal by its account alone', () => {
    const deny = (AWS: string): string =>
      policyText(delegation, { Effect: 'Deny', NotPrincipal: { AWS }, Action: 'kms:*', Resource: '*' });
    expect(ask(deny(ROOT_ARN), { caller: root }).decision).toBe('allow');
    expect(ask(deny(NODE_ROLE_ARN), { caller: root }).reason).toBe('explicit-deny');
  });

  it('lets an Allow with NotPrincipal reach everybody else', () => {
    const text = policyText({
      Effect: 'Allow',
      NotPrincipal: { AWS: NODE_ROLE_ARN },
      Action: 'kms:*',
      Resource: '*',
    });
    expect(ask(text).decision).toBe('deny');
    expect(ask(text, { caller: session('else') }).decision).toBe('allow');
  });
});

describe('what a statement speaks of', () => {
  it.each([
    ['kms:Decrypt', true],
    ['KMS:decrypt', true],
    ['kms:De*', true],
    ['kms:D?crypt', true],
    ['*', true],
    ['kms:*', true],
    ['kms:Encrypt', false],
    ['kms:Decrypt?', false],
    ['s3:*', false],
  ])('action %s reaches kms:Decrypt: %s', (Action, reaches) => {
    expect(ask(policyText(allowNode({ Action }))).decision).toBe(reaches ? 'allow' : 'deny');
  });

  it('reads NotAction as everything else', () => {
    const { Action: _, ...rest } = allowNode() as { Action: string };
    const text = policyText({ ...rest, NotAction: ['kms:Decrypt', 'kms:Put*'] });
    expect(ask(text).decision).toBe('deny');
    expect(ask(text, { action: 'kms:PutKeyPolicy' }).decision).toBe('deny');
    expect(ask(text, { action: 'kms:Encrypt' }).decision).toBe('allow');
  });

  it('applies a statement only to the key that its Resource reaches', () => {
    expect(ask(policyText(allowNode({ Resource: KEY_ARN }))).decision).toBe('allow');
    expect(ask(policyText(allowNode({ Resource: 'arn:aws:kms:*:*:key/*' }))).decision).toBe('allow');
    expect(ask(policyText(allowNode({ Resource: KEY_ARN.replace(/.$/, 'c') }))).decision).toBe('deny');
    const { Resource: _, ...rest } = allowNode() as { Resource: string };
    expect(ask(policyText({ ...rest, NotResource: KEY_ARN })).decision).toBe('deny');
  });
});

describe('attested requests', () => {
  const attested = (Condition: object): string => policyText(allowNode({ Condition }));
  const pcrs = new Map([
    [0, PCR.good],
    [16, PCR.other],
  ]);

  it('compares ImageSha384 and PCR0 with PCR0, and each PCR with its own', () => {
    const text = attested({
      StringEqualsIgnoreCase: {
        'kms:RecipientAttestation:ImageSha384': hex(PCR.good).toUpperCase(),
        'kms:RecipientAttestation:PCR0': hex(PCR.good),
        'KMS:recipientattestation:pcr16': [hex(PCR.zero), hex(PCR.other)],
      },
    });
    expect(ask(text, { pcrs }).decision).toBe('allow');
    expect(ask(text, { pcrs: new Map([...pcrs, [16, PCR.good]]) }).decision).toBe('deny');
    expect(ask(text).decision).toBe('deny');
  });

  it('never matches a misspelt key, and always passes it under IfExists', () => {
    const key = 'kms:RecipientAttestation:PCR_0';
    expect(ask(attested({ StringEquals: { [key]: hex(PCR.good) } }), { pcrs }).decision).toBe('deny');
    expect(ask(attested({ StringEqualsIfExists: { [key]: hex(PCR.good) } }), { pcrs }).decision).toBe(
      'allow',
    );
  });

  it('tells attested from unattested by Null', () => {
    const deny = {
      Effect: 'Deny',
      Principal: '*',
      Action: 'kms:Decrypt',
      Resource: '*',
      Condition: { Null: { 'kms:RecipientAttestation:PCR0': 'true' } },
    };
    expect(ask(policyText(allowNode(), deny)).reason).toBe('explicit-deny');
    expect(ask(policyText(allowNode(), deny), { pcrs }).decision).toBe('allow');
  });

  it('ANDs the negated keys of a Deny, so that one shared PCR lifts it', () => {
    const deny = {
      Effect: 'Deny',
      Principal: '*',
      Action: 'kms:Decrypt',
      Resource: '*',
      Condition: {
        StringNotEquals: {
          'kms:RecipientAttestation:PCR0': hex(PCR.good),
          'kms:RecipientAttestation:PCR16': hex(PCR.good),
        },
      },
    };
    expect(ask(policyText(allowNode(), deny), { pcrs }).decision).toBe('allow');
    expect(ask(policyText(allowNode(), deny)).decision).toBe('deny');
  });
});

describe('encryption context', () => {
  const text = policyText(
    allowNode({
      Condition: {
        StringEquals: { 'kms:EncryptionContext:node': '1' },
        'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['node', 'purpose'] },
        Null: { 'kms:EncryptionContextKeys': false },
      },
    }),
  );

  it('compares values by name and the set of names', () => {
    expect(ask(text, { encryptionContext: { node: '1', purpose: 'x' } }).decision).toBe('allow');
    expect(ask(text, { encryptionContext: { node: '2' } }).decision).toBe('deny');
    expect(ask(text, { encryptionContext: { node: '1', extra: 'x' } }).decision).toBe('deny');
    expect(ask(text).decision).toBe('deny');
  });
});
