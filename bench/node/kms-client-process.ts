/**
 * Clients of KMS: requests that were signed beforehand (Signature Version 4), on connections that stay open with one
 * request under way each, so that next to nothing is the client's own cost.
 */
import { createHash, createHmac, createPublicKey, randomBytes, randomUUID, verify } from 'node:crypto';
import { Agent, request as send } from 'node:http';
import { awaitTask, tell } from './child.ts';
import { credentialOf } from './door-credentials.ts';

export interface KmsTask {
  readonly port: number;
  readonly region: string;
  readonly clients: number;
  readonly connections: number;
  readonly warmUpMs: number;
  readonly milliseconds: number;
}

const KEY = 'alias/p256';
const CHECKED = 16;
const task = await awaitTask<KmsTask>();
const agent = new Agent({ keepAlive: true, maxSockets: task.connections });
const host = `127.0.0.1:${task.port}`;
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
const keys = new Map<string, Buffer>();

function signHeaders(target: string, body: string, client: number): Record<string, string> {
  const { accessKeyId, secretAccessKey } = credentialOf(client);
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const scope = `${time.slice(0, 8)}/${task.region}/kms/aws4_request`;
  const name = `${client}/${scope}`;
  const key =
    keys.get(name) ??
    scope.split('/').reduce<string | Buffer>((made, part) => hmac(made, part), `AWS4${secretAccessKey}`);
  keys.set(name, key as Buffer);
  const headers = {
    'content-type': 'application/x-amz-json-1.1',
    host,
    'x-amz-date': time,
    'x-amz-target': `TrentService.${target}`,
  };
  const names = Object.keys(headers).join(';');
  const lines = Object.entries(headers).map(([header, value]) => `${header}:${value}\n`);
  const canonical = `POST\n/\n\n${lines.join('')}\n${names}\n${sha256(body)}`;
  const text = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`;
  const signature = hmac(key, text).toString('hex');
  return {
    ...headers,
    'amz-sdk-invocation-id': randomUUID(),
    'content-length': String(Buffer.byteLength(body)),
    authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

interface Prepared {
  readonly body: string;
  readonly headers: Record<string, string>;
}
const prepare = (target: string, input: object, client: number): Prepared => {
  const body = JSON.stringify(input);
  return { body, headers: signHeaders(target, body, client) };
};

function exchange({ body, headers }: Prepared): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = send({ agent, host: '127.0.0.1', port: task.port, method: 'POST', path: '/', headers });
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`expected a signature, found ${response.statusCode} ${text.slice(0, 400)}`));
      });
    });
    request.end(body);
  });
}

const sign = (client: number, message = randomBytes(32)) =>
  prepare(
    'Sign',
    {
      KeyId: KEY,
      Message: message.toString('base64'),
      MessageType: 'RAW',
      SigningAlgorithm: 'ECDSA_SHA_256',
    },
    client,
  );

/** Verifies some signatures by node:crypto before anything is measured. */
async function check(): Promise<void> {
  const { PublicKey } = JSON.parse(await exchange(prepare('GetPublicKey', { KeyId: KEY }, 0))) as {
    PublicKey: string;
  };
  const key = createPublicKey({ key: Buffer.from(PublicKey, 'base64'), format: 'der', type: 'spki' });
  for (let round = 0; round < CHECKED; round += 1) {
    const message = randomBytes(32);
    const { Signature } = JSON.parse(await exchange(sign(round % task.clients, message))) as {
      Signature: string;
    };
    if (!verify('sha256', message, key, Buffer.from(Signature, 'base64')))
      throw new Error('expected a signature that verifies');
  }
}

async function run(milliseconds: number) {
  const latencies: number[] = [];
  const start = performance.now();
  await Promise.all(
    Array.from({ length: task.connections }, async (_, index) => {
      while (performance.now() < start + milliseconds) {
        const prepared = sign(index % task.clients);
        const sent = performance.now();
        await exchange(prepared);
        latencies.push(performance.now() - sent);
      }
    }),
  );
  return { count: latencies.length, milliseconds: performance.now() - start, latencies };
}

await check();
await run(task.warmUpMs);
tell('measuring');
tell(await run(task.milliseconds));
agent.destroy();
