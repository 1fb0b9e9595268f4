import { createPublicKey } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateKeyCommand, ListKeysCommand, SignCommand } from '@aws-sdk/client-kms';
import { KMSSigner } from '@rumblefishdev/eth-signer-kms';
import { JsonRpcProvider, Transaction, verifyMessage, verifyTypedData } from 'ethers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findClient, KmsClients, SEEN } from '../../../local/kms/clients.ts';
import { expectDigestSigned, type SignatorySeen } from '../../../local/kms/signatory.ts';
import { KmsStage } from './stage.ts';

const python = findClient('python');
const go = findClient('go');
const java = findClient('java');
const cosign = findClient('cosign');

/** What each client has to see of a door, which has neither pairs of data keys nor grants. */
const SEEN_OF_DOOR = { ...SEEN, pair: 'UnknownOperationException', grants: 'UnknownOperationException' };

let stage: KmsStage;
const clientsOf = (client: string) => new KmsClients(stage.access(client));

beforeAll(async () => {
  stage = await KmsStage.open([
    { id: 'boto3' },
    { id: 'cli' },
    { id: 'go' },
    { id: 'java' },
    { id: 'cosign' },
    { id: 'wallet', change: { pool: { types: ['secp256k1'] } } },
    { id: 'baker', change: { pool: { types: ['p256', 'secp256k1'] } } },
  ]);
});

afterAll(async () => {
  await stage.close();
});

describe('a door of KMS in front of a node', () => {
  it.skipIf(python === undefined)('serves boto3', async () => {
    const seen = await clientsOf('boto3').python(python ?? '');
    expect(seen).toEqual({ ...SEEN_OF_DOOR, aliases: ['alias/boto3'] });
  });

  it.skipIf(go === undefined)('serves AWS’s SDK for Go', async () => {
    expect(await clientsOf('go').go(go ?? '')).toEqual({ ...SEEN_OF_DOOR, aliases: ['alias/go'] });
  });

  it.skipIf(java === undefined)('serves AWS’s SDK for Java', async () => {
    expect(await clientsOf('java').java(java ?? '')).toEqual({ ...SEEN_OF_DOOR, aliases: ['alias/java'] });
  });

  it.skipIf(cosign === undefined)('serves cosign', async () => {
    const seen = await clientsOf('cosign').cosign(cosign ?? '');
    expect(seen).toMatchObject({ sameKey: true, verified: true, verifiedByReference: true, forged: false });
    expect(createPublicKey(seen.pem).asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' });
  });

  it.skipIf(python === undefined)('serves the AWS CLI', async () => {
    const clients = clientsOf('cli');
    const aws = (...args: string[]) => clients.cli(python ?? '', ...args);
    const made = (await aws('create-key', '--tags', 'TagKey=CreatedBy,TagValue=cli')) as {
      KeyMetadata: { KeyId: string };
    };
    const key = ['--key-id', made.KeyMetadata.KeyId];
    const secret = join(clients.folder, 'secret');
    writeFileSync(secret, 'a message');
    const sealed = (await aws('encrypt', ...key, '--plaintext', `fileb://${secret}`)) as {
      CiphertextBlob: string;
    };
    const blob = join(clients.folder, 'blob');
    writeFileSync(blob, Buffer.from(sealed.CiphertextBlob, 'base64'));
    // Without the key's id, which the ciphertext names.
    const opened = (await aws('decrypt', '--ciphertext-blob', `fileb://${blob}`)) as { Plaintext: string };
    expect(Buffer.from(opened.Plaintext, 'base64').toString()).toBe('a message');
    const refused = await aws('put-key-policy', ...key, '--policy', '{}').catch(
      (error: { stderr?: string }) => error.stderr,
    );
    expect(refused).toContain('(UnknownOperationException)');
  });

  it('serves a wallet of Ethereum, whose transactions, messages and typed data it signs', async () => {
    const kms = stage.client('wallet');
    const { KeyMetadata } = await kms.send(
      new CreateKeyCommand({ KeySpec: 'ECC_SECG_P256K1', KeyUsage: 'SIGN_VERIFY' }),
    );
    const provider = new JsonRpcProvider('http://127.0.0.1:9', 1, { staticNetwork: true });
    // The types of ethers as CommonJS, which the signer takes, are others than those of its ES modules.
    const taken = provider as unknown as Parameters<typeof KMSSigner.create>[0];
    const signer = await KMSSigner.create(taken, KeyMetadata?.KeyId ?? '', kms);
    const to = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed';
    const fields = { to, value: 1n, nonce: 0, gasLimit: 21_000n, chainId: 1n, type: 2 };
    const fees = { maxFeePerGas: 10n, maxPriorityFeePerGas: 1n };
    expect(Transaction.from(await signer.signTransaction({ ...fields, ...fees })).from).toBe(signer.address);
    expect(verifyMessage('a message', await signer.signMessage('a message'))).toBe(signer.address);
    const types = { Mail: [{ name: 'text', type: 'string' }] };
    const typed = [{ name: 'Post', chainId: 1 }, types, { text: 'a letter' }] as const;
    expect(verifyTypedData(...typed, await signer.signTypedData(...typed))).toBe(signer.address);
  });

  it.skipIf(go === undefined)(
    'shows Signatory the keys of its own credential in one page, and signs digests',
    async () => {
      const kms = stage.client('baker');
      for (const KeySpec of ['ECC_NIST_P256', 'ECC_SECG_P256K1', 'ECC_NIST_P256'] as const) {
        await kms.send(new CreateKeyCommand({ KeySpec, KeyUsage: 'SIGN_VERIFY' }));
      }
      const seen = (await clientsOf('baker').go(go ?? '', 'signatory')) as SignatorySeen;
      expect(seen).toMatchObject({ listed: 3, truncated: false, skipped: [] });
      expect(seen.fatal).toBeUndefined();
      expect(seen.keys.map(({ kind }) => kind).sort()).toEqual(['tz2', 'tz3', 'tz3']);
      seen.keys.forEach(expectDigestSigned);
    },
  );

  it('makes no key of a kind that would end Signatory’s start', async () => {
    const kms = stage.client('baker');
    const make = (KeySpec: 'RSA_2048' | 'ECC_NIST_EDWARDS25519' | 'ML_DSA_44') =>
      kms.send(new CreateKeyCommand({ KeySpec, KeyUsage: 'SIGN_VERIFY' }));
    await expect(make('RSA_2048')).rejects.toMatchObject({ name: 'AccessDeniedException' });
    await expect(make('ECC_NIST_EDWARDS25519')).rejects.toMatchObject({ name: 'AccessDeniedException' });
    await expect(make('ML_DSA_44')).rejects.toMatchObject({ name: 'UnsupportedOperationException' });
  });

  it('shows and uses no key of another credential', async () => {
    const wallet = await stage
      .client('wallet')
      .send(new CreateKeyCommand({ KeySpec: 'ECC_SECG_P256K1', KeyUsage: 'SIGN_VERIFY' }));
    const KeyId = wallet.KeyMetadata?.KeyId;
    const baker = stage.client('baker');
    const { Keys = [] } = await baker.send(new ListKeysCommand({}));
    expect(Keys.map((key) => key.KeyId)).not.toContain(KeyId);
    const Message = new Uint8Array(32);
    const foreign = { KeyId, Message, MessageType: 'DIGEST', SigningAlgorithm: 'ECDSA_SHA_256' } as const;
    await expect(baker.send(new SignCommand(foreign))).rejects.toMatchObject({ name: 'NotFoundException' });
  });
});
