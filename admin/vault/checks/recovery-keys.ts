import { isShareType } from '../../../shared/algorithms.ts';
import type { VaultDocument } from '../document.ts';
import { roleOfNode } from '../roles.ts';
import type { OpenFinding } from './finding.ts';
import { isOpenValue } from './placeholders.ts';

/**
 * Finds nodes whose backups nobody could recover together: a recovery joins the shares that one recovery key opens, of as
 * many nodes as sign together.
 */
export function checkRecoveryKeys({ nodes, tenant, threshold }: VaultDocument): OpenFinding[] {
  if (!tenant.keys.some(({ type }) => isShareType(type))) return [];
  const known = nodes.filter(({ recovery }) => !isOpenValue(recovery.publicKey));
  const groups = [...Map.groupBy(known, ({ recovery }) => recovery.publicKey).values()].toSorted(
    (one, other) => other.length - one.length,
  );
  const [most = [], ...others] = groups;
  const [other] = others.flat();
  if (other === undefined) return [];
  const isLost = known.length === nodes.length && most.length < threshold;
  return [
    {
      code: 'RECOVERY_KEYS_DIFFER',
      severity: isLost ? 'error' : 'warning',
      roles: others.flat().map(({ node }) => roleOfNode(node)),
      path: ['nodes', other.node - 1, 'recovery', 'publicKey'],
      text: isLost
        ? `no ${threshold} nodes have one recovery key: nobody could recover the keys that they share`
        : 'a node has another recovery key: its backups recover no shared key together with those of the others',
      advice:
        'Give all nodes one recovery key, split among custodians of several parties, and so that as many have to come together as you want against them.',
    },
  ];
}
