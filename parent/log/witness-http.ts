import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';

/** Longest response that is read, in bytes: some lines of cosignatures. */
const MAX_RESPONSE_BYTES = 64 * 1024;

/** What a witness has answered. */
export interface WitnessResponse {
  readonly status: number;
  /** Media type without its parameters. */
  readonly type: string;
  readonly body: string;
}

/**
 * HTTP client of one address whose connection stays open from one checkpoint to the next. `fetch` takes a few
 * milliseconds more for each request on a busy machine, and every signature waits for it.
 */
export class WitnessHttp {
  readonly #url: URL;
  readonly #agent: HttpAgent;

  constructor(url: string) {
    this.#url = new URL(url);
    this.#agent =
      this.#url.protocol === 'https:'
        ? new HttpsAgent({ keepAlive: true })
        : new HttpAgent({ keepAlive: true });
  }

  /** Posts text. @throws Error where there is no answer, a redirection, too long a one, or the signal aborts */
  async post(body: string, signal: AbortSignal): Promise<WitnessResponse> {
    const send = this.#url.protocol === 'https:' ? requestHttps : requestHttp;
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = send(this.#url, {
        method: 'POST',
        agent: this.#agent,
        headers: { 'content-type': 'text/plain', 'content-length': Buffer.byteLength(body) },
        signal,
      });
      request.once('response', resolve);
      request.on('error', reject);
      request.end(body);
    });
    const { statusCode: status = 0 } = response;
    if (status >= 300 && status < 400) {
      response.destroy();
      throw new Error('the witness points elsewhere, where nobody follows');
    }
    const type = response.headers['content-type']?.split(';')[0]?.trim() ?? '';
    return { status, type, body: await readBody(response) };
  }

  close(): void {
    this.#agent.destroy();
  }
}

async function readBody(response: IncomingMessage): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response as AsyncIterable<Uint8Array>) {
    length += part.length;
    if (length > MAX_RESPONSE_BYTES) throw new RangeError('the response of a witness is too long');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
