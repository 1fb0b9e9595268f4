import { describe, expect, it } from 'vitest';
import { lintKeyPolicy, type Finding, type LintOptions } from '../../../attestation/key-policy/index.ts';
import { ACCOUNT, FOREIGN_ACCOUNT, KEY_ARN, NODE_ROLE_ARN, policyText, ROOT_ARN } from './policies.ts';

const NOW = Date.UTC(2026, 0, 15);
const ADMIN = `arn:aws:iam::${ACCOUNT}:role/admin`;
const pcr = (digit: string): string => digit.repeat(96);
const key = (name: string): string => `kms:RecipientAttestation:${name}`;
const bytes = (digit: string): Uint8Array => Uint8Array.from(Buffer.from(pcr(digit), 'hex'));

const admin = {
  Sid: 'admin',
  Effect: 'Allow',
  Principal: { AWS: ADMIN },
  Action: ['kms:PutKeyPolicy', 'kms:GetKeyPolicy', 'kms:ScheduleKeyDeletion', 'kms:DisableKey'],
  Resource: '*',
};
const IMAGE = { [key('PCR0')]: pcr('a'), [key('PCR1')]: pcr('b'), [key('PCR2')]: pcr('c') };
const CONTEXT = { 'kms:EncryptionContext:holdfast:node': '1' };
const attested = (condition: object = {}, more: object = {}): object => ({
  Sid: 'attested',
  Effect: 'Allow',
  Principal: { AWS: NODE_ROLE_ARN },
  Action: 'kms:Decrypt',
  Resource: '*',
  Condition: { StringEqualsIgnoreCase: IMAGE, StringEquals: CONTEXT, ...condition },
  ...more,
});
const open = (more: object = {}): object => ({
  Sid: 'open',
  Effect: 'Allow',
  Principal: { AWS: ROOT_ARN },
  Action: 'kms:Decrypt',
  Resource: '*',
  ...more,
});
const deny = (Condition: object, more: object = {}): object => ({
  Effect: 'Deny',
  Principal: '*',
  Action: ['kms:Decrypt', 'kms:GenerateDataKey', 'kms:GenerateDataKeyPair', 'kms:DeriveSharedSecret'],
  Resource: '*',
  Condition,
  ...more,
});
const oneDenyPerPcr = [0, 1, 2].map((index) =>
  deny({ StringNotEqualsIgnoreCase: { [key(`PCR${index}`)]: pcr('abc'.charAt(index)) } }),
);

function lint(statements: readonly object[], options: Partial<LintOptions> = {}): Finding[] {
  return lintKeyPolicy(policyText(...statements), { keyArn: KEY_ARN, now: NOW, ...options });
}
/** `CODE@statement`, the statement by Sid or index. */
function codes(statements: readonly object[], options: Partial<LintOptions> = {}): string[] {
  return lint(statements, options).map(
    ({ code, statement }) => `${code}@${statement?.sid ?? statement?.index ?? ''}`,
  );
}
const use = (statements: readonly object[]): string[] =>
  codes(statements).filter((code) =>
    /^(?:UNATTESTED|ATTESTATION|ANY|DEBUG|OTHER|PCR|UNEXPECTED|MIXED)/.test(code),
  );

describe('a policy without a fault', () => {
  it('has no finding', () => {
    expect(codes([admin, attested()])).toEqual([]);
  });

  it('may write condition keys in any case, ImageSha384 for PCR0, and lower-case values under StringEquals', () => {
    const lower = Object.fromEntries(
      Object.entries(IMAGE).map(([name, value]) => [name.toLowerCase(), value]),
    );
    expect(codes([admin, attested({ StringEqualsIgnoreCase: lower })])).toEqual([]);
    const digest = { [key('ImageSha384')]: pcr('a'), [key('PCR1')]: pcr('b'), [key('PCR2')]: pcr('c') };
    expect(codes([admin, attested({ StringEqualsIgnoreCase: digest })])).toEqual([]);
    expect(
      codes([admin, attested({ StringEqualsIgnoreCase: {}, StringEquals: { ...IMAGE, ...CONTEXT } })]),
    ).toEqual([]);
  });

  it('may have one statement for each image', () => {
    const before = Object.fromEntries(Object.keys(IMAGE).map((name, at) => [name, pcr('def'.charAt(at))]));
    const statements = [admin, attested(), attested({ StringEqualsIgnoreCase: before }, { Sid: 'before' })];
    expect(codes(statements)).toEqual([]);
  });

  it('may let other accounts and services read', () => {
    const read = open({ Principal: { AWS: FOREIGN_ACCOUNT }, Action: ['kms:DescribeKey', 'kms:List*'] });
    expect(codes([admin, attested(), read])).toEqual([]);
  });
});

