/**
 * Floor under any node: Node's own HTTPS server with the same TLS on the same transport, which reads a request's body
 * and responds with as many bytes as a signature's response has. No request is verified and nothing is signed.
 */
import { createServer } from 'node:https';
import { createTlsIdentity } from '../../enclave/api/tls-identity.ts';
import { ENCLAVE_PORT } from '../../shared/transport/ports.ts';
import { createUnixTransport } from '../../shared/transport/unix-transport.ts';
import { awaitTask, tell } from './child.ts';

export interface FloorTask {
  readonly socketDirectory: string;
  readonly cid: number;
  /** Length of the response's body in bytes. */
  readonly answerBytes: number;
}

const task = await awaitTask<FloorTask>();
const { certificate, privateKey } = await createTlsIdentity('floor', Date.now());
const answer = 'x'.repeat(task.answerBytes);
const server = createServer(
  {
    cert: certificate,
    key: privateKey,
    minVersion: 'TLSv1.3',
    ALPNProtocols: ['http/1.1'],
    keepAliveTimeout: 60_000,
    noDelay: true,
  },
  (request, response) => {
    request.on('data', () => undefined);
    request.on('end', () => {
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': answer.length,
        'cache-control': 'no-store',
      });
      response.end(answer);
    });
  },
);
const transport = createUnixTransport({ directory: task.socketDirectory, cid: task.cid });
await transport.listen(ENCLAVE_PORT.api, ({ stream }) => {
  stream.on('error', () => stream.destroy());
  server.emit('connection', stream);
});
tell({ listening: true });
