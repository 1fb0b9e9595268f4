import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseDescription, planDescription, renderDescription } from '../../../admin/canton/index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { makeObjects } from './cluster.ts';
import { makeAwsValidator, makeCantonDescription, makeDoorValidator } from './sample-description.ts';

type Fields = Record<string, unknown>;

const parseFields = (fields: unknown) => parseDescription(Buffer.from(JSON.stringify(fields)));
const withValidators = (...validators: Fields[]) => parseFields({ ...makeCantonDescription(), validators });
const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0;

describe('what is rendered', () => {
  it('is a folder for each validator, and for one without KMS its variables alone', () => {
    const names = [...renderDescription(parseFields(makeCantonDescription())).keys()];
    expect(names.toSorted()).toEqual([
      'alpha/fragments/ADDITIONAL_CONFIG_SPLICE_PARTICIPANT_CRYPTO_PROVIDER_KMS.conf',
      'alpha/fragments/ADDITIONAL_CONFIG_SPLICE_PARTICIPANT_CRYPTO_SESSION_SIGNING_KEYS.conf',
      'alpha/operator.env',
      'alpha/service-account.yaml',
      'alpha/values.yaml',
      'beta/fragments/ADDITIONAL_CONFIG_SPLICE_PARTICIPANT_CRYPTO_PROVIDER_KMS.conf',
      'beta/fragments/ADDITIONAL_CONFIG_SPLICE_PARTICIPANT_CRYPTO_SESSION_SIGNING_KEYS.conf',
      'beta/iam-policy.json',
      'beta/operator.env',
      'beta/service-account.yaml',
      'beta/workload-patch.yaml',
      'gamma/operator.env',
    ]);
  });

  it('is valid by the schemas of Kubernetes', () => {
    const description = parseFields(makeCantonDescription());
    const files = renderDescription(description);
    for (const name of ['alpha', 'beta']) {
      const account = parse(files.get(`${name}/service-account.yaml`) ?? '') as Fields;
      expect(() => new ServiceAccount(account as never).validate()).not.toThrow();
      expect(() => new ServiceAccount({ ...account, metadata: 1 } as never).validate()).toThrow(
        /metadata|replicas/,
      );
    }
    for (const object of makeObjects(description).items.filter(({ kind }) => kind === 'Deployment')) {
      const labels = { app: 'participant' };
      const spec = object['spec'] as { template: Fields };
      const whole = {
        ...object,
        spec: {
          ...spec,
          selector: { matchLabels: labels },
          template: { metadata: { labels }, ...spec.template },
        },
      };
      expect(() => new Deployment(whole as never).validate()).not.toThrow();
      expect(() =>
        new Deployment({ ...whole, spec: { ...whole.spec, replicas: 'a' } } as never).validate(),
      ).toThrow(/replicas/);
    }
  });

  it.skipIf(!hasKubectl)('is taken by kubectl, which patches a workload to the same pod', () => {
    const folder = temporaryFolder();
    const files = renderDescription(parseFields(makeCantonDescription()));
    for (const [name, text] of files) {
      mkdirSync(join(folder, dirname(name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    const patch = parse(files.get('beta/workload-patch.yaml') ?? '') as {
      spec: { template: { spec: Fields } };
    };
    const own = { name: 'JAVA_TOOL_OPTIONS', value: '-Xmx1g' };
    writeFileSync(
      join(folder, 'base.json'),
      JSON.stringify({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'participant', namespace: 'validator-beta' },
        spec: {
          replicas: 3,
          selector: { matchLabels: { app: 'a' } },
          template: {
            metadata: { labels: { app: 'a' } },
            spec: { containers: [{ name: 'participant', image: 'old', env: [own] }] },
          },
        },
      }),
    );
    const args = [
      'patch',
      '--local',
      '-f',
      'base.json',
      '--patch-file',
      'beta/workload-patch.yaml',
      '-o',
      'json',
    ];
    const { stdout, stderr, status } = spawnSync('kubectl', args, { cwd: folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    const patched = JSON.parse(stdout) as { spec: { replicas: number; template: { spec: Fields } } };
    const [container] = patched.spec.template.spec['containers'] as { image: string; env: Fields[] }[];
    const [wanted] = patch.spec.template.spec['containers'] as { image: string; env: Fields[] }[];
    expect(patched.spec.replicas).toBe(1);
    expect(container?.image).toBe(wanted?.image);
    expect(container?.env).toEqual(expect.arrayContaining([own, ...(wanted?.env ?? [])]));
    expect(patched.spec.template.spec['serviceAccountName']).toBe('participant-beta');
  });

  it('has no value of a credential, and its Secret by name', () => {
    const text = renderDescription(withValidators(makeDoorValidator())).get('alpha/values.yaml') ?? '';
    const values = parse(text) as { additionalEnvVars: Fields[] };
    const credentials = values.additionalEnvVars.filter(({ name }) => String(name).startsWith('AWS_'));
    expect(credentials).toHaveLength(2);
    for (const variable of credentials) expect(Object.keys(variable)).toEqual(['name', 'valueFrom']);
  });

  it('has quotes within quotes for a chart that prints values bare', () => {
    const text = renderDescription(withValidators(makeDoorValidator())).get('alpha/values.yaml') ?? '';
    const { kms } = parse(text) as { kms: Fields };
    expect(kms).toMatchObject({
      type: '"aws"',
      endpointOverride: '"http://127.0.0.1:5080"',
      auditLogging: 'true',
    });
    // Helm reads numbers as floating point and prints 1e+07.
    expect(Object.values(kms).every((value) => typeof value === 'string')).toBe(true);
  });

  it('sets provider jce and no chart value where the store is encrypted', () => {
    const validator = { ...makeDoorValidator(), mode: 'envelope' };
    const text = renderDescription(withValidators(validator)).get('alpha/values.yaml') ?? '';
    const values = parse(text) as { kms?: Fields; additionalEnvVars: { value?: string }[] };
    expect(values.kms).toBeUndefined();
    expect(values.additionalEnvVars[0]?.value).toContain('provider = "jce"');
  });

  it.each([
    ['one key for two', 'CANTON_KEY_SHARED', { keys: { signing: { id: 'x' } } }],
    ['a key of another Region', 'CANTON_KEY_REGION', { keys: { signing: { id: 'y', region: 'eu-west-1' } } }],
  ])('is nothing at all with %s', (_, code, change) => {
    const other = { ...makeAwsValidator(), keys: { encryption: { id: 'x' } } };
    const description = withValidators({ ...makeDoorValidator(), ...change }, other);
    for (const act of [renderDescription, planDescription]) {
      expect(() => act(description)).toThrow(expect.objectContaining({ code }));
    }
  });
});

describe('an IAM policy that is rendered', () => {
  const policyOf = (change: Fields): string =>
    renderDescription(withValidators({ ...makeAwsValidator(), ...change })).get('beta/iam-policy.json') ?? '';
  const aws = makeAwsValidator()['provider'] as Fields;
  const keys = Object.fromEntries(
    ['namespace', 'signing', 'encryption', 'sequencer-auth'].map((purpose) => [
      purpose,
      { id: `key-${purpose}` },
    ]),
  );

  it('lets a service-linked role be made for multi-Region keys alone', () => {
    expect(policyOf({})).not.toContain('iam:');
    expect(policyOf({ provider: { ...aws, multiRegion: true } })).toContain('iam:CreateServiceLinkedRole');
  });

  it('lets keys be deleted only where Canton may', () => {
    expect(policyOf({})).toContain('kms:ScheduleKeyDeletion');
    expect(policyOf({ mayDeleteKeys: false })).not.toContain('kms:ScheduleKeyDeletion');
  });

  it('names the keys that there are, and lets no others be made', () => {
    const text = policyOf({ keysNow: 'kms', keys });
    expect(text).toContain('arn:aws:kms:eu-central-1:111122223333:key/key-signing');
    expect(text).not.toMatch(/key\/\*|CreateKey|TagResource/);
  });

  it('is of the partition of the Region', () => {
    const other = { type: 'aws', region: 'us-gov-west-1', account: '111122223333' };
    expect(policyOf({ provider: other })).toContain('arn:aws-us-gov:kms:us-gov-west-1');
  });
});