describe('an Allow that makes the attested one pointless', () => {
  it.each<[string, object]>([
    ['to the account', open()],
    ['to the account with kms:*', open({ Action: 'kms:*' })],
    ['with *', open({ Action: '*' })],
    ['with an action in another case', open({ Action: 'KMS:decrypt' })],
    ['with an action pattern', open({ Action: 'kms:De*t' })],
    ['with NotAction', { ...open(), Action: undefined, NotAction: 'kms:ListKeys' }],
    ['to the instance role', open({ Principal: { AWS: NODE_ROLE_ARN } })],
    ['to one session of it', open({ Principal: { AWS: `arn:aws:sts::${ACCOUNT}:assumed-role/node/i-1` } })],
    ['to another account', open({ Principal: { AWS: FOREIGN_ACCOUNT } })],
    ['to everybody', open({ Principal: '*' })],
    ['to all but one', { ...open(), Principal: undefined, NotPrincipal: { AWS: NODE_ROLE_ARN } }],
    ['to a service', open({ Principal: { Service: 'sns.amazonaws.com' } })],
    ['to a named administrator', open({ Principal: { AWS: ADMIN } })],
    [
      'by a principal condition',
      open({ Condition: { ArnLike: { 'aws:PrincipalArn': `arn:aws:iam::${ACCOUNT}:role/x*` } } }),
    ],
    [
      'through a service',
      open({ Condition: { StringEquals: { 'kms:ViaService': 's3.eu-central-1.amazonaws.com' } } }),
    ],
    ['from a network', open({ Condition: { IpAddress: { 'aws:SourceIp': '203.0.113.0/24' } } })],
    [
      'with a variable',
      open({
        Condition: { StringLike: { 'aws:PrincipalArn': 'arn:aws:iam::${aws:PrincipalAccount}:role/*' } },
      }),
    ],
    [
      'from some day on',
      open({ Condition: { DateGreaterThan: { 'aws:CurrentTime': '2030-01-01T00:00:00Z' } } }),
    ],
    ['with IfExists', attested({ StringEqualsIgnoreCase: {}, StringEqualsIfExists: IMAGE }, { Sid: 'open' })],
    [
      'with ForAllValues',
      attested({ StringEqualsIgnoreCase: {}, 'ForAllValues:StringEquals': IMAGE }, { Sid: 'open' }),
    ],
    [
      'with a negated operator',
      attested({ StringEqualsIgnoreCase: {}, StringNotEquals: IMAGE }, { Sid: 'open' }),
    ],
    [
      'with Null true',
      attested({ StringEqualsIgnoreCase: {}, Null: { [key('PCR0')]: 'true' } }, { Sid: 'open' }),
    ],
    ['for this key by its ARN', open({ Resource: KEY_ARN })],
  ])('is found: %s', (_, statement) => {
    expect(use([admin, attested(), statement])).toContain('UNATTESTED_USE@open');
    const [finding] = lint([admin, attested(), statement]);
    expect(finding).toMatchObject({ severity: 'critical', example: { attestation: 'none' } });
  });

  it.each<[string, object[]]>([
    ['one Deny for each PCR', [open(), ...oneDenyPerPcr]],
    [
      'a Deny of everything but reading',
      [open(), { ...deny({}), Action: undefined, NotAction: 'kms:List*' }],
    ],
    [
      'a condition on another account',
      [open({ Condition: { StringEquals: { 'kms:CallerAccount': FOREIGN_ACCOUNT } } })],
    ],
    ['another key', [open({ Resource: KEY_ARN.replace(/.$/, 'c') })]],
    [
      'a date that is past',
      [open({ Condition: { DateLessThan: { 'aws:CurrentTime': '2026-01-01T00:00:00Z' } } })],
    ],
    [
      'conditions that exclude each other',
      [open({ Condition: { StringEquals: { 'aws:SourceVpc': 'a' }, Null: { 'aws:SourceVpc': 'true' } } })],
    ],
    [
      'plain HTTP, which KMS does not speak',
      [open({ Condition: { Bool: { 'aws:SecureTransport': 'false' } } })],
    ],
    [
      'a Deny for principals beyond the account',
      [
        open({ Principal: { AWS: FOREIGN_ACCOUNT } }),
        deny({ StringNotEquals: { 'aws:PrincipalAccount': ACCOUNT } }),
      ],
    ],
    [
      'ForAllValues with Null',
      [
        attested({
          StringEqualsIgnoreCase: {},
          'ForAllValues:StringEquals': IMAGE,
          Null: { [key('PCR0')]: 'false' },
        }),
      ],
    ],
    [
      'an explicit Deny of the instance role alone, which is all that is named',
      [open({ Principal: { AWS: NODE_ROLE_ARN } }), deny({}, { Principal: { AWS: NODE_ROLE_ARN } })],
    ],
    ['reading actions only', [open({ Action: ['kms:Describe*', 'kms:List*', 'kms:Get*'] })]],
  ])('is no gap where it is closed: %s', (_, statements) => {
    expect(use([admin, ...statements]).filter((code) => code.startsWith('UNATTESTED'))).toEqual([]);
  });

  it.each<[string, object[]]>([
    [
      'denies other actions',
      [open(), { ...deny({ Null: { [key('PCR0')]: 'true' } }), Action: 'kms:Encrypt' }],
    ],
    [
      'spares it by NotAction',
      [open(), { ...deny({ Null: { [key('PCR0')]: 'true' } }), Action: undefined, NotAction: 'kms:Decrypt' }],
    ],
    [
      'has another condition as well',
      [open(), deny({ Null: { [key('PCR0')]: 'true' }, Bool: { 'aws:ViaAWSService': 'true' } })],
    ],
    [
      'is for one role only',
      [open(), deny({ Null: { [key('PCR0')]: 'true' } }, { Principal: { AWS: NODE_ROLE_ARN } })],
    ],
    [
      'spares a listed role by NotPrincipal',
      [open(), { ...deny({}), Principal: undefined, NotPrincipal: { AWS: [ROOT_ARN] } }],
    ],
    ['asks for the key under a wrong name', [open(), deny({ Null: { [key('PCR_0')]: 'false' } })]],
  ])('is a gap still when a Deny %s', (_, statements) => {
    expect(use([admin, ...statements])).toContain('UNATTESTED_USE@open');
  });

  it('counts on the weakest reading of a Deny with NotPrincipal', () => {
    const spared = { ...deny({}), Principal: undefined, NotPrincipal: { AWS: [NODE_ROLE_ARN] } };
    const found = lint([admin, open(), spared]).find(({ code }) => code === 'UNATTESTED_USE');
    expect(found?.callers).toEqual([NODE_ROLE_ARN]);
  });

  it('takes the names and the pairs of an encryption context for one thing', () => {
    const names = (list: string[]): object =>
      open({
        Condition: {
          StringEquals: { 'kms:EncryptionContext:a': '1', 'kms:EncryptionContext:b': '2' },
          'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': list },
        },
      });
    expect(use([admin, attested(), names(['a', 'c'])])).toEqual([]);
    expect(use([admin, attested(), names(['a', 'b', 'c'])])).toContain('UNATTESTED_USE@open');
    const without = { ...deny({ Null: { 'kms:EncryptionContext:c': 'false' } }), Action: 'kms:*' };
    expect(use([admin, attested(), names(['a', 'b', 'c']), without])).toContain('UNATTESTED_USE@open');
  });

  it('is not there when the condition asks for what no request carries', () => {
    expect(use([admin, attested({ StringEqualsIgnoreCase: { [key('PCR_0')]: pcr('a') } })])).toEqual([]);
  });

  it('is found as a grant or a re-encryption too, which nothing can bind', () => {
    const found = codes([admin, attested(), open({ Action: ['kms:CreateGrant', 'kms:ReEncrypt*'] })]);
    expect(found.filter((code) => code === 'ATTESTATION_BYPASS@open')).toHaveLength(2);
    const never = {
      Effect: 'Deny',
      Principal: '*',
      Action: ['kms:CreateGrant', 'kms:ReEncrypt*'],
      Resource: '*',
    };
    expect(
      codes([admin, attested(), open({ Action: ['kms:CreateGrant', 'kms:ReEncrypt*'] }), never]),
    ).toEqual([]);
  });
});

