import { ALL_KMS_ACTIONS, isAttestable } from './actions.ts';
import { unknownActions } from './action-patterns.ts';
import { createBudget } from './budget.ts';
import { parseAttestationKey } from './condition-keys.ts';
import { parseKeyPolicy, type KeyPolicy } from './document.ts';
import { describeWitness, type FindingExample } from './finding.ts';
import type { Attestation } from './key-space.ts';
import { onlyKeys, variableOfPcr } from './pcr-values.ts';
import { findAllowed, openInquiry, type Inquiry, type Question, type Witness } from './search.ts';

/** Something that one of two policies allows and the other does not, with one request that shows it. */
export interface PermissionChange extends FindingExample {
  /** The statement that allows it. */
  readonly statement: { readonly index: number; readonly sid?: string };
  /** Absent where the policies surely differ in it; false where it only cannot be shown that they do not. */
  readonly proven?: false;
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
  const policies = [old, young];
  const budget = createBudget();
  const inquiry = openInquiry(policies, { ...options, budget });
  const actions = [...ALL_KMS_ACTIONS, ...unknownActions(policies, budget)];
  return {
    gained: findChanges(inquiry, actions, young, old),
    lost: findChanges(inquiry, actions, old, young),
  };
}

const PCR0 = variableOfPcr(0);

function findChanges(
  inquiry: Inquiry,
  actions: readonly string[],
  policy: KeyPolicy,
  other: KeyPolicy,
): PermissionChange[] {
  const written = writtenImages([policy, other]);
  const images: NonNullable<Question['only']>[] = [
    ...[...written].map((image) => onlyKeys([PCR0, (values) => values[0] === image])),
    onlyKeys([PCR0, ([value = '']) => !written.has(value)]),
  ];
  const witnesses = actions.flatMap((action) =>
    inquiry.callers.flatMap((who) => {
      const ask = (attestation: Attestation, only?: NonNullable<Question['only']>): Witness[] => [
        ...findAllowed(inquiry, policy, {
          action,
          who,
          attestation,
          deniedBy: other,
          ...(only === undefined ? {} : { only }),
        }),
      ];
      const unattested = ask('none');
      // What is open to everybody is open to enclaves; it is said once.
      if (unattested.length > 0 || !isAttestable(action)) return unattested;
      return [...images.flatMap((image) => ask('enclave', image)), ...ask('nitrotpm')];
    }),
  );
  return [...new Map(witnesses.map((witness) => [sameness(witness), describeChange(witness)])).values()];
}

function describeChange(witness: Witness): PermissionChange {
  const { index, sid } = witness.statement;
  return {
    ...describeWitness(witness),
    statement: sid === undefined ? { index } : { index, sid },
    ...(witness.proven ? {} : { proven: false }),
  };
}

/** Roles, users and sessions that nobody named are one to a reader. */
function sameness({ action, who, attestation, statement, assignment }: Witness): string {
  const image = assignment.get(PCR0)?.map(String);
  return JSON.stringify([action, who.label, attestation, statement.index, image]);
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
