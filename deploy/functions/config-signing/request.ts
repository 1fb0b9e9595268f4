import * as z from 'zod';
import { decodeBase64 } from '../../../shared/base64.ts';
import { MAX_ENVELOPE_BYTES } from '../../../shared/dsse/index.ts';
import { ConfigSigningError } from './errors.ts';

const configuration = z.string().max(Math.ceil(MAX_ENVELOPE_BYTES / 3) * 4);

const requestSchema = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('describe'), configuration }),
  z.strictObject({
    action: z.literal('sign'),
    configuration,
    confirmation: z.string().regex(/^[0-9a-f]{96}$/),
  }),
]);

/** A request with the bytes of its configuration. */
export type ParsedRequest =
  | { readonly action: 'describe'; readonly bytes: Uint8Array }
  | { readonly action: 'sign'; readonly bytes: Uint8Array; readonly confirmation: string };

/** Parses an event. @throws ConfigSigningError SIGNING_REQUEST_MALFORMED */
export function parseRequest(event: unknown): ParsedRequest {
  const parsed = requestSchema.safeParse(event);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw malformed(issue?.path.join('.') ?? '', issue?.message ?? '');
  }
  const { configuration: text, ...rest } = parsed.data;
  const bytes = decodeBase64(text);
  if (bytes === undefined) throw malformed('configuration', 'expected base64');
  return { ...rest, bytes };
}

function malformed(field: string, problem: string): ConfigSigningError {
  return new ConfigSigningError('SIGNING_REQUEST_MALFORMED', 'not a request of the config signing function', {
    field,
    problem,
  });
}
