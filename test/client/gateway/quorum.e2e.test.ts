import { createPublicKey, verify } from 'node:crypto';
import { join } from 'node:path';
import {
  CreateKeyCommand,
  DescribeKeyCommand,
  GetPublicKeyCommand,
  KMSClient,
  ListKeysCommand,
  SignCommand,
} from '@aws-sdk/client-kms';
import { RemoteSigner } from '@taquito/remote-signer';
import { verifySignature } from '@taquito/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectQuorum } from '../../../client/index.ts';
import {
  GatewayNodes,
  type GatewayServer,
  silentGatewayLog,
  startGatewayServer,
} from '../../../client/gateway/index.ts';
import { createKmsDoor } from '../../../client/gateway/kms/door.ts';
import { createTezosProtocol, listServedKeys } from '../../../client/gateway/tezos/index.ts';
import { waitForAllPeers } from '../../../local/demo/quorum-stage.ts';
import { copyProgram, type Program } from '../../../local/nitro-host/index.ts';
import { loadApprovers } from '../../../local/testbed/decision-configuration.ts';
import { type Identity, loadIdentity } from '../../../local/testbed/identity.ts';
import { type ConfigurationBody2, openTestbed, type Testbed } from '../../../local/testbed/index.ts';
import { localConfiguration } from '../../../local/testbed/local-configuration.ts';
import { addPools } from '../../../local/testbed/pool-configuration.ts';
import { CLIENT } from '../../../local/testbed/scenario.ts';
import {
  type QuorumMember,
  type StartMemberOptions,
  TestQuorum,
} from '../../../local/testbed/test-quorum.ts';
import { permitTransfers, TEZOS } from '../../e2e/support/decision-node.ts';
import { forge, OTHER, transaction } from '../../policy/transactions/tezos/samples.ts';
import { freePort } from '../../support/free-ports.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const KEY = 'treasury';
/** Client whom the third node does not know the messages of. */
const DOUBTED = 'doubted';
/** Mutez that the third node permits in one transfer; the others permit any. */
const MOST = 1_000_000;
const REGION = 'eu-central-1';
const message = Buffer.from('a statement of the treasury');

let program: Program;
let testbed: Testbed;
let quorum: TestQuorum;
let nodes: GatewayNodes;
let doubted: Identity;
const servers: GatewayServer[] = [];
const clients: KMSClient[] = [];
let kmsUrl = '';
let tezosUrl = '';
let ingressPort = 0;
let account = { hash: '', publicKey: '' };

/** Configuration of one node: the third has narrower rules than the others. */
function configure(base: ConfigurationBody2, node: number): ConfigurationBody2 {
  const body = addPools(base, [{ id: CLIENT, publicKey: '', pool: 'wallets' }]);
  const isNarrow = node === 3;
  const asset = `${TEZOS}/slip44:1729`;
  return {
    ...body,
    clients: [...body.clients, { id: DOUBTED, publicKey: doubted.publicKey, person: null }],
    keys: body.keys.map((key) => (key.id === KEY ? { ...key, networks: [TEZOS] } : key)),
    rules: [
      ...body.rules.map((rule) =>
        rule.id === 'treasury-messages' && !isNarrow ? { ...rule, clients: [CLIENT, DOUBTED] } : rule,
      ),
      permitTransfers('treasury-tez', KEY, 'tezos-operation', {
        algorithms: ['frost-ed25519'],
        effects: [
          {
            type: 'transfer',
            to: null,
            assets: [asset],
            contracts: null,
            amount: isNarrow ? { min: null, max: String(MOST) } : null,
          },
        ],
      }),
    ],
  };
}

const accessKeyOf = (id: string) => `HFAKTEST${id.length.toString().padStart(12, '0')}`;
const atPort = (port: number): StartMemberOptions => ({
  parent: (honest) => ({ ...honest, ingress: { port } }),
});
const urlOf = (node: number) => quorum.running.get(node)?.url ?? '';
const trustOf = ({ testNode }: QuorumMember, pcrs: ReadonlyMap<number, Uint8Array>) => ({
  root: testbed.host.rootCertificate,
  pcrs,
  manifest: testNode.manifestBytes,
});

