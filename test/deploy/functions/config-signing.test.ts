import { CreateKeyCommand, GetPublicKeyCommand, KMSClient, SignCommand } from '@aws-sdk/client-kms';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, verify } from 'node:crypto';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createHandler, type HandlerOptions } from '../../../deploy/functions/config-signing/handler.ts';
import type {
  ConfigSigningDescription,
  ConfigSigningResponse,
  ConfigSigningResult,
} from '../../../deploy/functions/config-signing/protocol.ts';
import { ADMINISTRATOR_POLICY } from '../../../local/aws/index.ts';
import { startLocalAws, type LocalAws } from '../../../local/testbed/local-aws.ts';
import {
  CONFIGURATION_PAYLOAD_TYPE,
  type ConfigurationDocument2,
  openConfiguration,
} from '../../../shared/documents/configuration.ts';
import { digestManifest, parseManifest } from '../../../shared/documents/manifest.ts';
import { createEnvelope, ed25519PublicKeyHex, signEnvelope } from '../../../shared/dsse/index.ts';
import { openS3 } from '../../local/s3/clients.ts';
import { expectInTime } from '../../support/in-time.ts';
import { makeConfiguration2, permit } from '../../shared/documents/sample-rules.ts';

const REGION = 'eu-central-1';
const ACCOUNT = '111122223333';
const BUCKET = 'acme-production-node-1-bucket';
const NOW = Date.parse('2026-11-29T12:00:00Z');

let aws: LocalAws;
let kms: KMSClient;
let s3: S3Client;
let keyArn: string;
let signingKeyArn: string;
let signingKey: string;
let manifestBytes: Buffer;
const person = generateKeyPairSync('ed25519') as {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
};

beforeEach(async () => {
  aws = await startLocalAws({ verifyRecipient: () => ({ pcrs: new Map<number, Uint8Array>() }) });
  onTestFinished(() => aws.close());
  const credentials = aws.directory.createAccessKey({
    accountId: ACCOUNT,
    userName: 'function',
    policies: [ADMINISTRATOR_POLICY],
  });
  kms = new KMSClient({ ...aws.clientOptions('kms', REGION), credentials, maxAttempts: 1 });
  onTestFinished(() => kms.destroy());
  s3 = openS3(aws, { accountId: ACCOUNT });
  await s3.send(
    new CreateBucketCommand({
      Bucket: BUCKET,
      ObjectLockEnabledForBucket: true,
      CreateBucketConfiguration: { LocationConstraint: REGION },
    }),
  );
  keyArn = (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '';
  const made = await kms.send(
    new CreateKeyCommand({ KeySpec: 'ECC_NIST_EDWARDS25519', KeyUsage: 'SIGN_VERIFY' }),
  );
  signingKeyArn = made.KeyMetadata?.Arn ?? '';
  const { PublicKey = new Uint8Array() } = await kms.send(new GetPublicKeyCommand({ KeyId: signingKeyArn }));
  const spki = Buffer.from(PublicKey);
  signingKey = ed25519PublicKeyHex(createPublicKey({ key: spki, format: 'der', type: 'spki' }));
  manifestBytes = manifest();
  await put('manifest.json', manifestBytes);
});

const manifest = (changes: object = {}) =>
  Buffer.from(
    JSON.stringify({
      format: 'holdfast-manifest/1',
      namespace: 'acme',
      environment: 'production',
      node: 1,
      quorum: { size: 3, threshold: 2 },
      kms: { keyArn, region: REGION },
      configurationAuthority: { threshold: 1, keys: [signingKey, ed25519PublicKeyHex(person.publicKey)] },
      emergencyRecovery: { publicKey: '0a'.repeat(32) },
      ...changes,
    }),
  );

const put = (Key: string, Body: Uint8Array) => s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
const keysOf = async () =>
  (
    (await s3.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: 'configurations/' }))).Contents ?? []
  ).map(({ Key }) => Key);
const bytesOf = async (Key: string) => {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
};

const configuration = (changes: Partial<ConfigurationDocument2> = {}) =>
  Buffer.from(
    JSON.stringify(
      makeConfiguration2({
        manifest: Buffer.from(digestManifest(manifestBytes)).toString('hex'),
        ...changes,
      }),
    ),
  );

