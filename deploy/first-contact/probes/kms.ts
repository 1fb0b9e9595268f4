import { createPublicKey, verify } from 'node:crypto';
import {
  CreateKeyCommand,
  type CreateKeyCommandInput,
  EncryptCommand,
  GenerateDataKeyCommand,
  GetKeyPolicyCommand,
  GetPublicKeyCommand,
  ListGrantsCommand,
  ListKeyPoliciesCommand,
  PutKeyPolicyCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
} from '@aws-sdk/client-kms';
import { renderClosedKeyPolicy } from '../../../attestation/key-policy/index.ts';
import { assertRefused, DoesNotHold, endKeyLater, type Probe, type ProbeContext } from '../probe.ts';

const DENIED = ['AccessDeniedException'];
/** Longest RAW message of kms:Sign, in bytes. */
const MAX_MESSAGE_BYTES = 4096;

async function makeKey(context: ProbeContext, options: CreateKeyCommandInput): Promise<string> {
  const { node, prefix, signal } = context;
  const input = { Description: `Holdfast ${prefix}: to be deleted`, ...options };
  const { KeyMetadata } = await node.kms.send(new CreateKeyCommand(input), { abortSignal: signal });
  const keyId = KeyMetadata?.Arn;
  if (keyId === undefined) throw new DoesNotHold('CreateKey gave no ARN');
  endKeyLater(context, keyId);
  return keyId;
}

/** Makes a key under the policy of `key-policy close`, once. */
async function closedKey(
  context: ProbeContext,
): Promise<{ readonly keyId: string; readonly policy: string }> {
  const { node, kept } = context;
  const policy = renderClosedKeyPolicy([node.principalArn]);
  const known = kept.get('closed key');
  if (known !== undefined) return { keyId: known, policy };
  const keyId = await makeKey(context, { Policy: policy });
  kept.set('closed key', keyId);
  return { keyId, policy };
}

async function ed25519Key(context: ProbeContext): Promise<string> {
  const known = context.kept.get('signing key');
  if (known !== undefined) return known;
  const keyId = await makeKey(context, { KeySpec: 'ECC_NIST_EDWARDS25519', KeyUsage: 'SIGN_VERIFY' });
  context.kept.set('signing key', keyId);
  return keyId;
}

const canonical = (policy: string) => JSON.stringify(sorted(JSON.parse(policy)));

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries.map(([name, member]) => [name, sorted(member)]));
}

