import { describe, expect, it } from 'vitest';
import { compareWithRendered } from '../../../attestation/key-policy/known-statements.ts';
import {
  diffKeyPolicies,
  KeyPolicyError,
  lintKeyPolicy,
  renderKeyPolicy,
  type Finding,
  type LintOptions,
} from '../../../attestation/key-policy/index.ts';
import { measureInstanceRole } from '../../../attestation/measurement.ts';
import { ACCOUNT, FOREIGN_ACCOUNT, KEY_ARN, ROOT_ARN } from './policies.ts';

const NOW = Date.UTC(2026, 0, 15);
const NODE = `arn:aws:iam::${FOREIGN_ACCOUNT}:role/node`;
const ADMIN = `arn:aws:iam::${ACCOUNT}:role/admin`;
const CONTEXT = { 'holdfast:namespace': 'demo', 'holdfast:node': '1' };
const PCRS = new Map([0, 1, 2, 16].map((pcr) => [pcr, new Uint8Array(48).fill(0x90 + pcr)]));
const PCR16 = 'a0'.repeat(48);
const RENDER = {
  nodeRole: NODE,
  admins: [ADMIN],
  images: [{ pcrs: PCRS }],
  encryptionContext: CONTEXT,
} as const;
const GOOD = renderKeyPolicy(RENDER);
const LINT: LintOptions = {
  keyArn: KEY_ARN,
  now: NOW,
  nodes: [NODE],
  admins: [ADMIN],
  images: [PCRS],
  encryptionContext: CONTEXT,
};

interface Document {
  Version: string;
  Statement: Record<string, unknown>[];
}
type Edit = (policy: Document) => void;

function edited(edit: Edit): string {
  const policy = JSON.parse(GOOD) as Document;
  edit(policy);
  return JSON.stringify(policy);
}
/** Without the Denies of unattested use and of what hands the key over, so that the statement is judged by itself. */
const withExtra = (extra: object): string =>
  edited(
    ({ Statement }) =>
      void Statement.splice(2, 2, {
        Sid: 'Extra',
        Effect: 'Allow',
        Principal: '*',
        Action: 'kms:*',
        Resource: '*',
        ...extra,
      }),
  );
/** The Deny of unattested use makes room for an Allow of it, and what else is given. */
const addOpen =
  (allow: object, ...more: Record<string, unknown>[]): Edit =>
  ({ Statement }) => {
    const open = {
      Effect: 'Allow',
      Principal: { AWS: NODE },
      Action: 'kms:Decrypt',
      Resource: '*',
      ...allow,
    };
    Statement.splice(2, 1, open, ...more);
  };
const conditionOf = ({ Statement }: Document, operator: string): Record<string, unknown> => {
  const conditions = Statement[1]?.['Condition'] as Record<string, Record<string, unknown>> | undefined;
  return conditions?.[operator] ?? {};
};
const bound = (policy: Document): Record<string, unknown> => conditionOf(policy, 'StringEqualsIgnoreCase');

const codes = (findings: readonly Finding[]): string[] =>
  findings.map(({ code, severity }) => `${severity} ${code}`);
const lint = (text: string, options: Partial<LintOptions> = {}): string[] =>
  codes(lintKeyPolicy(text, { ...LINT, ...options }));
const gained = (text: string): readonly { readonly action: string }[] =>
  diffKeyPolicies(GOOD, text, { keyArn: KEY_ARN, now: NOW }).gained;
const unproven = (text: string): number => compareWithRendered(text, RENDER, KEY_ARN).unproven.length;

it('the policy that all others here are made of has no finding', () => {
  expect(lint(GOOD)).toEqual([]);
});