function start(options: Partial<HandlerOptions> = {}) {
  const lines: string[] = [];
  const stack = {
    namespace: 'acme',
    environment: 'production',
    node: 1,
    keyArn,
    signingKeyArn,
    bucket: BUCKET,
  };
  const handler = createHandler({
    kms,
    s3,
    stack,
    now: () => NOW,
    log: (fields) => lines.push(JSON.stringify(fields)),
    ...options,
  });
  const call = (event: unknown, milliseconds = 60_000) =>
    handler(event, { getRemainingTimeInMillis: () => milliseconds });
  const describeIt = async (bytes: Uint8Array): Promise<ConfigSigningDescription> => {
    const response = await call({ action: 'describe', configuration: Buffer.from(bytes).toString('base64') });
    if (!response.ok || !('description' in response)) throw new Error(JSON.stringify(response));
    return response.description;
  };
  const sign = (bytes: Uint8Array, confirmation: string) =>
    call({ action: 'sign', configuration: Buffer.from(bytes).toString('base64'), confirmation });
  /** Both calls, as a person makes them. */
  const confirmAndSign = async (bytes: Uint8Array) =>
    resultOf(await sign(bytes, (await describeIt(bytes)).confirmation));
  return { call, describe: describeIt, sign, confirmAndSign, lines };
}

function resultOf(response: ConfigSigningResponse): ConfigSigningResult {
  if (!response.ok || !('signed' in response)) throw new Error(JSON.stringify(response));
  return response.signed;
}
const refusal = (code: string) => expect.objectContaining({ ok: false, code });

