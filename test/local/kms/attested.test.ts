import { generateKeyPairSync } from 'node:crypto';
import {
  CreateKeyCommand,
  DecryptCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateRandomCommand,
  type DecryptCommandInput,
} from '@aws-sdk/client-kms';
import { beforeEach, describe, expect, it } from 'vitest';
import { ADMINISTRATOR_POLICY } from '../../../local/aws/index.ts';
import { NitroRoot } from '../../../local/nsm/index.ts';
import {
  ACCOUNT,
  attest,
  attested,
  attestedPolicy,
  CONTEXT,
  MEASURED,
  open,
  refusal,
  startStack,
  type Stack,
} from './stack.ts';

const SECRET = Buffer.from('a secret of the node');
let stack: Stack;
let keyArn: string;
let blob: Uint8Array;

async function createKey(policy = attestedPolicy()): Promise<string> {
  const { KeyMetadata } = await stack.admin.send(new CreateKeyCommand({ Policy: policy }));
  return KeyMetadata?.Arn ?? '';
}

async function encrypt(
  KeyId: string,
  EncryptionContext: Record<string, string> = CONTEXT,
): Promise<Uint8Array> {
  const { CiphertextBlob } = await stack.admin.send(
    new EncryptCommand({ KeyId, Plaintext: SECRET, EncryptionContext }),
  );
  return CiphertextBlob ?? new Uint8Array();
}

async function decrypt(more: Partial<DecryptCommandInput> = {}): Promise<string> {
  const input = { KeyId: keyArn, CiphertextBlob: blob, EncryptionContext: CONTEXT, ...more };
  return refusal(stack.node.send(new DecryptCommand(input)));
}

beforeEach(async () => {
  stack = await startStack();
  keyArn = await createKey();
  blob = await encrypt(keyArn);
});