describe('zero measurements', () => {
  const zero = { [key('PCR0')]: pcr('0'), [key('PCR1')]: pcr('0'), [key('PCR2')]: pcr('0') };
  it('of PCR0 to PCR2 are those of a debug enclave', () => {
    expect(codes([admin, attested({ StringEqualsIgnoreCase: zero })])).toEqual(['DEBUG_IMAGE@attested']);
    expect(
      codes([admin, attested({ StringEqualsIgnoreCase: { ...IMAGE, [key('PCR0')]: [pcr('a'), pcr('0')] } })]),
    ).toEqual(['DEBUG_IMAGE@attested']);
  });

  it('of PCR0 to PCR2 are none when a Deny closes them', () => {
    const denied = deny({ StringEquals: { [key('PCR0')]: pcr('0') } });
    expect(
      codes([
        admin,
        attested({ StringEqualsIgnoreCase: { ...IMAGE, [key('PCR0')]: [pcr('a'), pcr('0')] } }),
        denied,
      ]),
    ).toEqual([]);
  });

  it('of other PCRs bind nothing', () => {
    const condition = { ...IMAGE, [key('PCR3')]: pcr('0'), [key('PCR8')]: pcr('0') };
    expect(codes([admin, attested({ StringEqualsIgnoreCase: condition })])).toEqual([
      'ZERO_PCR_BOUND@attested',
      'ZERO_PCR_BOUND@attested',
    ]);
  });
});

