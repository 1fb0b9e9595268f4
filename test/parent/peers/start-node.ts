import { startPeers, type StartPeersOptions } from '../../../parent/peers/peers.ts';
import { PARENT_CID } from '../../../shared/transport/ports.ts';
import { createUnixTransport } from '../../../shared/transport/unix-transport.ts';
import { ENCLAVE_CID } from '../../support/parent-options.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { connectEnclave } from './enclave.ts';

const open: { close(): unknown }[] = [];

/** Closes whatever the tests of this file have opened. */
export async function closeAll(): Promise<void> {
  await Promise.all(open.splice(0).map((one) => one.close()));
}

/** Registers something that {@link closeAll} closes. */
export function closeLater<T extends { close(): unknown }>(one: T): T {
  open.push(one);
  return one;
}

/** Starts the way to other nodes of one parent, without an enclave. */
export async function startNodeParent(node: number, options: Partial<StartPeersOptions> = {}) {
  const directory = temporaryFolder();
  const peers = await startPeers({
    node,
    nodes: [],
    ...(options.nats === undefined ? { listen: { port: 0 } } : {}),
    transport: createUnixTransport({ directory, cid: PARENT_CID }),
    isEnclave: (cid) => cid === ENCLAVE_CID,
    log: () => {},
    ...options,
  });
  closeLater(peers);
  return {
    peers,
    directory,
    address: peers.address ?? { host: '', port: 0 },
    connect: async (reads = true) => closeLater(await connectEnclave(directory, node, { reads })),
  };
}

/** Starts the same, with its enclave. */
export async function startNode(node: number, options: Partial<StartPeersOptions> = {}) {
  const started = await startNodeParent(node, options);
  return { ...started, enclave: await started.connect() };
}

/** Waits until a condition holds. @throws Error after a minute */
export async function until(what: string, condition: () => boolean, ms = 60_000): Promise<void> {
  const end = performance.now() + ms;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`${what} has not happened`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
