import { CONTROL_SERVICE } from '../shared/protocol/control-service.ts';
import { LOG_SERVICE } from '../shared/protocol/log-service.ts';
import type { NodeStatus } from './status/node-status.ts';
import { ENCLAVE_PORT, PARENT_PORT } from '../shared/transport/ports.ts';
import { openApprovalDoor } from './approvals/door.ts';
import { ConnectionTable } from './common/connection-table.ts';
import type { Door } from './common/door.ts';
import { createControlSession, type ControlSession } from './control/session.ts';
import type { ControlSources } from './control/sources.ts';
import { startEgress } from './egress/egress.ts';
import type { EgressTarget } from './egress/targets.ts';
import { startIngressServer, type IngressServer } from './ingress/server.ts';
import { AuditLog } from './log/audit-log.ts';
import { startExitListener } from './lifecycle/exit-listener.ts';
import { silentLog, type Log } from './common/log.ts';
import type { PeerAddress } from './peers/options.ts';
import { startPeers, type Peers } from './peers/peers.ts';
import { createParentMetrics, type ParentMetrics } from './metrics/parent-metrics.ts';
import type { EgressOptions } from './egress/options.ts';
import type { IngressOptions } from './ingress/options.ts';
import type { ParentOptions } from './config/options.ts';
import { startRequestServer } from './common/request-server.ts';
import { createNodeStatus } from './status/node-status.ts';
import { startStatusServer, type StatusServer } from './status/server.ts';
import { openWitnessDoor } from './witness/door.ts';

const DAY_MS = 86_400_000;
const IDLE_MS = 300_000;
const DEFAULT_GRACE_MS = 2_000;

/** Host side of one enclave, running. */
export interface Parent {
  /** Status that the enclave reported last; `null` before its first report. */
  readonly node: NodeStatus | null;
  /** Address that clients connect to; undefined without ingress. */
  readonly ingress: { readonly host: string; readonly port: number } | undefined;
  /** Address of the door for approvers; undefined without one. */
  readonly approvals: { readonly host: string; readonly port: number } | undefined;
  /** Address for the parents of other nodes; undefined where none can connect. */
  readonly peers: { readonly host: string; readonly port: number } | undefined;
  /** Address of the door for the parents of peers; undefined without one. */
  readonly witness: { readonly host: string; readonly port: number } | undefined;
  /** Base URL of the status page; undefined without a page, and where it listens on a Unix socket. */
  readonly statusUrl: string | undefined;
  /**
   * Puts another allow-list in force for new connections. @throws ParentOptionError OPTION_INVALID, and keeps the old
   */
  readonly reloadTargets: (targets: readonly EgressTarget[]) => void;
  /** Puts other nodes and addresses of their parents in force; nothing without a way to other nodes. */
  readonly reloadPeers: (nodes: readonly PeerAddress[]) => void;
  /** Gives up the control connections of an enclave that is gone, and with them its hold on the store. */
  readonly disconnectEnclave: () => void;
  /** Stops accepting, gives open connections `graceMs` milliseconds (2,000 when left out) to end, and closes. */
  close(graceMs?: number): Promise<void>;
}

/**
 * Serves one enclave: its control requests, its connections out to an allow-list of hosts, its clients' connections in.
 * The parent never holds a plaintext secret: blobs and records pass through unread.
 *
 * @throws ParentOptionError OPTION_INVALID; TransportError ADDRESS_IN_USE, LISTEN_FAILED
 */
