import 'reflect-metadata';
import { sampleBzImage, samplePacked } from '../attestation/eif/boot-samples.ts';
import { webcrypto } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import {
  CreateAliasCommand,
  CreateKeyCommand,
  type CreateKeyCommandInput,
  GetPublicKeyCommand,
} from '@aws-sdk/client-kms';
import { X509CertificateGenerator } from '@peculiar/x509';
import { describe, expect, it } from 'vitest';
import { createTestSigner, MAY_SIGN, validNow } from '../attestation/eif/signed-image.ts';
import { startAccount, type AwsAccount } from './aws-account.ts';
import { runHoldfast } from './in-process.ts';
import { exportPem, makeFolder } from './node-files.ts';

const DAY_MS = 86_400_000;
const CA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** The certificate of a key that never leaves KMS: somebody else's key signs it, and nobody looks at whose. */
async function certify(spki: Uint8Array | undefined, dates = validNow()): Promise<string> {
  const issuer = await webcrypto.subtle.generateKey(CA, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.create({
    subject: 'CN=image signer in KMS',
    issuer: 'CN=anybody',
    serialNumber: '02',
    ...dates,
    publicKey: new Uint8Array(spki ?? []),
    signingKey: issuer.privateKey,
    signingAlgorithm: CA,
    extensions: [MAY_SIGN],
  });
  return `${certificate.toString('pem')}\n`;
}

async function setUp() {
  const folder = makeFolder();
  const account = await startAccount(folder);
  folder.write('kernel', sampleBzImage());
  for (const name of ['bootstrap', 'application']) folder.write(name, samplePacked(name));
  const build = (output: string, ...options: string[]) =>
    runHoldfast([
      'eif',
      'build',
      '--cmdline=quiet',
      `--kernel=${folder.at('kernel')}`,
      `--ramdisk=${folder.at('bootstrap')}`,
      `--ramdisk=${folder.at('application')}`,
      `--output=${folder.at(`${output}.eif`)}`,
      `--pcrs-out=${folder.at(`${output}.json`)}`,
      ...options,
      ...account.args,
    ]);
  const verify = (image: string, pcrs = image) =>
    runHoldfast(['eif', 'verify', folder.at(`${image}.eif`), '--pcrs', folder.at(`${pcrs}.json`), '--json']);
  return { folder, account, build, verify };
}

async function createKey({ kms }: AwsAccount, input: CreateKeyCommandInput = {}) {
  const { KeyMetadata } = await kms.send(
    new CreateKeyCommand({ KeySpec: 'ECC_NIST_P384', KeyUsage: 'SIGN_VERIFY', ...input }),
  );
  const key = KeyMetadata?.Arn ?? '';
  const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId: key }));
  return { key, id: KeyMetadata?.KeyId ?? '', certificate: await certify(PublicKey), spki: PublicKey };
}

