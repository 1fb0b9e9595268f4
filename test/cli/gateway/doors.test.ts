import { createPublicKey, verify } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DescribeKeyCommand, GetPublicKeyCommand, KMSClient, SignCommand } from '@aws-sdk/client-kms';
import { RemoteSigner } from '@taquito/remote-signer';
import { verifySignature } from '@taquito/utils';
import { createWalletClient, http, recoverTransactionAddress, type TransactionSerialized } from 'viem';
import { mainnet } from 'viem/chains';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLIENT } from '../../../local/testbed/scenario.ts';
import { writeVerificationFiles } from '../../../local/testbed/verification-files.ts';
import { DecisionNode, ETHEREUM, permitTransfers, TEZOS } from '../../e2e/support/decision-node.ts';
import { forge, OTHER, transaction } from '../../policy/transactions/tezos/samples.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { refusalIn, runHoldfast } from '../in-process.ts';
import { DoorProcess } from './door-process.ts';
import { writeGatewayFiles } from './gateway-files.ts';

const DOORS = ['kms', 'tezos', 'ethereum'] as const;
const SECRET = 'of-the-door-alone';
/** Test case of EIP-55; in no log but of what is signed. */
const PAYEE = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed';
/** Appears in nothing but what is signed. */
const WORD = 'a payload that nobody else has';
const CONSENSUS = `137a06a770${'2d'.repeat(32)}29004c4b4000000000${'cc'.repeat(32)}`;
const blind = { type: 'blind', to: null, assets: null, contracts: null, amount: null } as const;

let place: DecisionNode;
let folder: string;
const running: DoorProcess[] = [];

beforeAll(async () => {
  place = await DecisionNode.open(
    [
      { id: 'ether', type: 'secp256k1', networks: [ETHEREUM] },
      { id: 'payouts', type: 'ed25519', networks: [TEZOS] },
      { id: 'baker', type: 'bls12-381', networks: [TEZOS] },
      { id: 'documents', type: 'p384', networks: [] },
    ],
    [
      permitTransfers('pay-ether', 'ether', 'ethereum-transaction'),
      permitTransfers('pay-tez', 'payouts', 'tezos-operation', { algorithms: ['ed25519'] }),
      permitTransfers('attest', 'baker', 'tezos-consensus', {
        algorithms: ['bls12-381-pop'],
        effects: [{ ...blind, type: 'consensus', selectors: ['attestation'] }],
      }),
      permitTransfers('documents', 'documents', 'message', {
        algorithms: ['ecdsa-p384-sha384'],
        effects: [blind],
      }),
    ],
  );
  await place.start();
  folder = temporaryFolder();
});
afterAll(async () => {
  for (const door of running) await door.end('SIGKILL');
  await place.close();
});

/** Writes gateway.yaml with a section for each door, in front of the node that runs. */
async function writeConfiguration(payloads: boolean): Promise<void> {
  const { testbed, testNode, pcrs } = place.scenario;
  const files = await writeVerificationFiles(join(folder, 'client'), testbed, testNode, pcrs);
  const write = (name: string, content: object | string) =>
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content), {
      mode: 0o600,
    });
  write('holdfast.yaml', { url: place.url, ...files });
  write('secret', SECRET);
  write('gateway.yaml', {
    nodes: ['holdfast.yaml'],
    clients: [{ id: CLIENT, key: { file: testNode.client.path } }],
    log: { payloads },
    kms: {
      listen: { port: 0 },
      region: 'eu-central-1',
      account: '111122223333',
      credentials: [
        { accessKeyId: 'HFAKTEST000000000001', secretAccessKey: { file: 'secret' }, client: CLIENT },
      ],
    },
    tezos: { listen: { port: 0 }, client: CLIENT },
    ethereum: { listen: { port: 0 }, client: CLIENT, chainId: 1 },
  });
}

interface Listed {
  readonly keys: readonly {
    readonly id: string;
    readonly hash: string;
    readonly type: string;
    readonly publicKey: string;
  }[];
}

async function listTezos(): Promise<Listed['keys']> {
  const args = ['gateway', 'tezos', 'list', '--config', join(folder, 'gateway.yaml')];
  const { exit, out } = await runHoldfast([...args, '--json']);
  expect(exit).toBe(0);
  const { keys } = JSON.parse(out) as Listed;
  const text = await runHoldfast(args);
  for (const { hash, publicKey } of keys)
    expect(text.out).toMatch(new RegExp(`^Public Key Hash: +${hash}\nPublic Key: +${publicKey}\n`, 'm'));
  return keys;
}