export async function startParent(options: ParentOptions): Promise<Parent> {
  const { egress, ingress, status, statusSources = {}, log = silentLog } = options;
  const auditLog = new AuditLog(options.auditLog, log);
  const node = createNodeStatus();
  const tables = createTables(egress, ingress);
  const metrics = createParentMetrics({ ...tables, node, statusSources, auditLog });
  const isEnclave = (cid: number) => cid === options.enclaveCid;
  // True while the last status is of the enclave that runs now; each enclave ends with one exit line, or is given up.
  let isOfThisLife = false;
  const sources: ControlSources = {
    ...options,
    entries: auditLog,
    onStatus(phase, code) {
      isOfThisLife = true;
      if (node.report(phase, code)) {
        log(phase === 'failed' ? 'error' : 'info', 'node.status', { phase, code });
      }
    },
  };
  const closers: (() => Promise<void>)[] = [() => tables.egress.stop(0), () => tables.ingress.stop(0)];
  let reloadTargets: Parent['reloadTargets'];
  let disconnectEnclave: Parent['disconnectEnclave'];
  let ingressServer: IngressServer | undefined;
  let statusServer: StatusServer | undefined;
  let door: Door | undefined;
  let peers: Peers | undefined;
  let witnessDoor: Door | undefined;
  try {
    const egressPart = await startEgress(egress, {
      transport: options.transport,
      namePort: PARENT_PORT.egress,
      isEnclave,
      table: tables.egress,
      log,
      onAttempt: metrics.onEgress,
      onLookUp: metrics.onLookUp,
    });
    closers.push(() => egressPart.close());
    reloadTargets = egressPart.reloadTargets;
    if (ingress !== undefined) {
      ingressServer = await startIngress(options, ingress, tables.ingress, metrics, log);
    }
    if (options.approvals !== undefined) {
      const to = { cid: options.enclaveCid, port: ENCLAVE_PORT.api };
      const opened = await openApprovalDoor({ ...options.approvals, transport: options.transport, to, log });
      closers.push(() => opened.close());
      door = opened;
    }
    if (options.peers !== undefined) {
      const started = await startPeers({ ...options.peers, transport: options.transport, isEnclave, log });
      closers.push(() => started.close());
      metrics.addPeers(started);
      peers = started;
    }
    if (options.witness !== undefined) {
      const to = { cid: options.enclaveCid, port: ENCLAVE_PORT.api };
      const opened = await openWitnessDoor({ ...options.witness, transport: options.transport, to, log });
      closers.push(() => opened.close());
      witnessDoor = opened;
    }
    if (status !== undefined) {
      const server = await startStatusServer({
        listen: status,
        status: () => ({
          node: node.current,
          enclave: { cid: options.enclaveCid, ...statusSources.enclave?.() },
          ingress: endpointOf(ingressServer),
          connections: { egress: tables.egress.size, ingress: tables.ingress.size },
          credentialsExpiration: statusSources.credentialsExpiration?.() ?? null,
          auditLog: auditLog.status,
          ...(statusSources.identity === undefined ? {} : { identity: statusSources.identity() }),
          ...(peers === undefined ? {} : { peers: peers.status }),
        }),
        files: auditLog.folder,
        isReady: () => node.isServing,
        metrics: () => metrics.registry.render(),
      });
      closers.push(() => server.close());
      statusServer = server;
    }
    closers.push(() => auditLog.close());
    const checkpoints = await startRequestServer(LOG_SERVICE, {
      transport: options.transport,
      isEnclave,
      openSession: () => auditLog.openSession(),
      log,
    });
    closers.push(() => checkpoints.close());
    const exit = await startExitListener({
      transport: options.transport,
      isEnclave,
      onExit({ exitCode, signal, reason }) {
        log('warn', 'node.exit', { exitCode, signal, reason });
        const hasSaidWhy = isOfThisLife && node.current?.phase === 'failed';
        isOfThisLife = false;
        // A reason that the node itself has reported says more than the exit line.
        if (hasSaidWhy) return;
        if (reason !== 'NONE') node.report('failed', reason);
        else node.report('stopped', null);
      },
      log,
    });
    closers.push(() => exit.close());
    // The control server starts last: an enclave that gets a response finds all the rest in place.
    const control = await startRequestServer(CONTROL_SERVICE, {
      transport: options.transport,
      isEnclave,
      openSession: () => meter(createControlSession(sources, log), metrics),
      log,
    });
    closers.push(() => control.close());
    disconnectEnclave = () => {
      isOfThisLife = false;
      control.disconnect();
      checkpoints.disconnect();
      peers?.disconnect();
    };
  } catch (error) {
    metrics.close();
    ingressServer?.close();
    await Promise.all(closers.map((close) => close()));
    throw error;
  }
  log('info', 'parent.started', { enclaveCid: options.enclaveCid, ...endpointOf(ingressServer) });
  return {
    get node() {
      return node.current;
    },
    ingress: endpointOf(ingressServer),
    approvals: endpointOf(door),
    peers: endpointOf(peers?.address),
    witness: endpointOf(witnessDoor),
    statusUrl: statusServer?.url,
    reloadTargets,
    reloadPeers: (nodes) => peers?.setNodes(nodes),
    disconnectEnclave,
    async close(graceMs = DEFAULT_GRACE_MS) {
      ingressServer?.close();
      await Promise.all([tables.ingress.stop(graceMs), tables.egress.stop(graceMs)]);
      await Promise.all(closers.map((close) => close()));
      metrics.close();
      log('info', 'parent.stopped');
    },
  };
}

function createTables(egress: EgressOptions, ingress: IngressOptions | undefined) {
  const create = (part: { idleTimeoutMs?: number; lifetimeMs?: number } | undefined) =>
    new ConnectionTable({ idleMs: part?.idleTimeoutMs ?? IDLE_MS, lifetimeMs: part?.lifetimeMs ?? DAY_MS });
  return { egress: create(egress), ingress: create(ingress) };
}

async function startIngress(
  { transport, enclaveCid }: ParentOptions,
  ingress: IngressOptions,
  table: ConnectionTable,
  metrics: ParentMetrics,
  log: Log,
): Promise<IngressServer> {
  return await startIngressServer({
    transport,
    host: ingress.host ?? '127.0.0.1',
    port: ingress.port,
    to: { cid: enclaveCid, port: ENCLAVE_PORT.api },
    maxConnections: ingress.maxConnections ?? 4_096,
    maxPerSource: ingress.maxPerSource ?? 256,
    proxyProtocol: ingress.proxyProtocol ?? false,
    firstByteTimeoutMs: ingress.firstByteTimeoutMs ?? 10_000,
    connectTimeoutMs: ingress.connectTimeoutMs ?? 5_000,
    table,
    log,
    onAttempt: metrics.onIngress,
  });
}

function endpointOf(
  server: { readonly host: string; readonly port: number } | undefined,
): { host: string; port: number } | undefined {
  return server === undefined ? undefined : { host: server.host, port: server.port };
}

function meter(session: ControlSession, metrics: ParentMetrics): ControlSession {
  return {
    async handle(request) {
      const startedAt = performance.now();
      const response = await session.handle(request);
      const outcome = response.type === 'error' ? response.code : 'ok';
      metrics.onControl(request.type, outcome, (performance.now() - startedAt) / 1_000);
      return response;
    },
    close: () => session.close(),
  };
}
