import type { LocatedVault, VaultDocument } from '../document.ts';
import { VaultError } from '../errors.ts';
import { type Role, roleOfNode } from '../roles.ts';
import { checkAccounts } from './accounts.ts';
import { type OpenFinding, VAULT_SEVERITIES, type VaultFinding } from './finding.ts';
import { checkHosts } from './hosts.ts';
import { checkKeys } from './keys.ts';
import { checkNames } from './names.ts';
import { checkParts } from './parts.ts';
import { findOpenValues } from './placeholders.ts';
import { checkThresholds } from './quorum.ts';
import { checkRecoveryKeys } from './recovery-keys.ts';
import { checkRelease } from './release.ts';
import { checkTenant } from './tenant.ts';
import { checkUpgradeProof } from './upgrade-proof.ts';

export { VAULT_SEVERITIES, type VaultFinding, type VaultFindingCode, type VaultSeverity } from './finding.ts';

/** Errors that a refusal names. */
const MAX_NAMED = 16;

/**
 * Finds what does not fit together in the description of a vault, by nothing but the description: errors first.
 *
 * @param now milliseconds since 1970: rules that are over are found
 */
export function checkVault({ document, placeOf }: LocatedVault, now: number): VaultFinding[] {
  const findings: OpenFinding[] = [
    ...findOpenValues(document),
    ...checkAccounts(document),
    ...checkKeys(document),
    ...checkRecoveryKeys(document),
    ...checkThresholds(document),
    ...checkNames(document),
    ...checkHosts(document),
    ...checkRelease(document),
    ...checkParts(document, now),
    ...checkTenant(document, now),
    ...checkUpgradeProof(document),
  ];
  return sortFindings(
    findings.map(({ path, roles = [], ...rest }) => ({
      ...rest,
      roles: roles.length === 0 ? rolesAt(document, path) : roles,
      path: path.join('.'),
      line: placeOf(path)?.line ?? null,
    })),
  );
}

/**
 * Asserts that a description may be acted upon: that the offline check finds no error.
 *
 * @throws VaultError VAULT_UNSOUND, which names the errors
 */
export function assertSound(document: VaultDocument, now: number): void {
  const errors = checkVault({ document, placeOf: () => undefined }, now).filter(
    ({ severity }) => severity === 'error',
  );
  if (errors.length === 0) return;
  throw new VaultError('VAULT_UNSOUND', 'vault.yaml describes no vault that could be made', {
    findings: errors.slice(0, MAX_NAMED).map(({ code, path }) => `${code} (${path})`),
  });
}

/** Finds the role whose part of vault.yaml a path lies in; none for parts that all roles share. */
function rolesAt({ nodes }: VaultDocument, [member, place]: readonly (string | number)[]): readonly Role[] {
  if (member === 'infrastructure') return ['infrastructure'];
  const node = member === 'nodes' && typeof place === 'number' ? nodes[place]?.node : undefined;
  return node === undefined ? [] : [roleOfNode(node)];
}

/** Sorts findings, the worst first, and by their place in the file; what an account shows follows what the file does. */
export function sortFindings(findings: readonly VaultFinding[]): VaultFinding[] {
  const rank = ({ severity }: VaultFinding) => VAULT_SEVERITIES.indexOf(severity);
  return findings.toSorted((a, b) => rank(a) - rank(b) || compareLines(a, b));
}

/** Compares by line; findings without one are about an account, and come last. */
function compareLines({ line: a }: VaultFinding, { line: b }: VaultFinding): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return a - b;
}

/** Findings from the place of one role. */
export interface RoleFindings {
  readonly own: readonly VaultFinding[];
  /** Findings about the vault as a whole. */
  readonly common: readonly VaultFinding[];
  /** Findings about other roles alone. */
  readonly others: readonly VaultFinding[];
}

/** Parts findings by whether they concern one role. */
export function partFindings(findings: readonly VaultFinding[], role: Role): RoleFindings {
  const own = findings.filter(({ roles }) => roles.includes(role));
  const common = findings.filter(({ roles }) => roles.length === 0);
  return { own, common, others: findings.filter((one) => !own.includes(one) && !common.includes(one)) };
}
