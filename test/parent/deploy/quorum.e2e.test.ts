import { CreateBucketCommand, PutBucketPolicyCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  GetCommandInvocationCommand,
  SendCommandCommand,
  SSMClient,
  waitUntilCommandExecuted,
} from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectQuorum, type QuorumClient } from '../../../client/index.ts';
import { ADMINISTRATOR_POLICY } from '../../../local/aws/index.ts';
import { loadApprovers } from '../../../local/testbed/decision-configuration.ts';
import { composeDeployment } from '../../../local/testbed/host/index.ts';
import { localConfiguration } from '../../../local/testbed/local-configuration.ts';
import { CLIENT } from '../../../local/testbed/scenario.ts';
import type { StandInHost } from '../../../local/testbed/stand-in-host.ts';
import type { TestNode } from '../../../local/testbed/test-node.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { type Deployed, Hosts, INSTALLED, refusalOf } from './host-support.ts';

const NODES = [1, 2, 3] as const;
const INFRASTRUCTURE = '444455556666';
const BUCKET = 'acme-production-artifacts';
const REGION = 'eu-central-1';
const KEY = 'treasury';
const SIGN = { key: KEY, algorithm: 'frost-ed25519', payload: { kind: 'message', message: '00' } } as const;

let hosts: Hosts;
let testNodes: readonly TestNode[];
const machines: StandInHost[] = [];
const addresses: string[] = [];
const clients: QuorumClient[] = [];
let s3: S3Client;

const grant = (...Statement: object[]) => JSON.stringify({ Version: '2012-10-17', Statement });

/** Uploads the deployment of a node; returns its address. */
async function upload(node: number): Promise<string> {
  const testNode = testNodes[node - 1];
  if (testNode === undefined) throw new RangeError('expected a node');
  const others = testNodes.flatMap(({ manifestBytes }, index) =>
    index + 1 === node ? [] : [{ node: index + 1, manifestBytes }],
  );
  const approvers = await loadApprovers(`${hosts.folder}/approvers`);
  const body = localConfiguration({
    member: testNode,
    others,
    pcrs: hosts.image.pcrs,
    clientId: CLIENT,
    approvers,
  });
  const { id, files } = composeDeployment({
    image: hosts.image,
    manifest: testNode.manifestBytes,
    configuration: testNode.sign(body),
    parent: {
      peers: {
        node,
        listen: '0.0.0.0:7443',
        nodes: others.map((other) => ({
          node: other.node,
          address: `${addresses[other.node - 1] ?? ''}:7443`,
        })),
      },
    },
  });
  for (const [name, Body] of Object.entries(files)) {
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: `deployments/${node}/${id}/${name}`, Body }));
  }
  return `s3://${BUCKET}/deployments/${node}/${id}`;
}

/** Sends the command of a deployment by Systems Manager, and gives what it has said. */
async function sendDeploy(host: StandInHost, address: string): Promise<Deployed['said']> {
  const { aws } = hosts.testbed;
  const client = new SSMClient({
    ...aws.clientOptions('ssm', REGION),
    credentials: aws.directory.createAccessKey({
      accountId: INFRASTRUCTURE,
      userName: 'infrastructure',
      policies: [ADMINISTRATOR_POLICY],
    }),
  });
  try {
    const { Command } = await client.send(
      new SendCommandCommand({
        DocumentName: 'AWS-RunShellScript',
        InstanceIds: [host.instanceId],
        Parameters: { commands: [`${INSTALLED} parent deploy ${address} --json`] },
      }),
    );
    const which = { CommandId: Command?.CommandId ?? '', InstanceId: host.instanceId };
    await waitUntilCommandExecuted({ client, maxWaitTime: 150, minDelay: 1 }, which).catch(() => undefined);
    const { StandardOutputContent = '' } = await client.send(new GetCommandInvocationCommand(which));
    return JSON.parse(StandardOutputContent) as Deployed['said'];
  } finally {
    client.destroy();
  }
}

async function connect(node: number): Promise<QuorumClient> {
  const testNode = testNodes[node - 1];
  const client = await connectQuorum({
    nodes: [
      {
        url: `https://${addresses[node - 1] ?? ''}:8443`,
        trust: {
          root: hosts.testbed.host.rootCertificate,
          pcrs: hosts.image.pcrs,
          manifest: testNode?.manifestBytes ?? new Uint8Array(),
        },
        clientId: CLIENT,
        privateKey: testNode?.client.privateKey ?? expect.fail(),
        timeoutMs: 30_000,
      },
    ],
  });
  clients.push(client);
  return client;
}

