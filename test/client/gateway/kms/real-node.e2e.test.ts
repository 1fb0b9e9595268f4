import {
  constants,
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  publicEncrypt,
  verify,
} from 'node:crypto';
import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DecryptCommand,
  DeleteAliasCommand,
  DeriveSharedSecretCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateMacCommand,
  GenerateRandomCommand,
  GetKeyPolicyCommand,
  GetPublicKeyCommand,
  KMSClient,
  ListKeysCommand,
  ListAliasesCommand,
  ListResourceTagsCommand,
  ReEncryptCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
  type SigningAlgorithmSpec,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAliasCommand,
  UpdateKeyDescriptionCommand,
  VerifyCommand,
  VerifyMacCommand,
} from '@aws-sdk/client-kms';
import { ed25519ph } from '@noble/curves/ed25519.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GatewayNodes, silentGatewayLog, startGatewayServer } from '../../../../client/gateway/index.ts';
import { createKmsDoor } from '../../../../client/gateway/kms/door.ts';
import { CLIENT } from '../../../../local/testbed/scenario.ts';
import type { PermitRule } from '../../../../shared/documents/configuration.ts';
import { DecisionNode, permitTransfers } from '../../../e2e/support/decision-node.ts';

const SCOPE = { region: 'eu-central-1', accountId: '111122223333' };
const CREDENTIAL = { accessKeyId: 'HFAKTEST000000000001', secretAccessKey: 'of-the-door-alone' };
const message = Buffer.from('1220'.padEnd(68, '5'), 'hex');
const blind = { type: 'blind', to: null, assets: null, contracts: null, amount: null } as const;
const permit = (id: string, key: string, changes: Partial<PermitRule>): PermitRule =>
  permitTransfers(id, key, 'message', { effects: [blind], ...changes });

let place: DecisionNode;
let nodes: GatewayNodes;
let server: Awaited<ReturnType<typeof startGatewayServer>>;
let kms: KMSClient;

/** Opens a door in front of the node that runs. */
async function openDoor(): Promise<void> {
  const { testbed, testNode, pcrs } = place.scenario;
  nodes = new GatewayNodes({
    nodes: [
      {
        url: place.url,
        trust: { root: testbed.host.rootCertificate, pcrs, manifest: testNode.manifestBytes },
      },
    ],
    clients: [{ id: CLIENT, privateKey: testNode.client.privateKey }],
    log: silentGatewayLog,
    timeoutMs: 60_000,
    readyMs: 15_000,
  });
  const protocol = createKmsDoor({
    nodes,
    credentials: [{ ...CREDENTIAL, client: CLIENT, pool: 'canton' }],
    scope: SCOPE,
    waitMs: 20_000,
  });
  const probes = { readiness: () => nodes.readiness };
  server = await startGatewayServer({
    listen: { port: 0 },
    protocol,
    probes,
    log: silentGatewayLog,
    drainMs: 0,
  });
  kms = new KMSClient({ endpoint: server.address.url, region: SCOPE.region, credentials: CREDENTIAL });
}

async function closeDoor(): Promise<void> {
  kms.destroy();
  nodes.close();
  await server.close();
}

beforeAll(async () => {
  place = await DecisionNode.open(
    [
      { id: 'hot', type: 'ed25519', networks: [] },
      { id: 'not-for-it', type: 'ed25519', networks: [] },
    ],
    [
      permit('everything', 'canton', {
        operations: ['create-key', 'sign', 'encrypt', 'decrypt', 'mac', 'derive-secret', 'administer-key'],
        algorithms: [
          'ed25519',
          'ed25519ph',
          'ecdsa-p256-sha256',
          'ecdsa-p384-sha384',
          'ecdsa-secp256k1',
          'rsa-pss-sha256',
          'rsa-pkcs1-sha512',
          'rsa-oaep-sha256',
          'aes-256-gcm',
          'hmac-sha256',
          'ecdh',
        ],
        payloads: ['message', 'digest'],
      }),
      permit('hot', 'hot', { algorithms: ['ed25519'] }),
    ],
    {
      pools: [
        {
          id: 'canton',
          clients: [CLIENT],
          types: ['ed25519', 'p256', 'p384', 'secp256k1', 'rsa-2048', 'aes-256', 'hmac-256'],
          maximum: 32,
          descriptions: ['', 'canton-*'],
          aliases: ['canton/*'],
          deletionDays: 7,
        },
      ],
    },
  );
  await place.start();
  await openDoor();
}, 180_000);
afterAll(async () => {
  await closeDoor();
  await place.close();
});

