import { randomBytes } from 'node:crypto';
import { importEd25519 } from '../../shared/dsse/index.ts';
import { ReplayCache, verifyRequestSignature } from '../../shared/http-signature/index.ts';
import type { Manifest } from '../../shared/node/manifest.ts';
import type { Transport } from '../../shared/transport/transport.ts';
import { generateImportKey } from '../frost/index.ts';
import { StoreError } from '../store/index.ts';
import { createAttestationRoute } from './attestation-route.ts';
import { type ApiContext, createAuthorise } from './context.ts';
import { createFrostRoutes, createShareImportRoute } from './frost-routes.ts';
import { serveHttps } from './http-server.ts';
import { createKeysRoute, createSignRoute } from './key-routes.ts';
import { createRouter, type Route } from './router.ts';
import { createTlsIdentity } from './tls-identity.ts';

const SESSION_BYTES = 16;

/** The node's HTTPS interface, serving. */
export interface Api {
  /** Rejects when a request has found that the node can no longer go on. */
  readonly failed: Promise<never>;
  /** Takes no request any more, and gives those that are being answered a few seconds. */
  close(): Promise<void>;
}

/** Serves a node's interface on its own port; see shared/node/api.ts for what it takes. */
export async function startApi(transport: Transport, context: ApiContext): Promise<Api> {
  const { clock, signed, nsm, measured } = context;
  const identity = await createTlsIdentity(nodeName(measured.manifest), clock.now());
  const session = randomBytes(SESSION_BYTES).toString('hex');
  const clients = new Map(
    signed.configuration.clients.map(({ id, publicKey }) => [id, importEd25519(publicKey)] as const),
  );
  const replay = new ReplayCache();
  const importKey = generateImportKey();
  const authorise = createAuthorise(context);
  const failure = Promise.withResolvers<never>();

  const health: Route = {
    method: 'GET',
    path: /^\/v1\/health$/,
    isSigned: false,
    act: () => ({ status: 'serving' }),
  };
  const binding = {
    format: 'holdfast-node/1',
    session,
    configuration: signed.configuration.version,
    importKey: Buffer.from(importKey.publicKey).toString('hex'),
  } as const;
  const routes = [
    createSignRoute(context, authorise),
    createKeysRoute(context),
    createShareImportRoute({ ...context, importKey, session }, authorise),
    ...createFrostRoutes({ ...context, importKey, session }, authorise),
    createAttestationRoute(nsm, identity.publicKey, binding),
    health,
  ];
  const handler = createRouter(routes, {
    authenticate: (request) =>
      verifyRequestSignature(request, {
        findKey: (id) => clients.get(id),
        session,
        now: clock.now(),
        replay,
      }),
    onError: (error) => endsNode(error) && failure.reject(error),
  });
  const server = await serveHttps(transport, identity, handler);
  return { failed: failure.promise, close: () => server.close() };
}

/**
 * Whether the store is not this node's any more, or may not be: whatever it said next could contradict another. A
 * full store has taken nothing, and what the node holds is still what it has sealed.
 */
function endsNode(error: unknown): boolean {
  return error instanceof StoreError && error.code !== 'STORE_FULL';
}

/** The name in the node's certificate: for people, since clients go by the attestation document. */
function nodeName({ namespace, environment, node }: Manifest): string {
  return `node-${node}.${environment}.${namespace}.holdfast.internal`;
}
