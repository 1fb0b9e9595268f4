import { get, type IncomingMessage } from 'node:http';
import { z } from 'zod';
import { parseJson } from '../shared/json/index.ts';
import { nodePhaseSchema } from '../shared/protocol/control.ts';
import { CliError } from './errors.ts';

const TIMEOUT_MS = 5_000;
const MAX_STATUS_BYTES = 16 * 1024;

const statusSchema = z.object({
  node: z
    .object({
      phase: nodePhaseSchema,
      code: z
        .string()
        .regex(/^[A-Z][A-Z0-9_]{1,63}$/)
        .nullable(),
      since: z.int().min(0).max(8.64e15),
    })
    .nullable(),
});
export type ParentStatus = z.infer<typeof statusSchema>;

/**
 * What a parent's status page says of its node. The parent says it, and nothing proves it.
 *
 * @param base the page's address, `http://host:port`
 * @throws CliError STATUS_UNREACHABLE, STATUS_MALFORMED
 */
export async function fetchStatus(base: URL): Promise<ParentStatus> {
  const bytes = await fetchBytes(new URL('/status', base));
  try {
    return statusSchema.parse(parseJson(bytes, { maxBytes: MAX_STATUS_BYTES, maxDepth: 4 }));
  } catch (cause) {
    throw new CliError('STATUS_MALFORMED', "not a parent's status", {}, cause);
  }
}

async function fetchBytes(url: URL): Promise<Uint8Array> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(url, { signal }, resolve).once('error', reject);
    });
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > MAX_STATUS_BYTES) throw new CliError('STATUS_MALFORMED', 'too long for a status');
      chunks.push(chunk);
    }
    if (response.statusCode !== 200) throw new CliError('STATUS_MALFORMED', 'no status page is there');
    return Buffer.concat(chunks);
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError('STATUS_UNREACHABLE', 'the parent does not answer', { url: url.href }, cause);
  }
}
