import type { z } from 'zod';
import { parseJson } from '../shared/json/index.ts';
import { errorResponseSchema, waitingResponseSchema } from '../shared/api/bodies.ts';
import { ClientError, NodeRefusal } from './errors.ts';
import type { HttpResponse } from './http-exchange.ts';

const MAX_JSON_BYTES = 1024 * 1024;
const MAX_JSON_DEPTH = 8;

/**
 * Parses a node's response: the body of a 200, a request that waits (202), or a refusal.
 *
 * @throws NodeRefusal; ClientError APPROVALS_NEEDED, ANSWER_MALFORMED
 */
export function parseResponse<T>(answer: HttpResponse, schema: z.ZodType<T>): T {
  if (answer.status === 200) return parseBody(answer, schema);
  if (answer.status === 202) {
    const { waiting, rule, receipt } = parseBody(answer, waitingResponseSchema);
    throw new ClientError('APPROVALS_NEEDED', 'the request waits for approvals', {
      ...waiting,
      rule,
      receipt,
    });
  }
  const { error, receipt } = parseBody(answer, errorResponseSchema);
  const message = `the node refuses the request: HTTP ${answer.status} ${error}`;
  throw new NodeRefusal(error, message, { status: answer.status }, receipt);
}

function parseBody<T>({ status, body }: HttpResponse, schema: z.ZodType<T>): T {
  try {
    return schema.parse(parseJson(body, { maxBytes: MAX_JSON_BYTES, maxDepth: MAX_JSON_DEPTH }));
  } catch (cause) {
    throw new ClientError(
      'ANSWER_MALFORMED',
      `the body of the HTTP ${status} response is none that a node sends`,
      { status },
      cause,
    );
  }
}
