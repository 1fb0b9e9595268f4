/** A parent whose clients wait for an enclave that does not accept their connections. */
import { startParent } from '../../../parent/index.ts';
import { parentOptions } from '../parent-options.ts';
import { serveMeasurements } from './measured-process.ts';

const [directory = '', proxyProtocol = ''] = process.argv.slice(2);
const never = new Promise<never>(() => {});
const options = parentOptions(directory);
const parent = await startParent({
  ...options,
  transport: { ...options.transport, connect: () => never },
  ingress: { port: 0, proxyProtocol: proxyProtocol === 'proxy-protocol' },
});
serveMeasurements({ port: parent.ingress?.port ?? 0 });