describe('a statement that opens the key by what no list of samples has', () => {
  const zeroOrOne = ['0'.repeat(96), 'ab'.repeat(48)];
  const pcr0 = 'kms:RecipientAttestation:PCR0';
  it.each<[string, string, object]>([
    [
      'everybody whose user agent is not one string',
      'UNATTESTED_USE',
      {
        Condition: {
          Null: { 'aws:UserAgent': 'false' },
          StringNotEquals: { 'aws:UserAgent': 'some-other-value' },
        },
      },
    ],
    [
      'every image but two',
      'ANY_IMAGE',
      {
        Principal: { AWS: NODE },
        Action: 'kms:Decrypt',
        Condition: { Null: { [pcr0]: 'false' }, StringNotEquals: { [pcr0]: zeroOrOne } },
      },
    ],
    [
      'every VPC but one',
      'UNATTESTED_USE',
      {
        Condition: {
          StringLike: { 'aws:SourceVpc': 'vpc-*' },
          StringNotEquals: { 'aws:SourceVpc': 'vpc-x' },
        },
      },
    ],
    ['a role by its unique id', 'UNATTESTED_USE', { Principal: { AWS: 'AROAEXAMPLEOFAROLEID1' } }],
    ['a user by its unique id', 'UNATTESTED_USE', { Principal: { AWS: 'AIDAEXAMPLEOFAUSERID1' } }],
    [
      'a federated user',
      'UNATTESTED_USE',
      { Principal: { AWS: `arn:aws:sts::${ACCOUNT}:federated-user/bob` } },
    ],
    ['a web identity', 'UNATTESTED_USE', { Principal: { Federated: 'cognito-identity.amazonaws.com' } }],
    [
      'a canonical user',
      'UNATTESTED_USE',
      { Principal: { CanonicalUser: '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be' } },
    ],
    [
      'kms:CallerAccount of an account that no Principal names',
      'UNATTESTED_USE',
      { Condition: { StringEquals: { 'kms:CallerAccount': '222222222222' } } },
    ],
    [
      'accounts by a pattern',
      'UNATTESTED_USE',
      { Condition: { StringLike: { 'aws:PrincipalAccount': '2222*' } } },
    ],
    [
      'all accounts but the strangers of a sample',
      'UNATTESTED_USE',
      {
        Condition: {
          StringNotEquals: { 'aws:PrincipalAccount': [ACCOUNT, FOREIGN_ACCOUNT, '999999999999'] },
        },
      },
    ],
    [
      'an IAM user by name',
      'UNATTESTED_USE',
      { Principal: { AWS: ROOT_ARN }, Condition: { StringEquals: { 'aws:username': 'bob' } } },
    ],
    [
      'users by kind',
      'UNATTESTED_USE',
      { Condition: { StringEquals: { 'aws:PrincipalType': 'FederatedUser' } } },
    ],
    [
      'an organisation',
      'UNATTESTED_USE',
      { Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-abcdefghij' } } },
    ],
    [
      'whoever has the tag of the resource',
      'UNATTESTED_USE',
      {
        Principal: { AWS: ROOT_ARN },
        Condition: { StringEquals: { 'aws:ResourceTag/team': '${aws:PrincipalTag/team}' } },
      },
    ],
    [
      'tokens issued after a day',
      'UNATTESTED_USE',
      { Condition: { DateGreaterThan: { 'aws:TokenIssueTime': '2020-01-01T00:00:00Z' } } },
    ],
    [
      'several values of a key that no list has',
      'UNATTESTED_USE',
      {
        Condition: {
          'ForAnyValue:StringEquals': { 'aws:PrincipalOrgPaths': 'a' },
          'ForAnyValue:StringLike': { 'aws:PrincipalOrgPaths': 'b*' },
        },
      },
    ],
    [
      'addresses around a range',
      'UNATTESTED_USE',
      {
        Condition: {
          IpAddress: { 'aws:SourceIp': '198.51.100.0/24' },
          NotIpAddress: { 'aws:SourceIp': '198.51.100.0/25' },
        },
      },
    ],
    [
      'a number between two',
      'UNATTESTED_USE',
      {
        Condition: {
          NumericGreaterThan: { 'aws:MultiFactorAuthAge': '10' },
          NumericLessThan: { 'aws:MultiFactorAuthAge': '20' },
        },
      },
    ],
    [
      'two of seven names of an encryption context, and one forbidden',
      'UNATTESTED_USE',
      {
        Action: 'kms:Decrypt',
        Condition: {
          'ForAllValues:StringEquals': {
            'kms:EncryptionContextKeys': ['k0', 'k1', 'k2', 'k3', 'k4', 'k5', 'k6'],
          },
          Null: {
            'kms:EncryptionContext:k0': 'false',
            'kms:EncryptionContext:k1': 'false',
            'kms:EncryptionContext:k2': 'true',
          },
        },
      },
    ],
    ['replicas', 'ATTESTATION_BYPASS', { Action: 'kms:ReplicateKey' }],
    ['another primary Region', 'ATTESTATION_BYPASS', { Action: 'kms:UpdatePrimaryRegion' }],
    ['imported key material', 'ATTESTATION_BYPASS', { Action: 'kms:ImportKeyMaterial' }],
    ['blobs of key pairs', 'MINT_OPEN', { Action: 'kms:GenerateDataKeyPairWithoutPlaintext' }],
    ['whatever AWS will add', 'FUTURE_ACTIONS', { Action: 'kms:Give*' }],
  ])('is found by lint and diff, and passes no gate: %s', (_name, code, extra) => {
    const text = withExtra(extra);
    const [worst] = lintKeyPolicy(text, LINT);
    expect(lint(text).some((one) => one.endsWith(` ${code}`))).toBe(true);
    expect(['critical', 'high', ...(code === 'FUTURE_ACTIONS' ? ['medium'] : [])]).toContain(worst?.severity);
    expect(gained(text).length).toBeGreaterThan(0);
    expect(unproven(text)).toBe(1);
  });

  it.each(['aws-cn', 'aws-us-gov', 'aws-eusc', 'aws-iso', 'aws-iso-b'])(
    'is found in the partition %s',
    (partition) => {
      const other = (text: string): string => text.replaceAll('arn:aws:', `arn:${partition}:`);
      const extra = { Condition: { ArnLike: { 'aws:PrincipalArn': `arn:${partition}:iam::*:root` } } };
      const found = lintKeyPolicy(other(withExtra(extra)), { ...LINT, keyArn: other(KEY_ARN) });
      expect(found[0]).toMatchObject({
        code: 'UNATTESTED_USE',
        callers: [
          `root user of ${ACCOUNT}`,
          `root user of ${FOREIGN_ACCOUNT}`,
          'any principal of any other account',
        ],
      });
    },
  );
});

describe('a policy variable', () => {
  it.each<[string, string, Edit]>([
    [
      'beside the measurement',
      'high PCR_UNBOUND',
      (policy) => (bound(policy)['kms:RecipientAttestation:PCR16'] = [PCR16, '${aws:PrincipalTag/pcr16}']),
    ],
    [
      'with the measurement as its default',
      'high PCR_UNBOUND',
      (policy) =>
        (bound(policy)['kms:RecipientAttestation:PCR16'] = `\${aws:PrincipalTag/pcr16, '${PCR16}'}`),
    ],
    [
      'of the source identity',
      'high PCR_UNBOUND',
      (policy) => (bound(policy)['kms:RecipientAttestation:PCR16'] = `\${aws:SourceIdentity, '${PCR16}'}`),
    ],
    [
      'of the encryption context',
      'high PCR_UNBOUND',
      (policy) =>
        (bound(policy)['kms:RecipientAttestation:PCR16'] = [PCR16, '${kms:EncryptionContext:pcr16}']),
    ],
    [
      'for PCR0',
      'high PCR_UNBOUND',
      (policy) => (bound(policy)['kms:RecipientAttestation:PCR0'] = "${aws:PrincipalTag/pcr0, '90'}"),
    ],
    [
      'for all of them',
      'critical ANY_IMAGE',
      (policy) => {
        for (const name of Object.keys(bound(policy))) bound(policy)[name] = '${aws:PrincipalTag/x}';
      },
    ],
    [
      'that two tags share',
      'critical UNATTESTED_USE',
      addOpen({ Condition: { StringEquals: { 'aws:PrincipalTag/a': '${aws:PrincipalTag/b}' } } }),
    ],
    [
      'in the encryption context',
      'critical UNATTESTED_USE',
      addOpen({
        Condition: { StringEquals: { 'kms:EncryptionContext:tenant': '${aws:PrincipalTag/tenant}' } },
      }),
    ],
    [
      'in the resource',
      'critical UNATTESTED_USE',
      addOpen({ Resource: 'arn:aws:kms:*:*:key/${aws:PrincipalTag/key}' }),
    ],
    [
      'that loosens a Deny',
      'critical UNATTESTED_USE',
      addOpen(
        {},
        {
          Effect: 'Deny',
          Principal: '*',
          Action: '*',
          Resource: '*',
          Condition: { StringNotEquals: { 'aws:PrincipalTag/a': '${aws:PrincipalTag/b}' } },
        },
      ),
    ],
    [
      'for the node of the encryption context',
      'high CONTEXT_UNBOUND',
      (policy) =>
        (conditionOf(policy, 'StringEquals')['kms:EncryptionContext:holdfast:node'] =
          "${aws:PrincipalTag/node, '1'}"),
    ],
  ])('may be anything: %s', (_name, expected, edit) => {
    const text = edited(edit);
    expect(lint(text)).toContain(expected);
    expect(gained(text).length).toBeGreaterThan(0);
    expect(unproven(text)).toBe(1);
  });

  it('is said to be what decides, and is no variable in the older version', () => {
    const text = edited(
      (policy) => (bound(policy)['kms:RecipientAttestation:PCR16'] = [PCR16, '${aws:PrincipalTag/x}']),
    );
    expect(lintKeyPolicy(text, LINT)[0]).toMatchObject({
      proven: false,
      why: expect.stringContaining('cannot be shown closed'),
    });
    expect(
      lint(text.replace('2012-10-17', '2008-10-17')).filter((one) => one.includes('PCR_UNBOUND')),
    ).toEqual([]);
  });
});

describe('an action', () => {
  it('that KMS does not have is found, in an Allow and in a Deny', () => {
    for (const effect of ['Allow', 'Deny']) {
      const text = edited(
        ({ Statement }) =>
          void Statement.push({
            Effect: effect,
            Principal: { AWS: ADMIN },
            Action: ['kms:Decryt', 's3:GetObject'],
            Resource: '*',
          }),
      );
      expect(lint(text)).toEqual(['medium UNKNOWN_ACTION', 'medium UNKNOWN_ACTION']);
    }
  });

  it('of keys of another kind is found: ML-KEM, signatures, MACs', () => {
    for (const action of ['kms:Decapsulate', 'kms:Encapsulate', 'kms:Sign', 'kms:GenerateMac']) {
      const text = edited(
        ({ Statement }) =>
          void Statement.push({ Effect: 'Allow', Principal: { AWS: ADMIN }, Action: action, Resource: '*' }),
      );
      expect(lint(text)).toEqual(['low OTHER_KEY_USE']);
      expect(gained(text).map((change) => change.action)).toEqual([action]);
    }
  });

  it('that only reads opens nothing, GetKeyLastUsage among them, and kms:PolicyName is a key of KMS', () => {
    const text = edited(
      ({ Statement }) =>
        void Statement.push({
          Effect: 'Allow',
          Principal: { AWS: ROOT_ARN },
          Action: ['kms:GetKeyLastUsage', 'kms:GetKeyPolicy'],
          Resource: '*',
          Condition: { StringEquals: { 'kms:PolicyName': 'default' } },
        }),
    );
    expect([lint(text), unproven(text)]).toEqual([[], 0]);
  });
});

describe('what was stated and gets nothing', () => {
  const attested = (more: object): string =>
    edited(({ Statement }) => Object.assign(Statement[1] ?? {}, more));
  it.each<[string, string]>([
    ['another key', attested({ Resource: KEY_ARN.replace(/.$/, 'f') })],
    ['an alias', attested({ Resource: KEY_ARN.replace(/key\/.*/, 'alias/node') })],
    ['a service as principal', attested({ Principal: { Service: 'kms.amazonaws.com' } })],
    ['a role that was deleted', attested({ Principal: { AWS: 'AROAEXAMPLEID12345678' } })],
    ['another role', attested({ Principal: { AWS: `${NODE}-2` } })],
    [
      'a service in between',
      edited(
        (policy) =>
          (conditionOf(policy, 'StringEquals')['kms:ViaService'] =
            'secretsmanager.eu-central-1.amazonaws.com'),
      ),
    ],
    ['another image', edited((policy) => (bound(policy)['kms:RecipientAttestation:PCR1'] = 'ab'.repeat(48)))],
    [
      'a Deny',
      edited(
        ({ Statement }) =>
          void Statement.push({ Effect: 'Deny', Principal: { AWS: NODE }, Action: 'kms:*', Resource: '*' }),
      ),
    ],
  ])('is said: %s', (_name, text) => {
    expect(lint(text)).toContain('low CANNOT_DECRYPT');
  });

  it('is not said of a policy of which nothing was stated', () => {
    expect(
      lintKeyPolicy(attested({ Principal: { Service: 'kms.amazonaws.com' } }), {
        keyArn: KEY_ARN,
        now: NOW,
      }).map(({ code }) => code),
    ).not.toContain('CANNOT_DECRYPT');
  });

  it('is said of actions that take no document', () => {
    const text = attested({
      Action: ['kms:Decrypt', 'kms:Encrypt', 'kms:Sign', 'kms:GetKeyPolicy', 'kms:GenerateRandom'],
    });
    const [finding] = lintKeyPolicy(text, LINT);
    expect(finding?.code).toBe('NEVER_ATTESTED');
    expect(finding?.why).toContain('kms:Encrypt, kms:Sign, kms:GetKeyPolicy, kms:GenerateRandom');
  });
});

describe('a role', () => {
  it('is called what it is known to be, and an administrator no instance', () => {
    const text = edited(
      ({ Statement }) =>
        void Statement.splice(0, 4, {
          Effect: 'Allow',
          Principal: { AWS: ADMIN },
          Action: 'kms:*',
          Resource: '*',
        }),
    );
    const mint = (options: Partial<LintOptions>) => {
      const { keyArn, now } = LINT;
      return lintKeyPolicy(text, { keyArn, now, ...options }).find(({ code }) => code === 'MINT_OPEN');
    };
    expect(mint({ admins: [ADMIN] })).toMatchObject({
      severity: 'low',
      why: expect.stringMatching(/^arn:aws:iam::111122223333:role\/admin can make blobs/),
    });
    expect(mint({})?.why).not.toMatch(/^The instance/);
    expect(mint({ nodes: [ADMIN] })?.why).toMatch(/^The instance's role/);
  });

  it('has a PCR3 of its own: another one is not rendered, and is found', () => {
    const right = measureInstanceRole(NODE);
    const render = (pcr3: Uint8Array) =>
      renderKeyPolicy({ ...RENDER, images: [{ pcrs: new Map([...PCRS, [3, pcr3]]) }] });
    expect(lintKeyPolicy(render(right), { ...LINT, images: [new Map([...PCRS, [3, right]])] })).toEqual([]);
    expect(() => render(measureInstanceRole(ADMIN))).toThrow(KeyPolicyError);
    expect(() => render(new Uint8Array(48).fill(7))).toThrow(
      expect.objectContaining({ code: 'POLICY_ROLE_MISMATCH' }),
    );
    const wrong = edited((policy) => (bound(policy)['kms:RecipientAttestation:PCR3'] = 'ab'.repeat(48)));
    expect(lint(wrong)).toEqual(['low PCR3_MISMATCH']);
  });
});
