import { ALL_KMS_ACTIONS, isAttestable } from './actions.ts';
import { createBudget } from './budget.ts';
import { representCallers } from './callers.ts';
import { UNKNOWN_PCR, type Attestation } from './candidates.ts';
import { parseAttestationKey } from './condition-keys.ts';
import { parseKeyPolicy, type KeyPolicy } from './document.ts';
import { describeWitness, type FindingExample } from './finding.ts';
import { findAllowed, type Witness } from './search.ts';

/** Something that one of two policies allows and the other does not, with one request that shows it. */
export interface PermissionChange extends FindingExample {
  /** The statement that allows it. */
  readonly statement: { readonly index: number; readonly sid?: string };
}

export interface PolicyDifference {
  /** Allowed by the new policy only. */
  readonly gained: readonly PermissionChange[];
  /** Allowed by the old policy only. */
  readonly lost: readonly PermissionChange[];
}

/**
 * Compares two policies of a key by what they permit, not by their text. Callers have whatever IAM policies they
 * like, so moving a permission between the account and a role of it is no difference.
 *
 * @throws KeyPolicyError for a policy that cannot be read with one meaning only
 */
export function diffKeyPolicies(
  before: string,
  after: string,
  options: { readonly keyArn: string; readonly now: number },
): PolicyDifference {
  const [old, young] = [parseKeyPolicy(before), parseKeyPolicy(after)];
  return { gained: findChanges(young, old, options), lost: findChanges(old, young, options) };
}

function findChanges(
  policy: KeyPolicy,
  other: KeyPolicy,
  options: { readonly keyArn: string; readonly now: number },
): PermissionChange[] {
  const callers = representCallers([policy, other], options.keyArn.split(':')[4] ?? '');
  const images = [...writtenImages([policy, other]), UNKNOWN_PCR];
  const budget = createBudget();
  const witnesses = ALL_KMS_ACTIONS.flatMap((action) =>
    callers.flatMap((who) => {
      const ask = (attestation: Attestation, pcr0?: string): Witness[] => [
        ...findAllowed(policy, {
          ...options,
          budget,
          action,
          who,
          attestation,
          deniedBy: other,
          ...(pcr0 === undefined
            ? {}
            : { only: new Map([[PCR0, isOnly(pcr0)]]), also: new Map([[PCR0, [pcr0]]]) }),
        }),
      ];
      const unattested = ask('none');
      // What is open to everybody is open to enclaves; it is said once.
      if (unattested.length > 0 || !isAttestable(action)) return unattested;
      return [...images.flatMap((pcr0) => ask('enclave', pcr0)), ...ask('nitrotpm')];
    }),
  );
  const changes = witnesses.map((witness): PermissionChange => {
    const { index, sid } = witness.statement;
    return { ...describeWitness(witness), statement: sid === undefined ? { index } : { index, sid } };
  });
  return [...new Map(changes.map((change) => [JSON.stringify(change), change])).values()];
}

const PCR0 = 'kms:recipientattestation:pcr0';

function isOnly(pcr0: string): (values: readonly string[]) => boolean {
  return (values) => values.length === 1 && values[0] === pcr0;
}

/** Every PCR0 that the policies write out. */
function writtenImages(policies: readonly KeyPolicy[]): Set<string> {
  const conditions = policies.flatMap(({ statements }) =>
    statements.flatMap((statement) => statement.conditions),
  );
  return new Set(
    conditions.flatMap(({ key, values }) => {
      const asked = parseAttestationKey(key);
      if (asked?.platform !== 'enclave' || asked.pcr !== 0) return [];
      return values.map((value) => value.toLowerCase()).filter((value) => /^[0-9a-f]{96}$/.test(value));
    }),
  );
}
