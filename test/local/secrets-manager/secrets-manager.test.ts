import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
  type UpdateSecretVersionStageCommandInput,
} from '@aws-sdk/client-secrets-manager';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ADMINISTRATOR_POLICY } from '../../../local/aws/index.ts';
import { startLocalAws, type LocalAws } from '../../../local/testbed/local-aws.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const ACCOUNT = '111122223333';
const REGION = 'eu-central-1';
const verifyRecipient = () => ({ pcrs: new Map<number, Uint8Array>() });

let aws: LocalAws;
let client: SecretsManagerClient;

interface Who {
  readonly accountId?: string;
  readonly region?: string;
  readonly policies?: readonly string[];
}

function clientOf(
  stack: LocalAws,
  { accountId = ACCOUNT, region = REGION, policies }: Who = {},
): SecretsManagerClient {
  const credentials = stack.directory.createAccessKey({
    accountId,
    userName: 'ann',
    policies: policies ?? [ADMINISTRATOR_POLICY],
  });
  const made = new SecretsManagerClient({
    ...stack.clientOptions('secretsmanager', region),
    credentials,
    maxAttempts: 1,
  });
  onTestFinished(() => made.destroy());
  return made;
}

function refusal(answer: Promise<unknown>): Promise<string> {
  return answer.then(
    () => 'answered',
    (error: unknown) => (error instanceof Error ? error.name : ''),
  );
}

const token = (fill: string): string => fill.repeat(32);

beforeEach(async () => {
  aws = await startLocalAws({ verifyRecipient });
  onTestFinished(() => aws.close());
  client = clientOf(aws);
});

describe('a secret', () => {
  it('is found by its name, its ARN and its ARN without the suffix', async () => {
    const created = await client.send(new CreateSecretCommand({ Name: 'node/1', SecretString: 'first' }));
    expect(created.ARN).toMatch(
      /^arn:aws:secretsmanager:eu-central-1:111122223333:secret:node\/1-[a-zA-Z0-9]{6}$/,
    );
    for (const SecretId of ['node/1', created.ARN, created.ARN?.slice(0, -7)]) {
      const read = await client.send(new GetSecretValueCommand({ SecretId }));
      expect(read).toMatchObject({
        ARN: created.ARN,
        Name: 'node/1',
        SecretString: 'first',
        VersionId: created.VersionId,
        VersionStages: ['AWSCURRENT'],
      });
    }
  });

  it('may be binary', async () => {
    const SecretBinary = Buffer.from([0, 255, 1]);
    await client.send(new CreateSecretCommand({ Name: 'node', SecretBinary }));
    const read = await client.send(new GetSecretValueCommand({ SecretId: 'node' }));
    expect(Buffer.from(read.SecretBinary ?? [])).toEqual(SecretBinary);
    expect(read.SecretString).toBeUndefined();
  });

  it('may have no value yet', async () => {
    await client.send(new CreateSecretCommand({ Name: 'node' }));
    expect(await refusal(client.send(new GetSecretValueCommand({ SecretId: 'node' })))).toBe(
      'ResourceNotFoundException',
    );
    await client.send(new PutSecretValueCommand({ SecretId: 'node', SecretString: 'x' }));
    expect((await client.send(new GetSecretValueCommand({ SecretId: 'node' }))).SecretString).toBe('x');
  });

  it('is never created over another', async () => {
    await client.send(new CreateSecretCommand({ Name: 'node', SecretString: 'x' }));
    const again = client.send(new CreateSecretCommand({ Name: 'node', SecretString: 'x' }));
    expect(await refusal(again)).toBe('ResourceExistsException');
  });

  it('is created once by a client that asks twice with the same token', async () => {
    const command = { Name: 'node', ClientRequestToken: token('a'), SecretString: 'x' };
    const first = await client.send(new CreateSecretCommand(command));
    const second = await client.send(new CreateSecretCommand(command));
    expect(second.ARN).toBe(first.ARN);
    const other = client.send(new CreateSecretCommand({ ...command, SecretString: 'y' }));
    expect(await refusal(other)).toBe('ResourceExistsException');
  });
});

