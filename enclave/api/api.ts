import { importEd25519, signEnvelope } from '../../shared/dsse/index.ts';
import { ReplayCache, verifySignedHead } from '../../shared/http-signature/index.ts';
import type { SignedConfiguration } from '../../shared/documents/configuration.ts';
import type { Transport } from '../../shared/transport/transport.ts';
import type { Keyring } from '../keyring/index.ts';
import type { TransparencyLog } from '../log/index.ts';
import type { NodeClock } from '../node/clock.ts';
import { type MeasuredManifest, nodeName } from '../node/manifest.ts';
import type { NodeKeys } from '../node/node-keys.ts';
import type { NsmClient } from '../nsm/index.ts';
import type { PeerNetwork } from '../peers/peer-network.ts';
import type { PoolKeys } from '../pools/index.ts';
import type { BackupRegister } from '../recovery/index.ts';
import { CertificateRelay, createMayServe, startNodeQuorum } from '../quorum/index.ts';
import {
  createDecisionLog,
  createSigningPipeline,
  type DecisionState,
  FailedRequest,
} from '../signing/index.ts';
import { NodeWitness, type WitnessedTrees } from '../quorum/witness/index.ts';
import { StoreError } from '../store/index.ts';
import { createApprovalRoutes } from './approval-routes.ts';
import { createAttestationRoute } from './attestation-route.ts';
import { createPoolRoutes } from './pool-routes.ts';
import { createQuorumRoutes } from './quorum-routes.ts';
import { createRecoveryRoutes } from './recovery-routes.ts';
import { serveHttps } from './http-server.ts';
import { createRouter, type Route } from './router.ts';
import { createSigningRoutes, describeOutcome } from './signing-routes.ts';
import { createTlsIdentity } from './tls-identity.ts';
import { createWitnessRoute } from './witness-route.ts';

/** The parts of a started node that its interface uses. */
export interface ApiContext {
  readonly nsm: NsmClient;
  readonly clock: NodeClock;
  readonly measured: MeasuredManifest;
  readonly signed: SignedConfiguration;
  readonly keyring: Keyring;
  /** Keys that clients have the node make. */
  readonly poolKeys: PoolKeys;
  /** Id of this boot in hex, 16 bytes. */
  readonly session: string;
  readonly log: TransparencyLog;
  readonly nodeKeys: NodeKeys;
  readonly state: DecisionState;
  /** What this node has cosigned for its peers. */
  readonly witnessed: WitnessedTrees;
  /** Backups that this node has made, and who keeps them. */
  readonly backups: BackupRegister;
  /** The configuration in force as it came, with its signatures. */
  readonly envelope: Uint8Array;
  /** The other nodes of the quorum; null where the configuration names none. */
  readonly peers: PeerNetwork | null;
}

/** A running HTTPS interface. */
export interface Api {
  /** Rejects with the error of a request after which the node must stop; never resolves. */
  readonly failed: Promise<never>;
  /** What is wrong with the backups that the configuration asks for; null for nothing. */
  readonly backupAlert: string | null;
  /** Stops taking requests, and gives requests under way a few seconds to get their responses. */
  close(): Promise<void>;
}

