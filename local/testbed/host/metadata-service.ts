import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AwsCredentials } from '../../aws/index.ts';

export interface MetadataOptions {
  readonly instanceId: string;
  readonly accountId: string;
  readonly region: string;
  readonly roleName: string;
  /** Makes credentials of the instance's role. */
  readonly credentials: () => AwsCredentials;
}

const TOKEN = '/latest/api/token';
const ROLES = '/latest/meta-data/iam/security-credentials/';

/**
 * The instance's metadata service, IMDSv2 alone: a token first, then the credentials of the role.
 *
 * Source: Amazon EC2 User Guide, "Use the Instance Metadata Service to access instance metadata".
 */
export class MetadataService {
  readonly #server: Server;
  readonly #tokens = new Set<string>();
  readonly endpoint: string;

  private constructor(server: Server) {
    this.#server = server;
    this.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async open(options: MetadataOptions): Promise<MetadataService> {
    let service: MetadataService | undefined;
    const server = createServer((request, response) => {
      service?.answer(options, request, response);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    service = new MetadataService(server);
    return service;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  private answer(options: MetadataOptions, request: IncomingMessage, response: ServerResponse): void {
    const { method, url = '', headers } = request;
    if (method === 'PUT' && url === TOKEN) {
      const token = randomBytes(32).toString('base64url');
      this.#tokens.add(token);
      response.setHeader('x-aws-ec2-metadata-token-ttl-seconds', '21600');
      response.end(token);
      return;
    }
    const token = headers['x-aws-ec2-metadata-token'];
    if (method !== 'GET' || typeof token !== 'string' || !this.#tokens.has(token)) {
      response.writeHead(401).end();
      return;
    }
    const body = read(options, url);
    if (body === undefined) response.writeHead(404).end();
    else response.end(body);
  }
}

function read(
  { instanceId, accountId, region, roleName, credentials }: MetadataOptions,
  url: string,
): string | undefined {
  if (url === ROLES) return roleName;
  if (url === `${ROLES}${roleName}`) {
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = credentials();
    return JSON.stringify({
      Code: 'Success',
      Type: 'AWS-HMAC',
      LastUpdated: new Date().toISOString(),
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      Token: sessionToken,
      Expiration: expiration?.toISOString(),
    });
  }
  if (url === '/latest/dynamic/instance-identity/document')
    return JSON.stringify({ instanceId, accountId, region });
  if (url === '/latest/meta-data/instance-id') return instanceId;
  if (url === '/latest/meta-data/placement/region') return region;
  return undefined;
}
