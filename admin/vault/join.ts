import * as z from 'zod';
import { parseJson } from '../../shared/json/index.ts';
import { VaultError } from './errors.ts';
import { account, principalArn, publicKey, region } from './fields.ts';
import type { RoleAnswers } from './template.ts';

export const JOIN_FORMAT = 'holdfast-vault-join/1';
/** Largest file of one role's answers, in bytes. */
export const MAX_JOIN_BYTES = 16 * 1024;

const joinFields = z.strictObject({
  format: z.literal(JOIN_FORMAT),
  role: z.string().regex(/^(?:infrastructure|node-(?:[1-9]|[12][0-9]|3[0-2]))$/, {
    error: 'expected infrastructure or node-1 to node-32',
  }),
  account,
  region: region.optional(),
  admins: z.array(principalArn).min(1).max(16),
  statementKey: publicKey,
  authorityKey: publicKey.optional(),
  recoveryKey: publicKey.optional(),
});

/** Admins of another account would decide for the role from there; vault.yaml takes none. */
const joinSchema = joinFields.superRefine(({ account: own, admins }, context) => {
  for (const [index, arn] of admins.entries()) {
    const [, , , , owner = ''] = arn.split(':');
    if (owner === own) continue;
    context.addIssue({
      code: 'custom',
      path: ['admins', index],
      message: `${arn} is of account ${owner}, and the role has account ${own}: name a role of that account itself`,
    });
  }
});

/** What one role has written for vault.yaml: public keys, account and people; nothing secret. */
export type JoinFile = z.infer<typeof joinSchema>;

/** Parses what a role has written for vault.yaml. @throws VaultError VAULT_JOIN_MALFORMED */
export function parseJoin(bytes: Uint8Array): JoinFile {
  let value: unknown;
  try {
    value = parseJson(bytes, { maxBytes: MAX_JOIN_BYTES, maxDepth: 3 });
  } catch (error) {
    throw new VaultError('VAULT_JOIN_MALFORMED', 'the file is not strict JSON', {}, error);
  }
  const result = joinSchema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new VaultError('VAULT_JOIN_MALFORMED', 'the file is not what "vault join" writes', {
    field: issue?.path.join('.'),
    problem: issue?.message,
  });
}

/**
 * Sorts the answers of roles: infrastructure's, and those of nodes by number.
 *
 * @throws VaultError VAULT_JOIN_REPEATED where two files are of one role
 */
export function collectJoins(files: readonly JoinFile[]): {
  readonly infrastructure: RoleAnswers;
  readonly nodes: ReadonlyMap<number, RoleAnswers>;
} {
  const byRole = Map.groupBy(files, ({ role }) => role);
  const repeated = [...byRole].find(([, own]) => own.length > 1)?.[0];
  if (repeated !== undefined)
    throw new VaultError('VAULT_JOIN_REPEATED', 'two files are of one role', { role: repeated });
  return {
    infrastructure: byRole.get('infrastructure')?.[0] ?? {},
    nodes: new Map(
      files
        .filter(({ role }) => role !== 'infrastructure')
        .map((file) => [Number(file.role.slice('node-'.length)), file] as const),
    ),
  };
}
