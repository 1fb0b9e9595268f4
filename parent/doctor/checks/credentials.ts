import { type Check, configOf } from './check.ts';
import { fail, ok, quote, skip, warn } from './check-result.ts';

const regionCheck: Check = {
  part: 'AWS',
  title: 'Region',
  needs: ['config'],
  async run(context) {
    const { region, artifacts } = configOf(context);
    const here = context.instance.metadata?.region;
    const asksAws = [artifacts.manifest, artifacts.configuration, artifacts.secrets].some(
      ({ type }) => type !== 'file',
    );
    if (region === undefined) {
      if (!asksAws) return [ok('none is needed: every artifact is a file')];
      return [
        fail(
          'REGION_MISSING',
          'artifacts come from AWS, and no Region is configured: the SDK does not ask the instance',
          {
            advice: `write "region: ${here ?? 'REGION'}" into the configuration`,
            command: `sudoedit ${quote(context.configPath)}`,
          },
        ),
      ];
    }
    if (here !== undefined && here !== region) {
      return [
        warn('REGION_DIFFERS', `configured is ${region}, and the instance is in ${here}`, {
          advice:
            'make sure that this is meant: each request crosses Regions, and VPC endpoints do not carry it',
          command: `sudoedit ${quote(context.configPath)}`,
        }),
      ];
    }
    return [ok(here === undefined ? region : `${region}, as the instance`)];
  },
};

const roleCheck: Check = {
  part: 'AWS',
  title: 'instance role',
  needs: ['enclave-host', 'network'],
  async run({ instance: { metadata, id = 'INSTANCE' } }) {
    if (metadata === undefined) return [skip('NOT_APPLICABLE', 'the metadata service does not answer')];
    if (metadata.role !== null) return [ok(metadata.role)];
    return [
      fail(
        'ROLE_MISSING',
        'the instance has no role: the parent gets no credentials, and the enclave nothing from KMS',
        {
          advice: 'give it the instance profile of the node (docs/aws.md)',
          command: `aws ec2 associate-iam-instance-profile --instance-id ${id} --iam-instance-profile Name=PROFILE`,
        },
      ),
    ];
  },
};

const credentialsCheck: Check = {
  part: 'AWS',
  title: 'credentials',
  needs: ['network'],
  deadlineMs: 10_000,
  async run({ host, instance }) {
    let expiration: number | null;
    try {
      expiration = await host.credentialsExpiration();
    } catch {
      const report = instance.kind === 'nitro' ? fail : warn;
      return [
        report('CREDENTIALS_MISSING', 'the AWS SDK finds no credentials', {
          advice:
            'on EC2: an instance profile and IMDSv2; elsewhere: environment or profile, as the AWS SDK reads them',
        }),
      ];
    }
    if (expiration === null) {
      return [
        warn(
          'CREDENTIALS_STATIC',
          'the credentials never expire: an access key of a user lies on this machine',
          {
            advice: 'use the role of the instance, whose credentials last hours',
          },
        ),
      ];
    }
    const minutes = Math.round((expiration - host.clock()) / 60_000);
    if (minutes <= 0) {
      return [
        fail('CREDENTIALS_EXPIRED', `the credentials expired ${-minutes} min ago`, {
          advice: 'look at the clock and at the instance profile; EC2 gives new ones by itself',
        }),
      ];
    }
    return [ok(`good for ${minutes} min, as this user gets them`)];
  },
};

export const credentialChecks: readonly Check[] = [regionCheck, roleCheck, credentialsCheck];