beforeAll(async () => {
  program = await copyProgram();
  testbed = await openTestbed({ stateDirectory: temporaryFolder() });
  quorum = await TestQuorum.open(testbed, { size: 3, threshold: 2, program: program.folder });
  const pcrs = await testbed.host.measure(program.folder);
  const approvers = await loadApprovers(join(testbed.stateDirectory, 'approvers'));
  doubted = await loadIdentity(join(testbed.stateDirectory, 'keys', 'doubted.pem'), 'ed25519');
  for (const { node, testNode } of quorum.members) {
    await testNode.allow(pcrs, { initialise: true });
    const others = quorum.members
      .filter((each) => each.node !== node)
      .map((each) => ({ node: each.node, manifestBytes: each.testNode.manifestBytes }));
    const body = localConfiguration({ member: testNode, others, pcrs, clientId: CLIENT, approvers });
    await testNode.configure(configure(body, node));
  }
  // Its clients find the first node at the same place when it is started again.
  ingressPort = await freePort();
  await quorum.startAll((node) => (node === 1 ? atPort(ingressPort) : {}));
  const { privateKey } = quorum.member(1).testNode.client;
  const reach = quorum.members.map((member) => ({
    url: urlOf(member.node),
    trust: trustOf(member, pcrs),
    clientId: CLIENT,
    privateKey,
    timeoutMs: 30_000,
  }));
  const client = await connectQuorum({ nodes: reach });
  await waitForAllPeers(reach);
  await client.waitFor((await client.generate(KEY)).ceremony);
  const [served] = listServedKeys(await client.keys(), new Set([KEY]));
  account = { hash: served?.hash ?? '', publicKey: served?.publicKey ?? '' };
  client.close();

  nodes = new GatewayNodes({
    nodes: reach.map(({ url, trust }) => ({ url, trust })),
    clients: [
      { id: CLIENT, privateKey },
      { id: DOUBTED, privateKey: doubted.privateKey },
    ],
    log: silentGatewayLog,
    timeoutMs: 30_000,
    readyMs: 60_000,
  });
  const kms = createKmsDoor({
    nodes,
    credentials: [CLIENT, DOUBTED].map((id) => ({
      accessKeyId: accessKeyOf(id),
      secretAccessKey: `secret-of-${id}`,
      client: id,
      pool: id === CLIENT ? 'wallets' : undefined,
    })),
    scope: { region: REGION, accountId: '111122223333' },
    waitMs: 200,
  });
  const tezos = createTezosProtocol({
    nodes: nodes.client(CLIENT),
    section: { client: CLIENT, proofOfPossession: false },
  });
  for (const protocol of [kms, tezos]) {
    servers.push(
      await startGatewayServer({
        listen: { port: 0 },
        protocol,
        probes: { readiness: () => nodes.readiness },
        log: silentGatewayLog,
        drainMs: 0,
      }),
    );
  }
  [kmsUrl = '', tezosUrl = ''] = servers.map(({ address }) => address.url);
});

afterAll(async () => {
  for (const client of clients) client.destroy();
  for (const server of servers) await server.close();
  nodes?.close();
  await quorum.close();
  await testbed.close();
  await program.remove();
});

function kmsOf(id: string): KMSClient {
  const client = new KMSClient({
    endpoint: kmsUrl,
    region: REGION,
    credentials: { accessKeyId: accessKeyOf(id), secretAccessKey: `secret-of-${id}` },
  });
  clients.push(client);
  return client;
}

const signByKms = (kms: KMSClient) =>
  kms.send(
    new SignCommand({
      KeyId: `alias/${KEY}`,
      Message: message,
      MessageType: 'RAW',
      SigningAlgorithm: 'ED25519_SHA_512',
    }),
  );

