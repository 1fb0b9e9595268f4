import { resolve } from 'node:path';
import {
  createGatewayLog,
  type GatewayListen,
  type GatewayLog,
  GatewayNodes,
  type GatewayProtocol,
  startGatewayServer,
  startProbeServer,
} from '../../client/gateway/index.ts';
import type { CommandInput, OptionSpec, Outcome } from '../common/command.ts';
import { readNodeProfile } from '../quorum/connection.ts';
import { type GatewayConfig, placeOf, readClients, readGatewayFile } from './config-file.ts';
import type { SecretPlace } from './secret.ts';

export const DEFAULT_GATEWAY_CONFIG = 'gateway.yaml';

/** Options of every verb that runs a door. */
export const GATEWAY_OPTIONS = {
  config: {
    type: 'string',
    value: 'FILE',
    description: `the door's configuration (default: ${DEFAULT_GATEWAY_CONFIG})`,
  },
} as const satisfies Record<string, OptionSpec>;

/** What a door is made of beside its protocol. */
export interface DoorParts {
  readonly config: GatewayConfig;
  /** Where files and variables of the configuration are looked up. */
  readonly place: SecretPlace;
  readonly nodes: GatewayNodes;
  readonly log: GatewayLog;
}

/** A door's protocol and the address that it listens on. */
export interface DoorPlan {
  readonly protocol: GatewayProtocol;
  readonly listen: GatewayListen;
}

/**
 * Runs a door until SIGTERM or Ctrl-C, and lets requests under way end. It starts while no node answers, and says by
 * /readyz when one does.
 *
 * @throws UsageError, CliError, GatewayError, AttestationError PCR_FILE_…, ManifestError before anything listens
 */
export async function runDoor(
  { text, io, ...input }: CommandInput,
  plan: (parts: DoorParts) => Promise<DoorPlan>,
): Promise<Outcome> {
  const path = resolve(io.folder ?? '.', text('config') ?? DEFAULT_GATEWAY_CONFIG);
  const config = await readGatewayFile(path);
  const place = placeOf(path, io.env ?? process.env);
  const log = createGatewayLog((line) => io.stdout.write(line), config.log);
  const clients = await readClients(config.clients, place);
  const profiles = config.nodes.map((profile) => resolve(place.folder, profile));
  const nodes = new GatewayNodes({
    nodes: await Promise.all(
      profiles.map((profile) => readNodeProfile(profile, { ...input, text: () => undefined, io })),
    ),
    clients,
    log,
    timeoutMs: config.timeoutSeconds * 1000,
    readyMs: config.readySeconds * 1000,
  });
  try {
    const { protocol, listen } = await plan({ config, place, nodes, log });
    const probes = { readiness: () => nodes.readiness };
    const drainMs = config.drainSeconds * 1000;
    const probeServer = config.probes && (await startProbeServer(config.probes, probes));
    try {
      const server = await startGatewayServer({ listen, protocol, probes, log, drainMs });
      if (probeServer !== undefined)
        log.event('info', 'door.probes', { door: protocol.name, url: probeServer.address.url });
      log.event('info', 'door.listens', { door: protocol.name, url: server.address.url });
      nodes.start();
      await untilAborted(io.signal);
      nodes.stop();
      log.event('info', 'door.stops', { underWay: server.underWay });
      await server.close();
    } finally {
      await probeServer?.close();
    }
  } finally {
    nodes.close();
  }
  return { ok: true, text: '', data: { event: 'door.stopped' } };
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
}
