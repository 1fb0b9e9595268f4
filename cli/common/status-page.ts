import { get, type IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { ByteCollector } from '../../shared/byte-collector.ts';
import { parseJson } from '../../shared/json/index.ts';
import { CliError } from './errors.ts';

const TIMEOUT_MS = 5_000;
const MAX_STATUS_BYTES = 16 * 1024;

/**
 * Fetches a parent's status page, and reads the fields that a schema names. The page is the parent's word, which
 * nothing proves.
 *
 * @param base the page's address, `http://host:port`
 * @throws CliError STATUS_UNREACHABLE, STATUS_MALFORMED
 */
export async function fetchStatusPage<T>(base: URL, schema: z.ZodType<T>): Promise<T> {
  const bytes = await fetchBytes(new URL('/status', base));
  try {
    return schema.parse(parseJson(bytes, { maxBytes: MAX_STATUS_BYTES, maxDepth: 4 }));
  } catch (cause) {
    throw new CliError('STATUS_MALFORMED', "expected a parent's status", {}, cause);
  }
}

async function fetchBytes(url: URL): Promise<Uint8Array> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(url, { signal }, resolve).once('error', reject);
    });
    const collected = new ByteCollector(MAX_STATUS_BYTES);
    for await (const chunk of response as AsyncIterable<Buffer>) {
      if (!collected.add(chunk))
        throw new CliError('STATUS_MALFORMED', 'the status is longer than its maximum');
    }
    if (response.statusCode !== 200)
      throw new CliError('STATUS_MALFORMED', 'expected a status page with HTTP status 200');
    return collected.bytes();
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError('STATUS_UNREACHABLE', 'the parent does not answer', { url: url.href }, cause);
  }
}