describe('the config signing function', () => {
  it('describes, then signs what a node takes, and has written it down before', async () => {
    const { describe: describeIt, sign } = start();
    const bytes = configuration();
    const description = await describeIt(bytes);
    expect(description).toMatchObject({ version: 1, against: null });
    expect(description.text).toMatch(/PERMITS MORE/);
    expect(description.changes.map(({ subject }) => subject)).toContain('rule');
    expect(await keysOf()).toEqual([]);

    const signed = resultOf(await sign(bytes, description.confirmation));
    expect(signed).toMatchObject({
      key: 'configurations/000001.json',
      signer: signingKey,
      isRepeated: false,
    });
    const envelope = Buffer.from(signed.envelope, 'base64');
    expect(await bytesOf(signed.key)).toEqual(envelope);
    const opened = openConfiguration(envelope, {
      manifest: parseManifest(manifestBytes),
      digest: digestManifest(manifestBytes),
    });
    expect(opened).toMatchObject({ signers: [signingKey], configuration: { version: 1 } });
  });

  it('signs the DSSE encoding itself as long as KMS takes it, and beyond 4,096 bytes that of the digest', async () => {
    const { confirmAndSign } = start();
    const head = `DSSEv1 ${CONFIGURATION_PAYLOAD_TYPE.length} ${CONFIGURATION_PAYLOAD_TYPE} `;
    const pad = (length: number, version: number) => {
      const bare = configuration({ version });
      return Buffer.concat([bare, Buffer.alloc(length - bare.length, 0x20)]);
    };
    const longest = 4096 - head.length - '4000 '.length;
    for (const [index, length] of [longest - 1, longest, longest + 1, 40_000].entries()) {
      const bytes = pad(length, index + 1);
      const { envelope } = await confirmAndSign(bytes);
      const { payload, signatures } = JSON.parse(Buffer.from(envelope, 'base64').toString()) as {
        payload: string;
        signatures: { keyid: string; sig: string }[];
      };
      expect(Buffer.from(payload, 'base64')).toEqual(bytes);
      // Node's own verification of what is written out here by hand.
      const digest = createHash('sha384').update(bytes).digest();
      const type = `${CONFIGURATION_PAYLOAD_TYPE};digest=sha384`;
      const message =
        length <= longest
          ? Buffer.concat([Buffer.from(`${head}${length} `), bytes])
          : Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} 48 `), digest]);
      const key = createPublicKey({
        key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(signingKey, 'hex').toString('base64url') },
        format: 'jwk',
      });
      expect(verify(null, message, key, Buffer.from(signatures[0]?.sig ?? '', 'base64'))).toBe(true);
    }
  });

  it('gives the very same request the very same envelope', async () => {
    const { describe: describeIt, sign } = start();
    const bytes = configuration();
    const { confirmation } = await describeIt(bytes);
    const first = resultOf(await sign(bytes, confirmation));
    const again = resultOf(await sign(bytes, confirmation));
    expect(again).toEqual({ ...first, isRepeated: true });
    expect(await describeIt(bytes)).toMatchObject({ confirmation, against: null });
    expect(await keysOf()).toEqual(['configurations/000001.json']);
  });

  it('signs one where the same request comes twice at the same time, and one of two different ones', async () => {
    const { describe: describeIt, sign } = start();
    const bytes = configuration();
    const { confirmation } = await describeIt(bytes);
    const results = await Promise.all([sign(bytes, confirmation), sign(bytes, confirmation)]);
    expect(new Set(results.map((result) => resultOf(result).envelope)).size).toBe(1);
    expect(await keysOf()).toHaveLength(1);

    const others = [configuration({ version: 2 }), configuration({ version: 3 })];
    const confirmations = await Promise.all(others.map((other) => describeIt(other)));
    const raced = await Promise.all(
      others.map((other, index) => sign(other, confirmations[index]?.confirmation ?? '')),
    );
    expect(raced.filter(({ ok }) => ok)).toHaveLength(1);
    expect(raced.filter(({ ok }) => !ok)).toEqual([
      expect.objectContaining({ code: expect.stringMatching(/^(SIGNING_NOT_CONFIRMED|VERSION_NOT_NEWER)$/) }),
    ]);
    expect(await keysOf()).toHaveLength(2);
  });

  it('keeps the signatures of other authorities, and no others', async () => {
    const { confirmAndSign } = start();
    const stranger = generateKeyPairSync('ed25519');
    const bytes = configuration();
    const signedByOthers = [person.privateKey, stranger.privateKey].reduce(
      (envelope, key) => signEnvelope(envelope, key),
      createEnvelope(CONFIGURATION_PAYLOAD_TYPE, bytes),
    );
    const forged = { keyid: signingKey, sig: Buffer.alloc(64).toString('base64') };
    const file = { ...signedByOthers, signatures: [...signedByOthers.signatures, forged] };
    const { envelope } = await confirmAndSign(Buffer.from(JSON.stringify(file)));
    const { signers } = openConfiguration(Buffer.from(envelope, 'base64'), {
      manifest: parseManifest(manifestBytes),
      digest: digestManifest(manifestBytes),
    });
    expect([...signers].toSorted()).toEqual([signingKey, ed25519PublicKeyHex(person.publicKey)].toSorted());
    expect(Buffer.from(envelope, 'base64').toString()).not.toContain(ed25519PublicKeyHex(stranger.publicKey));
  });
});

describe('the config signing function refuses', () => {
  it('a confirmation of something else, and one against an older configuration', async () => {
    const { describe: describeIt, sign, confirmAndSign } = start();
    const [first, other] = [configuration(), configuration({ notAfter: '2027-01-01T00:00:00Z' })];
    const { confirmation } = await describeIt(first);
    expect(await sign(other, confirmation)).toEqual(refusal('SIGNING_NOT_CONFIRMED'));
    expect(await sign(first, '00'.repeat(48))).toEqual(refusal('SIGNING_NOT_CONFIRMED'));
    expect(await keysOf()).toEqual([]);
    const third = configuration({ version: 3 });
    const stale = await describeIt(third);
    await confirmAndSign(configuration({ version: 2 }));
    expect(await sign(third, stale.confirmation)).toEqual(refusal('SIGNING_NOT_CONFIRMED'));
    expect(await keysOf()).toHaveLength(1);
  });

  it('what is not newer than the newest in the bucket, whoever has put it there', async () => {
    const { call, confirmAndSign } = start();
    await confirmAndSign(configuration({ version: 5 }));
    const byHand = signEnvelope(
      createEnvelope(CONFIGURATION_PAYLOAD_TYPE, configuration({ version: 7 })),
      person.privateKey,
    );
    await put('configurations/000002.json', Buffer.from(JSON.stringify(byHand)));
    for (const version of [1, 5, 6, 7]) {
      const bytes = configuration({ version, notAfter: '2027-01-01T00:00:00Z' }).toString('base64');
      expect(await call({ action: 'describe', configuration: bytes })).toEqual(refusal('VERSION_NOT_NEWER'));
    }
    expect(await confirmAndSign(configuration({ version: 8 }))).toMatchObject({
      key: 'configurations/000003.json',
    });
  });

  it('what config lint calls an error', async () => {
    const { call } = start();
    const over = configuration({ notAfter: '2020-01-01T00:00:00Z' });
    expect(await call({ action: 'describe', configuration: over.toString('base64') })).toEqual(
      refusal('SIGNING_LINT_FAILED'),
    );
  });

  it('what has become an error since it was described', async () => {
    let now = NOW;
    const { describe: describeIt, sign } = start({ now: () => now });
    const bytes = configuration({ notAfter: '2026-12-01T00:00:00Z' });
    const { confirmation } = await describeIt(bytes);
    now = Date.parse('2026-12-02T00:00:00Z');
    expect(await sign(bytes, confirmation)).toEqual(refusal('SIGNING_LINT_FAILED'));
    expect(await keysOf()).toEqual([]);
  });

  it('a configuration of another manifest, and what is none', async () => {
    const { call } = start();
    const cases = [
      [configuration({ manifest: 'ab'.repeat(48) }), 'CONFIGURATION_OTHER_MANIFEST'],
      [Buffer.from('{}'), 'CONFIGURATION_MALFORMED'],
      [Buffer.from([0xff, 0]), 'CONFIGURATION_MALFORMED'],
      [Buffer.from(JSON.stringify({ ...makeConfiguration2(), surprise: 1 })), 'CONFIGURATION_MALFORMED'],
      [Buffer.alloc(0), 'CONFIGURATION_MALFORMED'],
    ] as const;
    for (const [bytes, code] of cases)
      expect(await call({ action: 'describe', configuration: bytes.toString('base64') })).toEqual(
        refusal(code),
      );
  });

  it.each([
    ['no action', { configuration: 'AA==' }],
    ['an action that nobody knows', { action: 'publish', configuration: 'AA==' }],
    ['a member that nobody knows', { action: 'describe', configuration: 'AA==', force: true }],
    ['no base64', { action: 'describe', configuration: '###' }],
    ['base64 in another form', { action: 'describe', configuration: 'AB==' }],
    ['no confirmation', { action: 'sign', configuration: 'AA==' }],
    [
      'a confirmation in upper case',
      { action: 'sign', configuration: 'AA==', confirmation: 'AB'.repeat(48) },
    ],
    ['more than an envelope can be', { action: 'describe', configuration: 'A'.repeat(1_400_000) }],
    ['nothing', undefined],
    ['a list', []],
    ['a text', 'describe'],
  ])('an event with %s', async (_name, event) => {
    expect(await start().call(event)).toEqual(refusal('SIGNING_REQUEST_MALFORMED'));
  });

  it.each([
    ['another node', { node: 2 }],
    ['another namespace', { namespace: 'other' }],
    ['another environment', { environment: 'staging' }],
    [
      'another key',
      {
        kms: {
          keyArn: `arn:aws:kms:${REGION}:${ACCOUNT}:key/00000000-0000-4000-8000-000000000000`,
          region: REGION,
        },
      },
    ],
  ])('a manifest of %s', async (_name, changes) => {
    manifestBytes = manifest(changes);
    await put('manifest.json', manifestBytes);
    const event = { action: 'describe', configuration: configuration().toString('base64') };
    expect(await start().call(event)).toEqual(refusal('SIGNING_OTHER_NODE'));
  });

  it('a manifest that does not name its key, that is none, and that is not there', async () => {
    const { call } = start();
    const event = () => ({ action: 'describe', configuration: configuration().toString('base64') });
    manifestBytes = manifest({ configurationAuthority: { threshold: 1, keys: ['0b'.repeat(32)] } });
    await put('manifest.json', manifestBytes);
    expect(await call(event())).toEqual(refusal('KEY_NOT_AUTHORITY'));
    await put('manifest.json', Buffer.from('{}'));
    expect(await call(event())).toEqual(refusal('MANIFEST_MALFORMED'));
    const absent = start({ stack: { ...stackOf(), bucket: 'another-bucket-of-the-account' } });
    await s3.send(
      new CreateBucketCommand({
        Bucket: 'another-bucket-of-the-account',
        CreateBucketConfiguration: { LocationConstraint: REGION },
      }),
    );
    expect(await absent.call(event())).toEqual(refusal('SIGNING_MANIFEST_MISSING'));
  });

  it('a bucket with what nobody has signed, with a gap, or with something else', async () => {
    const { call } = start();
    const event = { action: 'describe', configuration: configuration({ version: 9 }).toString('base64') };
    await put('configurations/000001.json', configuration());
    expect(await call(event)).toEqual(refusal('SIGNING_STORE_UNREADABLE'));
    const byStranger = signEnvelope(
      createEnvelope(CONFIGURATION_PAYLOAD_TYPE, configuration()),
      generateKeyPairSync('ed25519').privateKey,
    );
    await put('configurations/000001.json', Buffer.from(JSON.stringify(byStranger)));
    expect(await call(event)).toEqual(refusal('SIGNING_STORE_UNREADABLE'));
    const good = signEnvelope(createEnvelope(CONFIGURATION_PAYLOAD_TYPE, configuration()), person.privateKey);
    await put('configurations/000001.json', Buffer.from(JSON.stringify(good)));
    expect(await call(event)).toMatchObject({ ok: true });
    await put('configurations/000003.json', Buffer.from(JSON.stringify(good)));
    expect(await call(event)).toEqual(refusal('SIGNING_STORE_UNREADABLE'));
  });

  it('a signature of another key, and one that is none', async () => {
    const bytes = configuration();
    const { confirmation } = await start().describe(bytes);
    const other = await kms.send(
      new CreateKeyCommand({ KeySpec: 'ECC_NIST_EDWARDS25519', KeyUsage: 'SIGN_VERIFY' }),
    );
    const lying = (change: (response: object) => object) => ({
      send: (async (command: SignCommand, ...rest: []) => {
        const response = await kms.send(command, ...rest);
        return command instanceof SignCommand ? change(response) : response;
      }) as unknown as KMSClient['send'],
    });
    const otherKey = lying((response) => ({ ...response, KeyId: other.KeyMetadata?.Arn }));
    const forged = lying((response) => ({ ...response, Signature: new Uint8Array(64) }));
    const absent = lying((response) => ({ ...response, Signature: undefined }));
    for (const client of [otherKey, forged, absent])
      expect(await start({ kms: client }).sign(bytes, confirmation)).toEqual(refusal('SIGNING_OTHER_KEY'));
    expect(await keysOf()).toEqual([]);
  });

  it('to answer with what is not written down', async () => {
    const bytes = configuration();
    const { confirmation } = await start().describe(bytes);
    const full = {
      send: ((command: PutObjectCommand, ...rest: []) =>
        command instanceof PutObjectCommand
          ? Promise.reject(Object.assign(new Error('secret words of AWS'), { name: 'SlowDown' }))
          : s3.send(command, ...rest)) as unknown as S3Client['send'],
    };
    const response = await start({ s3: full }).sign(bytes, confirmation);
    expect(response).toEqual(refusal('SIGNING_UNAVAILABLE'));
    expect(JSON.stringify(response)).not.toMatch(/secret words|"sig"/);
    // The caller asks again, and gets it.
    expect(await start().sign(bytes, confirmation)).toMatchObject({ ok: true });
  });

  it('to answer where a write was done and its response lost, until it is asked again', async () => {
    const bytes = configuration();
    const { confirmation } = await start().describe(bytes);
    const lossy = {
      send: (async (command: PutObjectCommand, ...rest: []) => {
        const response = await s3.send(command, ...rest);
        if (command instanceof PutObjectCommand)
          throw Object.assign(new Error('lost'), { name: 'TimeoutError' });
        return response;
      }) as unknown as S3Client['send'],
    };
    expect(await start({ s3: lossy }).sign(bytes, confirmation)).toEqual(refusal('SIGNING_UNAVAILABLE'));
    expect(resultOf(await start().sign(bytes, confirmation))).toMatchObject({ isRepeated: true });
    expect(await keysOf()).toHaveLength(1);
  });

  it('in time where AWS does not answer', async () => {
    const silent = {
      send: ((_command: unknown, { abortSignal }: { abortSignal: AbortSignal }) =>
        new Promise((_resolve, reject) => {
          abortSignal.addEventListener('abort', () => reject(abortSignal.reason as Error));
        })) as unknown as S3Client['send'],
    };
    const event = { action: 'describe', configuration: configuration().toString('base64') };
    await expectInTime(1_500, async () => {
      expect(await start({ s3: silent }).call(event, 2_300)).toEqual(refusal('SIGNING_UNAVAILABLE'));
    });
  });

  it('without a word of the configuration in its log', async () => {
    const { call, confirmAndSign, lines } = start();
    await confirmAndSign(configuration({ rules: [permit({ id: 'very-private-rule' })] }));
    await call({ action: 'describe', configuration: Buffer.from('{"very":"private"}').toString('base64') });
    await call({ action: 'very-private' });
    expect(lines).toHaveLength(4);
    expect(lines.join('\n')).not.toMatch(/very|private/);
    expect(lines.at(-1)).toContain('SIGNING_REQUEST_MALFORMED');
  });
});

const stackOf = () => ({
  namespace: 'acme',
  environment: 'production',
  node: 1,
  keyArn,
  signingKeyArn,
  bucket: BUCKET,
});
