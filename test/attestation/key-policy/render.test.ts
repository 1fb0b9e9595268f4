import { describe, expect, it } from 'vitest';
import {
  diffKeyPolicies,
  KeyPolicyError,
  lintKeyPolicy,
  renderClosedKeyPolicy,
  renderKeyPolicy,
  type RenderOptions,
} from '../../../attestation/key-policy/index.ts';
import { measureInstanceRole } from '../../../attestation/measurement.ts';
import { encryptionContext } from '../../../shared/documents/encryption-context.ts';
import { ACCOUNT, ask, KEY_ARN, NODE_ROLE_ARN, session, type Ask } from './policies.ts';

const NOW = Date.UTC(2026, 0, 15);
const ADMIN = `arn:aws:iam::${ACCOUNT}:role/admin`;
const CONTEXT = encryptionContext(
  { namespace: 'acme', environment: 'test', node: 1 },
  'encryptor-master-password',
);
const image = (fill: number): Map<number, Uint8Array> =>
  new Map([0, 1, 2, 16].map((index) => [index, new Uint8Array(48).fill(fill + index)]));
const OPTIONS: RenderOptions = {
  nodeRole: NODE_ROLE_ARN,
  admins: [ADMIN],
  images: [{ pcrs: image(0x10) }],
  encryptionContext: CONTEXT,
};
const may = (policy: string, question: Ask): boolean =>
  ask(policy, { encryptionContext: CONTEXT, identity: 'allow', ...question }).decision === 'allow';