export const KMS_PROBES: readonly Probe[] = [
  {
    assumption: 'aws-kms-born-closed',
    look: async (context) => {
      const { keyId, policy } = await closedKey(context);
      const { Policy = '' } = await context.node.kms.send(
        new GetKeyPolicyCommand({ KeyId: keyId, PolicyName: 'default' }),
        { abortSignal: context.signal },
      );
      if (canonical(Policy) !== canonical(policy)) throw new DoesNotHold('GetKeyPolicy gave another policy');
      return 'the same statements';
    },
  },
  {
    assumption: 'aws-kms-closed-refuses',
    look: async (context) => {
      const { keyId } = await closedKey(context);
      const { kms } = context.node;
      const encrypt = kms.send(new EncryptCommand({ KeyId: keyId, Plaintext: Buffer.alloc(32) }));
      const first = await assertRefused(encrypt, 'Encrypt', DENIED);
      const generate = kms.send(new GenerateDataKeyCommand({ KeyId: keyId, KeySpec: 'AES_256' }));
      return `${first}; ${await assertRefused(generate, 'GenerateDataKey', DENIED)}`;
    },
  },
  {
    assumption: 'aws-kms-deletion-days',
    look: async (context) => {
      const { keyId } = await closedKey(context);
      const end = new ScheduleKeyDeletionCommand({ KeyId: keyId, PendingWindowInDays: 29 });
      return await assertRefused(context.node.kms.send(end), 'ScheduleKeyDeletion in 29 days', DENIED);
    },
  },
  {
    assumption: 'aws-kms-until-day',
    look: async (context) => {
      const { kms, principalArn } = context.node;
      const encryptUntil = async (day: string) => {
        const policy = JSON.parse(renderClosedKeyPolicy([principalArn])) as { Statement: object[] };
        const use = {
          Effect: 'Allow',
          Principal: { AWS: principalArn },
          Action: 'kms:Encrypt',
          Resource: '*',
          Condition: { DateLessThan: { 'aws:CurrentTime': day } },
        };
        const Policy = JSON.stringify({ ...policy, Statement: [policy.Statement[0], use] });
        const KeyId = await makeKey(context, { Policy });
        return kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.alloc(32) }));
      };
      await encryptUntil('2100-01-01T00:00:00Z');
      const late = encryptUntil('2020-01-01T00:00:00Z');
      return `before the day: answered, ${await assertRefused(late, 'Encrypt after it', DENIED)}`;
    },
  },
  {
    assumption: 'aws-kms-lockout-check',
    look: async (context) => {
      const { keyId } = await closedKey(context);
      const stranger = `arn:aws:iam::${context.node.accountId}:root`;
      const policy = JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Principal: { AWS: stranger }, Action: 'kms:DescribeKey', Resource: '*' },
        ],
      });
      const put = new PutKeyPolicyCommand({ KeyId: keyId, PolicyName: 'default', Policy: policy });
      return await assertRefused(context.node.kms.send(put), 'PutKeyPolicy', [
        'MalformedPolicyDocumentException',
      ]);
    },
  },
  {
    assumption: 'aws-kms-other-account',
    look: async (context) => {
      const { keyId } = await closedKey(context);
      const { kms } = context.infrastructure;
      const policy = kms.send(new GetKeyPolicyCommand({ KeyId: keyId, PolicyName: 'default' }));
      const first = await assertRefused(policy, 'GetKeyPolicy', DENIED);
      const encrypt = kms.send(new EncryptCommand({ KeyId: keyId, Plaintext: Buffer.alloc(32) }));
      return `${first}; ${await assertRefused(encrypt, 'Encrypt', DENIED)}`;
    },
  },
  {
    assumption: 'aws-kms-one-policy',
    look: async (context) => {
      const { keyId } = await closedKey(context);
      const { kms } = context.node;
      const { PolicyNames = [] } = await kms.send(new ListKeyPoliciesCommand({ KeyId: keyId }));
      const { Grants = [] } = await kms.send(new ListGrantsCommand({ KeyId: keyId }));
      if (PolicyNames.join() !== 'default') throw new DoesNotHold(`policies: ${PolicyNames.join(', ')}`);
      if (Grants.length > 0) throw new DoesNotHold(`${Grants.length} grants`);
      return 'default, and no grants';
    },
  },
  {
    assumption: 'aws-kms-ed25519',
    look: async (context) => {
      const keyId = await ed25519Key(context);
      const { kms } = context.node;
      const message = Buffer.from('first contact');
      const { Signature = new Uint8Array() } = await kms.send(signRaw(keyId, message));
      const { PublicKey = new Uint8Array() } = await kms.send(new GetPublicKeyCommand({ KeyId: keyId }));
      const key = createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' });
      if (key.asymmetricKeyType !== 'ed25519' || !verify(null, message, key, Signature))
        throw new DoesNotHold('the signature is not one of RFC 8032 over the message');
      return `${Signature.length} bytes, verified by OpenSSL`;
    },
  },
  {
    assumption: 'aws-kms-raw-limit',
    look: async (context) => {
      const keyId = await ed25519Key(context);
      await context.node.kms.send(signRaw(keyId, Buffer.alloc(MAX_MESSAGE_BYTES)));
      const longer = context.node.kms.send(signRaw(keyId, Buffer.alloc(MAX_MESSAGE_BYTES + 1)));
      return await assertRefused(longer, 'Sign of 4,097 bytes', ['ValidationException']);
    },
  },
];

const signRaw = (keyId: string, message: Uint8Array) =>
  new SignCommand({
    KeyId: keyId,
    Message: message,
    MessageType: 'RAW',
    SigningAlgorithm: 'ED25519_SHA_512',
  });
