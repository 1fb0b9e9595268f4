import * as z from 'zod';

/**
 * What a ceremony of a quorum does to keys: `generate` makes one among the nodes, `import-key` splits an existing one inside
 * an enclave, `refresh` makes new shares of the same key for the same nodes, `reshare` for other nodes or another
 * threshold, `repair` makes a lost share again.
 */
export const ceremonyOperationSchema = z.enum(['generate', 'import-key', 'refresh', 'reshare', 'repair']);
export type CeremonyOperation = z.infer<typeof ceremonyOperationSchema>;

/** The operations that a rule may permit: signatures, shares of a dealer, and ceremonies. */
export const operationSchema = z.enum(['sign', 'import-share', ...ceremonyOperationSchema.options]);
export type Operation = z.infer<typeof operationSchema>;
