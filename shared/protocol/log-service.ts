import { PARENT_PORT } from '../transport/ports.ts';
import {
  logRequestSchema,
  logResponseSchema,
  MAX_LOG_FRAME_BYTES,
  type LogRequest,
  type LogResponse,
} from './log.ts';
import type { RequestService } from './request-service.ts';

/** Where an enclave hands out its checkpoints and gets cosignatures: see SPEC.md. */
export const LOG_SERVICE: RequestService<LogRequest, LogResponse> = Object.freeze({
  name: 'log',
  port: PARENT_PORT.log,
  maxFrameBytes: MAX_LOG_FRAME_BYTES,
  requestSchema: logRequestSchema,
  responseSchema: logResponseSchema,
  badRequest: { type: 'error', code: 'BAD_REQUEST' } as const,
});
