import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readTemplate } from '../../../deploy/index.ts';
import { propertiesOf, readStack } from './read-stack.ts';

const ROOT = join(import.meta.dirname, '../../..');
const host = readStack(await readTemplate('host'));
const infrastructure = readStack(await readTemplate('infrastructure', { nodes: 3 }));

describe('the template of a host', () => {
  it('starts an instance with enclaves, with IMDSv2 that no container reaches, and out of the public', () => {
    const [template] = propertiesOf(host, 'AWS::EC2::LaunchTemplate');
    expect(template).toMatchObject({
      LaunchTemplateData: {
        EnclaveOptions: { Enabled: true },
        MetadataOptions: { HttpEndpoint: 'enabled', HttpTokens: 'required', HttpPutResponseHopLimit: 1 },
        NetworkInterfaces: [{ AssociatePublicIpAddress: false }],
        BlockDeviceMappings: [{ Ebs: { Encrypted: true, DeleteOnTermination: false } }],
      },
    });
    expect(propertiesOf(host, 'AWS::EC2::Instance')).toMatchObject([{ DisableApiTermination: true }]);
  });

  it('lets the role ask KMS for nothing but attested use of the one key, and what Secrets Manager asks for it', () => {
    const policies = [
      ...propertiesOf(host, 'AWS::IAM::RolePolicy'),
      ...propertiesOf(infrastructure, 'AWS::IAM::Role').flatMap(
        ({ Policies }) => Policies as Record<string, unknown>[],
      ),
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
      { Effect: 'Allow', Action: 'kms:Decrypt', Resource: 'SecretsKeyArn' },
    ]);
    const actions = statements.flatMap(({ Action }) => Action as string);
    expect(actions.filter((name) => name.includes('*') || /Delete|List|^iam:|^sts:/.test(name))).toEqual([]);
    expect(statements.length).toBeGreaterThan(withKms.length);
  });
});

describe('docs/aws.md', () => {
  const page = readFileSync(join(ROOT, 'docs/aws.md'), 'utf8').replaceAll(/\\\n\s*/g, ' ');

  it.each([
    ['infrastructure', infrastructure.Parameters],
    ['host', host.Parameters],
  ])('gives the %s the parameters that it has, and all that it needs', (name, parameters) => {
    const lines = page
      .split('\n')
      .filter(
        (line) => line.includes(`deploy/stacks/${name}.yaml`) && line.includes('--parameter-overrides'),
      );
    const given = lines.flatMap((line) =>
      [...line.slice(line.indexOf('--parameter-overrides')).matchAll(/ ([A-Z]\w+)=/g)].map(
        ([, parameter = '']) => parameter,
      ),
    );
    expect(given.length).toBeGreaterThan(4);
    expect(given.filter((parameter) => !Object.hasOwn(parameters, parameter))).toEqual([]);
    const [first = ''] = lines;
    const required = Object.entries(parameters).filter(([, value]) => !Object.hasOwn(value, 'Default'));
    expect(required.filter(([parameter]) => !first.includes(` ${parameter}=`))).toEqual([]);
  });

  it('reads outputs that there are', () => {
    const read = [...page.matchAll(/output "\$(BASELINE|HOST)" (\w+)/g)].map(([, stack, output]) => ({
      stack,
      output,
    }));
    expect(read.length).toBeGreaterThan(5);
    const outputs = { BASELINE: infrastructure.Outputs, HOST: host.Outputs };
    expect(
      read.filter(({ stack, output = '' }) => !Object.hasOwn(outputs[stack as keyof typeof outputs], output)),
    ).toEqual([]);
  });
});