const create = async (input: CreateKeyCommandInput) =>
  (await kms.send(new CreateKeyCommand(input))).KeyMetadata?.KeyId ?? '';
const publicKeyOf = async (id: string) => {
  const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId: id }));
  return createPublicKey({ key: Buffer.from(PublicKey ?? []), format: 'der', type: 'spki' });
};
const refusalOf = async (promise: Promise<unknown>) =>
  await promise.then(
    () => 'nothing was refused',
    (error: Error) => `${error.name} ${/^[A-Z_]+/.exec(error.message)?.[0] ?? ''}`,
  );
const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };

describe('a KMS door in front of a node', () => {
  it.each<[SigningAlgorithmSpec, CreateKeyCommandInput['KeySpec'], string | null, object]>([
    ['ECDSA_SHA_256', 'ECC_NIST_P256', 'sha256', {}],
    ['ECDSA_SHA_384', 'ECC_NIST_P384', 'sha384', {}],
    ['ECDSA_SHA_256', 'ECC_SECG_P256K1', 'sha256', {}],
    ['ED25519_SHA_512', 'ECC_NIST_EDWARDS25519', null, {}],
    ['RSASSA_PSS_SHA_256', 'RSA_2048', 'sha256', PSS],
    ['RSASSA_PKCS1_V1_5_SHA_512', 'RSA_2048', 'sha512', {}],
  ])('signs by %s with a key of %s that it has made', async (algorithm, KeySpec, hash, options) => {
    const id = await create({ KeySpec, KeyUsage: 'SIGN_VERIFY', Description: 'canton-signing' });
    const described = await kms.send(new DescribeKeyCommand({ KeyId: id }));
    expect(described.KeyMetadata).toMatchObject({ Enabled: true, KeySpec, KeyUsage: 'SIGN_VERIFY' });
    const key = await publicKeyOf(id);
    const raw = { KeyId: id, Message: message, SigningAlgorithm: algorithm } as const;
    const { Signature = Buffer.of() } = await kms.send(new SignCommand(raw));
    expect(verify(hash, message, { key, ...options }, Signature)).toBe(true);
    expect((await kms.send(new VerifyCommand({ ...raw, Signature }))).SignatureValid).toBe(true);
    const changed = { ...raw, Message: Buffer.from('another'), Signature };
    expect(await refusalOf(kms.send(new VerifyCommand(changed)))).toContain('KMSInvalidSignatureException');
    if (hash === null) return;
    const digest = {
      ...raw,
      Message: createHash(hash).update(message).digest(),
      MessageType: 'DIGEST',
    } as const;
    const second = await kms.send(new SignCommand(digest));
    expect(verify(hash, message, { key, ...options }, second.Signature ?? Buffer.of())).toBe(true);
    expect((await kms.send(new VerifyCommand({ ...digest, Signature }))).SignatureValid).toBe(true);
  });

  it('decrypts what was encrypted by the public key, as envelopes of Canton are', async () => {
    const id = await create({ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' });
    const key = await publicKeyOf(id);
    const CiphertextBlob = publicEncrypt(
      { key, oaepHash: 'sha256', padding: constants.RSA_PKCS1_OAEP_PADDING },
      message,
    );
    const request = { KeyId: id, CiphertextBlob, EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' } as const;
    expect(Buffer.from((await kms.send(new DecryptCommand(request))).Plaintext ?? [])).toEqual(message);
    CiphertextBlob[7] = (CiphertextBlob[7] ?? 0) ^ 1;
    expect(await refusalOf(kms.send(new DecryptCommand(request)))).toContain('InvalidCiphertextException');
  });

  it('encrypts, encrypts anew and draws data keys with symmetric keys', async () => {
    const [one, two] = [await create({}), await create({})];
    const EncryptionContext = { tenant: 'one' };
    const { CiphertextBlob } = await kms.send(
      new EncryptCommand({ KeyId: one, Plaintext: message, EncryptionContext }),
    );
    const moved = await kms.send(
      new ReEncryptCommand({
        CiphertextBlob,
        SourceEncryptionContext: EncryptionContext,
        DestinationKeyId: two,
      }),
    );
    const opened = await kms.send(new DecryptCommand({ CiphertextBlob: moved.CiphertextBlob }));
    expect(Buffer.from(opened.Plaintext ?? [])).toEqual(message);
    expect(await refusalOf(kms.send(new DecryptCommand({ CiphertextBlob })))).toContain(
      'InvalidCiphertextException',
    );
    expect(await refusalOf(kms.send(new DecryptCommand({ KeyId: two, CiphertextBlob })))).toContain(
      'IncorrectKeyException',
    );
    const data = await kms.send(new GenerateDataKeyCommand({ KeyId: one, KeySpec: 'AES_256' }));
    const again = await kms.send(new DecryptCommand({ CiphertextBlob: data.CiphertextBlob }));
    expect(again.Plaintext).toEqual(data.Plaintext);
  });

  it('makes MACs, agrees on secrets, and gives random bytes', async () => {
    const id = await create({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
    const mac = { KeyId: id, Message: message, MacAlgorithm: 'HMAC_SHA_256' } as const;
    const { Mac } = await kms.send(new GenerateMacCommand(mac));
    expect((await kms.send(new VerifyMacCommand({ ...mac, Mac }))).MacValid).toBe(true);
    const agreeing = await create({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' });
    const peer = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { SharedSecret } = await kms.send(
      new DeriveSharedSecretCommand({
        KeyId: agreeing,
        KeyAgreementAlgorithm: 'ECDH',
        PublicKey: peer.publicKey.export({ type: 'spki', format: 'der' }),
      }),
    );
    const { privateKey } = peer;
    expect(Buffer.from(SharedSecret ?? [])).toEqual(
      diffieHellman({ privateKey, publicKey: await publicKeyOf(agreeing) }),
    );
    expect((await kms.send(new GenerateRandomCommand({ NumberOfBytes: 32 }))).Plaintext).toHaveLength(32);
  });

  it('serves keys of the configuration that a permit names, and no others', async () => {
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: 'alias/hot' }));
    const { Keys } = await kms.send(new ListKeysCommand({}));
    expect(Keys?.some(({ KeyId }) => KeyId === KeyMetadata?.KeyId)).toBe(true);
    const { Signature = Buffer.of() } = await kms.send(
      new SignCommand({ KeyId: 'alias/hot', Message: message, SigningAlgorithm: 'ED25519_SHA_512' }),
    );
    expect(verify(null, message, await publicKeyOf('alias/hot'), Signature)).toBe(true);
    expect(await refusalOf(kms.send(new DescribeKeyCommand({ KeyId: 'alias/not-for-it' })))).toContain(
      'NotFoundException',
    );
  });

  it('refuses what the configuration does not permit, with the code', async () => {
    const wrong = create({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY', Description: 'other' });
    expect(await refusalOf(wrong)).toBe('AccessDeniedException DESCRIPTION_REFUSED');
    const type = create({ KeySpec: 'RSA_4096', KeyUsage: 'SIGN_VERIFY' });
    expect(await refusalOf(type)).toBe('AccessDeniedException KEY_TYPE_REFUSED');
    const id = await create({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' });
    const sign = { KeyId: id, Message: message, SigningAlgorithm: 'RSASSA_PSS_SHA_512' } as const;
    expect(await refusalOf(kms.send(new SignCommand(sign)))).toBe('AccessDeniedException POLICY_DENIED');
    expect(await refusalOf(kms.send(new SignCommand({ ...sign, DryRun: true })))).toBe(
      'AccessDeniedException POLICY_DENIED',
    );
    const allowed = { ...sign, SigningAlgorithm: 'RSASSA_PSS_SHA_256' } as const;
    expect(await refusalOf(kms.send(new SignCommand({ ...allowed, DryRun: true })))).toContain(
      'DryRunOperationException',
    );
    const alias = new CreateAliasCommand({ AliasName: 'alias/mine', TargetKeyId: id });
    expect(await refusalOf(kms.send(alias))).toBe('AccessDeniedException ALIAS_REFUSED');
    const { Policy = '' } = await kms.send(new GetKeyPolicyCommand({ KeyId: id }));
    expect(Policy).toContain('kms:Sign');
  });

  it('renames, tags, disables, enables, deletes and keeps a key, as the node says that it is', async () => {
    const id = await create({
      KeySpec: 'ECC_NIST_EDWARDS25519',
      KeyUsage: 'SIGN_VERIFY',
      Description: 'canton-one',
      Tags: [{ TagKey: 'CreatedBy', TagValue: 'Canton' }],
    });
    const other = await create({ KeySpec: 'ECC_NIST_EDWARDS25519', KeyUsage: 'SIGN_VERIFY' });
    const KeyId = id;
    const described = async () => (await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata;
    const aliases = async (of: string) =>
      (await kms.send(new ListAliasesCommand({ KeyId: of }))).Aliases?.map(({ AliasName }) => AliasName);
    const tags = async () => (await kms.send(new ListResourceTagsCommand({ KeyId }))).Tags;
    const digest = createHash('sha512').update(message).digest();
    const sign = async (name = id) =>
      await kms.send(
        new SignCommand({
          KeyId: name,
          Message: digest,
          MessageType: 'DIGEST',
          SigningAlgorithm: 'ED25519_PH_SHA_512',
        }),
      );

    const AliasName = 'alias/canton/moving';
    await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: id }));
    expect(await aliases(id)).toEqual([AliasName]);
    const again = new CreateAliasCommand({ AliasName, TargetKeyId: other });
    expect(await refusalOf(kms.send(again))).toContain('AlreadyExistsException');
    await kms.send(new UpdateAliasCommand({ AliasName, TargetKeyId: other }));
    expect([await aliases(id), await aliases(other)]).toEqual([[], [AliasName]]);
    expect((await sign(AliasName)).KeyId).toContain(other);
    await kms.send(new DeleteAliasCommand({ AliasName }));
    expect(await aliases(other)).toEqual([]);
    expect(await refusalOf(sign(AliasName))).toContain('NotFoundException');

    await kms.send(new TagResourceCommand({ KeyId, Tags: [{ TagKey: 'stage', TagValue: 'one' }] }));
    await kms.send(new TagResourceCommand({ KeyId, Tags: [{ TagKey: 'stage', TagValue: 'two' }] }));
    await kms.send(new UntagResourceCommand({ KeyId, TagKeys: ['CreatedBy'] }));
    expect(await tags()).toEqual([{ TagKey: 'stage', TagValue: 'two' }]);
    await kms.send(new UpdateKeyDescriptionCommand({ KeyId, Description: 'canton-two' }));
    expect((await described())?.Description).toBe('canton-two');
    const wrong = new UpdateKeyDescriptionCommand({ KeyId, Description: 'of somebody else' });
    expect(await refusalOf(kms.send(wrong))).toBe('AccessDeniedException DESCRIPTION_REFUSED');

    const { Signature = Buffer.of() } = await sign();
    const raw = Buffer.from((await publicKeyOf(id)).export({ format: 'jwk' }).x ?? '', 'base64url');
    // KMS takes the digest for the message, and hashes it again.
    expect(ed25519ph.verify(Signature, digest, raw)).toBe(true);
    expect(ed25519ph.verify(Signature, message, raw)).toBe(false);

    await kms.send(new DisableKeyCommand({ KeyId }));
    expect(await described()).toMatchObject({ Enabled: false, KeyState: 'Disabled' });
    expect(await refusalOf(sign())).toContain('DisabledException');
    await kms.send(new EnableKeyCommand({ KeyId }));
    expect((await sign()).Signature).toHaveLength(64);
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
    expect(await refusalOf(sign())).toContain('KMSInvalidStateException');
    expect(await refusalOf(kms.send(new EnableKeyCommand({ KeyId })))).toContain('KMSInvalidStateException');
    expect((await described())?.KeyState).toBe('PendingDeletion');
    await kms.send(new CancelKeyDeletionCommand({ KeyId }));
    // As in AWS's KMS, a key that is kept stays disabled.
    expect((await described())?.KeyState).toBe('Disabled');
    await kms.send(new EnableKeyCommand({ KeyId }));
    expect((await sign()).Signature).toHaveLength(64);
    expect(await refusalOf(kms.send(new CancelKeyDeletionCommand({ KeyId })))).toContain(
      'KMSInvalidStateException',
    );
  });

  it('goes on with the same keys and names after a restart of the node, without the client noticing', async () => {
    const id = await create({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/canton/kept', TargetKeyId: id }));
    const key = await publicKeyOf(id);
    await place.restart();
    await closeDoor();
    await openDoor();
    const { Signature = Buffer.of(), $metadata } = await kms.send(
      new SignCommand({ KeyId: 'alias/canton/kept', Message: message, SigningAlgorithm: 'ECDSA_SHA_256' }),
    );
    expect(verify('sha256', message, key, Signature)).toBe(true);
    expect($metadata.attempts).toBe(1);
    const ordered = await kms.send(new ScheduleKeyDeletionCommand({ KeyId: id, PendingWindowInDays: 7 }));
    expect(ordered.KeyState).toBe('PendingDeletion');
  });
});
