import { KMS_ACTIONS, ALL_KMS_ACTIONS, isAttestable } from './actions.ts';
import { isKnownAction, unknownActions } from './action-patterns.ts';
import { createBudget } from './budget.ts';
import { matchConditions } from './condition.ts';
import { parseAttestationKey } from './condition-keys.ts';
import type { KeyPolicyStatement } from './document.ts';
import { findingIn, findingOf, type Finding } from './finding.ts';
import { isAdmin, type LintScope } from './lint-scope.ts';
import { matchAction } from './pattern.ts';

/** Finds actions that a statement names without effect, and wildcards over actions that do not exist yet. */
export function lintActions(scope: LintScope): Finding[] {
  return [
    ...scope.policy.statements.flatMap((one) => [...lintNames(one), ...lintDocuments(one)]),
    ...lintFuture(scope),
  ];
}

/** Finds misspelt actions: an Allow then fails to allow, and a Deny fails to deny. */
function lintNames(statement: KeyPolicyStatement): Finding[] {
  return statement.actions.entries
    .filter((pattern) => !isKnownAction(pattern))
    .map((pattern) =>
      findingIn(statement, {
        code: 'UNKNOWN_ACTION',
        severity: 'medium',
        why: `KMS has no action ${pattern}: the statement does nothing for it.`,
        fix: `Write an action of KMS for ${pattern}.`,
      }),
    );
}

/** Actions of an attested Allow that take no attestation document, so that it never allows them. */
function lintDocuments(statement: KeyPolicyStatement): Finding[] {
  const { effect, actions, conditions } = statement;
  if (effect === 'Deny' || actions.negated) return [];
  const attested = conditions.filter(({ key }) => parseAttestationKey(key) !== undefined);
  if (matchConditions(attested, new Map(), false)) return [];
  const idle = actions.entries.filter(
    (pattern) =>
      isKnownAction(pattern) &&
      !ALL_KMS_ACTIONS.some((action) => isAttestable(action) && matchAction(pattern, action)),
  );
  if (idle.length === 0) return [];
  return [
    findingIn(statement, {
      code: 'NEVER_ATTESTED',
      severity: 'low',
      why: `Requests for ${idle.join(', ')} carry no attestation document, so that this statement never allows them.`,
      fix: 'Take them out of the statement.',
    }),
  ];
}

/** Finds wildcards that allow actions that AWS may add; Describe and List actions only read, by AWS's convention. */
function lintFuture(scope: LintScope): Finding[] {
  const { policy, callers, ask } = scope;
  return unknownActions([policy], createBudget())
    .filter((action) => !/^kms:(?:describe|list)/.test(action))
    .flatMap((action) =>
      callers.flatMap((who) =>
        ask({ action, who, attestation: 'none' })
          .filter(({ statement }) => !statement.actions.negated)
          .map((witness) =>
            findingOf(witness, {
              code: 'FUTURE_ACTIONS',
              severity: isAdmin(scope, who) ? 'low' : 'medium',
              why: 'A wildcard in Action also allows whatever actions AWS will add.',
              fix: 'List the actions that are meant.',
            }),
          ),
      ),
    );
}

/** Finds allowed actions that no node needs of its key, most of them for keys of other kinds. */
export function lintOtherKinds({ callers, ask }: LintScope): Finding[] {
  const attested = KMS_ACTIONS.use.filter(
    (action) => !['kms:Decrypt', 'kms:GenerateDataKey'].includes(action),
  );
  const questions = [
    ...KMS_ACTIONS.otherKinds.map((action) => ({ action, attestation: 'none' }) as const),
    ...attested.map((action) => ({ action, attestation: 'enclave' }) as const),
  ];
  return questions.flatMap((question) =>
    callers.flatMap((who) =>
      ask({ ...question, who }).map((witness) =>
        findingOf(witness, {
          code: 'OTHER_KEY_USE',
          severity: 'low',
          why: 'No node needs this of its key; most of it is for keys of another kind.',
          fix: `Take ${[...KMS_ACTIONS.otherKinds, ...attested].join(', ')} out of the statement.`,
        }),
      ),
    ),
  );
}
