import { randomBytes } from 'node:crypto';
import { importEd25519 } from '../../shared/dsse/index.ts';
import { ReplayCache, verifySignedHead } from '../../shared/http-signature/index.ts';
import type { SignedConfiguration } from '../../shared/documents/configuration.ts';
import type { Manifest } from '../../shared/documents/manifest.ts';
import type { Transport } from '../../shared/transport/transport.ts';
import type { Keyring } from '../keyring/index.ts';
import type { NodeClock } from '../node/clock.ts';
import type { MeasuredManifest } from '../node/manifest.ts';
import type { NsmClient } from '../nsm/index.ts';
import { createSigningPipeline } from '../signing/index.ts';
import { StoreError } from '../store/index.ts';
import { createAttestationRoute } from './attestation-route.ts';
import { serveHttps } from './http-server.ts';
import { createRouter, type Route } from './router.ts';
import { createSigningRoutes } from './signing-routes.ts';
import { createTlsIdentity } from './tls-identity.ts';

const SESSION_BYTES = 16;

/** The parts of a started node that its interface uses. */
export interface ApiContext {
  readonly nsm: NsmClient;
  readonly clock: NodeClock;
  readonly measured: MeasuredManifest;
  readonly signed: SignedConfiguration;
  readonly keyring: Keyring;
}

/** A running HTTPS interface. */
export interface Api {
  /** Rejects with the error of a request after which the node must stop; never resolves. */
  readonly failed: Promise<never>;
  /** Stops taking requests, and gives requests under way a few seconds to get their responses. */
  close(): Promise<void>;
}

/** Serves a node's HTTPS interface on the enclave's port 443; its bodies are in shared/api/bodies.ts. */
export async function startApi(transport: Transport, context: ApiContext): Promise<Api> {
  const { clock, signed, nsm, measured, keyring } = context;
  const identity = await createTlsIdentity(nodeName(measured.manifest), clock.now());
  const session = randomBytes(SESSION_BYTES).toString('hex');
  const clients = new Map(
    signed.configuration.clients.map(({ id, publicKey }) => [id, importEd25519(publicKey)] as const),
  );
  const replay = new ReplayCache();
  const pipeline = createSigningPipeline({
    signed,
    measured,
    keyring,
    session,
    clocks: { now: () => clock.now(), monotonic: () => performance.now() },
  });
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
    importKey: Buffer.from(pipeline.importKey).toString('hex'),
  } as const;
  const routes = [
    ...createSigningRoutes(pipeline),
    createAttestationRoute(nsm, identity.publicKey, binding),
    health,
  ];
  const handler = createRouter(routes, {
    authenticate: (head) =>
      verifySignedHead(head, {
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
 * Tells whether a node must stop after an error. After a failed commit the store may belong to another enclave, and
 * the two could give contradicting responses. STORE_FULL is harmless: nothing was written, and what the node holds is
 * still what it has sealed.
 */
function endsNode(error: unknown): boolean {
  return error instanceof StoreError && error.code !== 'STORE_FULL';
}

/** Makes the name in the node's certificate. It is for people: clients go by the attestation document. */
function nodeName({ namespace, environment, node }: Manifest): string {
  return `node-${node}.${environment}.${namespace}.holdfast.internal`;
}
