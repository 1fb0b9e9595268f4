import * as z from 'zod';
import { algorithmSchema } from '../../shared/algorithms.ts';
import { payloadSchema } from '../../shared/api/payloads.ts';
import { AnalysisError } from './errors.ts';

const identifier = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/);

/** The JSON body of `POST /v1/sign`, and the id of the client that would send it. */
const requestFileSchema = z.strictObject({
  client: identifier,
  key: identifier,
  algorithm: algorithmSchema,
  payload: payloadSchema,
});
export type RequestFile = z.infer<typeof requestFileSchema>;

/** Reads a request that was parsed from JSON. @throws AnalysisError REQUEST_FILE_MALFORMED */
export function readRequestFile(value: unknown): RequestFile {
  const parsed = requestFileSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new AnalysisError('REQUEST_FILE_MALFORMED', 'the request does not match its schema', {
    field: issue?.path.join('.'),
    expected: issue?.message,
  });
}
