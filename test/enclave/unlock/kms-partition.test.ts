import { connect } from 'node:net';
import { CreateKeyCommand } from '@aws-sdk/client-kms';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createKms, createRecipient } from '../../../enclave/unlock/index.ts';
import { MANIFEST_FORMAT, manifestSchema } from '../../../shared/documents/manifest.ts';
import { ACCOUNT, attest, startStack } from '../../local/kms/stack.ts';

describe('an enclave', () => {
  it.each([
    ['eu-central-1', 'aws', 'kms.eu-central-1.amazonaws.com'],
    ['cn-north-1', 'aws-cn', 'kms.cn-north-1.amazonaws.com.cn'],
    ['eusc-de-east-1', 'aws-eusc', 'kms.eusc-de-east-1.amazonaws.eu'],
    ['us-gov-west-1', 'aws-us-gov', 'kms.us-gov-west-1.amazonaws.com'],
  ])('in %s asks the KMS of its partition %s, by the name in its certificate', async (region, id, host) => {
    const stack = await startStack();
    const { aws } = stack;
    const root = aws.directory.createAccessKey({ accountId: ACCOUNT });
    const { KeyMetadata } = await stack.client(root, region).send(new CreateKeyCommand({}));
    const keyArn = KeyMetadata?.Arn ?? '';
    expect(keyArn).toMatch(new RegExp(`^arn:${id}:kms:${region}:${ACCOUNT}:key/`));
    const asked: { readonly host: string; readonly port: number }[] = [];
    const kms = createKms({
      manifest: manifestSchema.parse({
        format: MANIFEST_FORMAT,
        namespace: 'acme',
        environment: 'test',
        node: 1,
        quorum: { size: 1, threshold: 1 },
        kms: { keyArn, region },
        configurationAuthority: { threshold: 1, keys: ['ab'.repeat(32)] },
        emergencyRecovery: { publicKey: 'cd'.repeat(32) },
      }),
      dial: async (target) => {
        asked.push(target);
        return connect({ host: '127.0.0.1', port: aws.port });
      },
      roots: [aws.caPem],
      credentials: () => Promise.resolve({ ...root, sessionToken: null, expiration: null }),
      attest: (publicKey) => attest({ publicKey }),
      clockOffsetMs: 0,
    });
    onTestFinished(() => kms.close());
    const { blob, plaintext } = await kms.generateDataKey(await createRecipient());
    const again = await kms.decrypt(blob, await createRecipient());
    expect(Buffer.from(again)).toEqual(Buffer.from(plaintext));
    expect(new Set(asked.map((target) => `${target.host}:${target.port}`))).toEqual(new Set([`${host}:443`]));
  });
});