describe('Decrypt for an attested enclave', () => {
  it('answers with a ciphertext for the attested key, and with no plaintext beside it', async () => {
    const answer = await stack.node.send(
      new DecryptCommand({
        KeyId: keyArn,
        CiphertextBlob: blob,
        EncryptionContext: CONTEXT,
        Recipient: await attested(),
      }),
    );
    expect(answer.Plaintext).toBeUndefined();
    expect(answer.KeyId).toBe(keyArn);
    expect(await open(answer.CiphertextForRecipient)).toEqual(SECRET);
    expect(stack.decisions.at(-1)).toMatchObject({ decision: 'allow', statement: { sid: 'attested' } });
  });

  it('refuses the same request with the Recipient stripped on the way', async () => {
    expect(await decrypt()).toBe('AccessDeniedException');
    expect(stack.decisions.at(-1)).toMatchObject({ decision: 'deny', reason: 'implicit-deny' });
  });

  it.each([0, 1, 2])('refuses an image with another PCR%i', async (index) => {
    const measured = new Map([...MEASURED, [index, new Uint8Array(48).fill(0xff)]]);
    expect(await decrypt({ Recipient: await attested({ measured }) })).toBe('AccessDeniedException');
  });

  it('refuses a debug enclave even where the policy names its zero PCRs', async () => {
    const zero = new Map([0, 1, 2].map((index) => [index, new Uint8Array(48)]));
    keyArn = await createKey(attestedPolicy(zero));
    blob = await encrypt(keyArn);
    expect(await decrypt({ Recipient: await attested({ measured: zero }) })).toBe('ValidationException');
  });

  it('refuses a blob of another purpose or node, or swapped under another key', async () => {
    const Recipient = await attested();
    const other = { ...CONTEXT, 'holdfast:node': '2' };
    expect(await decrypt({ Recipient, EncryptionContext: other })).toBe('AccessDeniedException');
    expect(await decrypt({ Recipient, EncryptionContext: {} })).toBe('AccessDeniedException');
    expect(await decrypt({ Recipient, CiphertextBlob: await encrypt(keyArn, other) })).toBe(
      'InvalidCiphertextException',
    );
    const elsewhere = await encrypt(await createKey());
    expect(await decrypt({ Recipient, CiphertextBlob: elsewhere })).toBe('IncorrectKeyException');
  });

  it('refuses a document that was changed in any part', async () => {
    const document = await attest();
    for (const at of [0, 4, 20, 200, Math.floor(document.length / 2), document.length - 1]) {
      const changed = new Uint8Array(document);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const Recipient = { ...(await attested()), AttestationDocument: changed };
      expect(await decrypt({ Recipient })).toBe('ValidationException');
    }
  });

  it.each([262_144, 262_145])('refuses what is no document, of %i bytes, by its name', async (length) => {
    const Recipient = { ...(await attested()), AttestationDocument: new Uint8Array(length) };
    expect(await decrypt({ Recipient })).toBe('ValidationException');
  });

  it('refuses a document under another root', async () => {
    const Recipient = await attested({ under: await NitroRoot.create(Date.now()) });
    expect(await decrypt({ Recipient })).toBe('ValidationException');
  });

  it('refuses a document that is expired, too old or of the future', async () => {
    for (const offset of [-4 * 3_600_000, -301_000, 120_000]) {
      const Recipient = await attested({ now: Date.now() + offset });
      expect(await decrypt({ Recipient })).toBe('ValidationException');
    }
    expect(await decrypt({ Recipient: await attested({ now: Date.now() - 240_000 }) })).toBe('answered');
  });

  it('refuses a document without a key, or with one that it cannot encrypt to', async () => {
    const small = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const spki = [small, curve].map(({ publicKey }) => publicKey.export({ format: 'der', type: 'spki' }));
    for (const publicKey of [Uint8Array.of(1, 2, 3), ...spki]) {
      expect(await decrypt({ Recipient: await attested({ publicKey }) })).toBe('ValidationException');
    }
  });

  it('takes a document whose user_data has 1,024 bytes', async () => {
    const Recipient = await attested({ userData: new Uint8Array(1024).fill(1) });
    expect(await decrypt({ Recipient })).toBe('answered');
  });

  it('refuses a Recipient without a document or with another algorithm', async () => {
    const { AttestationDocument } = await attested();
    const incomplete: DecryptCommandInput['Recipient'][] = [
      {},
      { KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256' },
      { AttestationDocument },
      { KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_1' as 'RSAES_OAEP_SHA_256', AttestationDocument },
    ];
    for (const Recipient of incomplete) expect(await decrypt({ Recipient })).toBe('ValidationException');
  });
});

describe('other operations for an attested enclave', () => {
  it('GenerateDataKey keeps the plaintext for the enclave, and Decrypt opens its blob', async () => {
    const made = await stack.node.send(
      new GenerateDataKeyCommand({
        KeyId: keyArn,
        KeySpec: 'AES_256',
        EncryptionContext: CONTEXT,
        Recipient: await attested(),
      }),
    );
    expect(made.Plaintext).toBeUndefined();
    const opened = await stack.node.send(
      new DecryptCommand({
        KeyId: keyArn,
        CiphertextBlob: made.CiphertextBlob,
        EncryptionContext: CONTEXT,
        Recipient: await attested(),
      }),
    );
    const dataKey = await open(made.CiphertextForRecipient);
    expect(dataKey).toHaveLength(32);
    expect(await open(opened.CiphertextForRecipient)).toEqual(dataKey);
  });

  it('GenerateDataKey is refused when the policy allows Decrypt alone', async () => {
    keyArn = await createKey(attestedPolicy(MEASURED, ['kms:Decrypt']));
    blob = await encrypt(keyArn);
    const Recipient = await attested();
    const command = new GenerateDataKeyCommand({
      KeyId: keyArn,
      KeySpec: 'AES_256',
      EncryptionContext: CONTEXT,
      Recipient,
    });
    expect(await refusal(stack.node.send(command))).toBe('AccessDeniedException');
    expect(await decrypt({ Recipient })).toBe('answered');
  });

  it('GenerateRandom is up to IAM, where PCR conditions bind as well', async () => {
    const command = new GenerateRandomCommand({ NumberOfBytes: 24, Recipient: await attested() });
    expect(await refusal(stack.node.send(command))).toBe('AccessDeniedException');
    const policy = (value: string): string =>
      JSON.stringify({
        Version: '2012-10-17',
        Statement: {
          Effect: 'Allow',
          Action: 'kms:GenerateRandom',
          Resource: '*',
          Condition: { StringEquals: { 'kms:RecipientAttestation:PCR0': value } },
        },
      });
    const client = (document: string) => {
      const roleArn = stack.aws.directory.defineRole({
        accountId: ACCOUNT,
        roleName: 'random',
        policies: [document],
      });
      return stack.client(stack.aws.directory.assumeRole({ roleArn, sessionName: 'random' }));
    };
    const answer = await client(policy('a0'.repeat(48))).send(command);
    expect(answer.Plaintext).toBeUndefined();
    expect(await open(answer.CiphertextForRecipient)).toHaveLength(24);
    expect(await refusal(client(policy('b0'.repeat(48))).send(command))).toBe('AccessDeniedException');
  });

  it('Encrypt is refused to whom the key policy does not name, whatever IAM allows', async () => {
    const roleArn = stack.aws.directory.defineRole({
      accountId: ACCOUNT,
      roleName: 'other',
      policies: [ADMINISTRATOR_POLICY],
    });
    const client = stack.client(stack.aws.directory.assumeRole({ roleArn, sessionName: 'other' }));
    const command = new EncryptCommand({ KeyId: keyArn, Plaintext: SECRET, EncryptionContext: CONTEXT });
    expect(await refusal(client.send(command))).toBe('AccessDeniedException');
  });
});
