import { readFile } from 'node:fs/promises';
import { errorCode } from '../shared/errors.ts';
import { buildParent, createPeersOptions, readTargets } from './config/build.ts';
import { MAX_CONFIG_BYTES, parseParentConfig } from './config/parse.ts';
import type { ParentConfig } from './config/schema.ts';
import { logAllowListWarnings } from './config/vsock-proxy-file.ts';
import { checkImage } from './lifecycle/image.ts';
import { createNitroCli } from './lifecycle/nitro-cli.ts';
import { startSupervisor, type Supervisor, type SupervisorState } from './lifecycle/supervisor.ts';
import { ParentOptionError } from './common/errors.ts';
import type { Log } from './common/log.ts';
import { startParent, type Parent } from './parent.ts';
import { takeSystemdSockets } from './systemd-sockets.ts';

/** Daemon: a parent as a file configures it and, where the file names an image, its enclave. */
export interface ParentService {
  readonly parent: Parent;
  readonly enclave: SupervisorState | undefined;
  /** Reads the file again and puts its allow-list and the addresses of other nodes in force; other changes wait for a restart. Never throws. */
  reload(): Promise<void>;
  /** Ends the parent. The enclave goes on: the next start of the service finds it. */
  close(): Promise<void>;
}

/**
 * Reads the configuration. @throws ParentOptionError OPTION_INVALID where the file cannot be read, or a field is wrong
 */
export async function readParentConfig(path: string): Promise<ParentConfig> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new ParentOptionError('OPTION_INVALID', 'the configuration cannot be read', { path }, error);
  }
  if (text.length > MAX_CONFIG_BYTES) {
    throw new ParentOptionError('OPTION_INVALID', 'the configuration is longer than its maximum', { path });
  }
  return parseParentConfig(text);
}

/** Name under which systemd passes the socket of the status page: FileDescriptorName= of its unit. */
const STATUS_SOCKET = 'status';
/** The same of the socket for the parents of other nodes. */
const PEERS_SOCKET = 'peers';

/**
 * Starts the daemon. A socket for the status page, or for other nodes, that systemd passes takes the place of the
 * configured address; * systemd's variables are removed from the environment.
 * @throws ParentOptionError OPTION_INVALID; TransportError ADDRESS_IN_USE, LISTEN_FAILED, TRANSPORT_UNAVAILABLE
 */
export async function startParentService(
  path: string,
  log: Log,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<ParentService> {
  const {
    [STATUS_SOCKET]: descriptor,
    [PEERS_SOCKET]: peersDescriptor,
    ...unknown
  } = Object.fromEntries(takeSystemdSockets(environment));
  if (Object.keys(unknown).length > 0) {
    throw new ParentOptionError(
      'OPTION_INVALID',
      'expected the sockets "status" and "peers" alone, found another one from systemd',
      unknown,
    );
  }
  const config = await readParentConfig(path);
  if (peersDescriptor !== undefined && (config.peers === undefined || config.peers.nats !== undefined)) {
    throw new ParentOptionError(
      'OPTION_INVALID',
      'expected direct peers in the configuration for the socket "peers" of systemd',
      {},
    );
  }
  const { enclave: spec } = config;
  const built = await buildParent(config, log);
  const { identity } = built;
  let supervisor: Supervisor | undefined;
  const statusSources = {
    credentialsExpiration: built.credentials.expiration,
    ...(identity === undefined ? {} : { identity: () => identity.status }),
    ...(spec.image === undefined
      ? {}
      : { enclave: (): SupervisorState => supervisor?.current ?? { state: 'starting' } }),
  };
  let parent: Parent;
  try {
    const status = descriptor === undefined ? {} : { status: { descriptor } };
    const peers =
      peersDescriptor === undefined || built.options.peers === undefined
        ? {}
        : { peers: { ...built.options.peers, listen: { descriptor: peersDescriptor } } };
    parent = await startParent({ ...built.options, ...status, ...peers, statusSources });
  } catch (error) {
    built.close();
    throw error;
  }
  // The enclave starts last: it finds its parent in place.
  if (spec.image !== undefined && spec.pcrs !== undefined) {
    const { image, pcrs } = spec;
    supervisor = startSupervisor({
      nitro: createNitroCli(),
      spec: { image, cid: spec.cid, cpus: spec.cpus, memoryMiB: spec.memoryMiB, debug: spec.debug },
      checkImage: () => checkImage(image, pcrs),
      node: () => parent.node,
      onEnd: () => parent.disconnectEnclave(),
      restartWhenSilent: spec.restartWhenSilent,
      log,
    });
  }
  return {
    parent,
    get enclave() {
      return supervisor?.current;
    },
    async reload() {
      try {
        const { egress, peers } = await readParentConfig(path);
        const { targets, warnings } = await readTargets(egress);
        parent.reloadTargets(targets);
        if (peers !== undefined) parent.reloadPeers(createPeersOptions(peers).nodes);
        logAllowListWarnings(warnings, log);
        log('info', 'parent.reloaded');
      } catch (error) {
        log('error', 'parent.not-reloaded', { code: errorCode(error) });
      }
    },
    async close() {
      await supervisor?.stop({ terminate: false });
      await parent.close();
      await identity?.close();
      built.close();
    },
  };
}
