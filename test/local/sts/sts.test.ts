import { CreateRoleCommand } from '@aws-sdk/client-iam';
import {
  AssumeRoleCommand,
  GetCallerIdentityCommand,
  type AssumeRoleCommandInput,
} from '@aws-sdk/client-sts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { LocalAws } from '../../../local/testbed/local-aws.ts';
import { ACCOUNT, personOf, refused, startAws, type Person } from '../cloudformation/cloud.ts';

const OTHER = '444455556666';
const ROLE = `arn:aws:iam::${ACCOUNT}:role/auditor`;

let aws: LocalAws;
let now: number;
let ann: Person;

beforeEach(async () => {
  now = Date.now();
  aws = await startAws({ clock: () => now });
  ann = personOf(aws);
});

const makeRole = async (principal: string, more: { Condition?: object; max?: number } = {}) => {
  const { Condition, max } = more;
  const statement = { Effect: 'Allow', Principal: { AWS: principal }, Action: 'sts:AssumeRole' };
  await ann.iam.send(
    new CreateRoleCommand({
      RoleName: 'auditor',
      AssumeRolePolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ ...statement, ...(Condition === undefined ? {} : { Condition }) }],
      }),
      ...(max === undefined ? {} : { MaxSessionDuration: max }),
    }),
  );
};
const assume = async (person: Person, more: Partial<AssumeRoleCommandInput> = {}) =>
  await person.sts.send(new AssumeRoleCommand({ RoleArn: ROLE, RoleSessionName: 'audit', ...more }));
const nameOf = async (answer: Promise<unknown>) => (await refused(answer)).name;

describe('AssumeRole', () => {
  it('gives a session that is the role, and ends', async () => {
    await makeRole(`arn:aws:iam::${ACCOUNT}:user/ann`);
    const { Credentials: made, AssumedRoleUser: user } = await assume(ann, { DurationSeconds: 900 });
    const session = personOf(aws, {
      credentials: {
        accessKeyId: made?.AccessKeyId ?? '',
        secretAccessKey: made?.SecretAccessKey ?? '',
        sessionToken: made?.SessionToken ?? '',
      },
    });
    const who = await session.sts.send(new GetCallerIdentityCommand({}));
    expect(who).toMatchObject({
      Account: ACCOUNT,
      Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/auditor/audit`,
      UserId: user?.AssumedRoleId,
    });
    expect(made?.Expiration?.getTime()).toBe(Math.floor(now / 1000) * 1000 + 900_000 + (now % 1000));
    const later = async (minutes: number) => {
      now += minutes * 60_000;
      session.sts.config.systemClockOffset += minutes * 60_000;
      return await nameOf(session.sts.send(new GetCallerIdentityCommand({})));
    };
    expect([await later(14), await later(2)]).toEqual(['answered', 'ExpiredToken']);
  });

  it('needs the trust of the role, and of its own account too when the caller is of another', async () => {
    await makeRole(`arn:aws:iam::${OTHER}:root`);
    const allow = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: ROLE }],
    });
    const trusted = personOf(aws, { accountId: OTHER, userName: 'bob', policies: [allow] });
    const idle = personOf(aws, { accountId: OTHER, userName: 'eve', policies: [] });
    const foreign = personOf(aws, { accountId: '777788889999', userName: 'mal' });
    expect(await nameOf(assume(trusted))).toBe('answered');
    expect(await nameOf(assume(idle))).toBe('AccessDenied');
    expect(await nameOf(assume(foreign))).toBe('AccessDenied');
    // An administrator of the role's own account is not in its trust policy.
    expect(await nameOf(assume(ann))).toBe('AccessDenied');
    expect(await nameOf(assume(ann, { RoleArn: `${ROLE}-that-is-not-there` }))).toBe('AccessDenied');
  });

  it('asks for the external id that the trust policy names', async () => {
    await makeRole(`arn:aws:iam::${ACCOUNT}:user/ann`, {
      Condition: { StringEquals: { 'sts:ExternalId': 'vault-7' } },
    });
    expect(await nameOf(assume(ann))).toBe('AccessDenied');
    expect(await nameOf(assume(ann, { ExternalId: 'vault-8' }))).toBe('AccessDenied');
    expect(await nameOf(assume(ann, { ExternalId: 'vault-7' }))).toBe('answered');
  });

  it('gives no session that is longer than the role permits, or that another session asks for by more than an hour', async () => {
    await makeRole(`arn:aws:iam::${ACCOUNT}:user/ann`);
    expect(await nameOf(assume(ann, { DurationSeconds: 3600 }))).toBe('answered');
    expect(await nameOf(assume(ann, { DurationSeconds: 3601 }))).toBe('ValidationError');
    expect(await nameOf(assume(ann, { DurationSeconds: 899 }))).toBe('ValidationError');
  });

  it('gives the longer session that a role permits', async () => {
    await makeRole(`arn:aws:iam::${ACCOUNT}:user/ann`, { max: 7200 });
    expect(await nameOf(assume(ann, { DurationSeconds: 7200 }))).toBe('answered');
    expect(await nameOf(assume(ann, { DurationSeconds: 7201 }))).toBe('ValidationError');
  });

  it('refuses a session policy rather than ignoring it', async () => {
    await makeRole(`arn:aws:iam::${ACCOUNT}:user/ann`);
    expect(await nameOf(assume(ann, { Policy: '{}' }))).toBe('ValidationError');
    expect(await nameOf(assume(ann, { Tags: [{ Key: 'a', Value: 'b' }] }))).toBe('ValidationError');
  });
});
