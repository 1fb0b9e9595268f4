/** A parent whose clients wait for an enclave that does not accept their connections. */
import { createMemoryStore } from '../../../local/hostile-parent/index.ts';
import { startParent } from '../../../parent/index.ts';
import { createUnixTransport } from '../../../shared/transport/unix-transport.ts';
import { serveMeasurements } from './measured-process.ts';

const [directory = '', proxyProtocol = ''] = process.argv.slice(2);
const never = new Promise<never>(() => {});
const parent = await startParent({
  transport: { ...createUnixTransport({ directory, cid: 3 }), connect: () => never },
  enclaveCid: 16,
  manifest: () => Promise.resolve(null),
  configuration: () => Promise.resolve(null),
  secrets: { get: () => Promise.resolve(null) },
  credentials: () => Promise.reject(new Error('none')),
  store: createMemoryStore(),
  egress: { targets: [] },
  ingress: { port: 0, proxyProtocol: proxyProtocol === 'proxy-protocol' },
});
serveMeasurements({ port: parent.ingress?.port ?? 0 });
