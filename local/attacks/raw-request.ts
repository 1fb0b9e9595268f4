import { randomBytes } from 'node:crypto';
import { request as httpsRequest } from 'node:https';
import { z } from 'zod';
import { unsafeParseAttestationDocument } from '../../attestation/index.ts';
import { nodeBindingSchema } from '../../shared/api/bodies.ts';

export interface RawRequest {
  readonly method: string;
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

export interface RawResponse {
  readonly status: number;
  readonly body: unknown;
}

/** Sends exactly these bytes to a node, without checking the node's certificate, as an attacker would. */
export function sendRaw(url: string, { method, target, headers, body }: RawRequest): Promise<RawResponse> {
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(
      new URL(url),
      { method, path: target, headers: { ...headers }, rejectUnauthorized: false, agent: false },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: incoming.statusCode ?? 0, body: text === '' ? null : JSON.parse(text) });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Code of a refusal, or the HTTP status of any other response. */
export function codeOf({ status, body }: RawResponse): string {
  const parsed = z.object({ error: z.string() }).safeParse(body);
  return parsed.success ? parsed.data.error : `HTTP ${status}`;
}

/** Reads the session in a node's attestation document, without verifying the document. */
export async function askSession(url: string): Promise<string> {
  const body = Buffer.from(JSON.stringify({ nonce: randomBytes(16).toString('hex') }));
  const headers = { 'content-type': 'application/json' };
  const response = await sendRaw(url, { method: 'POST', target: '/v1/attestation', headers, body });
  const { document } = z.object({ document: z.string() }).parse(response.body);
  const { payload } = unsafeParseAttestationDocument(Buffer.from(document, 'base64'));
  return nodeBindingSchema.parse(JSON.parse(Buffer.from(payload.userData ?? []).toString())).session;
}