describe('the policy of a node', () => {
  const policy = renderKeyPolicy(OPTIONS);

  it('has no finding', () => {
    const options = {
      keyArn: KEY_ARN,
      now: NOW,
      nodes: [NODE_ROLE_ARN],
      admins: [ADMIN],
      images: [image(0x10)],
    };
    expect(lintKeyPolicy(policy, options)).toEqual([]);
  });

  it('lets the attested image decrypt, and nothing else', () => {
    expect(may(policy, { pcrs: image(0x10) })).toBe(true);
    expect(may(policy, {})).toBe(false);
    for (const index of [0, 1, 2, 16]) {
      expect(may(policy, { pcrs: new Map([...image(0x10), [index, new Uint8Array(48).fill(1)]]) })).toBe(
        false,
      );
    }
    for (const name of Object.keys(CONTEXT)) {
      expect(may(policy, { pcrs: image(0x10), encryptionContext: { ...CONTEXT, [name]: 'x' } })).toBe(false);
    }
    for (const action of [
      'kms:GenerateDataKey',
      'kms:Encrypt',
      'kms:CreateGrant',
      'kms:PutKeyPolicy',
      'kms:ReEncryptFrom',
    ]) {
      expect(may(policy, { pcrs: image(0x10), action })).toBe(false);
    }
  });

  it('lets the admin administrate, and never use', () => {
    const caller = session('admin');
    expect(may(policy, { caller, action: 'kms:PutKeyPolicy' })).toBe(true);
    expect(may(policy, { caller, pcrs: image(0x10) })).toBe(false);
    for (const action of [
      'kms:Encrypt',
      'kms:GenerateDataKey',
      'kms:GenerateDataKeyWithoutPlaintext',
      'kms:CreateGrant',
    ]) {
      expect(may(policy, { caller, action })).toBe(false);
    }
  });

  it('gives nothing to the account, whatever IAM allows there', () => {
    for (const action of ['kms:Decrypt', 'kms:PutKeyPolicy', 'kms:DescribeKey']) {
      expect(may(policy, { caller: { type: 'root', accountId: ACCOUNT }, action, pcrs: image(0x10) })).toBe(
        false,
      );
      expect(may(policy, { caller: session('other'), action, pcrs: image(0x10) })).toBe(false);
    }
  });

  it('allows GenerateDataKey only while the node is initialised, which the linter says', () => {
    const initial = renderKeyPolicy({ ...OPTIONS, initialise: true });
    expect(may(initial, { pcrs: image(0x10), action: 'kms:GenerateDataKey' })).toBe(true);
    expect(may(initial, { action: 'kms:GenerateDataKey' })).toBe(false);
    const { gained, lost } = diffKeyPolicies(policy, initial, { keyArn: KEY_ARN, now: NOW });
    expect(gained).toMatchObject([{ action: 'kms:GenerateDataKey', caller: NODE_ROLE_ARN }]);
    expect(lost).toEqual([]);
    expect(lintKeyPolicy(initial, { keyArn: KEY_ARN, now: NOW }).map(({ code }) => code)).toEqual([
      'INITIALISE_OPEN',
    ]);
  });

  it('lets the admin supply a password for this node only while it is asked to, which the linter says', () => {
    const supply = renderKeyPolicy({ ...OPTIONS, supply: true });
    const caller = session('admin');
    const action = 'kms:GenerateDataKeyWithoutPlaintext';
    expect(may(supply, { caller, action })).toBe(true);
    expect(may(supply, { caller, action, encryptionContext: { ...CONTEXT, 'holdfast:node': '2' } })).toBe(
      false,
    );
    expect(may(supply, { caller, action, encryptionContext: {} })).toBe(false);
    expect(may(supply, { action })).toBe(false);
    // With these the admin would know the password.
    expect(may(supply, { caller, action: 'kms:Encrypt' })).toBe(false);
    expect(may(supply, { caller, action: 'kms:GenerateDataKey' })).toBe(false);
    const found = lintKeyPolicy(supply, { keyArn: KEY_ARN, now: NOW });
    expect(found).toMatchObject([
      { code: 'MINT_OPEN', severity: 'low', statement: { sid: 'SupplyPassword' } },
    ]);
  });

  it('has old and new images during a roll-out, never mixed, the old one until its day', () => {
    const until = NOW + 86_400_000;
    const both = renderKeyPolicy({
      ...OPTIONS,
      initialise: true,
      images: [{ pcrs: image(0x20) }, { pcrs: image(0x10), until }],
    });
    const at = (time: number) => ({ 'aws:CurrentTime': new Date(time).toISOString() });
    expect(may(both, { pcrs: image(0x20), context: at(until) })).toBe(true);
    expect(may(both, { pcrs: image(0x10), context: at(until - 1000) })).toBe(true);
    expect(may(both, { pcrs: image(0x10), context: at(until) })).toBe(false);
    expect(
      may(both, { pcrs: new Map([...image(0x20), [16, new Uint8Array(48).fill(0x20)]]), context: at(NOW) }),
    ).toBe(false);
    expect(may(both, { pcrs: image(0x10), context: at(NOW), action: 'kms:GenerateDataKey' })).toBe(false);
    const found = lintKeyPolicy(both, { keyArn: KEY_ARN, now: NOW, images: [image(0x10), image(0x20)] });
    expect(found.map(({ code }) => code)).toEqual(['INITIALISE_OPEN']);
  });

  it('binds what the image uses and leaves unused PCRs out', () => {
    const pcrs = new Map([
      ...image(0x10),
      [3, measureInstanceRole(NODE_ROLE_ARN)],
      [4, new Uint8Array(48)],
      [8, new Uint8Array(48)],
    ]);
    const text = renderKeyPolicy({ ...OPTIONS, images: [{ pcrs }] });
    expect(text).toContain('RecipientAttestation:PCR3"');
    expect(text).not.toMatch(/PCR[48]"/);
  });

  it('is not written for a debug image or without a manifest', () => {
    for (const index of [0, 1, 2, 16]) {
      const zero = new Map([...image(0x10), [index, new Uint8Array(48)]]);
      const absent = image(0x10);
      absent.delete(index);
      for (const pcrs of [zero, absent]) {
        const render = () => renderKeyPolicy({ ...OPTIONS, images: [{ pcrs }] });
        expect(render).toThrow(KeyPolicyError);
        expect(render).toThrow(expect.objectContaining({ code: 'POLICY_UNBOUND' }));
      }
    }
  });

  it('is not written for options without sense', () => {
    expect(() => renderKeyPolicy({ ...OPTIONS, admins: [] })).toThrow(RangeError);
    expect(() => renderKeyPolicy({ ...OPTIONS, admins: [NODE_ROLE_ARN] })).toThrow(RangeError);
    expect(() => renderKeyPolicy({ ...OPTIONS, encryptionContext: {} })).toThrow(RangeError);
  });
});

describe('the policy of a closed key', () => {
  it('denies every use to everybody, so that no grant and no attested image opens it', () => {
    const policy = renderClosedKeyPolicy([ADMIN]);
    for (const action of ['kms:Decrypt', 'kms:GenerateDataKey', 'kms:Encrypt', 'kms:CreateGrant']) {
      for (const pcrs of [undefined, image(0x10)]) {
        const question = { action, encryptionContext: CONTEXT, identity: 'allow' as const };
        expect(ask(policy, { ...question, ...(pcrs === undefined ? {} : { pcrs }) })).toMatchObject({
          reason: 'explicit-deny',
        });
      }
    }
    expect(may(policy, { action: 'kms:PutKeyPolicy', caller: session('admin') })).toBe(true);
  });
});
