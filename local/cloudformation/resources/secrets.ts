import { AwsServiceError } from '../../aws/plumbing.ts';
import type { Made } from '../stacks/stack-record.ts';
import { providerOf } from './facts.ts';
import type { ResourceContext, ResourceProvider } from './provider.ts';
import { documentOf, flagOf, isRefusal, neededText, textOf } from './values.ts';

/** Properties that this Secrets Manager has no part for; a secret with one of them is refused. */
const UNKNOWN = ['GenerateSecretString', 'ReplicaRegions'];

/** `AWS::SecretsManager::Secret`. An update never touches a value that the template does not say. */
const secret: ResourceProvider = providerOf('AWS::SecretsManager::Secret', {
  async create(context) {
    const { properties, token } = context;
    const unknown = UNKNOWN.find((name) => properties[name] !== undefined);
    if (unknown !== undefined)
      throw new AwsServiceError('InvalidRequest', `${unknown} is unknown to this stand-in`);
    const name = textOf(properties, 'Name') ?? context.uniqueName(64);
    try {
      const made = await context.call('secretsmanager', 'CreateSecret', {
        Name: name,
        ClientRequestToken: token,
        Description: textOf(properties, 'Description'),
        KmsKeyId: textOf(properties, 'KmsKeyId'),
        SecretString: textOf(properties, 'SecretString'),
      });
      return describe(made);
    } catch (error) {
      if (!context.isRepeated || !isRefusal(error, 'ResourceExistsException')) throw error;
      return describe(await context.call('secretsmanager', 'DescribeSecret', { SecretId: name }));
    }
  },
  async update(context, { made, properties: before }) {
    const { properties, token } = context;
    await context.call('secretsmanager', 'UpdateSecret', {
      SecretId: made.physicalId,
      Description: textOf(properties, 'Description') ?? '',
      KmsKeyId: textOf(properties, 'KmsKeyId'),
    });
    const value = textOf(properties, 'SecretString');
    if (value !== undefined && value !== textOf(before, 'SecretString')) {
      await context.call('secretsmanager', 'PutSecretValue', {
        SecretId: made.physicalId,
        ClientRequestToken: token,
        SecretString: value,
      });
    }
    return made;
  },
  async delete(context, { made }) {
    const input = { SecretId: made.physicalId, ForceDeleteWithoutRecovery: true };
    await ignoreGone(context.call('secretsmanager', 'DeleteSecret', input));
  },
});

function describe({ ARN: arn }: Readonly<Record<string, unknown>>): Made {
  if (typeof arn !== 'string') throw new TypeError('expected the ARN of a secret');
  return { physicalId: arn, reference: arn, attributes: { Id: arn } };
}

async function ignoreGone(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isRefusal(error, 'ResourceNotFoundException')) throw error;
  }
}

/** `AWS::SecretsManager::ResourcePolicy`. */
const resourcePolicy: ResourceProvider = providerOf('AWS::SecretsManager::ResourcePolicy', {
  async create(context) {
    const id = neededText(context.properties, 'SecretId');
    await putPolicy(context);
    return { physicalId: id, reference: id, attributes: { Id: id } };
  },
  async update(context, { made }) {
    await putPolicy(context);
    return made;
  },
  async delete(context, { properties }) {
    const input = { SecretId: neededText(properties, 'SecretId') };
    await ignoreGone(context.call('secretsmanager', 'DeleteResourcePolicy', input));
  },
});

async function putPolicy(context: ResourceContext): Promise<void> {
  const { properties } = context;
  await context.call('secretsmanager', 'PutResourcePolicy', {
    SecretId: neededText(properties, 'SecretId'),
    ResourcePolicy: documentOf(properties, 'ResourcePolicy'),
    BlockPublicPolicy: flagOf(properties, 'BlockPublicPolicy'),
  });
}

/** Providers of AWS Secrets Manager. */
export const SECRETS_PROVIDERS = {
  'AWS::SecretsManager::ResourcePolicy': resourcePolicy,
  'AWS::SecretsManager::Secret': secret,
};
