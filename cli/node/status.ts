import { z } from 'zod';
import { nodePhaseSchema } from '../../shared/protocol/control.ts';

/** Schema of the node's part of a parent's status page. */
export const nodeStatusSchema = z.object({
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
