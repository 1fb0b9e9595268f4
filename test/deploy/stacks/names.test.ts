import { describe, expect, it } from 'vitest';
import {
  HOST_PARAMETERS,
  INFRASTRUCTURE_PARAMETERS,
  MAX_TEMPLATE_BODY_BYTES,
  NODE_PARAMETERS,
  nameHostRole,
  perNode,
  readStackPolicy,
  readTemplate,
  STACK_OUTPUTS,
} from '../../../deploy/index.ts';
import { readStack } from './read-stack.ts';

const NODES = 3;
const stacks = {
  infrastructure: readStack(await readTemplate('infrastructure', { nodes: NODES })),
  node: readStack(await readTemplate('node')),
  host: readStack(await readTemplate('host')),
};

describe('names of the stacks', () => {
  it.each([
    ['infrastructure', INFRASTRUCTURE_PARAMETERS],
    ['node', NODE_PARAMETERS],
    ['host', HOST_PARAMETERS],
  ] as const)('are the parameters of the template: %s', (name, parameters) => {
    expect(Object.values(parameters).toSorted()).toEqual(Object.keys(stacks[name].Parameters).toSorted());
  });

  it.each(['node', 'host'] as const)('are the outputs of the template: %s', (name) => {
    expect(Object.values(STACK_OUTPUTS[name]).toSorted()).toEqual(
      Object.keys(stacks[name].Outputs).toSorted(),
    );
  });

  it('are the outputs of the baseline, some for each node', () => {
    const { roleArn, roleName, instanceProfileArn, ...shared } = STACK_OUTPUTS.infrastructure;
    const own = [roleArn, roleName, instanceProfileArn].flatMap((output) =>
      Array.from({ length: NODES }, (_, index) => perNode(output, index + 1)),
    );
    expect([...Object.values(shared), ...own].toSorted()).toEqual(
      Object.keys(stacks.infrastructure.Outputs).toSorted(),
    );
  });

  it('give each node a role of its own, which reads its own deployments alone', () => {
    const { Role1, Role2, Role3 } = stacks.infrastructure.Resources;
    const texts = [Role1, Role2, Role3].map((role) => JSON.stringify(role));
    for (const [index, text] of texts.entries()) {
      const node = index + 1;
      expect(text).toContain(`\${Namespace}-\${Environment}-node-${node}-parent`);
      expect(text).toContain(`/deployments/${node}/*`);
      expect(text).toContain(`/backups/${node}/*`);
      const others = [1, 2, 3].filter((other) => other !== node);
      for (const other of others) expect(text).not.toMatch(new RegExp(`node-${other}\\b|/${other}/\\*`));
    }
    expect(nameHostRole({ namespace: 'acme', environment: 'production' }, 2)).toBe(
      'acme-production-node-2-parent',
    );
  });

  it('fit into one request to CloudFormation, for twenty nodes too', async () => {
    const texts = await Promise.all([
      readTemplate('infrastructure', { nodes: 20 }),
      readTemplate('node'),
      readTemplate('host'),
    ]);
    for (const text of texts) expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_TEMPLATE_BODY_BYTES);
    await expect(readTemplate('infrastructure', { nodes: 21 })).rejects.toThrow(RangeError);
    await expect(readTemplate('infrastructure', { nodes: 0 })).rejects.toThrow(RangeError);
  });
});

describe('what holds a key or data', () => {
  const STATEFUL = /^AWS::(KMS::Key|S3::Bucket|S3::BucketPolicy|SecretsManager::\w+|Logs::LogGroup)$/;

  it.each(['infrastructure', 'node', 'host'] as const)(
    'is retained, but by a first attempt that fails: %s',
    (name) => {
      const resources = Object.entries(stacks[name].Resources);
      const lost = resources.filter(
        ([, { Type, DeletionPolicy, UpdateReplacePolicy }]) =>
          STATEFUL.test(Type) &&
          (DeletionPolicy !== 'RetainExceptOnCreate' || UpdateReplacePolicy !== 'Retain'),
      );
      expect(lost).toEqual([]);
      expect(resources.filter(([, { DeletionPolicy }]) => DeletionPolicy === 'Retain')).toEqual([]);
    },
  );

  it('cannot be ended by the stack of a host', () => {
    expect(stacks.host.Resources['Instance']?.Properties['DisableApiTermination']).toBe(true);
  });

  it.each(['infrastructure', 'node', 'host'] as const)('is in the stack policy: %s', (name) => {
    const { Statement } = JSON.parse(readStackPolicy(name)) as {
      Statement: { Effect: string; Action: string | string[]; Resource: string | string[] }[];
    };
    const denied = Statement.filter(({ Effect }) => Effect === 'Deny').flatMap(({ Resource }) => Resource);
    const known = Object.keys(stacks[name].Resources).map((id) => `LogicalResourceId/${id}`);
    expect(denied.filter((id) => !known.includes(id))).toEqual([]);
    const held = Object.entries(stacks[name].Resources)
      .filter(([, { Type }]) =>
        /^AWS::(KMS::Key|S3::Bucket|SecretsManager::Secret|EC2::Instance)$/.test(Type),
      )
      .map(([id]) => `LogicalResourceId/${id}`);
    expect(held.filter((id) => !denied.includes(id))).toEqual([]);
  });
});
