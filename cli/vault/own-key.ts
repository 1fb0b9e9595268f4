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
  const other = findUse(document, publicKey);
  if (other !== undefined) {
    return [
      {
        code: 'STATEMENT_KEY_MISTAKEN',
        severity: 'error',
        roles: [role],
        path: '--statement-key',
        line: null,
        text: `${keyFile} is ${other}, and not the statement key of ${role}`,
        advice: `Give the file that "holdfast vault join" has made for ${role}: --statement-key keys/${role}.statement.pem`,
      },
    ];
  }
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
      advice: `Where ${keyFile} is the file that "holdfast vault join" has made for ${role}, have vault.yaml name ${publicKey}, and ask how the other key came there. Otherwise give that file: --statement-key keys/${role}.statement.pem`,
    },
  ];
}

/** Says what else in a vault a key is for; undefined for one that vault.yaml does not name. */
function findUse({ infrastructure, nodes, clients }: VaultFile['document'], key: string): string | undefined {
  const authority = nodes.find(({ configurationAuthority }) => configurationAuthority.keys.includes(key));
  if (authority !== undefined) return `the authority key of node ${authority.node}`;
  if (infrastructure.statementKey === key) return 'the statement key of infrastructure';
  const node = nodes.find((one) => one.statementKey === key);
  if (node !== undefined) return `the statement key of node ${node.node}`;
  const client = clients.find(({ publicKey }) => publicKey === key);
  return client === undefined ? undefined : `the key of the client ${client.id}`;
}
