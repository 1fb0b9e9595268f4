import { readFile } from 'node:fs/promises';
import type { Transport } from '../shared/transport/transport.ts';
import { ConnectionTable } from './common/connection-table.ts';
import { logAllowListWarnings, parseVsockProxyFile } from './config/vsock-proxy-file.ts';
import { startEgress } from './egress/egress.ts';
import { createLookUp, type AddressFamily } from './egress/look-up.ts';
import { openNetworks } from './egress/targets.ts';
import { ParentOptionError } from './common/errors.ts';
import type { Log } from './common/log.ts';

export interface VsockProxyOptions {
  readonly transport: Transport;
  /** vsock port to listen on. */
  readonly port: number;
  readonly host: string;
  readonly remotePort: number;
  /** Path of vsock-proxy's YAML, which must list host and port. */
  readonly allowListFile: string;
  readonly family: AddressFamily;
  /** CIDR blocks in which the host may lie besides public addresses: the subnet of a VPC endpoint. */
  readonly networks: readonly string[];
  readonly maxConnections: number;
  /** CID of the one enclave that may connect; any enclave's when left out. */
  readonly cid?: number;
  readonly log: Log;
}

/**
 * First CID of an enclave: those up to 3 are the hypervisor's, this machine's own, the host's and the parent's, see
 * vsock(7).
 */
const FIRST_ENCLAVE_CID = 4;
const IDLE_MS = 10 * 60_000;
const LIFETIME_MS = 86_400_000;
const GRACE_MS = 2_000;

/**
 * Does the work of AWS's vsock-proxy, for those who have it in their scripts: one vsock port that leads to one TCP
 * address.
 * @throws ParentOptionError OPTION_INVALID; TransportError ADDRESS_IN_USE, LISTEN_FAILED
 */
export async function startVsockProxy(options: VsockProxyOptions): Promise<{ close(): Promise<void> }> {
  const { allowListFile, host, remotePort, cid, log } = options;
  let text: string;
  try {
    text = await readFile(allowListFile, 'utf8');
  } catch (error) {
    throw new ParentOptionError(
      'OPTION_INVALID',
      'the allow-list cannot be read',
      { path: allowListFile },
      error,
    );
  }
  const { targets, warnings } = parseVsockProxyFile(text);
  logAllowListWarnings(warnings, log);
  const table = new ConnectionTable({ idleMs: IDLE_MS, lifetimeMs: LIFETIME_MS });
  const egress = await startEgress(
    {
      targets: openNetworks(targets, options.networks),
      ports: [{ listen: options.port, host, port: remotePort }],
      lookUp: createLookUp({ family: options.family }),
      maxConnections: options.maxConnections,
    },
    {
      transport: options.transport,
      isEnclave: (peer) => (cid === undefined ? peer >= FIRST_ENCLAVE_CID : peer === cid),
      table,
      log,
      onAttempt: () => {},
    },
  );
  return {
    async close() {
      await table.stop(GRACE_MS);
      await egress.close();
    },
  };
}