describe('too few PCRs', () => {
  it('PCR0 alone leaves PCR1 and PCR2 open', () => {
    for (const name of ['PCR0', 'ImageSha384', 'imagesha384']) {
      const found = lint([admin, attested({ StringEqualsIgnoreCase: { [key(name)]: pcr('a') } })]);
      expect(found.map(({ code, severity }) => [code, severity])).toEqual([
        ['PCR_UNBOUND', 'medium'],
        ['PCR_UNBOUND', 'medium'],
      ]);
    }
  });

  it('PCR8 and PCR16 have to be bound when the image has them, and PCR3 when it applies', () => {
    const image = new Map(Array.from('abc', (digit, at) => [at, bytes(digit)] as const));
    const images = [new Map([...image, [3, bytes('0')], [8, bytes('d')], [16, bytes('e')]])];
    const found = lint([admin, attested()], { images });
    expect(found.map(({ code, severity }) => [code, severity])).toEqual([
      ['PCR_UNBOUND', 'high'],
      ['PCR_UNBOUND', 'high'],
    ]);
    const all = { ...IMAGE, [key('PCR8')]: pcr('d'), [key('PCR16')]: pcr('e') };
    expect(codes([admin, attested({ StringEqualsIgnoreCase: all })], { images })).toEqual([]);
    expect(
      codes(
        [
          admin,
          attested({
            StringEqualsIgnoreCase: IMAGE,
            StringEqualsIfExists: { [key('PCR16')]: pcr('e') },
            StringEquals: { ...CONTEXT, [key('PCR8')]: pcr('d') },
          }),
        ],
        { images },
      ),
    ).toEqual(['PCR_UNBOUND@attested']);
  });

  it('a document of any image is as good as none', () => {
    const anyDocument = attested({ StringEqualsIgnoreCase: {}, Null: { [key('PCR0')]: 'false' } });
    expect(codes([admin, anyDocument])).toEqual(['ANY_IMAGE@attested']);
    const delegated = [
      open({ Condition: { StringEquals: CONTEXT } }),
      deny({ Null: { [key('PCR0')]: 'true' } }),
    ];
    expect(codes([admin, ...delegated])).toContain('ANY_IMAGE@open');
  });

  it('a wildcard is a value that nobody has seen', () => {
    for (const pattern of ['*', 'a*', `${'a'.repeat(95)}?`]) {
      const like = { ...IMAGE, [key('PCR0')]: pattern };
      const found = codes([admin, attested({ StringEqualsIgnoreCase: {}, StringLike: like })]);
      expect(found).toEqual(['PCR_UNBOUND@attested']);
    }
    expect(codes([admin, attested({ StringEqualsIgnoreCase: {}, StringLike: IMAGE })])).toEqual([]);
  });

  it('a document of a NitroTPM is not an enclave’s', () => {
    const tpm = attested({ StringEqualsIgnoreCase: { [key('NitroTPMPCR4')]: pcr('a') } });
    expect(codes([admin, tpm])).toEqual(['OTHER_PLATFORM@attested']);
  });
});

