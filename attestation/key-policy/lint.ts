import { parseKeyPolicy } from './document.ts';
import { mergeFindings, SEVERITIES, type Finding, type Severity } from './finding.ts';
import { lintActions, lintOtherKinds } from './lint-actions.ts';
import { lintControl, lintDestruction, lintManagement, lintMint, lintPrincipals } from './lint-control.ts';
import { lintImages } from './lint-images.ts';
import { lintNode, lintRole } from './lint-node.ts';
import { openScope, type LintOptions } from './lint-scope.ts';
import { lintBypass, lintContext, lintInitialisation, lintUnattestedUse } from './lint-use.ts';
import { lintWriting } from './lint-writing.ts';

/**
 * What is wrong with the policy of a key that only an enclave shall use. It is decided by looking for requests that
 * the policy allows and should not, so that a gap that a Deny or an account's boundary closes is none. What cannot be
 * shown closed is a finding too. The worst comes first.
 *
 * @throws KeyPolicyError for a policy that cannot be read with one meaning only
 */
export function lintKeyPolicy(text: string, options: LintOptions): Finding[] {
  const scope = openScope(parseKeyPolicy(text), options);
  return mergeFindings([
    ...lintUnattestedUse(scope),
    ...lintBypass(scope),
    ...lintImages(scope),
    ...lintContext(scope),
    ...lintInitialisation(scope),
    ...lintMint(scope),
    ...lintControl(scope),
    ...lintDestruction(scope),
    ...lintManagement(scope),
    ...lintOtherKinds(scope),
    ...lintPrincipals(scope),
    ...lintWriting(scope),
    ...lintActions(scope),
    ...lintNode(scope),
    ...lintRole(scope),
  ]);
}

/** Whether any finding is of this severity or worse. */
export function isAtLeast({ severity }: Finding, threshold: Severity): boolean {
  return SEVERITIES.indexOf(severity) <= SEVERITIES.indexOf(threshold);
}
