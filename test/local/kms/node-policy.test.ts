import {
  CreateKeyCommand,
  DecryptCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  PutKeyPolicyCommand,
} from '@aws-sdk/client-kms';
import { expect, it } from 'vitest';
import { renderKeyPolicy, type RenderOptions } from '../../../attestation/key-policy/index.ts';
import { ACCOUNT, attested, CONTEXT, open, refusal, startStack } from './stack.ts';

const role = (name: string): string => `arn:aws:iam::${ACCOUNT}:role/${name}`;
const image = (fill: number): ReadonlyMap<number, Uint8Array> =>
  new Map([0, 1, 2, 16].map((index) => [index, new Uint8Array(48).fill(fill + index)]));
const [FIRST, SECOND] = [image(0x10), image(0x40)];
const OPTIONS: RenderOptions = {
  nodeRole: role('node'),
  admins: [role('admin')],
  images: [{ pcrs: FIRST }],
  encryptionContext: CONTEXT,
};

it('the rendered policies take a node through its life, enforced by KMS', async () => {
  let now = Date.now();
  const { admin, node } = await startStack({ clock: () => now });
  const created = await admin.send(
    new CreateKeyCommand({ Policy: renderKeyPolicy({ ...OPTIONS, initialise: true }) }),
  );
  const KeyId = created.KeyMetadata?.Arn;
  const put = (options: Partial<RenderOptions>) =>
    admin.send(new PutKeyPolicyCommand({ KeyId, Policy: renderKeyPolicy({ ...OPTIONS, ...options }) }));
  const generate = async (measured: ReadonlyMap<number, Uint8Array>) =>
    node.send(
      new GenerateDataKeyCommand({
        KeyId,
        KeySpec: 'AES_256',
        EncryptionContext: CONTEXT,
        Recipient: await attested({ measured, now }),
      }),
    );

  const made = await generate(FIRST);
  const password = await open(made.CiphertextForRecipient);
  const decrypt = async (measured?: ReadonlyMap<number, Uint8Array>) =>
    node.send(
      new DecryptCommand({
        KeyId,
        CiphertextBlob: made.CiphertextBlob,
        EncryptionContext: CONTEXT,
        ...(measured === undefined ? {} : { Recipient: await attested({ measured, now }) }),
      }),
    );

  await put({});
  expect(await refusal(generate(FIRST))).toBe('AccessDeniedException');
  expect(await open((await decrypt(FIRST)).CiphertextForRecipient)).toEqual(password);
  expect(await refusal(decrypt())).toBe('AccessDeniedException');
  expect(await refusal(decrypt(SECOND))).toBe('AccessDeniedException');
  const encrypt = new EncryptCommand({ KeyId, Plaintext: password, EncryptionContext: CONTEXT });
  expect(await refusal(admin.send(encrypt))).toBe('AccessDeniedException');

  const until = now + 240_000;
  await put({ images: [{ pcrs: SECOND }, { pcrs: FIRST, until }] });
  expect(await refusal(decrypt(FIRST))).toBe('answered');
  expect(await open((await decrypt(SECOND)).CiphertextForRecipient)).toEqual(password);
  const mixed = new Map([...SECOND, [16, FIRST.get(16) ?? new Uint8Array()]]);
  expect(await refusal(decrypt(mixed))).toBe('AccessDeniedException');
  now = until;
  expect(await refusal(decrypt(FIRST))).toBe('AccessDeniedException');
  expect(await refusal(decrypt(SECOND))).toBe('answered');

  await put({ images: [{ pcrs: SECOND }], supply: true });
  expect(await refusal(admin.send(encrypt))).toBe('AccessDeniedException');
  const supply = (EncryptionContext: Record<string, string>) =>
    admin.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId, KeySpec: 'AES_256', EncryptionContext }));
  expect(await refusal(supply({ ...CONTEXT, 'holdfast:node': '2' }))).toBe('AccessDeniedException');
  expect(await refusal(supply({}))).toBe('AccessDeniedException');
  const { CiphertextBlob } = await supply(CONTEXT);
  const supplied = { KeyId, CiphertextBlob, EncryptionContext: CONTEXT };
  expect(await refusal(admin.send(new DecryptCommand(supplied)))).toBe('AccessDeniedException');
  const Recipient = await attested({ measured: SECOND, now });
  const opened = await node.send(new DecryptCommand({ ...supplied, Recipient }));
  expect(await open(opened.CiphertextForRecipient)).toHaveLength(32);
});
