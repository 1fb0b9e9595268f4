import * as z from 'zod';

/**
 * What a ceremony of a quorum does to keys: `generate` makes one among the nodes, `import-key` splits an existing one inside
 * an enclave, `refresh` makes new shares of the same key for the same nodes, `reshare` for other nodes or another
 * threshold, `repair` makes a lost share again.
 */
export const ceremonyOperationSchema = z.enum(['generate', 'import-key', 'refresh', 'reshare', 'repair']);
export type CeremonyOperation = z.infer<typeof ceremonyOperationSchema>;

/**
 * What clients do with the keys of a pool beside signing: `create-key` makes one; `encrypt` (data keys too), `decrypt`,
 * `mac` (made and verified) and `derive-secret` use one; `administer-key` changes its description, tags, aliases and
 * state, and orders its deletion.
 */
export const poolOperationSchema = z.enum([
  'create-key',
  'encrypt',
  'decrypt',
  'mac',
  'derive-secret',
  'administer-key',
]);
export type PoolOperation = z.infer<typeof poolOperationSchema>;

/** Tells whether an operation is one on keys of a pool alone. */
export function isPoolOperation(operation: string): operation is PoolOperation {
  return (poolOperationSchema.options as readonly string[]).includes(operation);
}

/**
 * The operations that a rule may permit: signatures, shares of a dealer, ceremonies, those on keys of a pool, and `backup`:
 * a copy of a key or pool that is encrypted to the recovery key of the manifest, and the word of a keeper that it is kept.
 */
export const operationSchema = z.enum([
  'sign',
  'import-share',
  'backup',
  ...ceremonyOperationSchema.options,
  ...poolOperationSchema.options,
]);
export type Operation = z.infer<typeof operationSchema>;
