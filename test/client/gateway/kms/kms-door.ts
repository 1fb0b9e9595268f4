import { KMSClient, type KMSClientConfig } from '@aws-sdk/client-kms';
import { type GatewayLog, GatewayNodes, startGatewayServer } from '../../../../client/gateway/index.ts';
import { createKmsDoor, type DoorCredential } from '../../../../client/gateway/kms/door.ts';
import { backend, trust } from '../../fake-node.ts';
import { MANIFEST } from './fake-pool-node.ts';

type RequestEvent = Parameters<GatewayLog['request']>[0];

export const SCOPE = { region: 'eu-central-1', accountId: '111122223333' };
export const CREDENTIAL: DoorCredential = {
  accessKeyId: 'HFAKTEST000000000001',
  secretAccessKey: 'a-secret-of-the-door-alone',
  client: 'backend',
  pool: 'canton',
};

export interface TestKmsDoor {
  readonly port: number;
  readonly events: RequestEvent[];
  readonly client: (config?: KMSClientConfig) => KMSClient;
  close(): Promise<void>;
}

/** A KMS door in front of fake nodes, and clients of it by the official SDK. */
export async function startKmsDoor(
  urls: readonly string[],
  {
    credentials = [CREDENTIAL],
    waitMs = 20_000,
    clock = Date.now,
    timeoutMs = 30_000,
  }: {
    credentials?: readonly DoorCredential[];
    waitMs?: number;
    clock?: () => number;
    timeoutMs?: number;
  } = {},
): Promise<TestKmsDoor> {
  const events: RequestEvent[] = [];
  const log: GatewayLog = { request: (event) => events.push(event), event: () => undefined };
  const nodes = new GatewayNodes({
    nodes: urls.map((url) => ({ url, trust: trust({ manifest: MANIFEST }) })),
    clients: [{ id: 'backend', privateKey: backend.privateKey }],
    log,
    timeoutMs,
    readyMs: 10_000,
  });
  const protocol = createKmsDoor({ nodes, credentials, scope: SCOPE, waitMs, clock });
  const server = await startGatewayServer({
    listen: { port: 0 },
    protocol,
    probes: { readiness: () => nodes.readiness },
    log,
    drainMs: 1_000,
  });
  const port = server.address.port ?? 0;
  const { accessKeyId, secretAccessKey } = CREDENTIAL;
  return {
    port,
    events,
    client: (config) =>
      new KMSClient({
        endpoint: `http://127.0.0.1:${port}`,
        region: SCOPE.region,
        credentials: { accessKeyId, secretAccessKey },
        ...config,
      }),
    close: async () => {
      nodes.close();
      await server.close();
    },
  };
}
