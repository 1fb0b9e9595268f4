import { KEY_OPERATIONS, pick, type Random } from './draw.ts';

const ACCOUNTS = ['210987654321', '345678901234'];
const NAMES = ['alpha', 'beta', 'gamma'];

/** A statement of any kind that AWS would store, for policies of a key in the first account. */
export function drawStatement(
  random: Random,
  effect = pick(random, ['Allow', 'Allow', 'Deny']),
): Record<string, unknown> {
  const [account, name] = [pick(random, ACCOUNTS), pick(random, NAMES)];
  const principal = pick<unknown>(random, [
    '*',
    { AWS: '*' },
    { AWS: account },
    { AWS: `arn:aws:iam::${account}:root` },
    { AWS: `arn:aws:iam::${account}:role/${name}` },
    { AWS: [`arn:aws:iam::${account}:user/${name}`, `arn:aws:iam::${account}:role/svc/${name}`] },
    { AWS: `arn:aws:sts::${account}:assumed-role/${name}/session-1` },
    { AWS: `arn:aws:sts::${account}:federated-user/${name}` },
    { AWS: 'AROAJ2UCCR6DPCEXAMPLE' },
    { Service: 'rds.amazonaws.com' },
  ]);
  const action = pick<unknown>(random, [
    'kms:*',
    '*',
    'kms:Decrypt',
    `kms:${pick(random, KEY_OPERATIONS)}`,
    'kms:*crypt*',
    'kms:Generate*',
    ['KMS:decrypt', `kms:${pick(random, KEY_OPERATIONS)}`],
  ]);
  const condition: Record<string, Record<string, unknown>> = {};
  for (let count = Math.floor(random() * 4); count > 0; count -= 1) {
    const [operator, key, values] = drawCondition(random, account, name);
    condition[operator] = { ...condition[operator], [key]: values };
  }
  return {
    Effect: effect,
    Principal: principal,
    ...(random() < 0.1 ? { NotAction: action } : { Action: action }),
    Resource:
      random() < 0.9
        ? '*'
        : pick(random, ['arn:aws:kms:*:*:key/${aws:PrincipalTag/key}', 'arn:aws:kms:*:210987654321:key/*']),
    ...(Object.keys(condition).length === 0 ? {} : { Condition: condition }),
  };
}

function drawCondition(random: Random, account: string, name: string): [string, string, unknown] {
  const prefix = pick(random, ['', '', '', 'ForAllValues:', 'ForAnyValue:']);
  const suffix = pick(random, ['', '', '', 'IfExists']);
  const on = (base: string): string => `${prefix}${base}${suffix}`;
  const [f, g] = ['f'.repeat(96), `${'f'.repeat(95)}e`];
  const pcr = `kms:RecipientAttestation:PCR${pick(random, [0, 1, 8, 16])}`;
  return pick<() => [string, string, unknown]>(random, [
    () => [
      on(pick(random, ['StringEquals', 'StringNotEquals', 'StringEqualsIgnoreCase', 'StringNotLike'])),
      pcr,
      pick<unknown>(random, [f, [f, g], f.toUpperCase(), 'f*', '${aws:PrincipalTag/pcr}']),
    ],
    () => [
      'Null',
      pick(random, [pcr, 'aws:SourceVpc', 'kms:EncryptionContext:one']),
      pick(random, ['true', 'false']),
    ],
    () => [
      on(pick(random, ['StringEquals', 'StringLike', 'StringNotEquals', 'StringNotLike'])),
      'aws:SourceVpc',
      pick<unknown>(random, ['vpc-1', ['vpc-1', 'vpc-2'], 'vpc-*', 'x']),
    ],
    () => [
      on(pick(random, ['StringEquals', 'StringNotEquals', 'StringLike'])),
      'kms:EncryptionContext:one',
      pick<unknown>(random, [
        '1',
        ['1', '2'],
        '${aws:PrincipalTag/one}',
        "${aws:PrincipalTag/one, '1'}",
        '1*',
      ]),
    ],
    () => [
      `${pick(random, ['ForAllValues:', 'ForAnyValue:'])}${pick(random, ['StringEquals', 'StringNotEquals'])}`,
      'kms:EncryptionContextKeys',
      pick<unknown>(random, ['one', ['one', 'two'], ['two', 'three', 'four']]),
    ],
    () => [
      on(pick(random, ['StringEquals', 'StringNotEquals', 'StringLike'])),
      pick(random, ['aws:PrincipalAccount', 'kms:CallerAccount']),
      pick<unknown>(random, [account, '3456*', '555555555555']),
    ],
    () => [
      on(pick(random, ['ArnLike', 'ArnNotLike', 'StringLike', 'ArnEquals', 'ArnNotEquals'])),
      'aws:PrincipalArn',
      pick<unknown>(random, [
        `arn:aws:iam::${account}:role/${name}`,
        'arn:aws:iam::*:role/a*',
        `arn:aws:iam::${account}:*`,
        '*55*:role/*',
        'arn:aws:iam::${aws:PrincipalAccount}:role/b*',
      ]),
    ],
    () => [
      on(pick(random, ['StringEquals', 'StringNotEquals'])),
      pick(random, ['aws:username', 'aws:PrincipalType', 'aws:PrincipalOrgID', 'aws:userid']),
      pick<unknown>(random, [name, 'User', 'AssumedRole', 'o-1', account]),
    ],
    () => [
      on(pick(random, ['NumericLessThan', 'NumericGreaterThanEquals', 'NumericNotEquals'])),
      'aws:MultiFactorAuthAge',
      pick<unknown>(random, ['300', '10', ['5', '6']]),
    ],
    () => [
      on(pick(random, ['DateLessThan', 'DateGreaterThan', 'DateNotEquals'])),
      pick(random, ['aws:CurrentTime', 'aws:TokenIssueTime']),
      pick<unknown>(random, ['2027-01-01T00:00:00Z', '2020-01-01T00:00:00Z']),
    ],
    () => [
      on(pick(random, ['IpAddress', 'NotIpAddress'])),
      'aws:SourceIp',
      pick<unknown>(random, ['203.0.113.0/24', ['10.0.0.0/8', '203.0.113.7/32']]),
    ],
    () => [
      on('Bool'),
      pick(random, ['aws:ViaAWSService', 'aws:SecureTransport', 'aws:PrincipalIsAWSService']),
      pick(random, ['true', 'false']),
    ],
    () => [
      on(pick(random, ['StringEquals', 'StringLike'])),
      'aws:ResourceTag/team',
      pick<unknown>(random, ['${aws:PrincipalTag/team}', '${aws:PrincipalTag/team}*', 'red']),
    ],
  ])();
}

export function drawPolicy(random: Random): string {
  const statements = Array.from({ length: 1 + Math.floor(random() * 4) }, () => drawStatement(random));
  return JSON.stringify({ Version: random() < 0.9 ? '2012-10-17' : '2008-10-17', Statement: statements });
}