describe('labels', () => {
  const read = async () =>
    (await client.send(new DescribeSecretCommand({ SecretId: 'node' }))).VersionIdsToStages ?? {};
  const move = (input: Omit<UpdateSecretVersionStageCommandInput, 'SecretId'>) =>
    client.send(new UpdateSecretVersionStageCommand({ SecretId: 'node', ...input }));
  const pending = (fill: string) =>
    client.send(
      new PutSecretValueCommand({
        SecretId: 'node',
        ClientRequestToken: token(fill),
        SecretString: fill,
        VersionStages: ['AWSPENDING'],
      }),
    );

  beforeEach(async () => {
    await client.send(new CreateSecretCommand({ Name: 'node' }));
    await pending('a');
    await pending('b');
  });

  it('are AWSCURRENT for the first version, and AWSPENDING alone for the next', async () => {
    expect(await read()).toEqual({ [token('a')]: ['AWSCURRENT'], [token('b')]: ['AWSPENDING'] });
  });

  it('move where the version that loses one is named, and leave AWSPREVIOUS behind', async () => {
    const [VersionStage, a, b] = ['AWSCURRENT', token('a'), token('b')];
    expect(await refusal(move({ VersionStage, MoveToVersionId: b }))).toBe('InvalidParameterException');
    expect(await refusal(move({ VersionStage, MoveToVersionId: b, RemoveFromVersionId: b }))).toBe(
      'InvalidParameterException',
    );
    expect(await refusal(move({ VersionStage, RemoveFromVersionId: a }))).toBe('InvalidParameterException');
    expect(await refusal(move({ VersionStage, MoveToVersionId: token('z') }))).toBe(
      'ResourceNotFoundException',
    );
    await move({ VersionStage, MoveToVersionId: b, RemoveFromVersionId: a });
    await move({ VersionStage: 'AWSPENDING', RemoveFromVersionId: b });
    expect(await read()).toEqual({ [a]: ['AWSPREVIOUS'], [b]: ['AWSCURRENT'] });
  });
});

describe('versions', () => {
  const put = (fill: string, value: string, VersionStages?: string[]) =>
    client.send(
      new PutSecretValueCommand({
        SecretId: 'node',
        ClientRequestToken: token(fill),
        SecretString: value,
        VersionStages,
      }),
    );
  const get = async (by: { VersionId?: string; VersionStage?: string } = {}) =>
    (await client.send(new GetSecretValueCommand({ SecretId: 'node', ...by }))).SecretString;

  beforeEach(async () => {
    const command = { Name: 'node', ClientRequestToken: token('a'), SecretString: 'a' };
    await client.send(new CreateSecretCommand(command));
  });

  it('move AWSCURRENT forward and leave AWSPREVIOUS behind', async () => {
    await put('b', 'b');
    expect(await get()).toBe('b');
    expect(await get({ VersionStage: 'AWSPREVIOUS' })).toBe('a');
    await put('c', 'c');
    expect(await get({ VersionStage: 'AWSPREVIOUS' })).toBe('b');
    expect(await get({ VersionId: token('a') })).toBe('a');
    const { VersionIdsToStages } = await client.send(new DescribeSecretCommand({ SecretId: 'node' }));
    expect(VersionIdsToStages).toEqual({ [token('c')]: ['AWSCURRENT'], [token('b')]: ['AWSPREVIOUS'] });
  });

  it('under AWSPENDING leave the current one alone', async () => {
    await put('b', 'b', ['AWSPENDING']);
    expect(await get()).toBe('a');
    expect(await get({ VersionStage: 'AWSPENDING' })).toBe('b');
    await put('c', 'c', ['AWSPENDING']);
    expect(await get({ VersionStage: 'AWSPENDING' })).toBe('c');
  });

  it('are put once for the same token and content, and never with other content', async () => {
    await put('b', 'b');
    const repeated = await put('b', 'b');
    expect(repeated.VersionStages).toEqual(['AWSCURRENT']);
    expect(await get({ VersionStage: 'AWSPREVIOUS' })).toBe('a');
    expect(await refusal(put('b', 'other'))).toBe('ResourceExistsException');
    await put('c', 'c');
    await put('b', 'b');
    expect(await get()).toBe('c');
  });

  it('that do not exist are not found, and a label has to be on the version asked for', async () => {
    expect(await refusal(get({ VersionId: token('z') }))).toBe('ResourceNotFoundException');
    expect(await refusal(get({ VersionStage: 'AWSPENDING' }))).toBe('ResourceNotFoundException');
    expect(await refusal(get({ VersionId: token('a'), VersionStage: 'AWSPREVIOUS' }))).toBe(
      'InvalidRequestException',
    );
  });

  it('without labels are forgotten when there are too many', async () => {
    for (let index = 0; index < 101; index += 1) await put(String.fromCharCode(0x100 + index), 'x');
    expect(await refusal(get({ VersionId: token('a') }))).toBe('ResourceNotFoundException');
    expect(await get()).toBe('x');
  });
});