/** Has the group sign a statement and a transfer, and verifies both. */
async function signByBoth(): Promise<void> {
  const kms = kmsOf(CLIENT);
  const { Signature = Buffer.of() } = await signByKms(kms);
  const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId: `alias/${KEY}` }));
  const key = createPublicKey({ key: Buffer.from(PublicKey ?? []), format: 'der', type: 'spki' });
  expect(verify(null, message, key, Signature)).toBe(true);
  const { hex, prefixSig } = await signTransfer(MOST);
  expect(verifySignature(`03${hex}`, account.publicKey, prefixSig)).toBe(true);
}

async function signTransfer(amount: number) {
  const hex = await forge(transaction({ source: account.hash, destination: OTHER, amount: String(amount) }));
  const { prefixSig } = await new RemoteSigner(account.hash, tezosUrl).sign(hex, Uint8Array.of(3));
  return { hex, prefixSig };
}

/** Says how a request was refused, and how often the SDK has sent it. */
const refusalOf = async (promise: Promise<unknown>) =>
  await promise.then(
    () => ({ name: 'SIGNED', code: '', attempts: 0 }),
    (error: Error & { $metadata?: { attempts?: number } }) => ({
      name: error.name,
      code: /^[A-Z_]+/.exec(error.message)?.[0],
      attempts: error.$metadata?.attempts,
    }),
  );

describe('doors in front of a quorum', () => {
  it('sign by keys that no node holds whole: Ed25519 for KMS, tz1 for Tezos', async () => {
    expect(account.hash).toMatch(/^tz1/);
    const { KeyMetadata } = await kmsOf(CLIENT).send(new DescribeKeyCommand({ KeyId: `alias/${KEY}` }));
    expect(KeyMetadata).toMatchObject({ KeySpec: 'ECC_NIST_EDWARDS25519', KeyUsage: 'SIGN_VERIFY' });
    await signByBoth();
  });

  it('go on while one node is stopped, and say no where the two that are left disagree', async () => {
    const kms = kmsOf(CLIENT);
    const { KeyMetadata: made } = await kms.send(
      new CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }),
    );
    const own = {
      KeyId: made?.KeyId,
      Message: message,
      SigningAlgorithm: 'ECDSA_SHA_256',
    } as const;
    await kms.send(new SignCommand(own));
    await quorum.stop(1);
    await signByBoth();

    expect(await refusalOf(signByKms(kmsOf(DOUBTED)))).toEqual({
      name: 'AccessDeniedException',
      code: 'QUORUM_DENIED',
      attempts: 1,
    });
    await expect(signTransfer(MOST + 1)).rejects.toMatchObject({ name: 'OperationNotAuthorized' });
    const hex = await forge(
      transaction({ source: account.hash, destination: OTHER, amount: String(MOST + 1) }),
    );
    const response = await fetch(`${tezosUrl}/keys/${account.hash}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(`03${hex}`),
    });
    expect(response.status).toBe(403);
    const text = await response.text();
    expect(text).toContain('QUORUM_DENIED');
    expect(text).not.toMatch(/edsig|signature/);

    // A key of a pool is one node's: nobody says that there is none.
    const lost = await refusalOf(kms.send(new SignCommand({ ...own, Message: Buffer.from('other') })));
    expect(lost.name).toBe('KeyUnavailableException');
    const fresh = kmsOf(CLIENT);
    expect((await refusalOf(fresh.send(new ListKeysCommand({})))).name).toBe('KeyUnavailableException');
    const create = new CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
    expect((await refusalOf(fresh.send(create))).name).toBe('KeyUnavailableException');

    await quorum.start(1, atPort(ingressPort));
    const { Signature = Buffer.of() } = await kms.send(new SignCommand(own));
    const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId: made?.KeyId }));
    const key = createPublicKey({ key: Buffer.from(PublicKey ?? []), format: 'der', type: 'spki' });
    expect(verify('sha256', message, key, Signature)).toBe(true);
    const { Keys } = await kms.send(new ListKeysCommand({}));
    expect(Keys?.filter(({ KeyId }) => KeyId === made?.KeyId)).toHaveLength(1);
  });
});
