/** The enclave's HTTPS interface alone, which lets everybody's bodies in: what clients with a key could do too. */
import { serveHttps } from '../../../enclave/api/http-server.ts';
import { createTlsIdentity } from '../../../enclave/api/tls-identity.ts';
import { createUnixTransport } from '../../../shared/transport/unix-transport.ts';
import { serveMeasurements } from './measured-process.ts';

const [directory = ''] = process.argv.slice(2);
const never = new Promise<never>(() => {});
await serveHttps(
  createUnixTransport({ directory, cid: 16 }),
  await createTlsIdentity('node', Date.now()),
  ({ target }) =>
    (body) =>
      target === '/slow' ? never : { status: 200, body: { length: body.length } },
);
serveMeasurements({});
