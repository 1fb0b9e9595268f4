import { KMS_ACTIONS } from './actions.ts';
import type { Representative } from './callers.ts';
import { findingOf, type Finding, type Severity } from './finding.ts';
import { isAdmin, isNamedIn, isNode, type LintScope } from './lint-scope.ts';
import type { Witness } from './search.ts';

/** Finds callers who can make ciphertexts that a node would take for its own. */
export function lintMint(scope: LintScope): Finding[] {
  return askAll(scope, KMS_ACTIONS.mint, (witness) => {
    const trusted = isAdmin(scope, witness.who);
    const bound = [...witness.assignment].some(
      ([key, values]) => key.startsWith('kms:encryptioncontext:') && values.length > 0,
    );
    return findingOf(witness, {
      code: 'MINT_OPEN',
      severity: trusted ? 'low' : bound ? 'medium' : 'high',
      why: `${whoIs(scope, witness.who)} can make blobs that the node opens as if they were its own${bound ? '' : ', of any purpose'}.`,
      fix: `Let the enclave make its secrets by an attested kms:GenerateDataKey, and allow ${KMS_ACTIONS.mint.join(', ')} to nobody.`,
    });
  });
}

/** Finds callers other than the admins who can change the policy, and so decide which image decrypts. */
export function lintControl(scope: LintScope): Finding[] {
  const findings = askAll(scope, KMS_ACTIONS.control, (witness) =>
    isAdmin(scope, witness.who)
      ? undefined
      : findingOf(witness, {
          code: 'POLICY_CHANGE_OPEN',
          severity: gradeOf(scope, witness, ['critical', 'high']),
          why: `${whoIs(scope, witness.who)} can put a policy that allows anything.`,
          fix: "Allow kms:PutKeyPolicy to the admin's role by name, not to the account.",
        }),
  );
  const somebody = scope.callers.some(
    (who) => scope.ask({ action: 'kms:PutKeyPolicy', who, attestation: 'none' }).length > 0,
  );
  if (somebody) return findings;
  return [
    {
      code: 'LOCKED_OUT',
      severity: 'low',
      why: 'Nobody can change this policy any more: a new image will never be able to decrypt.',
      fix: "Allow kms:PutKeyPolicy to the admin's role, unless this is meant to be for ever.",
    },
  ];
}

/** Finds callers other than the admins who can destroy the key, and every secret under it. */
export function lintDestruction(scope: LintScope): Finding[] {
  return askAll(scope, KMS_ACTIONS.destroy, (witness) =>
    isAdmin(scope, witness.who)
      ? undefined
      : findingOf(witness, {
          code: 'DESTRUCTION_OPEN',
          severity: gradeOf(scope, witness, ['high', 'medium']),
          why: `${whoIs(scope, witness.who)} can delete or stop the key, and with it every secret of the node.`,
          fix: "Allow kms:ScheduleKeyDeletion, kms:DisableKey and kms:DeleteImportedKeyMaterial to the admin's role by name.",
        }),
  );
}

/** Finds callers other than the admins who can rename, tag, stop rotation or cancel a deletion. */
export function lintManagement(scope: LintScope): Finding[] {
  return askAll(scope, KMS_ACTIONS.manage, (witness) =>
    isAdmin(scope, witness.who)
      ? undefined
      : findingOf(witness, {
          code: 'MANAGEMENT_OPEN',
          severity: isMany(witness.who) ? 'medium' : 'low',
          why: `${whoIs(scope, witness.who)} can change how the key is kept, if not what it protects.`,
          fix: "Allow these actions to the admin's role by name.",
        }),
  );
}

/** Finds callers other than the node's role who can run the right image and decrypt in it. */
export function lintPrincipals(scope: LintScope): Finding[] {
  const { nodes } = scope.options;
  return scope.callers
    .filter((who) => isMany(who) || (nodes !== undefined && !isNode(scope, who)))
    .flatMap((who) =>
      scope
        .ask({ action: 'kms:Decrypt', who, attestation: 'enclave' })
        .filter(({ statement }) =>
          scope
            .ask({ action: 'kms:Decrypt', who, attestation: 'none' })
            .every((one) => one.statement !== statement),
        )
        .map((witness) =>
          findingOf(witness, {
            code: 'OPEN_PRINCIPAL',
            severity: who.kind === 'stranger' ? 'medium' : 'low',
            why: `${whoIs(scope, who)} can run the image and have the secret: the same node twice.`,
            fix: "Name the instance's role as the principal.",
          }),
        ),
    );
}

/** Grades a witness: higher for the instance's role by name, low for the root user, who answers for the account. */
function gradeOf(
  scope: LintScope,
  witness: Witness,
  [node, others]: readonly [Severity, Severity],
): Severity {
  if (witness.who.kind === 'root') return 'low';
  return isNode(scope, witness.who) && isNamedIn(witness) ? node : others;
}

function isMany({ kind }: Representative): boolean {
  return kind === 'other-in-account' || kind === 'stranger';
}

function askAll(
  { callers, ask }: LintScope,
  actions: readonly string[],
  judge: (witness: Witness) => Finding | undefined,
): Finding[] {
  return actions.flatMap((action) =>
    callers.flatMap((who) =>
      ask({ action, who, attestation: 'none' }).flatMap((witness) => judge(witness) ?? []),
    ),
  );
}

function whoIs(scope: LintScope, who: Representative): string {
  if (isNode(scope, who)) {
    return scope.options.nodes === undefined
      ? `${who.label}, which may use the key attested, as an instance's role does,`
      : "The instance's role, and so whoever is root on the parent,";
  }
  switch (who.kind) {
    case 'root':
      return "The account's root user";
    case 'other-in-account':
      return 'Whoever may write IAM policies in the account';
    case 'stranger':
      return 'Any AWS account in the world';
    case 'service':
    case 'named':
    default:
      return who.label;
  }
}