describe('one instance', () => {
  it('bound alone runs any image', () => {
    const [finding] = lint([admin, attested({ StringEqualsIgnoreCase: { [key('PCR4')]: pcr('a') } })]);
    expect(finding).toMatchObject({
      code: 'ANY_IMAGE',
      severity: 'critical',
      statement: { sid: 'attested' },
    });
    expect(finding?.why).toContain('PCR4');
  });

  it('bound beside the image is no fault', () => {
    expect(
      codes([admin, attested({ StringEqualsIgnoreCase: { ...IMAGE, [key('PCR4')]: pcr('d') } })]),
    ).toEqual([]);
  });
});

describe('measurements of several images', () => {
  const mixed = {
    [key('PCR0')]: [pcr('a'), pcr('d')],
    [key('PCR8')]: [pcr('b'), pcr('e')],
    [key('PCR1')]: pcr('1'),
    [key('PCR2')]: pcr('2'),
  };
  it('in value lists allow images that were never built', () => {
    expect(codes([admin, attested({ StringEqualsIgnoreCase: mixed })])).toEqual(['MIXED_IMAGES@attested']);
  });

  it('are no fault when only one PCR has a list, or a Deny leaves the pairs that belong together', () => {
    expect(
      codes([admin, attested({ StringEqualsIgnoreCase: { ...mixed, [key('PCR8')]: pcr('b') } })]),
    ).toEqual([]);
    const crossed = [
      deny({ StringEquals: { [key('PCR0')]: pcr('a'), [key('PCR8')]: pcr('e') } }),
      deny({ StringEquals: { [key('PCR0')]: pcr('d'), [key('PCR8')]: pcr('b') } }),
    ];
    expect(codes([admin, attested({ StringEqualsIgnoreCase: mixed }), ...crossed])).toEqual([]);
  });

  it('are compared with those that are expected', () => {
    const image = (digits: string) => new Map(Array.from(digits, (digit, at) => [at, bytes(digit)] as const));
    expect(codes([admin, attested()], { images: [image('abc')] })).toEqual([]);
    const two = { ...IMAGE, [key('PCR0')]: [pcr('a'), pcr('d')] };
    expect(codes([admin, attested({ StringEqualsIgnoreCase: two })], { images: [image('abc')] })).toEqual([
      'UNEXPECTED_IMAGE@attested',
    ]);
    expect(
      codes([admin, attested({ StringEqualsIgnoreCase: two })], { images: [image('abc'), image('dbc')] }),
    ).toEqual([]);
  });
});

