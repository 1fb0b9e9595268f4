import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { StateStore } from '../aws/state.ts';
import { openAuthority } from '../aws/tls.ts';

/** Server that claims to be KMS, and the authority that certifies it. */
export interface HostileKms {
  readonly port: number;
  /** PEM of the authority. An enclave that trusts it has lost its TLS to the attacker. */
  readonly caPem: string;
  close(): Promise<void>;
}

/** Serves `answer` as the response to every request to KMS, under KMS's host names. */
export async function startHostileKms(answer: (request: unknown) => unknown): Promise<HostileKms> {
  const authority = openAuthority(new StateStore(undefined), Date.now());
  const server = createServer(
    { ...authority.localhost, SNICallback: (name, done) => done(null, authority.contextFor(name)) },
    (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
        response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' });
        response.end(JSON.stringify(answer(body)));
      });
    },
  );
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    caPem: authority.caPem,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
