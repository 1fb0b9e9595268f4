import type {
  ApprovalRequirement,
  Configuration,
  PermitRule,
} from '../../../shared/documents/configuration.ts';
import { type Approval, findMissing, prepareRequirement, type Requirement } from '../../matching/consent.ts';
import { isKeyOperation } from '../../request.ts';
import type { ConfigurationFinding } from './finding.ts';

/** Finds what is wrong with the approvals that rules ask for. */
export function lintConsent(configuration: Configuration): ConfigurationFinding[] {
  const groups = new Map(configuration.approverGroups.map(({ id, approvers }) => [id, approvers]));
  return configuration.rules.flatMap((rule) =>
    rule.effect === 'permit' ? [...lintWaiting(rule), ...lintRule(rule, configuration, groups)] : [],
  );
}

/** Finds operations that the rule would have wait for approvals, and that cannot. */
function lintWaiting({ id, operations, approvals }: PermitRule): ConfigurationFinding[] {
  const denied = approvals === null ? [] : operations.filter(isKeyOperation);
  if (denied.length === 0) return [];
  const text = `the rule asks for approvals, and ${denied.join(', ')} cannot wait for them: always denied`;
  return [{ code: 'APPROVALS_NOT_AWAITED', severity: 'error', subject: id, text }];
}

/** Lists the requirements that one request can meet at once: the rule's own with each step of its tiers. */
function listTogether({ approvals, tiers }: PermitRule): ApprovalRequirement[][] {
  const own = approvals === null ? [] : [approvals];
  const steps = tiers.flatMap((tier) => tier.steps.map((step) => step.approvals));
  if (steps.length === 0) return own.length === 0 ? [] : [own];
  return steps.map((step) => (step === null ? own : [...own, step])).filter((each) => each.length > 0);
}

function lintRule(
  rule: PermitRule,
  { clients, clientGroups, approvers }: Configuration,
  groups: ReadonlyMap<string, readonly string[]>,
): ConfigurationFinding[] {
  const sets = listTogether(rule).map((set) => set.map((each) => prepareRequirement(each, groups)));
  if (sets.length === 0) return [];
  const names = new Set([
    ...rule.clients,
    ...clientGroups.filter(({ id }) => rule.clients.includes(id)).flatMap((group) => group.clients),
  ]);
  const own = clients.filter(({ id }) => names.has(id));
  const people = approvers.map(({ id }) => id);
  const unmet = sets.find((set) => !isMet(set, people, null));
  if (unmet !== undefined) {
    const text = `nobody can ever meet ${describe(unmet)}: the groups have too few people for it`;
    return [{ code: 'QUORUM_IMPOSSIBLE', severity: 'error', subject: rule.id, text }];
  }
  const findings: ConfigurationFinding[] = [];
  const stuck = own.filter(
    ({ person }) => person !== null && sets.some((set) => !isMet(set, people, person)),
  );
  if (stuck.length > 0) {
    findings.push({
      code: 'QUORUM_IMPOSSIBLE_FOR_CLIENT',
      severity: stuck.length === own.length ? 'error' : 'warning',
      subject: rule.id,
      text: `requests of ${stuck.map(({ id }) => id).join(', ')} never get enough approvals: without the person behind the client too few are left`,
    });
  }
  const alone = people.filter((person) => sets.some((set) => isMet(set, [person], null)));
  if (alone.length > 0) {
    const text = `one person is enough, each of these alone: ${alone.slice(0, 8).join(', ')}`;
    findings.push({ code: 'ONE_PERSON_QUORUM', severity: 'warning', subject: rule.id, text });
  }
  const unnamed = own.filter(({ person }) => person === null);
  if (unnamed.length > 0) {
    findings.push({
      code: 'REQUESTER_UNNAMED',
      severity: 'warning',
      subject: rule.id,
      text: `person is null for ${unnamed.map(({ id }) => id).join(', ')}: an approver who holds that client's key could approve requests of their own`,
    });
  }
  return findings;
}

function isMet(set: readonly Requirement[], people: readonly string[], requester: string | null): boolean {
  const approvals: Approval[] = people.map((approver) => ({ approver, decision: 'approve', at: 0 }));
  return set.every((each) => findMissing(each, approvals, { requester, now: 0 }).length === 0);
}

function describe(set: readonly Requirement[]): string {
  return set.flatMap(({ groups }) => groups.map(({ group, count }) => `${count} of ${group}`)).join(' and ');
}
