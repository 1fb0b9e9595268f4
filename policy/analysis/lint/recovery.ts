import type { Configuration } from '../../../shared/documents/configuration.ts';
import type { ConfigurationFinding } from './finding.ts';

/** Finds keys whose backup nobody asks for, nobody can make, or one person both makes and acknowledges. */
export function lintRecovery(configuration: Configuration): ConfigurationFinding[] {
  const { recovery, keys, pools = [], rules } = configuration;
  if (recovery === undefined) return [];
  const subject = 'recovery';
  const findings: ConfigurationFinding[] = [];
  const without = [...keys, ...pools].map(({ id }) => id).filter((id) => !recovery.required.includes(id));
  if (without.length > 0) {
    const text = `${without.join(', ')} sign whether or not a backup is kept: recovery.required does not name them`;
    findings.push({ code: 'BACKUP_NOT_REQUIRED', severity: 'note', subject, text });
  }
  const permits = rules.filter(
    ({ effect, operations }) => effect === 'permit' && operations.includes('backup'),
  );
  const unobtainable = recovery.required.filter((id) => !permits.some((rule) => rule.keys.includes(id)));
  if (unobtainable.length > 0) {
    const text = `no rule permits a backup of ${unobtainable.join(', ')}: nobody can ever cover them`;
    findings.push({ code: 'BACKUP_UNOBTAINABLE', severity: 'error', subject, text });
  }
  if (recovery.maxUncovered.length === 0) {
    const text = 'a key that is new signs nothing before a keeper has acknowledged its backup';
    findings.push({ code: 'UNCOVERED_SIGNS_NOTHING', severity: 'note', subject, text });
  }
  return [...findings, ...lintKeepers(configuration, new Set(permits.flatMap((rule) => rule.clients)))];
}

/** @param names clients, and groups of clients, that may ask for backups */
function lintKeepers(
  { recovery, approverGroups, clients, clientGroups }: Configuration,
  names: ReadonlySet<string>,
): ConfigurationFinding[] {
  const keepers = new Set(approverGroups.find(({ id }) => id === recovery?.keepers)?.approvers);
  const asking = new Set([
    ...names,
    ...clientGroups.filter(({ id }) => names.has(id)).flatMap((group) => group.clients),
  ]);
  const both = clients.filter(({ id, person }) => asking.has(id) && person !== null && keepers.has(person));
  return both.map(({ id, person }) => ({
    code: 'KEEPER_IS_REQUESTER',
    severity: 'warning',
    subject: 'recovery',
    text: `${person ?? ''} stands behind ${id}, which asks for backups, and says that they are kept: one person's word`,
  }));
}
