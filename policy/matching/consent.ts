import type { ApprovalRequirement } from '../../shared/documents/configuration.ts';

/** A vote that was verified: by its approver, for this very request and rule. */
export interface Approval {
  readonly approver: string;
  readonly decision: 'approve' | 'reject';
  /** Milliseconds since 1970 by the NSM at which it arrived. */
  readonly at: number;
}

/** The consent that a rule asks for, each group with its people. */
export interface Requirement {
  readonly groups: readonly {
    readonly group: string;
    readonly count: number;
    readonly people: ReadonlySet<string>;
  }[];
  readonly expiresSeconds: number;
}

/** Approvals of a group that are still missing. */
export interface MissingApprovals {
  readonly group: string;
  readonly count: number;
}

export function prepareRequirement(
  { all, expiresSeconds }: ApprovalRequirement,
  groups: ReadonlyMap<string, readonly string[]>,
): Requirement {
  return {
    groups: all.map(({ group, count }) => ({ group, count, people: new Set(groups.get(group) ?? []) })),
    expiresSeconds,
  };
}

/**
 * Lists those who count: they have approved, not longer ago than the requirement allows, and are not behind the client.
 *
 * @param requester approver behind the client; null where none is
 */
function listConsenting(
  { expiresSeconds }: Requirement,
  approvals: readonly Approval[],
  { requester, now }: { requester: string | null; now: number },
): string[] {
  const counting = approvals.filter(
    ({ approver, decision, at }) =>
      decision === 'approve' && approver !== requester && at <= now && now - at < expiresSeconds * 1000,
  );
  return [...new Set(counting.map(({ approver }) => approver))];
}

/**
 * Finds the approvals that a requirement lacks; an empty list where it is met. Each person fills one place, whichever
 * groups they are in: the most places are filled that any assignment of people fills (bipartite matching by augmenting
 * paths), so that nobody counts twice and nobody is wasted.
 */
export function findMissing(
  requirement: Requirement,
  approvals: readonly Approval[],
  context: { requester: string | null; now: number },
): MissingApprovals[] {
  const people = listConsenting(requirement, approvals, context);
  const places = requirement.groups.flatMap(({ count, people: members }, group) =>
    Array.from({ length: count }, () => ({ group, members })),
  );
  const placeOf = new Map<string, number>();
  const missing = new Map<number, number>();
  for (const [index, { group }] of places.entries()) {
    if (!fill(index, new Set())) missing.set(group, (missing.get(group) ?? 0) + 1);
  }
  return requirement.groups.flatMap(({ group }, index) => {
    const count = missing.get(index);
    return count === undefined ? [] : [{ group, count }];
  });

  /** Fills a place with somebody who is free, or who leaves another place that somebody else can fill. */
  function fill(place: number, tried: Set<string>): boolean {
    for (const person of people) {
      if (tried.has(person) || places[place]?.members.has(person) !== true) continue;
      tried.add(person);
      const current = placeOf.get(person);
      if (current === undefined || fill(current, tried)) {
        placeOf.set(person, place);
        return true;
      }
    }
    return false;
  }
}

/** Joins what several requirements lack: of each group, the most that one of them lacks. */
export function joinMissing(lists: readonly (readonly MissingApprovals[])[]): MissingApprovals[] {
  const most = new Map<string, number>();
  for (const { group, count } of lists.flat()) most.set(group, Math.max(most.get(group) ?? 0, count));
  return [...most].map(([group, count]) => ({ group, count }));
}
