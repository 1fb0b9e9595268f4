import { afterEach, describe, expect, it } from 'vitest';
import { startPeers, type StartPeersOptions } from '../../../parent/peers/peers.ts';
import { PARENT_CID } from '../../../shared/transport/ports.ts';
import { createUnixTransport } from '../../../shared/transport/unix-transport.ts';
import { ENCLAVE_CID } from '../../support/parent-options.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { connectEnclave } from './enclave.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

async function startNode(node: number, options: Partial<StartPeersOptions> = {}) {
  const directory = temporaryFolder();
  const peers = await startPeers({
    node,
    nodes: [],
    listen: { port: 0 },
    transport: createUnixTransport({ directory, cid: PARENT_CID }),
    isEnclave: (cid) => cid === ENCLAVE_CID,
    log: () => {},
    ...options,
  });
  open.push(peers);
  const enclave = await connectEnclave(directory, node);
  open.push(enclave);
  return { peers, enclave, directory, address: peers.address as { host: string; port: number } };
}

describe('two parents', () => {
  it('carry datagrams between their enclaves, both ways', async () => {
    const [a, b] = [await startNode(1), await startNode(2)];
    a.peers.setNodes([{ node: 2, address: b.address }]);
    b.peers.setNodes([{ node: 1, address: a.address }]);
    await a.enclave.send(2, 'there');
    expect(await b.enclave.waitFor(1)).toBe('there');
    await b.enclave.send(1, 'and back');
    expect(await a.enclave.waitFor(1)).toBe('and back');
  });
});
