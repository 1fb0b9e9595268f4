import * as z from 'zod';
import { parseJson } from '../shared/json/index.ts';
import { receiptSchema } from '../audit/receipt/receipt.ts';
import {
  errorResponseSchema,
  shareImportResponseSchema,
  signResponseSchema,
  waitingResponseSchema,
} from '../shared/api/bodies.ts';
import { ClientError, NodeRefusal } from './errors.ts';
import type { HttpResponse } from './http-exchange.ts';

const MAX_JSON_DEPTH = 8;

/** The member of every response to a request that was decided; nodes of version 0.1.0 give no receipts. */
const decided = { receipt: receiptSchema.optional() };

/** Receipts of the other nodes of a quorum that have decided on the request too. */
const decidedTogether = { ...decided, receipts: z.array(receiptSchema).optional() };

export const signedSchema = signResponseSchema.extend(decidedTogether);
/** Signatures, with the rule that permitted them and the receipt. */
export type Signed = z.infer<typeof signedSchema>;
export const shareImportedSchema = shareImportResponseSchema.extend(decided);
export type ShareImported = z.infer<typeof shareImportedSchema>;
const waitingSchema = waitingResponseSchema.extend(decided);
const refusalSchema = errorResponseSchema.extend(decidedTogether);

/**
 * Parses a node's response: the body of a 200 or of what was begun (202), a request that waits (202), or a
 * refusal.
 *
 * @throws NodeRefusal; ClientError APPROVALS_NEEDED, ANSWER_MALFORMED
 */
export function parseResponse<T>(answer: HttpResponse, schema: z.ZodType<T>): T {
  if (answer.status === 200) return parseBody(answer, schema);
  if (answer.status === 202) {
    const json = readJson(answer);
    if (!isWaiting(json)) return assertShape(answer, json, schema);
    const { waiting, rule, receipt } = assertShape(answer, json, waitingSchema);
    throw new ClientError('APPROVALS_NEEDED', 'the request waits for approvals', {
      ...waiting,
      rule,
      receipt,
    });
  }
  const { error, receipt, receipts } = parseBody(answer, refusalSchema);
  const message = `the node refuses the request: HTTP ${answer.status} ${error}`;
  throw new NodeRefusal(error, message, { status: answer.status }, { receipt, receipts });
}

function parseBody<T>(answer: HttpResponse, schema: z.ZodType<T>): T {
  return assertShape(answer, readJson(answer), schema);
}

/** Whether an accepted request waits for approvals; another one has begun a ceremony. */
function isWaiting(json: unknown): boolean {
  return typeof json === 'object' && json !== null && 'waiting' in json;
}

function readJson({ status, body }: HttpResponse): unknown {
  try {
    return parseJson(body, { maxBytes: body.length, maxDepth: MAX_JSON_DEPTH });
  } catch (cause) {
    throw malformed(status, cause);
  }
}

function assertShape<T>({ status }: HttpResponse, json: unknown, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw malformed(status, parsed.error);
}

function malformed(status: number, cause: unknown): ClientError {
  return new ClientError(
    'ANSWER_MALFORMED',
    `the body of the HTTP ${status} response is none that a node sends`,
    { status },
    cause,
  );
}