/** Serves a node's HTTPS interface on the enclave's port 443; its bodies are in shared/api/bodies.ts. */
export async function startApi(transport: Transport, context: ApiContext): Promise<Api> {
  const { clock, signed, nsm, measured, keyring, session, log, nodeKeys, state, envelope, peers } = context;
  // The name in the certificate is for people: clients go by the attestation document.
  const identity = await createTlsIdentity(nodeName(measured.manifest), clock.now());
  const clients = new Map(
    signed.configuration.clients.map(({ id, publicKey }) => [id, importEd25519(publicKey)] as const),
  );
  const replay = new ReplayCache();
  const now = () => clock.now();
  const decisionLog = createDecisionLog({
    log,
    receiptKey: nodeKeys.receipt,
    measured,
    signed,
    session,
    now,
  });
  const certificates = new CertificateRelay();
  const pipeline = createSigningPipeline({
    signed,
    measured,
    keyring,
    pools: { keys: context.poolKeys, seal: () => log.seal() },
    recovery: { register: context.backups, attest: (asked) => nsm.attest(asked), log },
    session,
    clocks: { now, monotonic: () => performance.now() },
    log: decisionLog,
    state,
    ...(peers && { quorum: { network: peers, certificates } }),
    mayServe: createMayServe(
      signed.configuration,
      context.peers ?? undefined,
      measured.manifest.quorum.threshold,
    ),
  });
  const witness = new NodeWitness({
    log,
    key: nodeKeys.witness,
    trees: context.witnessed,
    measured,
    signed,
    session,
    now,
  });
  const failure = Promise.withResolvers<never>();
  log.failed.catch(failure.reject);
  // A deletion that no commit takes now is in the next one: nobody waits for it.
  context.poolKeys.watch(() => void log.seal().catch(() => undefined));

  const binding = {
    format: 'holdfast-node/2',
    session,
    configuration: signed.configuration.version,
    importKey: Buffer.from(pipeline.importKey).toString('hex'),
    log: { origin: log.origin, key: log.vkey },
    receiptKey: Buffer.from(nodeKeys.receipt.publicKey).toString('hex'),
    witnesses: log.witnesses,
    ...(log.peerWitnesses === null ? {} : { peerWitnesses: log.peerWitnesses }),
    witnessKey: Buffer.from(nodeKeys.witness.publicKey).toString('hex'),
  } as const;
  const bindingBytes = Buffer.from(JSON.stringify(binding));
  const quorum =
    peers === null
      ? undefined
      : startNodeQuorum({
          network: peers,
          keyring,
          signed,
          measured,
          session,
          receiptKey: nodeKeys.receipt,
          pipeline,
          certificates,
          recordCeremony: (transcript, parts) => decisionLog.recordCeremony(transcript, parts),
          findClient: (id) => clients.get(id),
          // An auditor reads the receipt key out of the document, by which the node signs its messages of a ceremony.
          attest: (nonce) => nsm.attest({ nonce, userData: bindingBytes }),
          now,
          onError: (error) => endsNode(error) && failure.reject(error),
        });
  const health: Route = {
    method: 'GET',
    path: /^\/v1\/health$/,
    isSigned: false,
    act: () => ({ status: 'serving' }),
  };
  const { version } = signed.configuration;
  const routes = [
    ...createSigningRoutes(pipeline, version),
    ...createPoolRoutes(pipeline.pools, version),
    ...createApprovalRoutes({
      requests: state.requests,
      manifest: Buffer.from(measured.digest).toString('hex'),
      configuration: envelope,
      read: (request) => pipeline.review(request),
      signEnvelope: (unsigned) => signEnvelope(unsigned, nodeKeys.receipt.privateKey),
      attest: () => nsm.attest({ publicKey: identity.publicKey, userData: bindingBytes }),
      recordVote: (received) => decisionLog.recordVote(received),
      resume: async (client, id, signed) =>
        describeOutcome(await pipeline.resume(client, id, signed), version),
      now,
    }),
    ...createQuorumRoutes(quorum, version),
    ...createRecoveryRoutes(pipeline.recovery, version),
    createAttestationRoute(nsm, identity.publicKey, binding),
    ...(witness.isFollowing ? [createWitnessRoute(witness)] : []),
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
  return {
    failed: failure.promise,
    get backupAlert() {
      return pipeline.backupAlert;
    },
    close: async () => {
      quorum?.stop();
      await server.close();
    },
  };
}

/**
 * Tells whether a node must stop after an error. After a failed commit the store may belong to another enclave, and
 * the two could give contradicting responses. STORE_FULL is harmless: nothing was written, and what the node holds is
 * still what it has sealed.
 */
function endsNode(error: unknown): boolean {
  if (error instanceof FailedRequest) return endsNode(error.cause);
  return error instanceof StoreError && error.code !== 'STORE_FULL';
}