describe('lists', () => {
  it('come in pages, sorted by name', async () => {
    for (const Name of ['c', 'a', 'b']) await client.send(new CreateSecretCommand({ Name }));
    const first = await client.send(new ListSecretsCommand({ MaxResults: 2 }));
    expect(first.SecretList?.map(({ Name }) => Name)).toEqual(['a', 'b']);
    const second = await client.send(new ListSecretsCommand({ MaxResults: 2, NextToken: first.NextToken }));
    expect(second.SecretList?.map(({ Name }) => Name)).toEqual(['c']);
    expect(second.NextToken).toBeUndefined();
    expect(await refusal(client.send(new ListSecretsCommand({ NextToken: '!' })))).toBe(
      'InvalidNextTokenException',
    );
  });
});

describe('who may see a secret', () => {
  it('is nobody of another account or region', async () => {
    const { ARN } = await client.send(new CreateSecretCommand({ Name: 'node', SecretString: 'x' }));
    for (const who of [{ accountId: '444455556666' }, { region: 'us-east-1' }]) {
      const other = clientOf(aws, who);
      expect(await refusal(other.send(new GetSecretValueCommand({ SecretId: 'node' })))).toBe(
        'ResourceNotFoundException',
      );
      expect(await refusal(other.send(new GetSecretValueCommand({ SecretId: ARN })))).toBe(
        'ResourceNotFoundException',
      );
      expect((await other.send(new ListSecretsCommand({}))).SecretList).toEqual([]);
    }
  });

  it('is decided by the caller’s IAM policies, per secret', async () => {
    await client.send(new CreateSecretCommand({ Name: 'node/1', SecretString: '1' }));
    await client.send(new CreateSecretCommand({ Name: 'node/2', SecretString: '2' }));
    const policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: {
        Effect: 'Allow',
        Action: 'secretsmanager:GetSecretValue',
        Resource: `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:node/1-??????`,
      },
    });
    const reader = clientOf(aws, { policies: [policy] });
    expect(await refusal(reader.send(new GetSecretValueCommand({ SecretId: 'node/1' })))).toBe('answered');
    for (const SecretId of ['node/2', 'node/3']) {
      expect(await refusal(reader.send(new GetSecretValueCommand({ SecretId })))).toBe(
        'AccessDeniedException',
      );
    }
    expect(
      await refusal(reader.send(new PutSecretValueCommand({ SecretId: 'node/1', SecretString: 'x' }))),
    ).toBe('AccessDeniedException');
  });
});

describe('inputs out of bounds', () => {
  it('are refused by AWS’s names', async () => {
    const create = (input: object) => refusal(client.send(new CreateSecretCommand({ Name: 'n', ...input })));
    expect(await create({ Name: 'a b' })).toBe('ValidationException');
    expect(await create({ SecretString: 'x'.repeat(65_537) })).toBe('ValidationException');
    expect(await create({ SecretBinary: new Uint8Array(65_537) })).toBe('ValidationException');
    expect(await create({ ClientRequestToken: 'short' })).toBe('ValidationException');
    expect(await create({ SecretString: 'x', SecretBinary: new Uint8Array(1) })).toBe(
      'InvalidParameterException',
    );
    expect(await create({ SecretString: 'x'.repeat(65_536) })).toBe('answered');
    expect(await refusal(client.send(new PutSecretValueCommand({ SecretId: 'n' })))).toBe(
      'InvalidRequestException',
    );
    expect(await refusal(client.send(new DescribeSecretCommand({ SecretId: 'none' })))).toBe(
      'ResourceNotFoundException',
    );
  });
});

describe('the state', () => {
  it('survives a restart', async () => {
    const stateDirectory = temporaryFolder();
    const first = await startLocalAws({ verifyRecipient, stateDirectory });
    const created = await clientOf(first).send(new CreateSecretCommand({ Name: 'node', SecretString: 'x' }));
    await first.close();
    const second = await startLocalAws({ verifyRecipient, stateDirectory });
    onTestFinished(() => second.close());
    const read = await clientOf(second).send(new GetSecretValueCommand({ SecretId: created.ARN }));
    expect(read).toMatchObject({ SecretString: 'x', VersionId: created.VersionId });
  });
});
