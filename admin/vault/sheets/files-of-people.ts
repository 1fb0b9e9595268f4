import type { VaultDocument } from '../document.ts';

/** Template of a node's stack for the console of CloudFormation, in the folder of its admin's sheets. */
export const CONSOLE_TEMPLATE = 'node-console.yaml';

/** Folder of "vault profiles": where nodes are, and what they must prove. */
const PROFILES = 'profiles';

/** Profile by which one node is asked first. */
export function profileOf(node: number): string {
  return `${PROFILES}/node-${node}.yaml`;
}

/** Manifest of a node, as "vault profiles" has taken it from its admin's statement. */
export function manifestOf(node: number): string {
  return `${PROFILES}/node-${node}.manifest.json`;
}

/** Backups of all keys of all nodes, as "ers backup" names them. */
function backupsOf({ nodes, tenant }: VaultDocument): readonly string[] {
  return nodes.flatMap(({ node }) => tenant.keys.map(({ id }) => `backups/node-${node}.${id}.json`));
}

/** Options that name all backups, and what their proofs are verified with. */
export function backupOptions(document: VaultDocument): string {
  return [
    ...backupsOf(document).map((path) => `--backup ${path}`),
    `--pcrs ${PROFILES}/pcr.json`,
    ...document.nodes.map(({ node }) => `--manifest ${manifestOf(node)}`),
  ].join(' ');
}

/** Client that owners act as, and the file of its key. */
export function ownerOf({ tenant }: VaultDocument): { readonly client: string; readonly key: string } {
  const client = tenant.owners.clients[0] ?? '';
  return { client, key: `keys/${client}.pem` };
}
