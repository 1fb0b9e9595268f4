import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { createServer } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { NodeTrust } from '../../client/index.ts';
import { createTlsIdentity } from '../../enclave/api/tls-identity.ts';
import { createNsmClient } from '../../enclave/nsm/index.ts';
import { EmulatedNsm, NitroRoot } from '../../local/nsm/index.ts';
import { errorCode } from '../../shared/errors.ts';
import { ReplayCache, verifyRequestSignature } from '../../shared/http-signature/index.ts';
import { digestManifest } from '../../shared/documents/manifest.ts';
import { freePort } from '../support/free-ports.ts';

export const backend = generateKeyPairSync('ed25519');
export const PCRS = new Map([0, 1, 2].map((index) => [index, new Uint8Array(48).fill(index + 1)]));
export const MANIFEST = Buffer.from('{"node":1}');
const INSTANCE = 'i-0123456789abcdef0';

/** What a fake node gives in place of a result: a refusal, or a connection that breaks. */
export class FakeFailure extends Error {
  readonly status: number | undefined;
  readonly code: string;

  /** @param status HTTP status of a refusal; undefined breaks the connection */
  constructor(status: number | undefined, code = '') {
    super(code);
    this.status = status;
    this.code = code;
  }
}

/** Behaviour of a node that a test changes. */
export interface NodeBehaviour {
  readonly root?: NitroRoot;
  readonly pcrs?: ReadonlyMap<number, Uint8Array>;
  readonly manifest?: Uint8Array;
  /** Fields of the document, in place of the true ones. */
  readonly attested?: (truth: AttestedFields) => { [Field in keyof AttestedFields]?: Uint8Array | undefined };
  /** Session that requests must name; the attested one when left out. */
  readonly session?: string;
  /** Responds to a request itself; undefined leaves it to the node. */
  readonly answer?: (request: IncomingMessage, response: ServerResponse) => true | undefined;
  /** Makes the body of the response to a signed request whose signature verified. Default: `{ keys: [] }`. */
  readonly serve?: (
    target: string,
    body: Buffer,
    node: Pick<FakeNode, 'session' | 'importKey'>,
  ) => object | Promise<object>;
  /** Port to listen on; a free one when left out. */
  readonly port?: number;
}

export interface AttestedFields {
  nonce: Uint8Array;
  publicKey: Uint8Array;
  userData: Uint8Array;
}

export interface FakeNode {
  readonly url: string;
  readonly port: number;
  readonly session: string;
  readonly importKey: {
    publicKey: Uint8Array;
    privateKey: KeyObject;
  };
  /** Method and target of every request whose body arrived. */
  readonly requests: string[];
  readonly connections: number;
  /** Breaks the connections, as a node that dies. */
  close(): Promise<void>;
}

export const nitroRoot = await NitroRoot.create(Date.now());

export const trust = (change: Partial<NodeTrust> = {}): NodeTrust => ({
  root: nitroRoot.certificate,
  pcrs: PCRS,
  manifest: MANIFEST,
  ...change,
});

/**
 * Starts an interface that attests and verifies signatures as a node does, and gives every signed request the same
 * response.
 */
export async function startFakeNode(behaviour: NodeBehaviour = {}): Promise<FakeNode> {
  const { root = nitroRoot, pcrs = PCRS, manifest = MANIFEST, attested = () => ({}), answer } = behaviour;
  const device = new EmulatedNsm({
    root,
    instanceId: INSTANCE,
    moduleId: `${INSTANCE}-enc0123456789abcdef`,
    measured: pcrs,
    clock: Date.now,
  });
  const nsm = createNsmClient(device);
  await nsm.extendPcr(16, digestManifest(manifest));
  await nsm.lockPcr(16);
  const identity = await createTlsIdentity('node.test', Date.now());
  const importPair = generateKeyPairSync('x25519');
  const importKey = new Uint8Array(importPair.publicKey.export({ format: 'raw-public' }));
  const session = randomBytes(16).toString('hex');
  const replay = new ReplayCache();
  const requests: string[] = [];

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    requests.push(`${request.method} ${request.url}`);
    if (answer?.(request, response)) return;
    const send = (status: number, value: object) => {
      const text = JSON.stringify(value);
      response.writeHead(status, { 'content-type': 'application/json', 'content-length': text.length });
      response.end(text);
    };
    try {
      if (request.url === '/v1/attestation') {
        const { nonce } = JSON.parse(body.toString()) as { nonce: string };
        const binding = {
          format: 'holdfast-node/1',
          session,
          configuration: 1,
          importKey: Buffer.from(importKey).toString('hex'),
        };
        const truth = {
          nonce: Buffer.from(nonce, 'hex'),
          publicKey: identity.publicKey,
          userData: Buffer.from(JSON.stringify(binding)),
        };
        const fields = Object.entries({ ...truth, ...attested(truth) }).filter(
          ([, value]) => value !== undefined,
        );
        const document = await nsm.attest(Object.fromEntries(fields));
        send(200, { document: Buffer.from(document).toString('base64') });
        return;
      }
      verifyRequestSignature(
        {
          method: request.method ?? '',
          target: request.url ?? '',
          rawHeaders: request.rawHeaders,
          body,
        },
        {
          findKey: (id) => (id === 'backend' ? backend.publicKey : undefined),
          session: behaviour.session ?? session,
          now: Date.now(),
          replay,
        },
      );
      const node = { session, importKey: { publicKey: importKey, privateKey: importPair.privateKey } };
      send(200, (await behaviour.serve?.(request.url ?? '', body, node)) ?? { keys: [] });
    } catch (error) {
      if (error instanceof FakeFailure) {
        if (error.status === undefined) response.destroy();
        else send(error.status, { error: error.code });
        return;
      }
      send(401, { error: errorCode(error) });
    }
  }

  const server = createServer(
    { cert: identity.certificate, key: identity.privateKey, minVersion: 'TLSv1.3' },
    (request, response) => {
      handle(request, response).catch(() => response.destroy());
    },
  );
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  // Whoever comes after this one listens at the same port.
  const wanted = behaviour.port ?? (await freePort());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(wanted, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}`,
    port,
    session,
    importKey: { publicKey: importKey, privateKey: importPair.privateKey },
    requests,
    get connections() {
      return connections;
    },
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
      nsm.close();
    },
  };
}
