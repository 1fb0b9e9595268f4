import { CreateKeyCommand, type CreateKeyCommandInput, KMSClient } from '@aws-sdk/client-kms';
import { onTestFinished } from 'vitest';
import type { AttestationFields } from '../../../enclave/nsm/client.ts';
import { createNsmClient } from '../../../enclave/nsm/index.ts';
import { createRecipient, type Recipient } from '../../../enclave/unlock/recipient.ts';
import { ADMINISTRATOR_POLICY, type AwsCredentials } from '../../../local/aws/index.ts';
import { startLocalAws, type LocalAws, type LocalAwsOptions } from '../../../local/testbed/local-aws.ts';
import { createRecipientVerifier, type KeyDecision } from '../../../local/kms/index.ts';
import { EmulatedNsm, NitroRoot } from '../../../local/nsm/index.ts';

export const ACCOUNT = '111122223333';
export const REGION = 'eu-central-1';
export const NODE_ROLE = `arn:aws:iam::${ACCOUNT}:role/node`;
export const ADMIN_ROLE = `arn:aws:iam::${ACCOUNT}:role/admin`;

const pcr = (fill: number): Uint8Array => new Uint8Array(48).fill(fill);
/** Measurements of the good image. */
export const MEASURED: ReadonlyMap<number, Uint8Array> = new Map([
  [0, pcr(0xa0)],
  [1, pcr(0xa1)],
  [2, pcr(0xa2)],
]);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

let root: Promise<NitroRoot> | undefined;
/** Makes one root for a whole test file: making one takes its time. */
function nitroRoot(): Promise<NitroRoot> {
  root ??= NitroRoot.create(Date.now());
  return root;
}

let rsa: Promise<Recipient> | undefined;
/** Opens what was encrypted to the enclave's key. */
export async function open(ciphertextForRecipient: Uint8Array | undefined): Promise<Buffer> {
  return Buffer.from((await recipient()).open(ciphertextForRecipient ?? new Uint8Array()));
}

/** An enclave's RSA key, as the enclave makes it. */
export function recipient(): Promise<Recipient> {
  rsa ??= createRecipient();
  return rsa;
}

export interface DocumentOptions extends AttestationFields {
  readonly measured?: ReadonlyMap<number, Uint8Array>;
  readonly now?: number;
  readonly under?: NitroRoot;
}

/** A document that an emulated NSM signs; for the RSA key of `recipient()` unless another public key is given. */
export async function attest(options: DocumentOptions = {}): Promise<Uint8Array> {
  const { measured = MEASURED, now = Date.now(), under = await nitroRoot(), ...fields } = options;
  const device = new EmulatedNsm({
    root: under,
    instanceId: 'i-0123456789abcdef0',
    moduleId: 'i-0123456789abcdef0-enc0123456789abcdef',
    measured,
    clock: () => now,
  });
  const nsm = createNsmClient(device);
  // PCRs from 16 on are in a document only once they are locked.
  if (measured.has(16)) await nsm.lockPcr(16);
  return nsm.attest({ publicKey: (await recipient()).publicKey, ...fields });
}

/** A Recipient parameter around a fresh document. */
export async function attested(options: DocumentOptions = {}): Promise<{
  KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256';
  AttestationDocument: Uint8Array;
}> {
  return { KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256', AttestationDocument: await attest(options) };
}

export interface Stack {
  readonly aws: LocalAws;
  readonly decisions: KeyDecision[];
  /** A client of the account's administrator, whose IAM policy allows everything. */
  readonly admin: KMSClient;
  /** A client of the instance role, which has no IAM policy. */
  readonly node: KMSClient;
  client(credentials: AwsCredentials, region?: string): KMSClient;
}

/** A local AWS with one account; all of it ends with the test. */
export async function startStack(options: Partial<LocalAwsOptions> = {}): Promise<Stack> {
  const decisions: KeyDecision[] = [];
  const aws = await startLocalAws({
    verifyRecipient: createRecipientVerifier((await nitroRoot()).certificate),
    onDecision: (decision) => decisions.push(decision),
    ...options,
  });
  onTestFinished(() => aws.close());
  const client = (credentials: AwsCredentials, region = REGION): KMSClient => {
    // One attempt: a retry would hide the first one's response.
    const kms = new KMSClient({ ...aws.clientOptions('kms', region), credentials, maxAttempts: 1 });
    onTestFinished(() => kms.destroy());
    return kms;
  };
  const { directory } = aws;
  directory.defineRole({ accountId: ACCOUNT, roleName: 'admin', policies: [ADMINISTRATOR_POLICY] });
  directory.defineRole({ accountId: ACCOUNT, roleName: 'node' });
  const assume = (roleArn: string): KMSClient =>
    client(directory.assumeRole({ roleArn, sessionName: 'i-0123456789abcdef0' }));
  return { aws, decisions, admin: assume(ADMIN_ROLE), node: assume(NODE_ROLE), client };
}

export const CONTEXT = { 'holdfast:node': '1', 'holdfast:purpose': 'encryptor-master-password' };

/** Administration for the admin, attested use for the node, bound to PCR0-2 and an encryption context. */
export function attestedPolicy(
  measured: ReadonlyMap<number, Uint8Array> = MEASURED,
  actions: readonly string[] = ['kms:Decrypt', 'kms:GenerateDataKey'],
): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'administration',
        Effect: 'Allow',
        Principal: { AWS: ADMIN_ROLE },
        Action: [
          'kms:PutKeyPolicy',
          'kms:GetKeyPolicy',
          'kms:DescribeKey',
          'kms:DisableKey',
          'kms:EnableKey',
          'kms:ScheduleKeyDeletion',
          'kms:CancelKeyDeletion',
          'kms:Encrypt',
        ],
        Resource: '*',
      },
      {
        Sid: 'attested',
        Effect: 'Allow',
        Principal: { AWS: NODE_ROLE },
        Action: actions,
        Resource: '*',
        Condition: {
          StringEqualsIgnoreCase: Object.fromEntries(
            [...measured].map(([index, value]) => [`kms:RecipientAttestation:PCR${index}`, hex(value)]),
          ),
          StringEquals: Object.fromEntries(
            Object.entries(CONTEXT).map(([key, value]) => [`kms:EncryptionContext:${key}`, value]),
          ),
        },
      },
    ],
  });
}

/** Name under which AWS refused, or `answered`. */
export async function refusal(answer: Promise<unknown>): Promise<string> {
  return answer.then(
    () => 'answered',
    (error: unknown) => (error instanceof Error ? error.name : String(error)),
  );
}

/** Name and words of AWS for a refusal. */
export async function refused(answer: Promise<unknown>): Promise<{ name: string; message: string }> {
  return answer.then(
    () => ({ name: 'answered', message: '' }),
    (error: unknown) => {
      const { name, message } = error as Error;
      return { name, message };
    },
  );
}

/** Makes a key as the admin; returns its ARN. */
export async function makeKey(stack: Stack, input: CreateKeyCommandInput = {}): Promise<string> {
  const { KeyMetadata } = await stack.admin.send(new CreateKeyCommand(input));
  return KeyMetadata?.Arn ?? '';
}