/** Starts the doors, signs by each of them, and ends them; returns the public keys and what was written. */
async function walk(payloads: boolean) {
  await writeConfiguration(payloads);
  const keys = await listTezos();
  const found = (id: string) => keys.find((key) => key.id === id) ?? { hash: '', publicKey: '' };
  const home = temporaryFolder();
  const started = DOORS.map((door) => new DoorProcess(door, folder, home));
  running.push(...started);
  const urls: string[] = [];
  for (const door of started) {
    urls.push(String((await door.event('door.listens'))['url']));
    await door.event('door.ready');
  }
  const [kmsUrl = '', tezosUrl = '', ethereumUrl = ''] = urls;
  for (const url of urls)
    expect((await runHoldfast(['gateway', 'status', '--url', url])).out).toMatch(/^ready\n/);

  const kms = new KMSClient({
    endpoint: kmsUrl,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'HFAKTEST000000000001', secretAccessKey: SECRET },
  });
  const asked = { KeyId: 'alias/documents' };
  const { KeyMetadata } = await kms.send(new DescribeKeyCommand(asked));
  expect(KeyMetadata).toMatchObject({ KeySpec: 'ECC_NIST_P384', SigningAlgorithms: ['ECDSA_SHA_384'] });
  const spki = Buffer.from((await kms.send(new GetPublicKeyCommand(asked))).PublicKey ?? []);
  const { Signature = Buffer.of() } = await kms.send(
    new SignCommand({ ...asked, Message: Buffer.from(WORD), SigningAlgorithm: 'ECDSA_SHA_384' }),
  );
  kms.destroy();
  const documents = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  expect(verify('sha384', Buffer.from(WORD), documents, Signature)).toBe(true);

  const payouts = found('payouts');
  const signer = new RemoteSigner(payouts.hash, tezosUrl);
  const operation = await forge(transaction({ source: payouts.hash, destination: OTHER }));
  const signed = await signer.sign(operation, Uint8Array.of(3));
  expect(verifySignature(`03${operation}`, payouts.publicKey, signed.prefixSig)).toBe(true);
  const baker = found('baker');
  const response = await fetch(`${tezosUrl}/keys/${baker.hash}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(CONSENSUS),
  });
  const { signature } = (await response.json()) as { signature: string };
  expect(verifySignature(CONSENSUS, baker.publicKey, signature)).toBe(true);

  const transport = http(ethereumUrl, { retryCount: 0 });
  const [account = '0x'] = await createWalletClient({ chain: mainnet, transport }).getAddresses();
  const wallet = createWalletClient({ account, chain: mainnet, transport });
  const serialized = (await wallet.signTransaction({
    to: PAYEE,
    value: 5n,
    nonce: 3,
    gas: 21_000n,
    maxFeePerGas: 9n,
    maxPriorityFeePerGas: 1n,
    type: 'eip1559',
  })) as TransactionSerialized;
  expect(await recoverTransactionAddress({ serializedTransaction: serialized })).toBe(account);
  await expect(
    wallet.signTransaction({ data: '0x60016001', nonce: 3, gas: 90_000n, gasPrice: 1n, type: 'legacy' }),
  ).rejects.toThrow(/POLICY_DENIED/);

  for (const door of started) {
    expect(door.writable).toEqual([]);
    expect(await door.end()).toBe(0);
    expect(door.text).not.toContain(SECRET);
  }
  expect(readdirSync(home)).toEqual([]);
  return {
    publicKeys: { documents: spki.toString('hex'), payouts, baker, ether: account },
    written: started.map(({ text }) => text),
    payloads: [Buffer.from(WORD).toString('hex'), operation, PAYEE.slice(2).toLowerCase()],
  };
}

describe('holdfast gateway kms, tezos and ethereum with one configuration', () => {
  let first: Awaited<ReturnType<typeof walk>>;

  it('sign for clients that know nothing of them, and leave no request behind', async () => {
    first = await walk(false);
    expect(first.publicKeys.payouts.hash).toMatch(/^tz1/);
    expect(first.publicKeys.baker.hash).toMatch(/^tz4/);
    for (const [index, payload] of first.payloads.entries()) {
      expect(first.written[index]).toContain('"code":"OK"');
      expect(first.written[index]).not.toContain(payload);
      expect(first.written[index]).not.toContain('"payload"');
    }
  });

  it('sign with the same keys after the node has restarted, and write payloads where they are told to', async () => {
    await place.stop();
    await place.start();
    const second = await walk(true);
    expect(second.publicKeys).toEqual(first.publicKeys);
    for (const [index, payload] of second.payloads.entries())
      expect(second.written[index]).toContain(payload);
    const refused = second.written[2]?.split('\n').find((line) => line.includes('POLICY_DENIED'));
    expect(refused).toContain('"payload":"');
  });
});

describe('holdfast gateway tezos and ethereum', () => {
  const url = 'https://127.0.0.1:1';
  const listen = { port: 0 };

  it.each([
    ['no section of its own', undefined, 2, 'USAGE'],
    ['a client whose key it does not hold', { listen, client: 'other' }, 2, 'USAGE'],
    ['an unknown field', { listen, client: 'backend', watermark: false }, 1, 'GATEWAY_CONFIG_MALFORMED'],
    [
      'an address beyond this host',
      { listen: { host: '0.0.0.0', port: 0 }, client: 'backend' },
      1,
      'GATEWAY_LISTEN_EXPOSED',
    ],
  ])('refuse to start with %s', async (_, section, exit, code) => {
    for (const door of ['tezos', 'ethereum']) {
      const files = writeGatewayFiles(url, { kms: null, ...(section && { [door]: section }) });
      const finished = await runHoldfast(['gateway', door, '--config', `${files}/gateway.yaml`, '--json']);
      expect({ door, ...refusalIn(finished) }).toMatchObject({ door, exit, code });
    }
  });

  it('list no keys of a node that nobody has verified', async () => {
    const files = writeGatewayFiles(url, { kms: null, tezos: { listen, client: 'backend' } });
    const args = ['gateway', 'tezos', 'list', '--config', `${files}/gateway.yaml`, '--json'];
    expect(refusalIn(await runHoldfast(args))).toMatchObject({ exit: 1, code: 'NODES_UNREACHABLE' });
  });
});
