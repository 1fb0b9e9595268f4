import { PARENT_PORT } from '../transport/ports.ts';
import {
  controlRequestSchema,
  controlResponseSchema,
  MAX_CONTROL_FRAME_BYTES,
  type ControlRequest,
  type ControlResponse,
} from './control.ts';
import type { RequestService } from './request-service.ts';

/** What an enclave asks of its parent: see SPEC.md. */
export const CONTROL_SERVICE: RequestService<ControlRequest, ControlResponse> = Object.freeze({
  name: 'control',
  port: PARENT_PORT.control,
  maxFrameBytes: MAX_CONTROL_FRAME_BYTES,
  requestSchema: controlRequestSchema,
  responseSchema: controlResponseSchema,
  badRequest: { type: 'error', code: 'BAD_REQUEST' } as const,
});
