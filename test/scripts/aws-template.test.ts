import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const ROOT = join(import.meta.dirname, '../..');

/** The template with its functions as what they are called with. */
function readTemplate(): { Parameters: Record<string, unknown>; Resources: Record<string, Resource> } {
  const plain = (tag: string) => [
    { tag, resolve: (value: string) => value },
    { tag, collection: 'seq' as const, resolve: (value: unknown) => value },
  ];
  return parse(readFileSync(join(ROOT, 'scripts/aws/parent-host.yaml'), 'utf8'), {
    customTags: ['!Ref', '!Sub', '!GetAtt', '!Equals', '!Not'].flatMap(plain) as never,
  }) as ReturnType<typeof readTemplate>;
}

interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
}

const { Parameters, Resources } = readTemplate();
const ofType = (type: string) =>
  Object.values(Resources)
    .filter(({ Type }) => Type === type)
    .map(({ Properties }) => Properties);

describe('the template of a parent host', () => {
  it('starts an instance with enclaves, with IMDSv2 that no container reaches, and out of the public', () => {
    const [template] = ofType('AWS::EC2::LaunchTemplate');
    expect(template).toMatchObject({
      LaunchTemplateData: {
        EnclaveOptions: { Enabled: true },
        MetadataOptions: { HttpEndpoint: 'enabled', HttpTokens: 'required', HttpPutResponseHopLimit: 1 },
        NetworkInterfaces: [{ AssociatePublicIpAddress: false }],
        BlockDeviceMappings: [{ Ebs: { Encrypted: true, DeleteOnTermination: false } }],
      },
    });
    expect(ofType('AWS::EC2::Instance')).toMatchObject([{ DisableApiTermination: true }]);
  });

  it('lets the role ask KMS for nothing but attested use of the one key', () => {
    const policies = [
      ...ofType('AWS::IAM::RolePolicy'),
      ...ofType('AWS::IAM::Role').flatMap(({ Policies }) => Policies as Record<string, unknown>[]),
    ];
    const statements = policies.flatMap(
      ({ PolicyDocument }) => (PolicyDocument as { Statement: Record<string, unknown>[] }).Statement,
    );
    const withKms = statements.filter(({ Action }) =>
      [Action].flat().some((name) => String(name).startsWith('kms:')),
    );
    expect(withKms).toEqual([
      {
        Effect: 'Allow',
        Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
        Resource: 'KeyArn',
        Condition: { Null: { 'kms:RecipientAttestation:PCR0': 'false' } },
      },
    ]);
    expect(statements.filter(({ Action }) => [Action].flat().includes('*'))).toEqual([]);
    expect(statements.length).toBeGreaterThan(withKms.length);
  });

  it('opens one port, and keeps the bucket closed', () => {
    const ingress = ofType('AWS::EC2::SecurityGroup').flatMap(
      ({ SecurityGroupIngress }) => SecurityGroupIngress,
    );
    expect(ingress).toMatchObject([{ CidrIp: 'ClientCidr' }, { SourceSecurityGroupId: expect.anything() }]);
    expect(ofType('AWS::S3::Bucket')).toMatchObject([
      {
        VersioningConfiguration: { Status: 'Enabled' },
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
      },
    ]);
  });

  it('has the parameters that the page gives it', () => {
    const page = readFileSync(join(ROOT, 'docs/aws.md'), 'utf8').replaceAll(/\\\n\s*/g, ' ');
    const lines = page.split('\n').filter((line) => line.includes('--parameter-overrides'));
    const given = lines.flatMap((line) =>
      [...line.slice(line.indexOf('--parameter-overrides')).matchAll(/ ([A-Z]\w+)=/g)].map(
        ([, name = '']) => name,
      ),
    );
    expect(given.length).toBeGreaterThan(4);
    expect(given.filter((name) => !Object.hasOwn(Parameters, name))).toEqual([]);
    const [first = ''] = lines;
    const required = Object.entries(Parameters).filter(
      ([, value]) => !Object.hasOwn(value as object, 'Default'),
    );
    expect(required.filter(([name]) => !first.includes(` ${name}=`))).toEqual([]);
  });
});
