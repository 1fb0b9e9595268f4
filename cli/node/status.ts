import { z } from 'zod';
import { nodePhaseSchema } from '../../shared/protocol/control.ts';

/** What a parent's status page says of its node. */
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
