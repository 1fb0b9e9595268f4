import type { VaultDocument } from '../../index.ts';
import { StepError } from '../errors.ts';

/**
 * Asserts that a description changes nothing of a vault but what configurations say: clients, people, keys and rules of the
 * tenant, and doors. Accounts, nodes, threshold and witnesses stay as in vault.yaml.
 *
 * @throws StepError VAULT_RULES_OTHER_VAULT
 */
export function assertSameVault(vault: VaultDocument, description: VaultDocument): void {
  const [before, after] = [fixedOf(vault), fixedOf(description)];
  const fields = Object.keys(before).filter(
    (name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  );
  if (fields.length === 0) return;
  throw new StepError(
    'VAULT_RULES_OTHER_VAULT',
    'the description differs from vault.yaml in what no configuration changes',
    { fields },
  );
}

function fixedOf({ clients: _clients, tenant: _tenant, parts, ...rest }: VaultDocument) {
  // Parents ask the witnesses that vault.yaml names: nodes would wait for others without end.
  const { gateways: _gateways, ...fixed } = parts;
  const members: Readonly<Record<string, unknown>> = { ...rest, parts: fixed };
  return members;
}
