import type { VaultDocument } from '../document.ts';
import { vaultPrefix } from '../names.ts';
import { describeRole, nodeOfRole, type Role, rolesOf } from '../roles.ts';

/**
 * Who has run sheets: the roles that hold an account, and others that hold none. Owners are clients that have keys
 * generated and backed up; custodians are those who come together on an offline machine; an auditor has files alone; whoever runs a client runs its door.
 */
export type SheetRole = Role | 'owners' | 'custodians' | 'auditor' | 'gateways';

/** Person of a run sheet, as its head names them. */
export interface SheetPerson {
  readonly role: SheetRole;
  /** `the admin of node 1`. */
  readonly who: string;
  /** AWS account and its Region; null for a role that needs none. */
  readonly account: { readonly id: string; readonly region: string } | null;
  /** IAM roles, or clients, that act for the role; none where vault.yaml names nobody. */
  readonly people: readonly string[];
}

/** Roles of a vault that have run sheets, in the order of its life. */
export function sheetRolesOf(document: VaultDocument): readonly SheetRole[] {
  const doors = document.parts.gateways.length === 0 ? [] : (['gateways'] as const);
  return [...rolesOf(document), 'owners', 'custodians', 'auditor', ...doors];
}

/** Describes whoever a run sheet is for. @throws VaultError VAULT_ROLE_UNKNOWN */
export function describePerson(document: VaultDocument, name: string): SheetPerson {
  switch (name) {
    case 'owners':
      return {
        role: name,
        who: 'the owners of the keys',
        account: null,
        people: document.tenant.owners.clients,
      };
    case 'custodians':
      return { role: name, who: 'the custodians, and who leads them', account: null, people: [] };
    case 'auditor':
      return { role: name, who: 'the auditor', account: null, people: [] };
    case 'gateways':
      return {
        role: name,
        who: 'whoever runs a client with its door',
        account: null,
        people: document.parts.gateways.map(({ client }) => client),
      };
    default: {
      const { role, account, region, admins } = describeRole(document, name);
      const node = nodeOfRole(role);
      const who = node === undefined ? 'the infrastructure admin' : `the admin of node ${node}`;
      return { role, who, account: { id: account, region }, people: admins };
    }
  }
}

/** Titles a sheet: `acme-production: run sheet of the admin of node 1`. @throws VaultError VAULT_ROLE_UNKNOWN */
export function titleOf(document: VaultDocument, procedure: string, role: SheetRole): string {
  return `${vaultPrefix(document)}: ${procedure} of ${describePerson(document, role).who}`;
}
