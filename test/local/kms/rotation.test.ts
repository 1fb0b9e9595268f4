import {
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  DisableKeyRotationCommand,
  EnableKeyCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  GetKeyRotationStatusCommand,
  ListKeyRotationsCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import { describe, expect, it } from 'vitest';
import { makeKey, refusal, startStack, type Stack } from './stack.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const SECRET = Buffer.from('a secret');

async function seal(stack: Stack, KeyId: string) {
  const answer = await stack.admin.send(new EncryptCommand({ KeyId, Plaintext: SECRET }));
  return answer.CiphertextBlob;
}

async function materialOf(stack: Stack, CiphertextBlob: Uint8Array | undefined) {
  const { Plaintext, KeyMaterialId } = await stack.admin.send(new DecryptCommand({ CiphertextBlob }));
  expect(Buffer.from(Plaintext ?? [])).toEqual(SECRET);
  return KeyMaterialId;
}

describe('rotation', () => {
  it('on demand makes new material, and what the old has sealed opens still, after a restart too', async () => {
    const stateDirectory = temporaryFolder();
    const first = await startStack({ stateDirectory });
    const KeyId = await makeKey(first);
    const before = await seal(first, KeyId);
    await first.admin.send(new RotateKeyOnDemandCommand({ KeyId }));
    const after = await seal(first, KeyId);
    const materials = [await materialOf(first, before), await materialOf(first, after)];
    expect(materials[0]).not.toBe(materials[1]);
    const { KeyMetadata } = await first.admin.send(new DescribeKeyCommand({ KeyId }));
    expect(KeyMetadata?.CurrentKeyMaterialId).toBe(materials[1]);
    const { Rotations } = await first.admin.send(new ListKeyRotationsCommand({ KeyId }));
    expect(Rotations).toMatchObject([{ KeyMaterialId: materials[1], RotationType: 'ON_DEMAND' }]);
    await first.aws.close();
    const second = await startStack({ stateDirectory });
    expect([await materialOf(second, before), await materialOf(second, after)]).toEqual(materials);
  });

  it('is enabled, shown and disabled', async () => {
    const stack = await startStack();
    const KeyId = await makeKey(stack);
    const status = () => stack.admin.send(new GetKeyRotationStatusCommand({ KeyId }));
    expect((await status()).KeyRotationEnabled).toBe(false);
    await stack.admin.send(new EnableKeyRotationCommand({ KeyId }));
    expect(await status()).toMatchObject({ KeyRotationEnabled: true, RotationPeriodInDays: 365, KeyId });
    await stack.admin.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 90 }));
    const { NextRotationDate } = await status();
    const days = ((NextRotationDate?.getTime() ?? 0) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(89.9);
    expect(days).toBeLessThan(90.1);
    await stack.admin.send(new DisableKeyRotationCommand({ KeyId }));
    expect((await status()).KeyRotationEnabled).toBe(false);
  });

  it('is refused out of bounds, in the wrong state, and to whom the policy does not let', async () => {
    const stack = await startStack();
    const KeyId = await makeKey(stack);
    const enable = (input: object = {}, client = stack.admin) =>
      refusal(client.send(new EnableKeyRotationCommand({ KeyId, ...input })));
    expect(await enable({ RotationPeriodInDays: 89 })).toBe('ValidationException');
    expect(await enable({ RotationPeriodInDays: 2561 })).toBe('ValidationException');
    expect(await enable({}, stack.node)).toBe('AccessDeniedException');
    const rotate = () => refusal(stack.admin.send(new RotateKeyOnDemandCommand({ KeyId })));
    await stack.admin.send(new DisableKeyCommand({ KeyId }));
    expect([await enable(), await rotate()]).toEqual(['DisabledException', 'DisabledException']);
    await stack.admin.send(new EnableKeyCommand({ KeyId }));
    expect(await enable()).toBe('answered');
    await stack.admin.send(new ScheduleKeyDeletionCommand({ KeyId }));
    expect([await enable(), await rotate()]).toEqual([
      'KMSInvalidStateException',
      'KMSInvalidStateException',
    ]);
    const status = await stack.admin.send(new GetKeyRotationStatusCommand({ KeyId }));
    expect(status.KeyRotationEnabled).toBe(false);
  });

  it('is for symmetric encryption keys; of others the status says no', async () => {
    const stack = await startStack();
    const KeyId = await makeKey(stack, { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
    const { admin } = stack;
    expect(await refusal(admin.send(new EnableKeyRotationCommand({ KeyId })))).toBe(
      'UnsupportedOperationException',
    );
    expect(await refusal(admin.send(new RotateKeyOnDemandCommand({ KeyId })))).toBe(
      'UnsupportedOperationException',
    );
    expect((await admin.send(new GetKeyRotationStatusCommand({ KeyId }))).KeyRotationEnabled).toBe(false);
  });
});
