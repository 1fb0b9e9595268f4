import type { VaultDocument } from '../document.ts';
import { ceremonyProcedure } from './admin-ceremony.ts';
import { secretsProcedures } from './admin-secrets.ts';
import { recoveryProcedure } from './admin-recovery.ts';
import { proceduresOfAuditor } from './auditor.ts';
import { proceduresOfCustodians } from './custodians.ts';
import { proceduresOfGateways } from './gateways.ts';
import { proceduresOfOwners } from './owners.ts';
import type { Procedure } from './procedure.ts';
import { rulesProcedure } from './rules.ts';
import { describePerson, type SheetPerson } from './sheet-role.ts';
import { upgradeProcedure } from './upgrade.ts';

/** Everything that one person of a vault does, procedure by procedure, and nothing that others do. */
export interface RunSheet extends SheetPerson {
  readonly procedures: readonly Procedure[];
}

/** Derives the run sheets of one role. @throws VaultError VAULT_ROLE_UNKNOWN */
export function deriveRunSheet(document: VaultDocument, name: string): RunSheet {
  const person = describePerson(document, name);
  return { ...person, procedures: proceduresOf(document, person) };
}

function proceduresOf(document: VaultDocument, { role }: SheetPerson): readonly Procedure[] {
  switch (role) {
    case 'owners':
      return proceduresOfOwners(document);
    case 'custodians':
      return proceduresOfCustodians(document);
    case 'auditor':
      return proceduresOfAuditor(document);
    case 'gateways':
      return proceduresOfGateways(document);
    case 'infrastructure':
    default:
      return [
        ceremonyProcedure(document, role),
        ...(role === 'infrastructure' ? secretsProcedures(document) : []),
        rulesProcedure(document, role),
        upgradeProcedure(document, role),
        recoveryProcedure(document, role),
      ];
  }
}
