import type { RoleDescription, VaultFinding } from '../../admin/vault/index.ts';
import { readSigningKey } from '../common/private-key.ts';
import type { VaultFile } from './options.ts';

/**
 * Finds that vault.yaml names another statement key for a role than its holder has: somebody else would speak for it.
 * @throws UsageError; CliError KEY_FILE_EXPOSED, KEY_FILE_MALFORMED
 */
export async function checkOwnKey(
  { document, placeOf }: VaultFile,
  { role, statementKey }: RoleDescription,
  keyFile: string,
): Promise<VaultFinding[]> {
  const { publicKey } = await readSigningKey(keyFile);
  if (publicKey === statementKey) return [];
  const index = document.nodes.findIndex(({ node }) => role === `node-${node}`);
  const path = index < 0 ? ['infrastructure', 'statementKey'] : ['nodes', index, 'statementKey'];
  return [
    {
      code: 'STATEMENT_KEY_NOT_YOURS',
      severity: 'error',
      roles: [role],
      path: path.join('.'),
      line: placeOf(path)?.line ?? null,
      text: `vault.yaml names another statement key for ${role} than the one that you hold: whoever has that key would speak for you`,
      advice: `Have it name ${publicKey}, and ask how the other one came there.`,
    },
  ];
}