describe('whoever may change the policy', () => {
  const put = (Principal: unknown): object => open({ Sid: 'put', Principal, Action: 'kms:PutKeyPolicy' });
  it.each([
    ['the instance role', { AWS: NODE_ROLE_ARN }, 'critical'],
    ['the account', { AWS: ROOT_ARN }, 'high'],
    ['everybody', '*', 'high'],
    ['another account', { AWS: FOREIGN_ACCOUNT }, 'high'],
  ])('is found: %s', (_, principal, severity) => {
    const found = lint([admin, attested(), put(principal)]);
    expect(found).toMatchObject([{ code: 'POLICY_CHANGE_OPEN', severity, statement: { sid: 'put' } }]);
  });

  it('is no fault when it is an administrator, or a role that nobody else can be', () => {
    expect(codes([admin, attested(), put({ AWS: `arn:aws:iam::${ACCOUNT}:role/second` })])).toEqual([]);
    const narrowed = { ...put({ AWS: ROOT_ARN }), Condition: { ArnEquals: { 'aws:PrincipalArn': ADMIN } } };
    expect(codes([admin, attested(), narrowed])).toEqual([]);
  });

  it('is found among named roles when the administrators are given', () => {
    const deployer = `arn:aws:iam::${ACCOUNT}:role/deployer`;
    const found = codes([admin, attested(), put({ AWS: deployer })], { admins: [ADMIN] });
    expect(found).toEqual(['POLICY_CHANGE_OPEN@put']);
  });

  it('nobody at all is said, too', () => {
    expect(codes([attested()])).toEqual(['LOCKED_OUT@']);
  });
});

describe('whoever makes blobs', () => {
  const mint = (Principal: unknown, Condition: object = {}, Action = 'kms:Encrypt'): object =>
    open({ Sid: 'mint', Principal, Action, Condition });

  it.each(['kms:GenerateDataKeyWithoutPlaintext', 'kms:ReEncryptTo'])('is found: by %s as well', (action) => {
    for (const [principal, condition, severity] of [
      [NODE_ROLE_ARN, {}, 'high'],
      [ADMIN, { StringEquals: CONTEXT }, 'low'],
    ] as const) {
      expect(lint([admin, attested(), mint({ AWS: principal }, condition, action)])).toMatchObject([
        { code: 'MINT_OPEN', severity, statement: { sid: 'mint' }, actions: [action] },
      ]);
    }
  });

  it.each([
    ['the instance role', { AWS: NODE_ROLE_ARN }, {}, 'high'],
    ['the account', { AWS: ROOT_ARN }, {}, 'high'],
    [
      'a named role with an encryption context',
      { AWS: `arn:aws:iam::${ACCOUNT}:role/x` },
      { StringEquals: CONTEXT },
      'medium',
    ],
    ['an administrator', { AWS: ADMIN }, { StringEquals: CONTEXT }, 'low'],
  ])('is found: %s', (_, principal, condition, severity) => {
    expect(lint([admin, attested(), mint(principal, condition)])).toMatchObject([
      { code: 'MINT_OPEN', severity, statement: { sid: 'mint' } },
    ]);
  });

  it('with a recipient condition is nobody: Encrypt takes no document, which is said', () => {
    expect(codes([admin, attested({}, { Action: ['kms:Decrypt', 'kms:Encrypt'] })])).toEqual([
      'NEVER_ATTESTED@attested',
    ]);
  });
});

describe('whoever deletes the key', () => {
  it.each([
    ['the instance role', { AWS: NODE_ROLE_ARN }, 'high'],
    ['the account', { AWS: ROOT_ARN }, 'medium'],
  ])('is found: %s', (_, principal, severity) => {
    const statement = open({ Sid: 'delete', Principal: principal, Action: 'kms:ScheduleKeyDeletion' });
    expect(lint([admin, attested(), statement])).toMatchObject([
      { code: 'DESTRUCTION_OPEN', severity, statement: { sid: 'delete' } },
    ]);
  });
});

