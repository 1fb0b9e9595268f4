import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createHandler, type HandlerOptions } from '../../../deploy/functions/populate-secret/handler.ts';
import { ADMINISTRATOR_POLICY } from '../../../local/aws/index.ts';
import { startLocalAws, type LocalAws } from '../../../local/testbed/local-aws.ts';
import { expectInTime } from '../../support/in-time.ts';

const REGION = 'eu-central-1';
const ACCOUNT = '111122223333';
const RESPONSE_URL =
  'https://cloudformation-custom-resource-response.s3.amazonaws.com/arn?X-Amz-Signature=abc';

/** Shapes of events as CloudFormation sends them: every property is a text. */
const EVENT = {
  RequestType: 'Create',
  ResponseURL: RESPONSE_URL,
  StackId: `arn:aws:cloudformation:${REGION}:${ACCOUNT}:stack/acme-production-node-1/0f1e2d3c-0000-1111-2222-333344445555`,
  RequestId: '7bfe2d54-0000-4111-8222-333344445555',
  ResourceType: 'Custom::PopulateSecret',
  LogicalResourceId: 'GatewaySecretValue',
  ServiceToken: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:acme-production-node-1-populate`,
};

interface Sent {
  readonly Status: string;
  readonly Reason: string;
  readonly PhysicalResourceId: string;
  readonly RequestId: string;
}

let aws: LocalAws;
let client: SecretsManagerClient;
let secretId: string;

beforeEach(async () => {
  aws = await startLocalAws({ verifyRecipient: () => ({ pcrs: new Map<number, Uint8Array>() }) });
  onTestFinished(() => aws.close());
  client = new SecretsManagerClient({
    ...aws.clientOptions('secretsmanager', REGION),
    credentials: aws.directory.createAccessKey({
      accountId: ACCOUNT,
      userName: 'function',
      policies: [ADMINISTRATOR_POLICY],
    }),
    maxAttempts: 1,
  });
  onTestFinished(() => client.destroy());
  const { ARN } = await client.send(
    new CreateSecretCommand({ Name: 'acme/production/node-1/gateway-api-key' }),
  );
  secretId = ARN ?? '';
});

function start(options: Partial<HandlerOptions> = {}) {
  const sent: Sent[] = [];
  const lines: string[] = [];
  const handler = createHandler({
    client,
    random: randomBytes,
    log: (fields) => lines.push(JSON.stringify(fields)),
    putOnce: (_url, body) => {
      sent.push(JSON.parse(body) as Sent);
      return Promise.resolve(200);
    },
    ...options,
  });
  const call = (changes: object = {}, milliseconds = 60_000) => {
    const event = { ...EVENT, ResourceProperties: propertiesOf(1), ...changes };
    return handler(event, { getRemainingTimeInMillis: () => milliseconds });
  };
  return { sent, lines, call };
}

const propertiesOf = (generation: number) => ({
  ServiceToken: EVENT.ServiceToken,
  ServiceTimeout: '120',
  SecretId: secretId,
  Generation: String(generation),
});
const update = (from: number, to: number) => ({
  RequestType: 'Update',
  RequestId: randomBytes(16).toString('hex'),
  ResourceProperties: propertiesOf(to),
  OldResourceProperties: propertiesOf(from),
});
const valueOf = async (VersionStage: string) =>
  (await client.send(new GetSecretValueCommand({ SecretId: secretId, VersionStage }))).SecretString;
const stages = async () =>
  Object.values(
    (await client.send(new DescribeSecretCommand({ SecretId: secretId }))).VersionIdsToStages ?? {},
  );

describe('the custom resource of a secret', () => {
  it('makes an API key, which it tells nobody', async () => {
    const { sent, lines, call } = start();
    await call();
    const value = await valueOf('AWSCURRENT');
    const { apiKey } = JSON.parse(value ?? '') as { apiKey: string };
    expect(Buffer.from(apiKey, 'base64url')).toHaveLength(32);
    expect(sent).toMatchObject([{ Status: 'SUCCESS', RequestId: EVENT.RequestId, NoEcho: true }]);
    expect(JSON.stringify(sent) + lines.join('')).not.toContain(apiKey);
    expect(await stages()).toEqual([['AWSCURRENT']]);
  });

  it('makes it once, however often CloudFormation asks, and by one physical id', async () => {
    const { sent, call } = start();
    await call();
    const first = await valueOf('AWSCURRENT');
    await call();
    await call({ RequestId: 'another-attempt' });
    await Promise.all([call(), call(), call()]);
    expect(await valueOf('AWSCURRENT')).toBe(first);
    expect(await stages()).toEqual([['AWSCURRENT']]);
    expect(new Set(sent.map(({ PhysicalResourceId }) => PhysicalResourceId)).size).toBe(1);
    expect(sent.every(({ Status }) => Status === 'SUCCESS')).toBe(true);
  });

  it('makes one where two first attempts run at the same time', async () => {
    const { sent, call } = start();
    await Promise.all([call(), call(), call()]);
    expect((await stages()).flat().toSorted()).toEqual(['AWSCURRENT']);
    expect(sent.map(({ Status }) => Status)).toEqual(['SUCCESS', 'SUCCESS', 'SUCCESS']);
  });

  it('rotates without a gap: the key before stays readable', async () => {
    const { call } = start();
    await call();
    const first = await valueOf('AWSCURRENT');
    await call(update(1, 2));
    expect(await valueOf('AWSPREVIOUS')).toBe(first);
    expect(await valueOf('AWSCURRENT')).not.toBe(first);
    expect((await stages()).flat().toSorted()).toEqual(['AWSCURRENT', 'AWSPREVIOUS']);
  });

  it('finishes a rotation that was cut off after each of its calls, with the key that was made', async () => {
    for (const cut of [1, 2, 3, 4, 5, 6]) {
      const generation = cut;
      let left = cut;
      const cutClient = {
        send: ((...args: Parameters<typeof client.send>) => {
          if (left === 0) return Promise.reject(new Error('the process ended'));
          left -= 1;
          return client.send(...args);
        }) as typeof client.send,
      };
      const cutOff = start({ client: cutClient });
      await cutOff.call(update(generation, generation + 1));
      const { sent, call } = start();
      const before = await stages();
      await call(update(generation, generation + 1));
      expect(sent).toMatchObject([{ Status: 'SUCCESS' }]);
      expect((await stages()).length).toBeLessThanOrEqual(Math.max(before.length, 2));
      expect((await stages()).flat().toSorted()).not.toContain('AWSPENDING');
    }
  });

  it('rolls back to the key before, and to no earlier one', async () => {
    const { sent, call } = start();
    await call();
    const first = await valueOf('AWSCURRENT');
    await call(update(1, 2));
    const second = await valueOf('AWSCURRENT');
    await call(update(2, 1));
    expect(await valueOf('AWSCURRENT')).toBe(first);
    expect(await valueOf('AWSPREVIOUS')).toBe(second);
    await call(update(1, 2));
    await call(update(2, 3));
    const third = await valueOf('AWSCURRENT');
    await call(update(3, 1));
    expect(sent.at(-1)).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringMatching(/^POPULATE_GENERATION_OLD/),
    });
    expect(await valueOf('AWSCURRENT')).toBe(third);
  });

  it('deletes nothing, whatever the event says', async () => {
    const { sent, call } = start();
    await call();
    const first = await valueOf('AWSCURRENT');
    await call({ RequestType: 'Delete', PhysicalResourceId: 'as-it-was' });
    await call({
      RequestType: 'Delete',
      PhysicalResourceId: 'never-made',
      ResourceProperties: { SecretId: 'x', Generation: '1' },
    });
    expect(sent.slice(1)).toMatchObject([
      { Status: 'SUCCESS', PhysicalResourceId: 'as-it-was' },
      { Status: 'SUCCESS', PhysicalResourceId: 'never-made' },
    ]);
    expect(await valueOf('AWSCURRENT')).toBe(first);
  });
});

describe('a response', () => {
  it('is FAILED with a code, and without what AWS said, where AWS refuses', async () => {
    const { sent, call } = start();
    await call({ ResourceProperties: { ...propertiesOf(1), SecretId: `${secretId.slice(0, -1)}?` } });
    expect(sent).toMatchObject([
      { Status: 'FAILED', Reason: expect.stringMatching(/^POPULATE_UNAVAILABLE: /) },
    ]);
  });

  it.each([
    ['no properties', { ResourceProperties: undefined }],
    ['no generation', { ResourceProperties: { SecretId: 'x' } }],
    ['a generation of nothing', { ResourceProperties: { SecretId: 'x', Generation: '0' } }],
    ['a generation that is no text', { ResourceProperties: { SecretId: 'x', Generation: 1 } }],
    [
      'a property that nobody knows',
      { ResourceProperties: { SecretId: 'x', Generation: '1', Value: 'mine' } },
    ],
    ['a request that nobody knows', { RequestType: 'Replace' }],
  ])('is FAILED for an event with %s', async (_name, changes) => {
    const { sent, call } = start();
    await call(changes);
    expect(sent).toMatchObject([
      { Status: 'FAILED', Reason: expect.stringMatching(/^POPULATE_REQUEST_MALFORMED/) },
    ]);
    expect(sent[0]?.PhysicalResourceId).not.toBe('');
  });

  it('comes within the time even where Secrets Manager never answers, and says so', async () => {
    const silent = { send: (() => new Promise(() => undefined)) as typeof client.send };
    await expectInTime(2_000, async () => {
      const { sent, call } = start({ client: silent });
      await call({}, 16_400);
      expect(sent).toMatchObject([
        { Status: 'FAILED', Reason: expect.stringContaining('the time was over') },
      ]);
    });
  });

  it('is sent again until it is taken', async () => {
    const results = [new Error('ECONNRESET'), 500, 200] as const;
    let attempt = 0;
    const { call, lines } = start({
      putOnce: () => {
        const result = results[attempt] ?? 200;
        attempt += 1;
        return result instanceof Error ? Promise.reject(result) : Promise.resolve(result);
      },
    });
    await call();
    expect(attempt).toBe(3);
    expect(lines.join('')).toContain('"isTaken":true');
  });

  it('is given up in time where nobody takes it', async () => {
    const putOnce: HandlerOptions['putOnce'] = async (_url, _body, signal) => {
      await sleep(60_000, undefined, { signal });
      return 200;
    };
    await expectInTime(2_000, async () => {
      const { call, lines } = start({ putOnce });
      await call({}, 2_500);
      expect(lines.join('')).toContain('"isTaken":false');
    });
  });

  it('cannot be sent without an address: the invocation fails', async () => {
    const { sent, call } = start();
    for (const ResponseURL of [undefined, 'http://127.0.0.1/x', 'nonsense'])
      await expect(call({ ResponseURL })).rejects.toMatchObject({ code: 'POPULATE_REQUEST_MALFORMED' });
    expect(sent).toEqual([]);
  });
});
