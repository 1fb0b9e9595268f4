/** A KMS door in a process of its own, in front of one node. */
import { createPrivateKey } from 'node:crypto';
import { createKmsDoor } from '../../client/gateway/kms/door.ts';
import { createGatewayLog, GatewayNodes, startGatewayServer } from '../../client/gateway/index.ts';
import { awaitTask, tell } from './child.ts';
import { credentialOf } from './door-credentials.ts';
import { fromWireTrust, type WireTrust } from './wire-trust.ts';

export interface DoorTask {
  readonly url: string;
  readonly trust: WireTrust;
  /** Clients; private keys are PKCS #8, PEM. The credential of each has its place as number: `credentialOf`. */
  readonly clients: readonly { readonly id: string; readonly privateKey: string }[];
  readonly region: string;
}

export interface DoorTold {
  readonly port: number;
}

const ACCOUNT = '111122223333';
const TIMEOUT_MS = 10_000;

const { url, trust, clients, region } = await awaitTask<DoorTask>();
const log = createGatewayLog(() => undefined, { format: 'json', payloads: false });
const nodes = new GatewayNodes({
  nodes: [{ url, trust: fromWireTrust(trust) }],
  clients: clients.map(({ id, privateKey }) => ({ id, privateKey: createPrivateKey(privateKey) })),
  log,
  timeoutMs: TIMEOUT_MS,
  readyMs: TIMEOUT_MS,
});
const protocol = createKmsDoor({
  nodes,
  credentials: clients.map(({ id }, index) => ({ ...credentialOf(index), client: id })),
  scope: { region, accountId: ACCOUNT },
  waitMs: 0,
});
const server = await startGatewayServer({
  listen: { port: 0 },
  protocol,
  probes: { readiness: () => nodes.readiness },
  log,
  drainMs: 0,
});
nodes.start();
tell({ port: server.address.port ?? 0 } satisfies DoorTold);
