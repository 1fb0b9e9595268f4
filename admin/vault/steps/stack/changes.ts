import type { Change, ResourceChange } from '@aws-sdk/client-cloudformation';
import { StepError } from '../errors.ts';
import { isHarmless } from './harmless.ts';

const KEY_TYPES: readonly string[] = ['AWS::KMS::Key', 'AWS::KMS::ReplicaKey'];
/** Attributes by which a resource whose stack lets go of it, or puts another in its place, would no longer stay. */
const GUARDS: readonly string[] = ['DeletionPolicy', 'UpdateReplacePolicy'];

/** Describes what a change set would do, a sentence a resource; the gravest first. */
export function describeChanges(changes: readonly Change[]): readonly string[] {
  return resourcesOf(changes)
    .map((change) => ({ change, rank: RANKS.findIndex((isOf) => isOf(change)) }))
    .toSorted((one, other) => one.rank - other.rank)
    .map(({ change }) => describeChange(change));
}

const RANKS: readonly ((change: ResourceChange) => boolean)[] = [
  ({ Action }) => Action === 'Remove',
  (change) => isReplacement(change),
  ({ Action }) => Action === 'Modify',
  () => true,
];

function describeChange(change: ResourceChange): string {
  const { Action: action, LogicalResourceId: id, ResourceType: type } = change;
  const what = `${id ?? 'a resource'} (${type ?? 'of unknown type'})`;
  if (action === 'Add') return `makes ${what}`;
  if (action === 'Remove') return `removes ${what}`;
  if (action !== 'Modify') return `does ${action ?? 'something'} to ${what}`;
  const names = propertiesOf(change);
  const of = names.length === 0 ? '' : `: ${names.join(', ')}`;
  if (change.Replacement === 'True') return `replaces ${what}${of}`;
  if (change.Replacement === 'Conditional') return `changes ${what}, or replaces it${of}`;
  return `changes ${what}${of}`;
}

/**
 * Asserts that a change set removes and replaces nothing that holds a key or data, takes no guard away that keeps such a
 * thing, and puts no key policy.
 *
 * @throws StepError VAULT_WOULD_DESTROY, VAULT_WOULD_REOPEN
 */
export function assertKeeps(stack: string, changes: readonly Change[]): void {
  const resources = resourcesOf(changes);
  const lost = resources.filter((change) => isLoss(change));
  if (lost.length > 0) {
    throw new StepError(
      'VAULT_WOULD_DESTROY',
      'the change would remove or replace what may hold a key or data, and nothing of it was done',
      { stack, resources: lost.map(describeChange) },
    );
  }
  const reopened = resources.filter(
    (change) =>
      change.Action === 'Modify' &&
      KEY_TYPES.includes(change.ResourceType ?? '') &&
      propertiesOf(change).includes('KeyPolicy'),
  );
  if (reopened.length > 0) {
    throw new StepError(
      'VAULT_WOULD_REOPEN',
      'the change would put a key policy in place of the one that the gate has put',
      { stack, resources: reopened.map(describeChange) },
    );
  }
}

function isLoss(change: ResourceChange): boolean {
  const { Action: action, ResourceType: type = '' } = change;
  if (action === 'Add' || action === 'Import' || isHarmless(type)) return false;
  if (action === 'Modify') return isReplacement(change) || dropsGuard(change);
  // Removed, or let go of by a stack that then no longer guards it, or an action that nobody knows.
  return true;
}

function isReplacement({ Action: action, Replacement: replacement }: ResourceChange): boolean {
  return action === 'Modify' && replacement !== undefined && replacement !== 'False';
}

function dropsGuard({ Scope: scope = [] }: ResourceChange): boolean {
  return scope.some((attribute) => GUARDS.includes(attribute));
}

function propertiesOf({ Details: details = [] }: ResourceChange): readonly string[] {
  const names = details.map(({ Target: target }) => target?.Name ?? target?.Attribute ?? '');
  return [...new Set(names)].filter((name) => name !== '');
}

function resourcesOf(changes: readonly Change[]): readonly ResourceChange[] {
  return changes.map(({ ResourceChange: change }) => change ?? {});
}
