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
 * Lints the policy of a key that only an enclave shall use. The linter searches for requests that the policy allows and
 * should not, so that a gap that a Deny closes is no finding; a gap that cannot be shown to be closed is one. The worst
 * findings come first; none is an empty list.
 *
 * @param text the JSON of the policy, at most 32,768 bytes
 * @throws KeyPolicyError POLICY_SYNTAX, POLICY_TOO_LARGE, POLICY_MALFORMED, POLICY_UNRESOLVED, POLICY_TOO_COMPLEX
 *
 * Source: KMS Developer Guide, "Condition keys for Nitro Enclaves"; IAM User Guide, "Policy evaluation logic".
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises';
 * import { isAtLeast, lintKeyPolicy } from '@holdfast-nodes/holdfast/attestation/key-policy';
 *
 * const keyArn = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
 * const findings = lintKeyPolicy(await readFile('open-policy.json', 'utf8'), { keyArn, now: Date.now() });
 * const [worst] = findings.filter((finding) => isAtLeast(finding, 'critical'));
 * console.log(worst.code, worst.severity); // UNATTESTED_USE critical
 * ```
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

/** Whether a finding is of this severity or worse. */
export function isAtLeast({ severity }: Finding, threshold: Severity): boolean {
  return SEVERITIES.indexOf(severity) <= SEVERITIES.indexOf(threshold);
}