describe('what is written by mistake', () => {
  it('a condition key that KMS does not know, and no other', () => {
    for (const name of ['PCR32', 'PCR00', 'PCR_0', 'ImageSha385', 'NitroTPMPCR24']) {
      const found = codes([admin, attested({ StringEqualsIgnoreCase: { ...IMAGE, [key(name)]: pcr('a') } })]);
      expect(found).toEqual(['UNKNOWN_KEY@attested']);
    }
    const known = {
      ...CONTEXT,
      'kms:viaService': 'x',
      'KMS:CallerAccount': ACCOUNT,
      'aws:PrincipalOrgID': 'o-x',
    };
    expect(codes([admin, attested({ StringEquals: known })])).toEqual([]);
  });

  it('a measurement that no document carries', () => {
    for (const value of ['abc', pcr('g'), `${pcr('a')}0`, `0x${'a'.repeat(94)}`]) {
      const found = codes([admin, attested({ StringEqualsIgnoreCase: { ...IMAGE, [key('PCR0')]: value } })]);
      expect(found).toContain('MALFORMED_PCR@attested');
    }
    const upper = { ...CONTEXT, ...IMAGE, [key('PCR0')]: pcr('A') };
    expect(codes([admin, attested({ StringEqualsIgnoreCase: {}, StringEquals: upper })])).toEqual([
      'MALFORMED_PCR@attested',
    ]);
  });

  it('a Deny with several negated keys, which one shared PCR lifts', () => {
    const toothless = deny({
      StringNotEqualsIgnoreCase: {
        [key('PCR0')]: pcr('a'),
        [key('PCR1')]: pcr('b'),
        [key('PCR2')]: pcr('c'),
      },
    });
    const found = codes([admin, open(), toothless]);
    expect(found).toContain('DENY_WITHOUT_TEETH@2');
    expect(found).toContain('PCR_UNBOUND@open');
    expect(codes([admin, open(), ...oneDenyPerPcr])).not.toContain('DENY_WITHOUT_TEETH@2');
  });

  it('NotAction and NotPrincipal, even where nothing comes of them yet', () => {
    const notAction = { ...open(), Action: undefined, NotAction: ['kms:*'] };
    expect(codes([admin, attested(), notAction])).toEqual(['NOT_ACTION@open']);
    const notPrincipal = {
      ...deny({}),
      Principal: undefined,
      NotPrincipal: { AWS: [ROOT_ARN, NODE_ROLE_ARN] },
      Sid: 'not',
    };
    expect(codes([admin, attested(), notPrincipal])).toEqual(['NOT_PRINCIPAL@not']);
  });

  it('an encryption context that is left open', () => {
    expect(codes([admin, attested({ StringEquals: {} })])).toEqual(['CONTEXT_UNBOUND@attested']);
    expect(
      codes([admin, attested({ StringEquals: {}, Null: { 'kms:EncryptionContextKeys': 'false' } })]),
    ).toEqual(['CONTEXT_UNBOUND@attested']);
  });

  it('attested use for the whole account, or for all', () => {
    expect(codes([admin, attested({}, { Principal: { AWS: ROOT_ARN } })])).toEqual([
      'OPEN_PRINCIPAL@attested',
    ]);
    const [finding] = lint([admin, attested({}, { Principal: '*' })]);
    expect(finding).toMatchObject({ code: 'OPEN_PRINCIPAL', severity: 'medium' });
  });

  it('GenerateDataKey after the first start', () => {
    expect(codes([admin, attested({}, { Action: ['kms:Decrypt', 'kms:GenerateDataKey'] })])).toEqual([
      'INITIALISE_OPEN@attested',
    ]);
  });
});

describe('every finding', () => {
  it('names its statement, says why and how to mend it, and shows a request', () => {
    const found = lint([admin, attested(), open({ Action: 'kms:*' })]);
    expect(found.length).toBeGreaterThan(3);
    for (const finding of found) {
      expect(finding.why.length).toBeGreaterThan(20);
      expect(finding.fix.length).toBeGreaterThan(10);
      expect(finding.statement).toBeDefined();
    }
    expect(found[0]?.callers).toContain(`any other principal of ${ACCOUNT} with an IAM policy`);
    expect(found[0]?.actions).toContain('kms:Decrypt');
  });
});
