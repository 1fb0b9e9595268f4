import { contentOf, CURRENT, describeSecret, readVersion, versionWith } from '../../secrets/index.ts';
import { PART_SECRETS } from '../derive/part-secrets.ts';
import type { VaultDocument } from '../document.ts';
import type { PartitionDescription } from './catalogue.ts';
import { PopulateError } from './errors.ts';
import type { PopulateOptions } from './plan.ts';
import type { RolePassword } from './postgres-roles.ts';

/**
 * Reads the passwords of the nodes' roles in PostgreSQL that are in force, by the numbers of their nodes. Whoever has called
 * clears them.
 *
 * @throws PopulateError POPULATE_NOT_WRITTEN for a password that nobody has put there yet; AdminError AWS_…, INTERRUPTED
 */
export async function readPostgresPasswords(
  { nodes }: VaultDocument,
  { prefix }: PartitionDescription,
  { client, signal }: Pick<PopulateOptions, 'client' | 'signal'>,
): Promise<ReadonlyMap<number, RolePassword>> {
  const passwords = new Map<number, RolePassword>();
  for (const { node } of nodes) {
    const secretId = `${prefix}${PART_SECRETS.postgres(node)}`;
    const described = await describeSecret(client, secretId, signal);
    const current = versionWith(CURRENT, described?.VersionIdsToStages);
    const value =
      current === undefined ? undefined : contentOf(await readVersion(client, secretId, current, signal));
    if (current === undefined || value === undefined)
      throw new PopulateError('POPULATE_NOT_WRITTEN', 'the password of a node is not there yet', {
        name: PART_SECRETS.postgres(node),
      });
    passwords.set(node, { password: Buffer.from(value), version: current });
  }
  return passwords;
}
