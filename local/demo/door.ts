import { verify } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CreateKeyCommand,
  DisableKeyCommand,
  GetPublicKeyCommand,
  KMSClient,
  KMSServiceException,
  SignCommand,
} from '@aws-sdk/client-kms';
import { type KmsGateway, startKmsGateway } from '../testbed/kms-gateway.ts';
import type { PoolClient } from '../testbed/pool-configuration.ts';
import { CLIENT, type Scenario } from '../testbed/scenario.ts';
import { writeVerificationFiles } from '../testbed/verification-files.ts';
import type { StoryOptions, WitnessedNode } from './decide.ts';
import { judge, type StepResult } from './steps.ts';

/** Pool in which the door's client makes its keys. */
const POOL = 'kms';
const MESSAGE = Buffer.from('an invoice');

/** The client of the door and its pool: it may make keys of P-256 and sign messages by them, and nothing else. */
export function poolClient({ testNode }: Scenario): PoolClient {
  return {
    id: CLIENT,
    publicKey: testNode.client.publicKey,
    pool: POOL,
    change: {
      pool: { types: ['p256'], maximum: 2 },
      rule: {
        operations: ['create-key', 'sign'],
        algorithms: ['ecdsa-p256-sha256'],
        payloads: ['message'],
      },
    },
  };
}

/** Plays a program on AWS KMS that knows nothing of nodes: it makes a key and signs through a door. */
export async function playDoor(options: StoryOptions, { node }: WitnessedNode): Promise<void> {
  const { step, running } = options;
  let gateway: KmsGateway | undefined;
  await step('door', 'a door for KMS clients verifies the node, and listens on loopback', async () => {
    gateway = await startDoor(options, node.url);
    running.add(gateway);
    return { ok: gateway.endpoint.startsWith('http://127.0.0.1:'), outcome: gateway.endpoint };
  });
  if (gateway === undefined) throw new Error('expected a door that listens');
  const kms = connectSdk(gateway);
  let keyId = '';
  await step('door', 'AWS’s SDK makes a key: the node’s, sealed in its enclave', async () => {
    const { KeyMetadata: made } = await kms.send(
      new CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }),
    );
    keyId = made?.KeyId ?? '';
    return { ok: made?.KeyState === 'Enabled', outcome: `${made?.KeySpec} ${keyId}` };
  });
  await step('door', 'it signs a message, which the enclave hashes', () => sign(kms, keyId));
  await step('door', 'a digest, which no rule permits', async () =>
    judge('AccessDeniedException POLICY_DENIED', await refuse(signDigest(kms, keyId))),
  );
  await step('door', 'a key of a type that the pool does not have', async () => {
    const command = new CreateKeyCommand({ KeySpec: 'ECC_SECG_P256K1', KeyUsage: 'SIGN_VERIFY' });
    return judge('AccessDeniedException KEY_TYPE_REFUSED', await refuse(kms.send(command)));
  });
  await step('door', 'to disable the key, which no rule permits', async () =>
    judge(
      'AccessDeniedException POLICY_DENIED',
      await refuse(kms.send(new DisableKeyCommand({ KeyId: keyId }))),
    ),
  );
  kms.destroy();
  running.delete(gateway);
  await gateway.stop();
}

/** Writes the profile of the node, and starts the door as a process beside its client. */
async function startDoor({ scenario, directory, holdfast }: StoryOptions, url: string): Promise<KmsGateway> {
  const { testbed, testNode, pcrs } = scenario;
  const folder = join(directory, 'door');
  const { root, ...files } = await writeVerificationFiles(folder, testbed, testNode, pcrs);
  const profile = join(folder, 'holdfast-1.yaml');
  await writeFile(profile, `${JSON.stringify({ url, root, pcrs: files.pcrs, manifest: files.manifest })}\n`);
  return await startKmsGateway({
    holdfast,
    folder,
    profiles: [profile],
    clients: [{ id: CLIENT, keyPath: testNode.client.path, pool: POOL }],
  });
}

function connectSdk({ endpoint, region, credentials: [credential] }: KmsGateway): KMSClient {
  if (credential === undefined) throw new TypeError('expected a credential of the door');
  return new KMSClient({ endpoint, region, credentials: credential });
}

async function sign(kms: KMSClient, KeyId: string): Promise<StepResult> {
  const { Signature: signature } = await kms.send(
    new SignCommand({ KeyId, Message: MESSAGE, SigningAlgorithm: 'ECDSA_SHA_256' }),
  );
  const { PublicKey: key } = await kms.send(new GetPublicKeyCommand({ KeyId }));
  if (signature === undefined || key === undefined) return { ok: false, outcome: 'NO SIGNATURE' };
  const ok = verify('sha256', MESSAGE, { key: Buffer.from(key), format: 'der', type: 'spki' }, signature);
  return { ok, outcome: ok ? 'verified by OpenSSL' : 'DOES NOT VERIFY' };
}

function signDigest(kms: KMSClient, KeyId: string): Promise<unknown> {
  return kms.send(
    new SignCommand({
      KeyId,
      Message: Buffer.alloc(32, 1),
      MessageType: 'DIGEST',
      SigningAlgorithm: 'ECDSA_SHA_256',
    }),
  );
}

/** Name of the error that AWS's SDK throws, and the node's code, which its message begins with. */
async function refuse(asked: Promise<unknown>): Promise<string> {
  const error: unknown = await asked.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error === undefined) return 'CARRIED OUT';
  if (!(error instanceof KMSServiceException)) throw error;
  return `${error.name} ${/^[A-Z_]+/.exec(error.message)?.[0] ?? ''}`;
}
