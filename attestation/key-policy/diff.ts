import { ALL_KMS_ACTIONS, isAttestable } from './actions.ts';
import { unknownActions } from './action-patterns.ts';
import { createBudget } from './budget.ts';
import { parseAttestationKey } from './condition-keys.ts';
import { parseKeyPolicy, type KeyPolicy } from './document.ts';
import { describeWitness, type FindingExample } from './finding.ts';
import type { Attestation } from './key-space.ts';
import { onlyKeys, variableOfPcr } from './pcr-values.ts';
import { findAllowed, openInquiry, type Inquiry, type Question, type Witness } from './search.ts';

/** A permission in one of two policies and not in the other, with one request that shows the difference. */
export interface PermissionChange extends FindingExample {
  /** The statement that allows the request. */
  readonly statement: { readonly index: number; readonly sid?: string };
  /** Absent where the policies surely differ; false where the analysis cannot show that they do not. */
  readonly proven?: false;
}

/** Permissions that a change of policy gives and takes. */
export interface PolicyDifference {
  /** Permissions in the new policy only. */
  readonly gained: readonly PermissionChange[];
  /** Permissions in the old policy only. */
  readonly lost: readonly PermissionChange[];
}

/**
 * Compares two policies of a key by their permissions, not by their text. Callers are taken to have any IAM policies, so
 * that moving a permission between an account and a role of the account is no difference.
 *
 * @param before the JSON of the policy in force, at most 32,768 bytes
 * @param after the JSON of the new policy
 * @param options the key's ARN, and the time of the requests in milliseconds since 1970
 * @throws KeyPolicyError POLICY_SYNTAX, POLICY_TOO_LARGE, POLICY_MALFORMED, POLICY_UNRESOLVED, POLICY_TOO_COMPLEX
 *
 * Source: IAM User Guide, "Policy evaluation logic"; KMS Developer Guide, "Determining access".
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises';
 * import { diffKeyPolicies } from '@holdfast-nodes/holdfast/attestation/key-policy';
 *
 * const keyArn = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
 * const [before, after] = [await readFile('policy.json', 'utf8'), await readFile('open-policy.json', 'utf8')];
 * const { gained, lost } = diffKeyPolicies(before, after, { keyArn, now: Date.now() });
 * console.log(gained.some(({ action }) => action === 'kms:Decrypt'), lost.length); // true 0
 * ```
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
      // A permission without attestation covers every image, so it is reported once.
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

/** Key by which changes are merged: roles, users and sessions with one label are one change to a reader. */
function sameness({ action, who, attestation, statement, assignment }: Witness): string {
  const image = assignment.get(PCR0)?.map(String);
  return JSON.stringify([action, who.label, attestation, statement.index, image]);
}

/** Collects every PCR0 that the policies write out in full, in lower-case hex. */
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
