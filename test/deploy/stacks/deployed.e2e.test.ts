import { CreateStackCommand, UpdateStackCommand } from '@aws-sdk/client-cloudformation';
import { GetKeyPolicyCommand, GetPublicKeyCommand, SignCommand } from '@aws-sdk/client-kms';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { createPublicKey } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { renderClosedKeyPolicy } from '../../../attestation/key-policy/index.ts';
import {
  CONFIG_SIGNING_KEYS,
  NODE_PARAMETERS,
  readFunction,
  readTemplate,
  STACK_OUTPUTS,
} from '../../../deploy/index.ts';
import { openConfiguration } from '../../../shared/documents/configuration.ts';
import { digestManifest, parseManifest } from '../../../shared/documents/manifest.ts';
import { ed25519PublicKeyHex } from '../../../shared/dsse/index.ts';
import {
  ACCOUNT,
  outputsOf,
  personOf,
  refused,
  REGION,
  settled,
  startAws,
} from '../../local/cloudformation/cloud.ts';
import { makeConfiguration2 } from '../../shared/documents/sample-rules.ts';

const STACK = 'acme-production-node-1';
const ADMIN = `arn:aws:iam::${ACCOUNT}:user/ann`;
const NAMES = NODE_PARAMETERS;
const parameters = (more: Readonly<Record<string, string>> = {}) =>
  Object.entries({
    [NAMES.namespace]: 'acme',
    [NAMES.environment]: 'production',
    [NAMES.nodeIndex]: '1',
    [NAMES.walletAccountId]: '444455556666',
    [NAMES.adminArns]: ADMIN,
    ...more,
  }).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue }));

it('a deployed stack signs a configuration by its function, with a key that nobody else can use', async () => {
  const aws = await startAws();
  const ann = personOf(aws);
  const lambda = new LambdaClient({
    ...aws.clientOptions('lambda', REGION),
    credentials: ann.credentials,
    maxAttempts: 1,
  });
  onTestFinished(() => lambda.destroy());
  const stack = { StackName: STACK, Capabilities: ['CAPABILITY_NAMED_IAM' as const] };
  await ann.cloudFormation.send(
    new CreateStackCommand({ ...stack, TemplateBody: await readTemplate('node'), Parameters: parameters() }),
  );
  const made = await settled(aws, ann, STACK);
  expect(made).toMatchObject({ StackStatus: 'CREATE_COMPLETE' });
  const outputs = outputsOf(made);
  const output = (name: keyof typeof STACK_OUTPUTS.node) => outputs[STACK_OUTPUTS.node[name]] ?? '';
  const { Policy = '' } = await ann.kms.send(new GetKeyPolicyCommand({ KeyId: output('keyArn') }));
  expect(JSON.parse(Policy)).toEqual(JSON.parse(renderClosedKeyPolicy([ADMIN])));

  // The code into the stack's own bucket, then the function.
  const code = await readFunction('config-signing');
  const put = (Key: string, Body: Uint8Array) =>
    ann.s3.send(new PutObjectCommand({ Bucket: output('bucketName'), Key, Body, IfNoneMatch: '*' }));
  await put(code.key, code.zip);
  await ann.cloudFormation.send(
    new UpdateStackCommand({
      ...stack,
      UsePreviousTemplate: true,
      Parameters: parameters({ [NAMES.configSigningCode]: code.key }),
    }),
  );
  const updated = await settled(aws, ann, STACK);
  expect(updated).toMatchObject({ StackStatus: 'UPDATE_COMPLETE' });
  const functionName = outputsOf(updated)[STACK_OUTPUTS.node.configSigningFunctionName];

  const { PublicKey = new Uint8Array() } = await ann.kms.send(
    new GetPublicKeyCommand({ KeyId: output('signingKeyArn') }),
  );
  const spki = Buffer.from(PublicKey);
  const authority = ed25519PublicKeyHex(createPublicKey({ key: spki, format: 'der', type: 'spki' }));
  const manifest = Buffer.from(
    JSON.stringify({
      format: 'holdfast-manifest/1',
      namespace: 'acme',
      environment: 'production',
      node: 1,
      quorum: { size: 3, threshold: 2 },
      kms: { keyArn: output('keyArn'), region: REGION },
      configurationAuthority: { threshold: 1, keys: [authority] },
      emergencyRecovery: { publicKey: '0a'.repeat(32) },
    }),
  );
  await put(CONFIG_SIGNING_KEYS.manifest, manifest);
  const digest = digestManifest(manifest);
  const document = makeConfiguration2({ manifest: Buffer.from(digest).toString('hex') });
  const configuration = Buffer.from(JSON.stringify(document)).toString('base64');

  const invoke = async (event: object) => {
    const { Payload = new Uint8Array(), FunctionError } = await lambda.send(
      new InvokeCommand({ FunctionName: functionName, Payload: Buffer.from(JSON.stringify(event)) }),
    );
    expect(FunctionError).toBeUndefined();
    return JSON.parse(Buffer.from(Payload).toString()) as {
      ok: boolean;
      code?: string;
      description: { confirmation: string };
      signed: { envelope: string; key: string };
    };
  };
  const described = await invoke({ action: 'describe', configuration });
  expect(described).toMatchObject({ ok: true });
  const refusal = await invoke({ action: 'sign', configuration, confirmation: '00'.repeat(48) });
  expect(refusal).toMatchObject({ ok: false, code: 'SIGNING_NOT_CONFIRMED' });
  const { signed } = await invoke({
    action: 'sign',
    configuration,
    confirmation: described.description.confirmation,
  });
  const envelope = Buffer.from(signed.envelope, 'base64');
  expect(openConfiguration(envelope, { manifest: parseManifest(manifest), digest }).signers).toEqual([
    authority,
  ]);
  const kept = await ann.s3.send(new GetObjectCommand({ Bucket: output('bucketName'), Key: signed.key }));
  expect(Buffer.from((await kept.Body?.transformToByteArray()) ?? [])).toEqual(envelope);

  // The admin administrates the key, and signs nothing with it.
  const attempt = new SignCommand({
    KeyId: output('signingKeyArn'),
    Message: Buffer.from('x'),
    MessageType: 'RAW',
    SigningAlgorithm: 'ED25519_SHA_512',
  });
  expect((await refused(ann.kms.send(attempt))).name).toBe('AccessDeniedException');
});
