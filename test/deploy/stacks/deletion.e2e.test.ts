import { DeleteStackCommand, UpdateTerminationProtectionCommand } from '@aws-sdk/client-cloudformation';
import {
  CancelKeyDeletionCommand,
  PutKeyPolicyCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import { beforeEach, expect, it } from 'vitest';
import { applyStack, inspectStack } from '../../../admin/vault/steps/stack/index.ts';
import { renderKeyPolicy } from '../../../attestation/key-policy/index.ts';
import type { LocalAws } from '../../../local/testbed/local-aws.ts';
import {
  ACCOUNT,
  outputsOf,
  personOf,
  refused,
  startAws,
  type Person,
} from '../../local/cloudformation/cloud.ts';
import { orderOf, stepContextOf } from '../../local/cloudformation/step-context.ts';

const ADMIN = `arn:aws:iam::${ACCOUNT}:user/ann`;
const NODE = {
  Namespace: 'acme',
  Environment: 'production',
  NodeIndex: '1',
  WalletAccountId: '444455556666',
  AdminArns: ADMIN,
};

let aws: LocalAws;
let ann: Person;
beforeEach(async () => {
  aws = await startAws();
  ann = personOf(aws);
});

it('a key of the stack is given thirty days by everybody, before the gate and after it', async () => {
  const stack = await applyStack(await orderOf('node', NODE), stepContextOf(aws, ann));
  const outputs = outputsOf(stack);
  const end = (KeyId: string | undefined, PendingWindowInDays?: number) =>
    refused(
      ann.kms.send(
        new ScheduleKeyDeletionCommand({
          KeyId,
          ...(PendingWindowInDays === undefined ? {} : { PendingWindowInDays }),
        }),
      ),
    );
  const assertThirty = async (KeyId: string | undefined) => {
    for (const days of [7, 29])
      expect(await end(KeyId, days)).toMatchObject({ name: 'AccessDeniedException' });
    for (const days of [30, undefined]) {
      expect(await end(KeyId, days)).toMatchObject({ name: 'answered' });
      await ann.kms.send(new CancelKeyDeletionCommand({ KeyId }));
    }
  };
  for (const key of ['KeyArn', 'SigningKeyArn', 'SecretsKeyArn']) await assertThirty(outputs[key]);
  const nodeRole = aws.directory.defineRole({
    accountId: '444455556666',
    roleName: 'acme-production-node-1-parent',
  });
  const Policy = renderKeyPolicy({
    nodeRole,
    admins: [ADMIN],
    images: [{ pcrs: new Map([0, 1, 2, 16].map((pcr) => [pcr, new Uint8Array(48).fill(pcr + 1)])) }],
    encryptionContext: { 'holdfast:node': '1' },
  });
  await ann.kms.send(new PutKeyPolicyCommand({ KeyId: outputs['KeyArn'], Policy }));
  await assertThirty(outputs['KeyArn']);
});

it('a stack of stage 1 is protected from its deletion, and protected again where somebody took that away', async () => {
  const [order, context] = [await orderOf('node', NODE), stepContextOf(aws, ann)];
  const remove = () => refused(ann.cloudFormation.send(new DeleteStackCommand({ StackName: order.name })));
  expect(await applyStack(order, context)).toMatchObject({ StackStatus: 'CREATE_COMPLETE' });
  expect((await remove()).message).toContain('TerminationProtection is enabled');
  const off = { StackName: order.name, EnableTerminationProtection: false };
  await ann.cloudFormation.send(new UpdateTerminationProtectionCommand(off));
  expect(await inspectStack(order, context)).toMatchObject({ kind: 'unguarded' });
  await applyStack(order, context);
  expect((await remove()).message).toContain('TerminationProtection is enabled');
  expect(await inspectStack(order, context)).toMatchObject({ kind: 'same' });
  // A host is made and ended with its vault's life.
  const plain = { ...order, isProtected: false };
  await ann.cloudFormation.send(new UpdateTerminationProtectionCommand(off));
  expect(await inspectStack(plain, context)).toMatchObject({ kind: 'same' });
});