describe('an image signed by a key in KMS', () => {
  it('verifies, and its PCR8 is that of the certificate', async () => {
    const { folder, account, build, verify } = await setUp();
    const { key, certificate } = await createKey(account);
    const pem = folder.write('certificate.pem', certificate);
    expect(await build('signed', '--private-key', key, '--signing-certificate', pem)).toMatchObject({
      exit: 0,
    });
    const verified = await verify('signed');
    expect(verified.exit).toBe(0);
    expect(JSON.parse(verified.out)).toMatchObject({
      matched: [0, 1, 2, 8],
      signature: { algorithm: 'ES384', subject: 'CN=image signer in KMS' },
    });
    expect(account.events.map(({ operation }) => operation).slice(-2)).toEqual(['GetPublicKey', 'Sign']);
  });

  it('differs in the signature alone when it is signed again', async () => {
    const { folder, account, build, verify } = await setUp();
    const { key, certificate } = await createKey(account);
    const options = [
      '--private-key',
      key,
      '--signing-certificate',
      folder.write('certificate.pem', certificate),
    ];
    await build('first', ...options);
    await build('second', ...options);
    expect(readFileSync(folder.at('first.eif')).equals(readFileSync(folder.at('second.eif')))).toBe(false);
    expect((await verify('first', 'second')).exit).toBe(0);
  });

  it.each(['ECC_NIST_P256', 'ECC_NIST_P521'] as const)('may have a key on %s', async (KeySpec) => {
    const { folder, account, build, verify } = await setUp();
    const { key, certificate } = await createKey(account, { KeySpec });
    await build('signed', '--private-key', key, '--signing-certificate', folder.write('c.pem', certificate));
    expect((await verify('signed')).exit).toBe(0);
  });

  it('may name the key by id or alias and region', async () => {
    const { folder, account, build } = await setUp();
    const { id, certificate } = await createKey(account);
    await account.kms.send(new CreateAliasCommand({ AliasName: 'alias/images', TargetKeyId: id }));
    const pem = folder.write('certificate.pem', certificate);
    for (const name of [id, 'alias/images']) {
      const options = ['--private-key', name, '--kms-region', 'eu-central-1', '--signing-certificate', pem];
      expect(await build('signed', ...options)).toMatchObject({ exit: 0 });
    }
  });
});

describe('nothing is written, and nothing signed,', () => {
  it('with the certificate of another key', async () => {
    const { folder, account, build } = await setUp();
    const [{ key }, other] = [await createKey(account), await createKey(account)];
    const pem = folder.write('other.pem', other.certificate);
    const { exit, err } = await build('refused', '--private-key', key, '--signing-certificate', pem);
    expect(exit).toBe(1);
    expect(err).toContain('EIF_SIGNING_KEY_OTHER');
    expect(account.events.some(({ operation }) => operation === 'Sign')).toBe(false);
    expect(readdirSync(folder.path).filter((name) => name.startsWith('refused'))).toEqual([]);
  });

  it('with a certificate that has ended, or not begun, whether the key is in KMS or a file', async () => {
    const { folder, account, build } = await setUp();
    const { key, spki } = await createKey(account);
    const dates = [-2, 1].map((days) => ({
      notBefore: new Date(Date.now() + days * DAY_MS),
      notAfter: new Date(Date.now() + (days + 1) * DAY_MS),
    }));
    for (const range of dates) {
      const inKms = folder.write('kms.pem', await certify(spki, range));
      const local = await createTestSigner('P-384', [MAY_SIGN], range);
      const inFile = folder.write('file.pem', local.certificate);
      const keyFile = folder.write('key.pem', exportPem(local.key), 0o600);
      for (const [name, pem] of [
        [key, inKms],
        [keyFile, inFile],
      ] as const) {
        const { exit, err } = await build('refused', '--private-key', name, '--signing-certificate', pem);
        expect(exit).toBe(1);
        expect(err).toContain('EIF_CERTIFICATE_TIME');
      }
    }
    expect(account.events.some(({ operation }) => operation === 'Sign')).toBe(false);
  });

  it('with a key that is for encryption, or that is not there', async () => {
    const { folder, account, build } = await setUp();
    const { certificate, key } = await createKey(account);
    const pem = folder.write('certificate.pem', certificate);
    for (const name of [await account.createKey(), `${key}0`]) {
      const { exit, err } = await build('refused', '--private-key', name, '--signing-certificate', pem);
      expect(exit).toBe(1);
      expect(err).toContain('AWS_REFUSED');
    }
  });

  it('where the name of the key does not fit the region, or is of something else', async () => {
    const { folder, account, build } = await setUp();
    const { certificate, key } = await createKey(account);
    const pem = folder.write('certificate.pem', certificate);
    for (const options of [
      ['--private-key', key, '--kms-region', 'us-east-1'],
      ['--private-key', 'arn:aws:iam::111122223333:role/admin'],
    ]) {
      expect(await build('refused', ...options, '--signing-certificate', pem)).toMatchObject({ exit: 2 });
    }
  });
});
