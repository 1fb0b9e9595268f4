import { isShareType } from '../../../shared/algorithms.ts';
import type { PermitRule } from '../../../shared/documents/configuration.ts';
import type { VaultDocument } from '../document.ts';
import type { OpenFinding } from './finding.ts';

/**
 * Finds whether infrastructure could have the quorum sign in an upgrade, as proof, without the key of a wallet's or an owner's
 * client, as far as a description shows it: by a client that may sign messages with one shared key and nothing else, with a key
 * that nobody else signs with. Whoever alone signs at all is the wallet.
 */
export function checkUpgradeProof(document: VaultDocument): OpenFinding[] {
  const { clients, tenant } = document;
  const groups = new Map(tenant.clientGroups.map((group) => [group.id, group.clients]));
  const permits = tenant.rules
    .filter((rule): rule is PermitRule => rule.effect === 'permit')
    .map((rule) => ({ rule, clients: rule.clients.flatMap((id) => groups.get(id) ?? [id]) }));
  const shared = new Set(tenant.keys.filter(({ type }) => isShareType(type)).map(({ id }) => id));
  const isProof = ({ id, person }: (typeof clients)[number]): boolean => {
    const own = permits.filter((permit) => permit.clients.includes(id));
    const [first] = own;
    const [key] = first?.rule.keys ?? [];
    if (person !== null || tenant.owners.clients.includes(id) || key === undefined || !shared.has(key))
      return false;
    const isAlone = permits.every(
      (permit) => !permit.rule.keys.includes(key) || permit.clients.every((other) => other === id),
    );
    const isWallet = permits.every((permit) =>
      permit.clients.every((other) => other === id || tenant.owners.clients.includes(other)),
    );
    return !isWallet && isAlone && own.every(({ rule }) => isMessages(rule, key));
  };
  if (clients.some(isProof)) return [];
  return [
    {
      code: 'UPGRADE_PROOF_MISSING',
      severity: 'warning',
      path: ['clients'],
      text: 'no client may sign messages with a shared key of its own and nothing else: an upgrade would need the key of a wallet or an owner on the machine of infrastructure',
      advice:
        'Take the # away at the three places of vault.yaml that say upgrade-check, as "vault init" has written them; docs/upgrade.md has the block to copy. After the ceremony, in rules.yaml, by "holdfast vault configure".',
    },
  ];
}

/** Whether a rule permits signing messages with one key, without waiting for anybody, and nothing else. */
function isMessages({ operations, keys, payloads, approvals, tiers }: PermitRule, key: string): boolean {
  return (
    operations.every((operation) => operation === 'sign') &&
    keys.every((id) => id === key) &&
    payloads.every((kind) => kind === 'message') &&
    approvals === null &&
    tiers.length === 0
  );
}