async function waitForPeers(client: QuorumClient, count: number): Promise<void> {
  const connected = async () =>
    (await client.status()).peers.filter(({ state }) => state === 'connected').length;
  await expect.poll(connected, { timeout: 60_000 }).toBe(count);
}

beforeAll(async () => {
  hosts = await Hosts.open(temporaryFolder());
  const { aws } = hosts.testbed;
  s3 = new S3Client({
    ...aws.clientOptions('s3', REGION),
    credentials: aws.directory.createAccessKey({
      accountId: INFRASTRUCTURE,
      userName: 'infrastructure',
      policies: [ADMINISTRATOR_POLICY],
    }),
    forcePathStyle: true,
    expectContinueHeader: false,
  });
  const made: TestNode[] = [];
  for (const node of NODES) made.push(await hosts.node(node));
  testNodes = made;
  // Each host may read what is deployed to its own node, and nothing else of the bucket.
  const mayRead = NODES.map((node) => {
    const roleArn = testNodes[node - 1]?.infrastructure.parentRole ?? '';
    const Resource = `arn:aws:s3:::${BUCKET}/deployments/${node}/*`;
    const statement = { Effect: 'Allow', Action: 's3:GetObject', Resource };
    aws.directory.defineRole({
      accountId: String(node).repeat(12),
      roleName: 'holdfast-parent',
      policies: [grant(statement)],
    });
    return { ...statement, Principal: { AWS: roleArn } };
  });
  await s3.send(
    new CreateBucketCommand({ Bucket: BUCKET, CreateBucketConfiguration: { LocationConstraint: REGION } }),
  );
  await s3.send(new PutBucketPolicyCommand({ Bucket: BUCKET, Policy: grant(...mayRead) }));
  for (const testNode of testNodes) {
    const host = await hosts.host(testNode, { accountId: INFRASTRUCTURE });
    aws.hosts.register(host);
    machines.push(host);
    addresses.push(host.address);
  }
});
afterAll(async () => {
  for (const client of clients) client.close();
  s3.destroy();
  await hosts.close();
});

// Three hosts, one after the other as an infrastructure admin deploys to them.
describe('a quorum on hosts', () => {
  it('comes into service by Systems Manager and S3, each host by its own role', async () => {
    for (const node of NODES) {
      const said = await sendDeploy(machines[node - 1] ?? expect.fail(), await upload(node));
      expect(said).toMatchObject({
        ok: true,
        phase: 'serving',
        url: `https://${addresses[node - 1] ?? ''}:8443`,
      });
    }
  });

  it('keeps a host from what is deployed to another node', async () => {
    const other = await upload(2);
    const said = await sendDeploy(machines[0] ?? expect.fail(), other);
    expect(said.error).toMatchObject({
      code: 'DEPLOYMENT_SOURCE_UNAVAILABLE',
      details: { reason: 'AccessDenied' },
    });
  });

  it('makes a key and signs, with one host gone too', async () => {
    const client = await connect(1);
    for (const node of NODES) await waitForPeers(await connect(node), 2);
    const { ceremony } = await client.generate(KEY);
    expect(await client.waitFor(ceremony)).toMatchObject({ state: 'done' });
    expect((await client.sign(SIGN)).signature).toBeDefined();
    await machines[2]?.crash();
    expect((await client.sign(SIGN)).signature).toBeDefined();
    await machines[2]?.boot();
    await waitForPeers(client, 2);
  });

  it('lets no new machine take a node that has a store, without an order', async () => {
    const lost = machines[1] ?? expect.fail();
    await lost.destroy();
    hosts.testbed.aws.hosts.deregister(lost.instanceId);
    const [, testNode = expect.fail()] = testNodes;
    const replacement = await hosts.host(testNode, { accountId: INFRASTRUCTURE, address: lost.address });
    const source = await hosts.deployment(testNode, { configuration: hosts.configuration(testNode, 2) });
    expect(await refusalOf(replacement, source)).toBe('IDENTITY_STORE_MISSING');
  });
});
